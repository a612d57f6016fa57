"""Keys change for real: an SSH server on loopback reads authorized_keys at every login, Ansible runs the playbooks."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from handover_place import SYSTEM, Place, fill_papers, make_key

from govcloud.errors import InputError
from govcloud.handover.login import Logins, parse_public_key
from govcloud.handover.rotation import Change, PlaybookResult, rotate_host
from govcloud.model.access import HostAccess
from govcloud.model.handover import Handover, HostRotation
from govcloud.store import host_keys
from govcloud.workflow import takeover_decide, takeover_rotate


def start(place: Place) -> str:
    with place.session() as session:
        made = takeover_decide.start_takeover(
            session, SYSTEM, builder="示例建设单位", builder_key=Path(f"{place.builder}.pub"), hosts=["cloud-01"]
        )
        return made.handover.handover_id


def public(private: Path) -> str:
    return parse_public_key(Path(f"{private}.pub").read_text(), "")


def test_the_builder_gets_in_everybody_else_is_out_and_both_are_tried(place: Place, tmp_path: Path) -> None:
    handover_id = start(place)
    before = place.authorized.read_text()
    with place.session() as session:
        assert takeover_rotate.rotate(session, handover_id).obstacles, "papers first"
    fill_papers(place, handover_id, tmp_path)
    with place.session() as session:
        done = takeover_rotate.rotate(session, handover_id, identity=place.builder).handover.rotations[-1]
    assert done.ok, done.hosts[0].detail.en
    assert place.authorized.read_text() == public(place.builder) + "\n"
    host = done.hosts[0]
    assert host.old_login and host.old_login.accepted is False
    assert "Authentication" in host.old_login.answer, "the server's own answer is kept"
    assert host.new_login and host.new_login.accepted is True
    assert len(host.removed) == 2, "our key and the vendor's"
    kept = place.workspace / "evidence" / handover_id / str(host.backup_sha256)
    assert before in kept.read_text()
    assert secrets_in(place) == []
    phases = ledger_phases(place)
    assert phases[-2:] == [("rotate", "intent"), ("rotate", "result")], (
        "a host is touched only after the intent is recorded"
    )


def test_a_second_run_without_an_identity_keeps_what_was_proved(place: Place, tmp_path: Path) -> None:
    """One of several hosts failed: the others need not borrow the builder's key again."""
    handover_id, playbooks = start(place), Scripted(place)
    fill_papers(place, handover_id, tmp_path)
    with place.session() as session:
        first = takeover_rotate.rotate(session, handover_id, playbooks=playbooks).handover.rotations[-1]
        calls = list(playbooks.calls)
        second = takeover_rotate.rotate(session, handover_id, playbooks=playbooks).handover.rotations[-1]
    assert first.ok
    assert second.hosts == first.hosts
    assert playbooks.calls == calls


def secrets_in(place: Place) -> list[str]:
    """Files of the workspace that hold the builder's private key."""
    body = place.builder.read_text().splitlines()[2]
    return [str(p) for p in place.workspace.rglob("*") if p.is_file() and body.encode() in p.read_bytes()]


def ledger_phases(place: Place) -> list[tuple[str, str]]:
    with sqlite3.connect(place.workspace / "govcloud.db") as database:
        rows = [json.loads(r[0]) for r in database.execute("SELECT canonical FROM ledger ORDER BY seq")]
    return [(r["step"], r["phase"]) for r in rows]


class Scripted:
    """Does to the key files what a playbook would, or fails the way a test wants; Ansible is not what is tested there."""

    def __init__(self, place: Place, acts: dict[tuple[str, str], Callable[[], bool]] | None = None) -> None:
        self.place, self.acts = place, acts or {}
        self.calls: list[tuple[str, str]] = []

    def run(
        self, step: str, name: str, host: HostAccess, variables: Mapping[str, Any], *, identity: Path | None = None,
        timeout_s: int = 180,
    ) -> PlaybookResult:  # fmt: skip
        self.calls.append((step, name))
        if act := self.acts.get((step, name)):
            return PlaybookResult(ok=act(), detail="scripted")
        file, key = self.place.authorized, variables["builder_key"] + "\n"
        if step == "takeover_grant":
            file.write_text(file.read_text() + key)
        elif name == "apply":
            file.write_text(key)
        return PlaybookResult(ok=True, detail="")


