"""What traffic is for: by the programs at its ends, and by the port where they are unknown. Pure.

A program says more than a port: an agent on an unusual port is still monitoring, and a web server on 9090 is none.
Names are compared as the kernel keeps them, in at most 15 characters (TASK_COMM_LEN, include/linux/sched.h).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from govcloud.model.inventory import Traffic

BINDING: frozenset[Traffic] = frozenset({"business", "file_share"})
"""Traffic that says that one end needs the other."""

_PORT_KINDS: Mapping[str, frozenset[int]] = {
    "management": frozenset({
        22, 23, 623, 1556, 3389, 4505, 4506, 5900, 5901, 5985, 5986, 7937, 7938, 8140, 8400, 9101, 9102, 9103, 13720, 13724,
        13782,
    }),
    "monitoring": frozenset({
        161, 162, 514, 601, 1514, 4949, 5044, 5666, 5667, 6514, 6556, 9090, 9093, 9100, 9104, 9115, 9182, 9187, 10050, 10051,
        19999,
    }),
    "database": frozenset({1433, 1521, 3050, 3306, 5236, 5432, 5433, 6379, 8123, 9042, 9200, 27017, 50000, 54321}),
    "interface": frozenset({80, 443, 7001, 8000, 8001, 8008, 8080, 8081, 8088, 8090, 8443, 8888, 9080, 9443}),
    "file": frozenset({20, 21, 111, 139, 445, 873, 2049, 9000, 20048, 24007}),
    "message": frozenset({1883, 5672, 9092, 61616}),
    "login": frozenset({88, 389, 636}),
    "name": frozenset({53, 137, 853, 5353}),
    "time": frozenset({123, 323}),
}  # fmt: skip
_PORTS: Mapping[int, str] = {port: kind for kind, ports in _PORT_KINDS.items() for port in ports}
_TRAFFIC: Mapping[str, Traffic] = {
    "management": "management", "monitoring": "monitoring", "name": "naming", "time": "time", "file": "file_share",
}  # fmt: skip
"""Kind of port -> traffic; every other kind is business."""
_EPHEMERAL_FROM = 32768
"""First port that Linux hands to clients (net.ipv4.ip_local_port_range); Windows begins at 49152."""
_SYSTEM_PORTS = 1024


def _names(text: str) -> frozenset[str]:
    return frozenset(name[:15] for name in text.split())


_REMOTE = _names(
    "sshd sshd-session dropbear telnetd in.telnetd xrdp xrdp-sesman xvnc x0vncserver x11vnc vino-server guacd "
    "salt-master salt-minion puppet puppetserver chef-client cockpit-ws cockpit-tls libvirtd virtqemud virtproxyd "
    "vmtoolsd qemu-ga teamviewerd anydesk todesk sunloginclient rundeckd"
)
_BACKUP = _names(
    "bacula-fd bacula-sd bacula-dir bareos-fd bareos-sd bareos-dir bpcd bpbrm bpbkar bpjava-msvc vnetd pbx_exchange "
    "nbdisco nsrexecd nsrd nsrmmd cvd cvlaunchd clbackup dsmc dsmcad dsmserv veeamservice veeamtransport veeamagent "
    "urbackupclientbackend urbackupsrv amandad burp borg restic"
)
_AGENTS = _names(
    "zabbix_agentd zabbix_agent snmpd snmptrapd nrpe nsca check_mk_agent cmk-agent-ctl telegraf collectd netdata gmond "
    "munin-node filebeat metricbeat packetbeat heartbeat auditbeat journalbeat fluentd fluent-bit td-agent promtail "
    "rsyslogd syslog-ng syslogd systemd-journal-upload logstash ossec-agentd wazuh-agentd wazuh-remoted falcon-agent "
    "categraf n9e aliyundun aliyundunupdate argusagent hostguard hostwatch telescope barad_agent ydservice titanagent"
)
_POLLERS = _names(
    "prometheus alertmanager grafana grafana-server zabbix_server zabbix_proxy nagios icinga vmagent victoria-metrics gmetad"
)
_NAMING = _names("named unbound dnsmasq systemd-resolved coredns pdns_server pdns_recursor smartdns avahi-daemon nmbd")
_TIME = _names("chronyd ntpd systemd-timesyncd openntpd ptp4l")
_FILES = _names(
    "smbd nfsd rpcbind rpc.mountd rpc.statd vsftpd proftpd pure-ftpd rsync rsyncd glusterfsd glusterd ceph-osd ceph-mds minio"
)
_SERVES: Mapping[str, Traffic] = {
    **dict.fromkeys(_REMOTE | _BACKUP, "management"), **dict.fromkeys(_AGENTS | _POLLERS, "monitoring"),
    **dict.fromkeys(_NAMING, "naming"), **dict.fromkeys(_TIME, "time"), **dict.fromkeys(_FILES, "file_share"),
}  # fmt: skip
_PROGRAM_KINDS: Mapping[str, str] = {
    **dict.fromkeys(_names("mysqld mariadbd postgres postmaster oracle tnslsnr sqlservr mongod mongos redis-server db2sysc "
                           "dmserver kingbase gaussdb gaussmaster oscar gbased clickhouse-server memcached taosd"), "database"),
    **dict.fromkeys(_names("nginx httpd apache apache2 haproxy tomcat php-fpm node envoy caddy openresty w3wp"), "interface"),
    **dict.fromkeys(_names("beam.smp activemq"), "message"), **dict.fromkeys(_names("slapd ns-slapd krb5kdc"), "login"),
}  # fmt: skip
_SSH_CLIENTS = _names("ssh slogin plink putty ansible ansible-playbook telnet xfreerdp mstsc")
_CARRIERS = _names("java php-fpm rclone lftp dotnet")
"""Clients of sshd that carry files: applications speak SFTP themselves, people and Ansible start `ssh`."""
_FORWARDERS = _names("systemd xinetd inetd docker-proxy rootlessport kube-proxy conmon slirp4netns")
"""They hold the port for another program, which stays unknown."""
_NOT_SERVING = _names("rpcbind rpc.statd cupsd master sendmail exim exim4")
"""They listen on every ordinary installation, whether it serves anybody or not."""


@lru_cache(maxsize=4096)
def program(process: str | None) -> str | None:
    """The name without path, version and what it says behind a colon; None where that tells nothing."""
    if not process:
        return None
    name = process.rpartition("/")[2].casefold().partition(":")[0]
    if re.search(r"_export(e|er)?$", name):
        return "exporter"
    bare = re.sub(r"(?<=[a-z])[\d.]+$", "", name) if name not in _PROGRAM_KINDS else name
    return None if bare[:15] in _FORWARDERS else bare[:15] or None


def port_kind(port: int, server: str | None = None) -> str | None:
    """database, interface, file, message, login, name, time, management, monitoring; by the program where it is known."""
    kind = _PROGRAM_KINDS.get(program(server) or "")
    return kind or _PORTS.get(port)


@lru_cache(maxsize=65536)
def traffic_of(port: int, known_service: bool, client: str | None = None, server: str | None = None) -> Traffic:
    """What traffic to a port is for.

    `known_service`: the serving end listens on the port, or says so itself. `client`, `server`: the programs at the
    ends, None where unknown.
    """
    caller, serving = program(client), program(server)
    if serving == "exporter" or caller == "exporter":
        return "monitoring"
    if serving is not None and serving in _SERVES:
        return "file_share" if serving in _REMOTE and caller in _CARRIERS else _SERVES[serving]
    if caller in _AGENTS or (caller in _POLLERS and port_kind(port, server) != "database"):
        return "monitoring"
    if caller in _BACKUP or caller in _SSH_CLIENTS:
        return "management"
    kind = _PORTS.get(port)
    if kind is None:
        return "ephemeral" if port >= _EPHEMERAL_FROM and not known_service else "business"
    if serving is not None and port >= _SYSTEM_PORTS and kind != "file":
        return "business"
    return _TRAFFIC.get(kind, "business")


def serves(port: int, process: str | None) -> bool:
    """Whether a listening socket is there for others' business; unknown programs are believed to be."""
    name = program(process)
    if name in _NOT_SERVING or port == 111:
        return False
    return traffic_of(port, True, None, process) in BINDING


def used_from_desks(port: int) -> bool:
    """Ports that people connect to from their desks: who connects there need not be a server."""
    return _PORTS.get(port) in ("interface", "management", "monitoring")
