"""Maintenance passes on real hosts: booted by systemd, with sshd, PostgreSQL, chrony and node_exporter. What the old vendor
left is found, each proof is green, red and without an answer where it should be, and nothing of it is a secret."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from server_bed import start_bed
from takeover_place import (
    BUILDER,
    LEGACY,
    MIGRATED,
    NEW,
    OLD,
    OWNER,
    SECRET,
    Place,
    back_up,
    clean_up,
    furnish,
    make,
    plans,
    publish,
)

pytestmark = [pytest.mark.servers, pytest.mark.root]

_GUARD = """table inet guard {
  chain in {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    iif lo accept
    ip protocol icmp accept
    ip saddr 10.77.0.90 tcp dport 22 accept
    tcp dport 9100 accept
  }
}
"""
_ROWS = "cd /; PGPASSWORD=$(cat /etc/records.pass) psql -qXAt -h 127.0.0.1 -U records -d {} -c '{}'"
_DIGEST = "SELECT count(*), md5(string_agg(r::text, chr(10) ORDER BY no)) FROM records r"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with start_bed(plans()) as bed:
        furnish(bed)
        yield make(bed, tmp_path_factory.mktemp("takeover") / "w")
    assert not bed.left()


def sql(place: Place, host: str, statement: str, database: str = "records") -> str:
    return place.bed.hosts[host].run("sh", "-c", _ROWS.format(database, statement)).stdout


def outcomes(found: dict[str, tuple[bool | None, str]]) -> dict[str, bool | None]:
    return {kind: ok for kind, (ok, _) in found.items()}


@pytest.fixture(scope="module")
def legacy(place: Place) -> str:
    return place.start(LEGACY)


@pytest.fixture(scope="module")
def migrated(place: Place) -> str:
    """Access has changed hands, and the old vendor's things are gone."""
    handover = place.start(MIGRATED)
    place.give(handover)
    place.takeover("accept", handover, "--all")
    place.takeover("rotate", handover, "--identity", str(place.builder))
    clean_up(place.bed.hosts[NEW])
    return handover


def test_what_the_old_vendor_left_is_found(place: Place, legacy: str, tmp_path: Path) -> None:
    lent = tmp_path / "old.pass"
    lent.write_text(SECRET)
    lent.chmod(0o600)
    found = place.prove(legacy, "--old-password-file", str(lent), old=True)
    assert outcomes(found) == {
        "keys": False, "passwords": False, "vendor_access": False, "bastion": None, "monitoring": True, "restore": True,
        "clock_dns": True, "patches": True,
    }  # fmt: skip
    assert "vendor (2020-01-01)" in found["passwords"][1] and "can still log in" in found["passwords"][1]
    access = found["vendor_access"][1]
    for left in ("sudo rule", "timed jobs", f"vendor@{OLD}: what the old vendor had still logs in (password)"):
        assert left in access
    assert "no bastion is registered" in found["bastion"][1]


def test_a_legacy_system_passes_once_refused_papers_are_completed(place: Place, legacy: str) -> None:
    """Never migrated; taken over where it always was, at the end through the bastion only."""
    place.give(legacy, leave_out=("design",))
    place.takeover("refuse", legacy, "emergency_plan", "--reason", "只有目录，没有处置步骤")
    place.takeover("accept", legacy, "--all")
    incomplete = ("takeover", "rotate", legacy, "--identity", str(place.builder))
    place.estate.govcloud(*incomplete, user=BUILDER, codes=(1,))
    assert place.prove(legacy, "keys", old=True)["keys"][0] is False, (
        "access stays as it was until the papers are complete"
    )
    place.give(legacy)
    place.takeover("accept", legacy, "--all")
    place.takeover("rotate", legacy, "--identity", str(place.builder))
    host = place.bed.hosts[OLD]
    clean_up(host)
    host.run("nft", "-f", "-", input=_GUARD)
    place.change_host(OLD, via="gate")
    path = place.estate.path
    trust = (
        "discover",
        "trust",
        "--hosts",
        str(path / "hosts.yaml"),
        "--expect",
        str(path / "fingerprints.txt"),
        "--approve",
    )
    place.estate.govcloud(*trust, user="审批人乙")
    found = place.prove(legacy)
    assert outcomes(found) == dict.fromkeys(found, True) and len(found) == 8, found
    _sign(place, legacy)


def test_a_migrated_system_is_taken_over_too(place: Place, migrated: str) -> None:
    found = place.prove(migrated)
    assert outcomes(found) == dict.fromkeys(found, True) | {"bastion": None}, found


def test_a_key_in_another_account_is_found_and_named(place: Place, migrated: str, tmp_path: Path) -> None:
    key = tmp_path / "backdoor"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    host = place.bed.hosts[NEW]
    keys = "/home/vendor/.ssh/authorized_keys"
    host.run("tee", keys, input=key.with_suffix(".pub").read_text())
    try:
        ok, why = place.prove(migrated, "keys", "vendor_access", "--old-key", str(key))["keys"]
        assert ok is False and "vendor SHA256:" in why
    finally:
        host.run("rm", keys)


def test_monitoring_that_stopped_or_speaks_of_another_machine_is_red(place: Place, migrated: str) -> None:
    host = place.bed.hosts[NEW]
    host.run("systemctl", "stop", "prometheus-node-exporter")
    try:
        assert place.prove(migrated, "monitoring")["monitoring"][0] is False
    finally:
        host.run("systemctl", "start", "prometheus-node-exporter")