def rotate(place: Place, playbooks: Scripted, identity: Path | None) -> HostRotation:
    with place.session() as session, session.store.read() as tx:
        logins = Logins(host_keys.approved_keys(tx), session.now)
        handover = Handover(
            handover_id="H-1", system_id=SYSTEM, builder="b", builder_key=public(place.builder), hosts=("cloud-01",),
            started_by="张示例", started_at=session.now(),
        )  # fmt: skip
        host = takeover_rotate.hosts_of(session, handover)[0]
        change = Change(
            host=host, builder_key=handover.builder_key, old_identity=place.ours, new_identity=identity, logins=logins,
            playbooks=playbooks, keep=lambda data: "digest",
        )  # fmt: skip
        return rotate_host(change)


def test_without_an_identity_the_old_key_is_still_proved_refused(place: Place) -> None:
    done = rotate(place, Scripted(place), None)
    assert done.ok
    assert done.new_login is None
    assert done.old_login and done.old_login.accepted is False


def wrong_key(place: Place) -> Callable[[], bool]:
    def act() -> bool:
        place.authorized.write_text(public(make_key(place.host / "other")) + "\n")
        return True

    return act


def left_over(place: Place) -> Callable[[], bool]:
    def act() -> bool:
        place.authorized.write_text(public(place.builder) + "\n" + public(place.ours) + "\n")
        return True

    return act


FAILURES: dict[str, Callable[[Place], dict[tuple[str, str], Callable[[], bool]]]] = {
    "the playbook that installs the key fails": lambda p: {("takeover_grant", "apply"): lambda: False},
    "it says ok and installed nothing": lambda p: {("takeover_grant", "apply"): lambda: True},
    "the playbook that changes the keys fails": lambda p: {("takeover_access", "apply"): lambda: False},
    "it leaves nobody's key": lambda p: {("takeover_access", "apply"): wrong_key(p)},
    "it leaves the old key": lambda p: {("takeover_access", "apply"): left_over(p)},
    "the check with the builder's key fails": lambda p: {("takeover_access", "verify"): lambda: False},
}


@pytest.mark.parametrize("failure", FAILURES)
def test_whatever_fails_nobody_is_locked_out(place: Place, failure: str) -> None:
    before = place.authorized.read_bytes()
    done = rotate(place, Scripted(place, FAILURES[failure](place)), place.builder)
    assert not done.ok
    assert done.restored
    assert place.authorized.read_bytes() == before
    assert done.old_login and done.old_login.accepted is True, "the old key was tried again and opens the account"


def test_the_old_keys_stay_when_the_builders_key_does_not_open_the_account(place: Place, tmp_path: Path) -> None:
    """The builder lends an identity that is not the one installed: found before anything is removed."""
    before = place.authorized.read_bytes()
    playbooks = Scripted(place)
    done = rotate(place, playbooks, make_key(tmp_path / "stranger"))
    assert not done.ok
    assert place.authorized.read_bytes() == before
    assert ("takeover_access", "apply") not in playbooks.calls


def test_run_again_after_a_crash_it_proves_instead_of_changing(place: Place) -> None:
    assert rotate(place, Scripted(place), None).ok
    again = Scripted(place)
    done = rotate(place, again, place.builder)
    assert done.ok
    assert again.calls == []
    assert not rotate(place, again, None).ok, "without the builder's key nothing can be proved any more"


def test_a_host_with_another_host_key_is_not_trusted(place: Place) -> None:
    with sqlite3.connect(place.workspace / "govcloud.db") as database:
        database.execute("UPDATE host_key SET key_base64 = 'AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAA'")
    playbooks = Scripted(place)
    done = rotate(place, playbooks, place.builder)
    assert not done.ok
    assert playbooks.calls == []
    assert done.old_login and done.old_login.accepted is None
    assert "not approved" in done.old_login.answer


def test_an_unreachable_host_is_a_result(place: Place) -> None:
    place.servers.stop()
    hosts = place.workspace / "hosts.yaml"
    hosts.write_text(hosts.read_text().replace("127.0.0.1", "127.0.0.9"))
    done = rotate(place, Scripted(place), None)
    assert (done.ok, done.restored) == (False, False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "no-pty ssh-ed25519 AAAAC3",
        "ssh-rsa AAAA x\nssh-rsa BBBB y",
        "-----BEGIN",
    ],
)
def test_only_one_plain_public_key_line_is_taken(text: str) -> None:
    with pytest.raises(InputError):
        parse_public_key(text, "key.pub")


def test_a_key_line_cannot_smuggle_options_or_templates(place: Place) -> None:
    key = Path(f"{place.builder}.pub").read_text().split()
    taken = parse_public_key(f"{key[0]} {key[1]} {{{{ lookup('pipe','id') }}}}\n", "key.pub")
    assert taken.startswith(f"{key[0]} {key[1]} ")
    with pytest.raises(InputError):
        parse_public_key(f'command="id" {key[0]} {key[1]}', "key.pub")
