"""A system moves onto a machine that its own run orders from OpenStack, while users write: the whole road, through Nova's API.

What a user would miss: that provisioning, trust in the new machine and the migration onto it fit together, and that what was
ordered is given back when the department gives up.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from archive import Archive

sys.path.insert(0, str(Path(__file__).parents[1] / "servers"))
from estate import APPROVER, POSTGRES_BIN, Estate, fill, make_estate, start_postgres
from server_bed import PROGRAMS, HostPlan
from writer import acknowledged

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(900)]
SYSTEM = "SL-DA-01"
_NGINX = """upstream records { server OLD:8080; }
server { listen 80 default_server; location / { proxy_pass http://records; proxy_read_timeout 20s; proxy_next_upstream off; } }
"""


@dataclass
class OldMachine:
    """One that the department ordered by hand, years ago."""

    plan: HostPlan
    key_file: Path
    known_hosts: Path

    def run(self, *argv: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        ssh = ["ssh", "-i", str(self.key_file), "-o", f"UserKnownHostsFile={self.known_hosts}", "-o", "BatchMode=yes"]
        done = subprocess.run(
            [*ssh, f"root@{self.plan.address}", shlex.join(argv)], capture_output=True, text=True, check=False,
            timeout=options.pop("timeout", 60), **options,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{self.plan.name}: {argv}\n{done.stdout}{done.stderr}"
        return done

    def put(self, path: str, text: str, mode: str = "644") -> None:
        self.run("sh", "-c", f"mkdir -p $(dirname {path}); cat > {path}; chmod {mode} {path}", input=text)


class OldMachines:
    """The department's side of the bed, as a workspace sees it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.key_file = archive.folder / "key"
        self.hosts: dict[str, OldMachine] = {}
        self._keys: dict[str, str] = {}
        archive.cloud.compute.create_keypair(name="by-hand", public_key=self.key_file.with_suffix(".pub").read_text())

    def command(self, argv: Sequence[str]) -> list[str]:
        return list(argv)

    def public_key(self, name: str) -> str:
        return self._keys[name]

    def order(self, name: str, address: str) -> OldMachine:
        cloud = self._archive.cloud
        port = cloud.network.create_port(
            network_id=cloud.network.find_network("dangan-net").id, fixed_ips=[{"ip_address": address}]
        )
        server = cloud.compute.create_server(
            name=name, flavor_id=cloud.compute.find_flavor("gov.m").id, key_name="by-hand",
            image_id=cloud.image.find_image("kylin-v10-sp3").id, networks=[{"port": port.id}],
        )  # fmt: skip
        cloud.compute.wait_for_server(server, wait=120)
        scan = ["ssh-keyscan", "-t", "ed25519", address]
        for _ in range(100):
            if found := subprocess.run(scan, capture_output=True, text=True, check=False).stdout.split():
                break
            time.sleep(0.2)
        self._keys[name] = f"{found[1]} {found[2]}"
        known = self._archive.folder / "known_by_hand"
        with known.open("a") as file:
            file.write(" ".join(found) + "\n")
        self.hosts[name] = OldMachine(HostPlan(name, "dept", address), self.key_file, known)
        return self.hosts[name]


def spec_of(old: str, new: str, edge: str, uid: int) -> dict[str, Any]:
    database = {"name": "records", "user": "records", "bin": POSTGRES_BIN, "password_file": "/etc/records.pass"}
    return {
        "system_id": SYSTEM,
        "machines": [{
            "source": "da-old", "target": "da-new",
            "provision": {
                "driver": "openstack", "cloud": "dangan", "offering": "M-ECS-G2:4C8G", "image": "kylin-v10-sp3", "arch": "x86_64",
                "network": "dangan-net", "address": new, "key_file": "keys/bed_ed25519",
            },
        }],
        "files": [{"source": "/srv/uploads", "target": "/srv/uploads"}],
        "databases": [
            {"kind": "postgresql", "source": database, "target": database | {"data_dir": "/srv/pgdata", "run_as_uid": uid}}
        ],
        "services": [{
            "source": {"script": "/opt/records/ctl"}, "target": {"script": "/opt/records/ctl"},
            "carry": ["/opt/records/ctl", "/opt/records/records.py", "/etc/records.env", "/etc/records.pass"],
        }],
        "entrances": [{
            "kind": "nginx", "host": "edge", "file": "/etc/nginx/conf.d/records.conf", "name": "records",
            "source": f"{old}:8080", "target": f"{new}:8080",
        }],
        "verify": {
            "url": f"http://{edge}", "source_url": f"http://{old}:8080", "target_url": f"http://{new}:8080",
            "checks": [{"path": "/health", "via": "direct"}, {"path": "/selftest", "contains": '"ok": true'}],
        },
    }  # fmt: skip


@pytest.fixture
def estate(archive: Archive, tmp_path: Path) -> Estate:
    assert archive.bed.machines is not None
    head = archive.bed.machines.prefix.rpartition(".")[0]
    old_address, edge_address, new_address = f"{head}.31", f"{head}.32", f"{head}.33"
    machines = OldMachines(archive)
    old, edge = machines.order("da-old", old_address), machines.order("edge", edge_address)
    old.put("/etc/records.pass", "Da-2026-x7q\n", "600")
    old.put("/opt/records/records.py", (PROGRAMS / "records.py").read_text("utf-8"))
    old.put("/opt/records/ctl", (PROGRAMS / "ctl").read_text("utf-8"), "755")
    env = {"KIND": "postgresql", "DB_NAME": "records", "DB_USER": "records", "PASSWORD_FILE": "/etc/records.pass",
           "UPLOADS": "/srv/uploads", "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip
    old.put("/etc/records.env", "".join(f"{key}={value}\n" for key, value in env.items()))
    start_postgres(old)
    fill(old, "/srv/uploads")
    old.run("/opt/records/ctl", "start")
    edge.put("/etc/nginx/conf.d/records.conf", _NGINX.replace("OLD", old_address))
    edge.run("sh", "-c", "rm -f /etc/nginx/sites-enabled/default; exec nginx")
    uid = int(old.run("id", "-u", "postgres").stdout)
    return make_estate(machines, tmp_path / "w", spec_of(old_address, new_address, edge_address, uid), site="jincheng")


def carry(estate: Estate, run_id: str, until: str) -> dict[str, Any]:
    """What the people do at each wait."""
    for _ in range(30):
        shown = estate.ask("run", "status", run_id)
        system: dict[str, Any] = shown["run"]["systems"][0]
        if system["state"] == until:
            return system
        assert system["state"] in ("waiting", "running"), (system, shown["attempts"]["attempts"][-2:])
        kind = (system["wait"] or {}).get("kind")
        if kind == "approval":
            estate.govcloud("run", "approve", run_id, user=APPROVER)
        elif kind == "host_key":
            estate.govcloud("run", "trust", run_id, SYSTEM, "--approve", user=APPROVER)
        estate.govcloud("run", "resume", run_id, "--no-wait", codes=(0, 1), limit_s=400)
    raise AssertionError((system, shown["attempts"]["attempts"][-2:]))


def test_a_system_moves_onto_a_machine_that_its_run_ordered(estate: Estate, archive: Archive, tmp_path: Path) -> None:
    url, log = f"http://{estate.bed.hosts['edge'].plan.address}", tmp_path / "acknowledged"
    ours = archive.things()
    with estate.writing(url, log):
        shown = json.loads(estate.govcloud("run", "start", SYSTEM, "--no-wait", codes=(0, 1)))
        run_id = str(shown["run"]["run_id"])
        carry(estate, run_id, "trial")
        time.sleep(2)
    status, host, ids = estate.get(f"{url}/ids")
    assert (status, host) == (200, "da-new") and len(archive.things() - ours) == 3, "key pair, port and server"
    assert set(acknowledged(log)) <= set(ids), "nobody's record is lost"
    (server,) = (s for s in archive.cloud.compute.servers() if s.name not in ("da-old", "edge"))
    assert server.flavor["original_name"] == "gov.m"

    # The department gives up: the old site serves again, and what was ordered can be given back, nothing else.
    estate.govcloud("run", "rollback", run_id, SYSTEM, "--reason", "责任单位要求", codes=(0, 1))
    carry(estate, run_id, "rolled_back")
    assert estate.get(f"{url}/health")[1] == "da-old"
    estate.govcloud("run", "cleanup", run_id, "--system", SYSTEM, codes=(0, 1))
    assert archive.things() == ours
