"""A migration file as an engineer would write it."""

from __future__ import annotations

from typing import Any

DATABASE = {
    "host": "127.0.0.1", "name": "oa", "user": "oa", "bin": "/opt/pgsql/bin", "password_file": "/srv/oa/db.pass",
}  # fmt: skip
GOOD: dict[str, Any] = {
    "system_id": "SL-OA-01",
    "source": {"host": "oa-01", "service": {"script": "/srv/oa/ctl"}, "database": DATABASE},
    "target": {"host": "cloud-01", "service": {"systemd": "oa.service"}, "database": {**DATABASE, "data_dir": "/srv/pg"}},
    "files": [{"source": "/srv/oa/app", "target": "/srv/oa/app"}],
    "entry": {
        "host": "entry-01", "file": "/srv/entry/upstreams.json", "name": "oa", "source": "http://10.66.1.10:8080",
        "target": "http://10.100.8.10:8080", "url": "http://10.66.1.2:8000/oa",
    },
    "verify": [{"path": "/health"}],
}  # fmt: skip
