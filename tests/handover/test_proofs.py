"""Proofs are stored with an intent before and a result after; green is only what was proven, and silence is no answer."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from handover_place import SYSTEM, Place, make_key
from hypothesis import given
from hypothesis import strategies as st

from govcloud.errors import InputError, UsageError
from govcloud.handover.proofs import verdict
from govcloud.handover.proofs_given import build_proof, judge_host, judge_logins, together
from govcloud.handover.proofs_needs import load_needs, parse_site
from govcloud.handover.rotation import PlaybookResult
from govcloud.model.access import HostAccess
from govcloud.model.handover import Handover, HostRotation, LoginAttempt, Proof, ProofKind, Rotation
from govcloud.model.text import Text
from govcloud.workflow import takeover_decide, takeover_prove
from govcloud.workflow.takeover import folder_of
from govcloud.workflow.takeover_prove import Lent, prove

AT = datetime(2026, 3, 7, 14, 0, tzinfo=UTC)
CANARY = "Canary-old-vendor-5521"


def handover(*proofs: Proof, hosts: tuple[str, ...] = ("a", "b"), rotations: tuple[Rotation, ...] = ()) -> Handover:
    return Handover(
        handover_id="H-1", system_id=SYSTEM, builder="b", builder_key="ssh-ed25519 AAAA", hosts=hosts, started_by="x",
        started_at=AT, proofs=proofs, rotations=rotations,
    )  # fmt: skip


def proof(host: str, ok: bool | None, kind: ProofKind = "patches", minutes: int = 0) -> Proof:
    at = AT + timedelta(minutes=minutes)
    return Proof(kind=kind, hosts=(host,), ok=ok, detail=Text("甲", "a"), actor="x", at=at)


def test_one_host_does_not_stand_for_the_others() -> None:
    assert verdict(handover(), "patches") is None
    assert verdict(handover(proof("a", True)), "patches") is None
    assert verdict(handover(proof("a", True), proof("b", True)), "patches") is True
    assert verdict(handover(proof("a", True), proof("b", None)), "patches") is None
    assert verdict(handover(proof("a", True), proof("b", False), proof("a", True)), "patches") is False


def test_the_newest_proof_counts() -> None:
    both = (proof("a", False), proof("b", True))
    assert verdict(handover(*both, proof("a", True, minutes=1)), "patches") is True
    assert verdict(handover(*both, proof("b", None, minutes=1)), "patches") is False


def test_a_restore_is_asked_of_the_hosts_that_have_backups() -> None:
    assert verdict(handover(proof("a", True, "restore")), "restore") is True
    assert verdict(handover(), "restore") is None


def test_a_change_of_keys_counts_until_a_newer_proof_of_the_keys() -> None:
    def rotation(ok: bool, minutes: int) -> Rotation:
        hosts = tuple(HostRotation(host=h, ok=ok, detail=Text("甲", "a")) for h in ("a", "b"))
        return Rotation(actor="x", at=AT + timedelta(minutes=minutes), hosts=hosts)

    assert verdict(handover(rotations=(rotation(True, 0),)), "keys") is True
    assert verdict(handover(proof("a", False, "keys", 5), rotations=(rotation(True, 0),)), "keys") is False
    assert verdict(handover(proof("a", False, "keys", 5), rotations=(rotation(True, 6),)), "keys") is True


ANSWER = st.sampled_from([True, False, None])


@given(st.lists(st.tuples(st.sampled_from("abc"), ANSWER), max_size=12))
def test_never_green_unless_the_newest_answer_of_every_host_is(said: list[tuple[str, bool | None]]) -> None:
    newest = dict(said)
    found = verdict(handover(*(proof(h, ok) for h, ok in said), hosts=("a", "b", "c")), "patches")
    answers = [newest.get(host) for host in "abc"]
    assert found is (False if False in answers else None if None in answers else True)


@given(st.lists(ANSWER, min_size=1, max_size=4))
def test_several_answers_are_green_together_only_when_each_is(answers: list[bool | None]) -> None:
    found, _ = together(*((answer, ()) for answer in answers))
    assert (found is True) == all(answer is True for answer in answers)
    assert (found is False) == (False in answers)


def test_only_what_our_module_saw_is_red_and_a_crash_is_no_answer() -> None:
    why = (Text("甲", "a"),)
    assert judge_host(PlaybookResult(ok=True, detail=""))[0] is True
    assert judge_host(PlaybookResult(ok=False, detail="x", reasons=why, facts={"verdict": "red"})) == (False, why)
    assert judge_host(PlaybookResult(ok=False, detail="x", reasons=why, facts={"verdict": "unknown"})) == (None, why)
    silent, said = judge_host(PlaybookResult(ok=False, detail="no result"))
    assert silent is None and said, "a playbook without a result says so in words"


def attempt(accepted: bool | None) -> LoginAttempt:
    return LoginAttempt(host="root@a", fingerprint="SHA256:x", accepted=accepted, answer="a", at=AT)


def test_a_login_without_an_answer_does_not_prove_that_it_is_refused() -> None:
    assert judge_logins([attempt(False)])[0] is True
    assert judge_logins([attempt(False), attempt(None)])[0] is None
    assert judge_logins([attempt(None), attempt(True)])[0] is False


def test_a_long_list_of_reasons_is_cut_with_its_number() -> None:
    reasons = [Text(f"甲{n}", f"a{n}") for n in range(30)]
    made = build_proof("keys", "a", (False, reasons), {"verdict": "red", "keys": 3}, ("d",), actor="x", at=AT)
    assert "30" in made.detail.zh and "22 more" in made.detail.en
    assert made.facts == {"keys": "3"}


# --- through the workflow


class Scripted:
    """Answers as a playbook would; Ansible and the modules are tested in tests/servers on real hosts."""

    def __init__(self, *answers: PlaybookResult) -> None:
        self.answers, self.calls = list(answers), list[tuple[str, Mapping[str, Any], Path | None]]()

    def run(
        self, step: str, name: str, host: HostAccess, variables: Mapping[str, Any], *, identity: Path | None = None,
        timeout_s: int = 180,
    ) -> PlaybookResult:  # fmt: skip
        self.calls.append((f"{step} {host.name}", variables["given"], identity))
        return self.answers[min(len(self.calls), len(self.answers)) - 1]


GREEN = PlaybookResult(
    ok=True, detail="", facts={"verdict": "green", "updates": 0}, outputs=({"task": "t", "found": {}},)
)
RED = PlaybookResult(ok=False, detail="x", reasons=(Text("有安全更新", "updates"),), facts={"verdict": "red"})
SILENT = PlaybookResult(ok=False, detail="unreachable", reasons=(Text("无法连接", "unreachable"),))


@pytest.fixture
def handover_id(place: Place) -> str:
    """Of two hosts; `cloud-02` has the address of the first."""
    hosts = place.workspace / "hosts.yaml"
    hosts.write_text(hosts.read_text() + hosts.read_text().split("\n", 1)[1].replace("cloud-01", "cloud-02"))
    with place.session() as session:
        made = takeover_decide.start_takeover(
            session,
            SYSTEM,
            builder="示例建设单位",
            builder_key=Path(f"{place.builder}.pub"),
            hosts=["cloud-01", "cloud-02"],
        )
        return made.handover.handover_id


def records(place: Place) -> list[dict[str, Any]]:
    with sqlite3.connect(place.workspace / "govcloud.db") as database:
        return [json.loads(row[0]) for row in database.execute("SELECT canonical FROM ledger ORDER BY seq")]


def test_a_silent_host_is_no_answer_and_the_others_go_on(place: Place, handover_id: str) -> None:
    with place.session() as session:
        found = prove(session, handover_id, ["patches"], playbooks=Scripted(SILENT, GREEN))
        kept = folder_of(session, handover_id)
    assert [(p.hosts, p.ok) for p in found.proofs] == [(("cloud-01",), None), (("cloud-02",), True)]
    assert found.proofs[0].detail.en == "unreachable"
    told = json.loads((kept / found.proofs[1].evidence[0]).read_text())
    assert (told["host"], told["facts"]["updates"], told["tasks"]) == ("cloud-02", 0, [{"task": "t", "found": {}}])


def test_a_host_is_touched_only_after_the_intent_is_recorded(place: Place, handover_id: str) -> None:
    with place.session() as session:
        found = prove(
            session, handover_id, ["patches", "passwords"], hosts=["cloud-01"], playbooks=Scripted(RED, GREEN)
        )
    told = [r for r in records(place) if r["step"] == "prove"]
    assert [(r["phase"], r["body"]["proof"]) for r in told] == [
        ("intent", "patches"), ("result", "patches"), ("intent", "passwords"), ("result", "passwords")
    ]  # fmt: skip
    assert told[1]["body"]["hosts"][0]["ok"] is False
    assert told[1]["evidence"] == list(found.proofs[0].evidence), "the record names the file that proves it"
    assert handover_id in told[1]["concerns"]
    assert found.takeover.handover.proofs == found.proofs


def test_what_can_not_be_proved_as_described_is_said_and_no_host_is_asked(place: Place, handover_id: str) -> None:
    playbooks = Scripted(GREEN)
    with place.session() as session:
        found = prove(session, handover_id, ["bastion", "restore"], playbooks=playbooks)
    assert {p.ok for p in found.proofs} == {None} and not playbooks.calls
    assert "via" in found.proofs[0].detail.en and "backup" in found.proofs[2].detail.en


def test_the_old_key_is_really_tried_and_as_long_as_it_opens_the_account_it_is_red(
    place: Place, handover_id: str
) -> None:
    with place.session() as session:
        (found,) = prove(session, handover_id, ["vendor_access"], hosts=["cloud-01"], playbooks=Scripted(GREEN)).proofs
        assert found.ok is False and found.facts["logins_refused"] == "0"
        place.authorized.write_text(Path(f"{place.builder}.pub").read_text())
        (found,) = prove(session, handover_id, ["vendor_access"], hosts=["cloud-01"], playbooks=Scripted(GREEN)).proofs
    assert found.ok is True and found.facts["logins_refused"] == "1"


def test_a_lent_password_is_tried_and_is_nowhere_afterwards(place: Place, handover_id: str, tmp_path: Path) -> None:
    lent = tmp_path / "old.pass"
    lent.write_text(CANARY + "\n")
    lent.chmod(0o600)
    place.authorized.write_text(Path(f"{place.builder}.pub").read_text())
    with place.session() as session:
        (found,) = prove(
            session,
            handover_id,
            ["vendor_access"],
            hosts=["cloud-01"],
            lent=Lent(old_password=lent),
            playbooks=Scripted(GREEN),
        ).proofs
    assert found.ok is True and found.facts["logins_tried"] == "2"
    holding = [p for p in place.workspace.rglob("*") if p.is_file() and CANARY.encode() in p.read_bytes()]
    assert not holding


@pytest.mark.parametrize(("mode", "text"), [(0o644, "x"), (0o600, ""), (0o600, "a\nb")])
def test_a_password_file_that_others_can_read_or_that_holds_no_password_is_refused(
    place: Place, handover_id: str, tmp_path: Path, mode: int, text: str
) -> None:
    lent = tmp_path / "old.pass"
    lent.write_text(text)
    lent.chmod(mode)
    with place.session() as session, pytest.raises(InputError):
        prove(session, handover_id, ["vendor_access"], lent=Lent(old_password=lent), playbooks=Scripted(GREEN))


def test_what_looks_like_a_secret_is_not_kept_as_evidence_and_the_proof_is_not_green(
    place: Place, handover_id: str
) -> None:
    leaky = replace(GREEN, outputs=({"task": "t", "found": {"line": f"password={CANARY}"}},))
    with place.session() as session:
        (found,) = prove(session, handover_id, ["patches"], hosts=["cloud-01"], playbooks=Scripted(leaky)).proofs
    assert found.ok is None and not found.evidence
    assert CANARY not in json.dumps(records(place))


def test_another_key_than_the_registered_one_and_another_host_are_refused(
    place: Place, handover_id: str, tmp_path: Path
) -> None:
    playbooks = Scripted(GREEN)
    with place.session() as session:
        with pytest.raises(InputError):
            prove(session, handover_id, lent=Lent(identity=make_key(tmp_path / "k" / "other")), playbooks=playbooks)
        with pytest.raises(UsageError):
            prove(session, handover_id, hosts=["cloud-09"], playbooks=playbooks)
    assert not playbooks.calls


def test_the_playbooks_run_with_the_builders_key_where_it_is_lent(place: Place, handover_id: str) -> None:
    playbooks = Scripted(GREEN)
    with place.session() as session:
        prove(
            session, handover_id, ["keys"], hosts=["cloud-01"], lent=Lent(identity=place.builder), playbooks=playbooks
        )
    ((step, told, identity),) = playbooks.calls
    assert (step, identity) == ("takeover_keys cloud-01", place.builder)
    assert told["builder_key"].startswith("ssh-ed25519 ")


def test_every_kind_has_its_playbook_and_its_words(place: Place, handover_id: str) -> None:
    from govcloud import resources
    from govcloud.handover.proofs_given import GREEN as WORDS
    from govcloud.report.handover_proofs import KINDS

    kinds = set(get_args(ProofKind))
    assert kinds == set(takeover_prove.KINDS) == set(WORDS) == set(KINDS)
    assert all((resources.folder("playbooks") / f"takeover_{kind}" / "apply.yml").is_file() for kind in kinds)


def test_one_command_shows_what_was_found_and_says_no_with_its_exit_code(
    place: Place, handover_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place.cli("prove", handover_id, "bastion", "--host", "cloud-01") == 1
    said = capsys.readouterr().out
    assert "未能查看" in said and "via" in said


# --- what is to be proved, as a file


def test_a_mistyped_key_is_refused_and_no_file_means_nothing_special(tmp_path: Path) -> None:
    assert load_needs(tmp_path / "none.yaml").vendor_accounts == ()
    path = tmp_path / "s.yaml"
    for text in (
        "vendor_acounts: [x]", "hosts: {a: {backup: []}}", "hosts: {a: {backups: [{path: /x}]}}",
        "hosts: {a: {backups: [{kind: files, path: /x}]}}", "hosts: {a: {monitoring: {agent: carrier_pigeon}}}", "- x",
    ):  # fmt: skip
        path.write_text(text)
        with pytest.raises(InputError):
            load_needs(path)
    path.write_text("vendor_accounts: [old]\nhosts: {a: {backups: [{kind: files, path: /b/*.tgz, source: /srv}]}}")
    found = load_needs(path)
    assert found.of("a").backups[0].source == "/srv" and found.of("b").backups == ()


def test_the_sites_own_servers_come_from_the_settings() -> None:
    assert parse_site({"ntp": ["10.0.0.1"], "resolve": "x.gov.test"}, "govcloud.yaml").ntp == ("10.0.0.1",)
    with pytest.raises(InputError):
        parse_site({"npt": ["10.0.0.1"]}, "govcloud.yaml")
