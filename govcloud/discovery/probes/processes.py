"""How many processes run, and which well-known server programs are among them."""

from __future__ import annotations

from collections.abc import Mapping

from govcloud.model.inventory import Value

NAME = "processes"
COMMAND = "cat /proc/[0-9]*/comm 2>/dev/null"

_SERVICES: Mapping[str, str] = {
    "postgres": "postgresql", "postmaster": "postgresql", "mysqld": "mysql", "mariadbd": "mariadb", "oracle": "oracle",
    "ora_pmon": "oracle", "dmserver": "dameng", "kingbase": "kingbase", "redis-server": "redis", "mongod": "mongodb",
    "nginx": "nginx", "httpd": "httpd", "apache2": "httpd", "java": "java", "node": "node", "php-fpm": "php",
    "uwsgi": "uwsgi", "gunicorn": "gunicorn", "dockerd": "docker", "containerd": "containerd", "kubelet": "kubernetes",
    "named": "named", "slapd": "slapd", "smbd": "samba", "nfsd": "nfs", "vsftpd": "ftp", "rabbitmq-server": "rabbitmq",
    "beam.smp": "rabbitmq", "zabbix_agentd": "zabbix-agent", "haproxy": "haproxy", "keepalived": "keepalived",
}  # fmt: skip


def parse(text: str) -> Mapping[str, Value]:
    names = text.split("\n")
    count = sum(1 for name in names if name.strip())
    services = sorted({_SERVICES[name.strip()] for name in names if name.strip() in _SERVICES})
    return {"process_count": count, **({"services": tuple(services)} if services else {})} if count else {}
