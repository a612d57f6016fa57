"""A migration file as an engineer would write it."""

from __future__ import annotations

from typing import Any

DATABASE = {
    "host": "127.0.0.1", "name": "oa", "user": "oa", "bin": "/opt/pgsql/bin", "password_file": "/srv/oa/db.pass",
}  # fmt: skip
GOOD: dict[str, Any] = {
    "system_id": "SL-OA-01",
    "machines": [{"source": "oa-01", "target": "cloud-01"}],
    "files": [{"source": "/srv/oa/app", "target": "/srv/oa/app"}],
    "databases": [{"kind": "postgresql", "source": DATABASE, "target": {**DATABASE, "data_dir": "/srv/pg"}}],
    "services": [{"source": {"script": "/srv/oa/ctl"}, "target": {"systemd": "oa.service"}}],
    "entrances": [
        {"kind": "json", "host": "entry-01", "file": "/srv/entry/upstreams.json", "name": "oa",
         "source": "http://10.66.1.10:8080", "target": "http://10.100.8.10:8080"},
    ],
    "verify": {"url": "http://10.66.1.2:8000/oa", "checks": [{"path": "/health"}]},
}  # fmt: skip
FULL: dict[str, Any] = {
    "system_id": "SL-OA-02",
    "machines": [
        {"name": "web", "source": "oa-01", "target": "cloud-01"},
        {"name": "db", "source": "db-01", "target": "cloud-02", "state_dir": "/srv/govcloud", "image": {"disk": "/dev/vdb"},
         "provision": {"driver": "openstack", "cloud": "gov", "offering": "M-ECS-G2:4C8G", "image": "银河麒麟 V10",
                       "network": "tenant", "address": "10.100.8.20", "key_file": "keys/new"}},
    ],
    "files": [{"machine": "web", "source": "/srv/oa/app", "target": "/srv/oa/app"}],
    "databases": [
        {"kind": "postgresql", "machine": "db", "method": "replication", "source": DATABASE, "target": DATABASE},
        {"kind": "mysql", "machine": "db", "source": DATABASE, "target": DATABASE},
        {"kind": "sqlite", "machine": "web", "source": {"path": "/srv/oa/a.db"}, "target": {"path": "/srv/oa/data/a.db"}},
        {"kind": "redis", "machine": "web", "source": {"name": "0"}, "target": {"name": "0"}},
    ],
    "services": [
        {"machine": "web", "source": {"systemd": "oa.service"}, "target": {"systemd": "oa.service"},
         "carry": ["/etc/systemd/system/oa.service", "/etc/cron.d/oa"], "tls": ["/etc/pki/oa.pem"]},
    ],
    "entrances": [
        {"kind": "nginx", "host": "entry-01", "file": "/etc/nginx/conf.d/oa.conf", "name": "oa",
         "source": "10.66.1.10:8080", "target": "10.100.8.10:8080"},
        {"kind": "hosts", "host": "entry-01", "file": "/etc/hosts", "name": "oa.example", "source": "10.66.1.10",
         "target": "10.100.8.10"},
        {"kind": "dns", "host": "entry-01", "name": "oa.gov.example", "zone": "gov.example", "server": "10.66.1.2",
         "key_file": "/etc/bind/key", "source": "10.66.1.10", "target": "10.100.8.10"},
    ],
    "verify": {"url": "https://oa.gov.example/", "source_url": "http://10.66.1.10:8080", "served_by_header": None,
               "target_url": "http://10.100.8.10:8080", "checks": [{"path": "/health", "via": "direct", "contains": "正常"}]},
    "network": {"network_id": "N-01", "router": "router-01", "prefix": "10.66.1.0/24", "zone_from": "部门专网",
                "zone_to": "政务外网", "routes": ["10.66.1.0/24"], "tunnels": ["gre1"],
                "flows": ["tcp 10.66.1.0/24 10.100.8.10 443", "icmp 10.66.1.5 10.100.8.0/24"]},
    "on_failure": "hold",
    "limits": {"bandwidth_mbps": 200, "deadline_min": 60},
}  # fmt: skip