DUMPS = {
    "cut off": "head -c 2500 /var/backups/app/records.dump > /var/backups/app/z.dump",
    "of another database": "PGPASSWORD=$(cat /etc/records.pass) pg_dump -Fc -h 127.0.0.1 -U records other > /var/backups/app/z.dump",
    "without rows": "PGPASSWORD=$(cat /etc/records.pass) pg_dump -Fc -s -h 127.0.0.1 -U records records > /var/backups/app/z.dump",
    "that reaches for the source": """cat > /var/backups/app/z.dump <<'X'
\\connect 'host=127.0.0.1 dbname=records user=records'
DROP TABLE records;
-- PostgreSQL database dump complete
X""",
}


@pytest.mark.parametrize("dump", DUMPS)
def test_a_dump_that_is_not_the_backup_is_red_and_the_source_stays_as_it_is(
    place: Place, migrated: str, dump: str
) -> None:
    host = place.bed.hosts[NEW]
    host.run("sh", "-c", _ROWS.format("postgres", "CREATE DATABASE other"), check=False)
    sql(place, NEW, "CREATE TABLE IF NOT EXISTS strange (n int)", "other")
    before = sql(place, NEW, _DIGEST)
    host.run("sh", "-ec", DUMPS[dump])
    try:
        ok, why = place.prove(migrated, "restore")["restore"]
        assert ok is False, why
        assert sql(place, NEW, _DIGEST) == before
        assert host.run("sh", "-c", "ls -d /var/tmp/govcloud-restore-*", check=False).stdout == ""
        assert "govcloud-restore" not in host.run("ps", "axww").stdout
    finally:
        host.run("rm", "/var/backups/app/z.dump")


def test_a_text_dump_and_a_frozen_source_are_compared_to_the_last_row(place: Place, migrated: str) -> None:
    host = place.bed.hosts[NEW]
    dump = {"kind": "postgresql", "path": "/var/backups/app/*.sql.gz", "frozen": True}
    end = {
        "name": "records",
        "user": "records",
        "bin": "/usr/lib/postgresql/15/bin",
        "password_file": "/etc/records.pass",
    }
    host.run(
        "sh",
        "-ec",
        "PGPASSWORD=$(cat /etc/records.pass) pg_dump -C -h 127.0.0.1 -U records records | gzip > /var/backups/app/r.sql.gz",
    )
    place.write_needs(MIGRATED, backups=[dump | {"end": end}])
    try:
        found = place.prove(migrated, "restore")["restore"]
        assert found[0] is True, found
        sql(place, NEW, "INSERT INTO records (id, text, sha256) VALUES ($$new$$, $$x$$, $$$$)")
        ok, why = place.prove(migrated, "restore")["restore"]
        assert ok is False and "frozen" in why
    finally:
        place.write_needs(MIGRATED)
        back_up(host)


def test_a_host_without_its_time_service_or_with_a_foreign_name_server_is_red(place: Place, migrated: str) -> None:
    host = place.bed.hosts[NEW]
    host.run("systemctl", "stop", "chrony")
    host.run("sh", "-c", "echo nameserver 10.77.0.90 > /etc/resolv.conf")
    try:
        ok, why = place.prove(migrated, "clock_dns")["clock_dns"]
        assert ok is False and "No time service" in why and "10.77.0.90 does not resolve" in why
    finally:
        host.run("sh", "-c", "echo nameserver 10.77.0.53 > /etc/resolv.conf; systemctl start chrony")
        host.run("sh", "-c", "chronyc waitsync 30 0 0 1", timeout=60)


def test_a_missing_security_update_is_red_and_stale_lists_are_no_answer(place: Place, migrated: str) -> None:
    host = place.bed.hosts[NEW]
    publish(host, "cron")
    try:
        ok, why = place.prove(migrated, "patches")["patches"]
        assert ok is False and "1 security updates are missing: cron" in why
    finally:
        publish(host)
    host.run("touch", "-d", "30 days ago", "/var/lib/apt/lists/partial", "/var/lib/apt/lists")
    try:
        ok, why = place.prove(migrated, "patches")["patches"]
        assert ok is None and "30 days" in why
    finally:
        publish(host)


def test_a_host_that_does_not_answer_proves_nothing(place: Place, migrated: str) -> None:
    place.change_host(NEW, address="10.77.2.31")
    try:
        found = place.prove(migrated, "keys", "vendor_access", "restore", "monitoring")
        assert set(outcomes(found).values()) == {None}
    finally:
        place.change_host(NEW, address="10.77.2.30")


def test_both_sign_the_migrated_system_over_and_a_proof_is_in_the_package(
    place: Place, migrated: str, tmp_path: Path
) -> None:
    place.prove(migrated)
    _sign(place, migrated)
    package = str(tmp_path / "package.tar")
    place.estate.govcloud("takeover", "package", migrated, "-o", package, user=BUILDER)
    place.estate.govcloud("takeover", "package", "--check", package)


def _sign(place: Place, handover: str) -> None:
    place.takeover("sign", handover, "--role", "owner", user=OWNER)
    place.takeover("sign", handover, "--role", "builder", "--identity", str(place.builder))
    said = json.dumps(place.takeover("status", handover), ensure_ascii=False)
    assert '"operating"' in said


def test_no_secret_of_the_hosts_is_anywhere_in_the_workspace(place: Place, migrated: str) -> None:
    shadow = place.bed.hosts[NEW].run("grep", "vendor", "/etc/shadow").stdout.split(":")[1].lstrip("!")
    secrets = (SECRET, shadow, "lab-records-9d1", place.builder.read_text().splitlines()[2])
    holding = [
        (p, secret)
        for p in place.estate.path.rglob("*")
        if p.is_file()
        for secret in secrets
        if secret.encode() in p.read_bytes()
    ]
    assert not holding
