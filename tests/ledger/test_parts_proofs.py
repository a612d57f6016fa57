"""A part of a ledger and the proof of one record: checked by a third party with the script alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ledger_bundle import append

from govcloud.cli.main import run
from govcloud.errors import UsageError
from govcloud.ledger import verify
from govcloud.model.ledger import HashName
from govcloud.workflow import audit
from govcloud.workflow.session import Session

BOTH = pytest.mark.parametrize("profile", ["sha256", "sm3"])


@BOTH
@pytest.mark.parametrize("before", [1, 15, 16, 37])
def test_a_part_continues_what_the_auditor_has(session: Session, tmp_path: Path, before: int) -> None:
    append(session, before - 1)
    kept = tmp_path / "kept.note"
    kept.write_text(audit.checkpoint(session).note, "utf-8")
    append(session, 21)
    audit.checkpoint(session)
    made = audit.export_bundle(session, tmp_path / "part", since=str(kept))
    key = [verify.parse_vkey(made.vkey)]
    report = verify.verify_bundle(made.folder, key, [("kept", kept)])
    assert report.problems == []
    assert (report.first, report.records, report.signed) == (before, 22, before + 22)
    whole = audit.export_bundle(session, tmp_path / "whole")
    older = whole.folder / "checkpoints" / f"{before + 21}.note"
    assert verify.verify_bundle(made.folder, key, [("between", older)]).problems == []
    too_new = whole.folder / "checkpoints" / f"{whole.checkpoint.size}.note"
    assert verify.verify_bundle(made.folder, key, [("new", too_new)]).first_bad_seq == before + 22


def test_a_part_says_what_it_can_not_check(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = tmp_path / "first.note"
    first.write_text(audit.checkpoint(session).note, "utf-8")
    append(session, 5)
    audit.checkpoint(session)
    made = audit.export_bundle(session, tmp_path / "part", since="6")
    words = [str(made.folder), "--key", made.vkey, "--lang", "en"]
    assert verify.main(words) == verify.OK
    assert "a part from record 6 on" in capsys.readouterr().out
    assert verify.main([*words, "--checkpoint", str(first)]) == verify.BROKEN
    assert "older than the first record" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    ["", "6", "6\n", "x\n", "6\n" + "0" * 64 + "\n", "6\n" + ("0" * 64 + "\n") * 2, "5\n" + ("0" * 64 + "\n") * 2],
)
def test_a_forged_start_leads_nowhere(session: Session, tmp_path: Path, text: str) -> None:
    append(session, 5)
    audit.checkpoint(session)
    made = audit.export_bundle(session, tmp_path / "part", since="6")
    (made.folder / "start.txt").write_text(text)
    report = verify.verify_bundle(made.folder, [verify.parse_vkey(made.vkey)])
    assert any("start.txt" in p.en for p in report.problems) and len(report.problems) > 1


@BOTH
def test_a_third_party_checks_one_record_with_the_script_alone(
    session: Session, tmp_path: Path, profile: HashName, capsys: pytest.CaptureFixture[str]
) -> None:
    append(session, 40)
    audit.rotate_key(session)
    proof = tmp_path / "7.proof"
    workspace = str(session.workspace.path)
    assert run(["-w", workspace, "audit", "prove", "7", "-o", str(proof)]) == 0
    vkey = next((session.workspace.path / "keys").glob("*.vkey")).read_text()
    (tmp_path / "key").write_text(vkey)
    script = [sys.executable, "-I", "-S", verify.__file__, "--proof", str(proof), "--key", str(tmp_path / "key")]
    done = subprocess.run([*script, "--hash", profile, "--lang", "zh"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"seq":7' in done.stdout and "切换 𠮷" in done.stdout and "核对通过" in done.stdout
    assert len(proof.read_bytes()) < 6000
    leaf = session.store.ledger.leaf(json.loads(proof.read_bytes())["record"].encode()).hex()
    assert run(["-w", workspace, "audit", "prove", leaf, "-o", str(tmp_path / "same")]) == 0
    assert (tmp_path / "same").read_bytes() == proof.read_bytes()
    capsys.readouterr()


@BOTH
def test_every_flipped_byte_of_a_proof_is_caught(session: Session) -> None:
    append(session, 5)
    (proof,) = audit.prove(session, [2])
    key = [verify.parse_vkey(next((session.workspace.path / "keys").glob("*.vkey")).read_text())]
    assert verify.verify_proof(proof, key).problems == []
    for place in range(len(proof)):
        changed = bytearray(proof)
        changed[place] ^= 1 << place % 8
        assert verify.verify_proof(bytes(changed), key).problems, place
    for end in range(0, len(proof), 7):
        assert verify.verify_proof(proof[:end], key).problems


def test_a_proof_of_one_record_is_none_of_another(session: Session) -> None:
    append(session, 9)
    proofs = [json.loads(proof) for proof in audit.prove(session, range(10))]
    key = [verify.parse_vkey(next((session.workspace.path / "keys").glob("*.vkey")).read_text())]
    for one in proofs:
        for other in proofs:
            mixed = {**one, "record": other["record"]}
            data = json.dumps(mixed, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            assert (not verify.verify_proof(data, key).problems) is (one == other)


@pytest.mark.parametrize("wanted", ["10", "x", "f" * 64, "-1", "999999999999999999999"])
def test_a_record_that_is_not_there_is_wrong_usage(session: Session, tmp_path: Path, wanted: str) -> None:
    with pytest.raises(UsageError):
        audit.prove(session, [audit.find_record(session, wanted)])


def test_a_proof_prints_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    shown = verify.render_proof(verify.Proved("a\u202e\x9b\x1b[2Jb", 1, []), "en")
    assert "a\\u202e\\u009b\\u001b[2Jb" in shown


def test_a_proof_or_a_folder_is_given_not_both(session: Session, tmp_path: Path) -> None:
    for words in ([], ["x", "--proof", "y"], ["--proof", "y", "--checkpoint", "z"]):
        with pytest.raises(SystemExit) as left:
            verify.main([*words, "--key", "k"])
        assert left.value.code == verify.USAGE
