"""How many programs run, and which well-known server programs are among them.

Command lines may hold passwords: the host itself cuts out the program's name and the few words that tell one Java
server from another, and nothing else leaves it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from govcloud.model.observation import Value

NAME = "processes"
FIELDS = ("process_count", "services")
FILES = ()
# Brackets in the words, so that this grep does not find itself.
COMMAND = (
    "grep -saoE '^[^[:cntrl:] ]{1,200}|org[.]apache[.]catalina[.]startup|weblogic[.]Server|com[.]ibm[.]ws[.]|com[.]tongweb|[T]ongWeb"
    "|com[.]bes[.]|[a]pusic|org[.]jboss|kafka[.]Kafka|org[.]elasticsearch|[Q]uorumPeerMain|[a]libaba[.]nacos|[r]ocketmq[.]namesrv"
    "|[i]nforsuite|postgres:' /proc/[0-9]*/cmdline"
)

_LINE = re.compile(r"/proc/(\d{1,10})/cmdline:(.+)")
_SERVICES: Mapping[str, str] = {
    "postgres": "postgresql", "postmaster": "postgresql", "mysqld": "mysql", "mariadbd": "mariadb", "oracle": "oracle",
    "dmserver": "dameng", "kingbase": "kingbase", "gaussdb": "gaussdb", "gbased": "gbase", "oninit": "gbase", "oscar": "oscar",
    "redis-server": "redis", "valkey-server": "redis", "mongod": "mongodb", "memcached": "memcached", "sqlservr": "mssql",
    "db2sysc": "db2", "clickhouse-server": "clickhouse", "observer": "oceanbase", "tidb-server": "tidb",
    "nginx": "nginx", "httpd": "httpd", "apache2": "httpd", "lighttpd": "lighttpd", "java": "java", "node": "node",
    "php-fpm": "php", "uwsgi": "uwsgi", "gunicorn": "gunicorn", "dotnet": "dotnet", "dockerd": "docker",
    "containerd": "containerd", "isulad": "isula", "kubelet": "kubernetes", "named": "named", "dnsmasq": "dnsmasq",
    "slapd": "slapd", "smbd": "samba", "nfsd": "nfs", "rpc.mountd": "nfs", "vsftpd": "ftp", "beam.smp": "rabbitmq",
    "zabbix_agentd": "zabbix-agent", "zabbix_agent2": "zabbix-agent", "node_exporter": "node-exporter",
    "haproxy": "haproxy", "keepalived": "keepalived", "libvirtd": "libvirt", "etcd": "etcd", "squid": "squid",
    "sendmail": "mail", "postfix": "mail", "dovecot": "mail",
    "org.apache.catalina.startup": "tomcat", "weblogic.server": "weblogic", "com.ibm.ws.": "websphere",
    "com.tongweb": "tongweb", "tongweb": "tongweb", "com.bes.": "bes", "apusic": "apusic", "org.jboss": "jboss",
    "kafka.kafka": "kafka", "org.elasticsearch": "elasticsearch", "quorumpeermain": "zookeeper",
    "alibaba.nacos": "nacos", "rocketmq.namesrv": "rocketmq", "inforsuite": "inforsuite",
}  # fmt: skip
_INTERPRETERS = frozenset({"grep", "sh", "dash", "bash", "-sh", "-bash", "sshd"})


def parse(text: str) -> Mapping[str, Value]:
    found = [(line[1], line[2]) for raw in text.splitlines() if (line := _LINE.fullmatch(raw))]
    services = {name for _, said in found if (name := _service(said)) is not None}
    return {"process_count": len({pid for pid, _ in found}), "services": tuple(sorted(services))} if found else {}


def _service(said: str) -> str | None:
    # `nginx:` and `postgres:` are how a program writes over its own command line.
    name = said.rsplit("/", 1)[-1].rstrip(":").lower()
    if name in _INTERPRETERS:
        return None
    if name.startswith("ora_pmon"):
        return "oracle"
    return _SERVICES.get(name) or ("php" if re.fullmatch(r"php-fpm[\d.]*", name) else None)
