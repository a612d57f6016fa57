"""The files that a workspace needs to work on the lab: hosts, key, migration files, and the hosts' true fingerprints."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from govcloud.demo.lab_seed import Place

if TYPE_CHECKING:
    from govcloud.demo.lab import Lab


def write_workspace_files(lab: Lab, workspace: Path) -> None:
    """hosts.yaml, keys/lab_ed25519, migration/<system_id>.yaml and fingerprints.txt (`name key-type SHA256:…` a line)."""
    keys = workspace / "keys"
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(lab.key_file, keys / "lab_ed25519", follow_symlinks=False)
    (keys / "lab_ed25519").chmod(0o600)
    shutil.copyfile(lab.key_file.with_suffix(".pub"), keys / "lab_ed25519.pub")
    hosts = [
        {"name": h.name, "address": h.address, "port": h.port, "user": h.user, "key_file": h.key_file, "zone": h.zone}
        for h in lab.hosts
    ]
    _write_yaml(workspace / "hosts.yaml", {"hosts": hosts})
    lines = [f"{name} {lab.public_keys[name].split()[0]} {lab.host_keys[name]}" for name in lab.places]
    (workspace / "fingerprints.txt").write_text("\n".join(lines) + "\n", "utf-8")
    (workspace / "migration").mkdir(exist_ok=True)
    for app in lab.topology["apps"]:
        spec = _migration(lab, app)
        if spec is not None:
            _write_yaml(workspace / "migration" / f"{spec['system_id']}.yaml", spec)


def _migration(lab: Lab, app: str) -> dict[str, Any] | None:
    about = lab.topology["apps"][app]
    hosts = lab.topology["hosts"]
    target = next((name for name, host in hosts.items() if host.get("target_of") == app), None)
    if target is None:
        return None
    source = next(name for name, host in hosts.items() if app in host.get("apps", ()))
    entry = lab.places[next(name for name, host in hosts.items() if "entry" in host.get("apps", ()))]
    old, new = lab.places[source], lab.places[target]
    folders = ["app", *(f for f in about["folders"] if f not in about.get("unlisted_folders", ()))]
    database = _database(new, app) | {"data_dir": new.at("/srv/pgdata")}
    if not new.root or os.getuid() == 0:
        database |= {"run_as_uid": 1000}
    ends = {"source": f"http://{old.address}:{old.app_port}", "target": f"http://{new.address}:{new.app_port}"}
    checks: list[dict[str, Any]] = [{"path": "/health", "via": "direct"}, {"path": "/health"}, _SELFTEST]
    if "unlisted_folders" not in about:
        # The careful office lets the new machine prove itself before its users are sent there.
        checks.insert(1, _SELFTEST | {"via": "direct"})
    return {
        "system_id": about["system_id"],
        "machines": [{"source": old.name, "target": new.name, "state_dir": new.at("/var/lib/govcloud")}],
        "files": [{"source": old.at(f"/srv/{app}/{f}"), "target": new.at(f"/srv/{app}/{f}")} for f in folders],
        "databases": [{"kind": "postgresql", "source": _database(old, app), "target": database}],
        # The program's own folder is replicated, and `ctl` with it.
        "services": [{side: {"script": place.at(f"/srv/{app}/app/ctl")} for side, place in (("source", old), ("target", new))}],
        "entrances": [{"kind": "json", "host": entry.name, "file": entry.at("/srv/entry/upstreams.json"), "name": app, **ends,
                       "state_dir": entry.at("/var/lib/govcloud")}],
        "verify": {
            "url": f"http://{entry.address}:{entry.app_port}/{app}", "source_url": ends["source"],
            "target_url": ends["target"], "checks": checks,
        },
    }  # fmt: skip


_SELFTEST = {"path": "/selftest", "contains": '"ok": true'}


def _database(place: Place, app: str) -> dict[str, Any]:
    return {
        "port": place.database_port, "name": app, "user": app, "bin": place.pgsql,
        "password_file": place.at(f"/srv/{app}/db.pass"),
    }  # fmt: skip


def _write_yaml(file: Path, value: object) -> None:
    file.write_text(yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=120), "utf-8")
