"""A change of the signing key: whoever holds either key can check everything, and nobody slips in a key of his own."""

from __future__ import annotations

import base64
import json
import shutil
import stat
from pathlib import Path

import pytest
from ledger_bundle import append, signer_of

from govcloud.cli.main import run
from govcloud.errors import InputError, IntegrityError, UsageError
from govcloud.ledger import verify
from govcloud.ledger.checkpoint import KEY_FILES, build_checkpoint, build_rotation, load_signer
from govcloud.settings import open_workspace
from govcloud.store import ledger as ledger_store
from govcloud.workflow import audit
from govcloud.workflow.session import Session, open_session


def files_of(session: Session) -> list[str]:
    return sorted(p.name for p in (session.workspace.path / "keys").iterdir())


@pytest.mark.parametrize("profile", ["sha256", "sm3"])
def test_either_key_checks_everything_and_a_stranger_s_checks_nothing(session: Session, tmp_path: Path) -> None:
    first = audit.export_bundle(session, tmp_path / "first")
    kept = tmp_path / "first" / "checkpoints" / "2.note"
    second = audit.rotate_key(session)
    append(session, 3)
    third = audit.rotate_key(session)
    append(session, 1)
    made = audit.export_bundle(session, tmp_path / "bundle")
    assert len({first.vkey, second.vkey, third.vkey}) == 3 and made.vkey == third.vkey
    assert len({vkey.partition("+")[0] for vkey in (first.vkey, third.vkey)}) == 1, "one ledger, one name"
    for keys in ([first.vkey], [second.vkey], [third.vkey], [first.vkey, third.vkey]):
        argv = [word for key in keys for word in ("--key", key)]
        assert verify.main([str(made.folder), *argv, "--checkpoint", str(kept)]) == verify.OK, keys
        report = audit.verify_ledger(session, vkeys=keys, kept=[kept]).report
        assert report.problems == []
    assert audit.verify_ledger(session).report.problems == []
    stranger = load_signer(tmp_path / "strange", "shanxi", last=None, hashes=session.store.ledger.name)
    named = f"{made.vkey.partition('+')[0]}"
    for key in (stranger.vkey, _named(stranger.vkey, named)):
        assert verify.verify_bundle(made.folder, [verify.parse_vkey(key)]).problems
    both = [verify.parse_vkey(first.vkey), verify.parse_vkey(_named(stranger.vkey, named))]
    assert any("given key" in p.en for p in verify.verify_bundle(made.folder, both).problems)


def _named(vkey: str, name: str) -> str:
    """The same key under the name of another ledger."""
    data = base64.b64decode(vkey.split("+", 2)[2])
    return f"{name}+{verify.key_id(name, data).hex()}+{base64.b64encode(data).decode()}"


def test_the_record_the_statement_and_the_checkpoint_name_both_keys(session: Session) -> None:
    made = audit.rotate_key(session)
    with session.store.read() as tx:
        record = json.loads(ledger_store.records(tx)[-1].canonical)
    rotation = verify.parse_rotation(record["body"]["rotation"].encode())
    assert record["kind"] == verify.ROTATION_KIND and rotation.seq == record["seq"] == made.checkpoint.size - 1
    old, new = verify.parse_vkey(made.old_vkey), verify.parse_vkey(made.vkey)
    assert (rotation.old, rotation.new) == (old, new)
    verify.open_note(made.checkpoint.note.encode(), [old, new], by_all=True)


def test_the_old_private_key_is_gone_and_the_new_one_is_private(session: Session) -> None:
    audit.checkpoint(session)
    path = session.workspace.path / "keys" / "ledger_ed25519"
    before = path.read_bytes()
    audit.rotate_key(session)
    assert files_of(session) == ["ledger_ed25519", "ledger_ed25519.vkey"]
    assert path.read_bytes() != before and stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_crash_before_the_record_leaves_the_old_key_in_use(session: Session) -> None:
    """The new key's file lies there already; the ledger knows nothing of it."""
    audit.checkpoint(session)
    path = session.workspace.path / "keys" / "ledger_ed25519"
    other = load_signer(session.workspace.path / "elsewhere", "shanxi", last=None)
    (path.parent / "ledger_ed25519.next").write_bytes(other.key.pem())
    (path.parent / "ledger_ed25519.next").chmod(0o600)
    vkey = signer_of(session).vkey
    append(session, 1)
    audit.checkpoint(session)
    assert signer_of(session).vkey == vkey
    assert audit.rotate_key(session).old_vkey == vkey
    assert audit.verify_ledger(session).report.problems == []


def test_a_crash_after_the_record_is_finished_by_the_next_signature(session: Session, tmp_path: Path) -> None:
    audit.checkpoint(session)
    keys = session.workspace.path / "keys"
    shutil.copytree(keys, tmp_path / "before")
    made = audit.rotate_key(session)
    new = (keys / "ledger_ed25519").read_bytes()
    shutil.rmtree(keys)
    shutil.copytree(tmp_path / "before", keys)
    (keys / "ledger_ed25519.next").write_bytes(new)
    (keys / "ledger_ed25519.next").chmod(0o600)
    append(session, 1)
    audit.checkpoint(session)
    assert signer_of(session).vkey == made.vkey
    assert files_of(session) == ["ledger_ed25519", "ledger_ed25519.vkey"]
    assert audit.verify_ledger(session, vkeys=[made.old_vkey]).report.problems == []


def test_an_old_key_that_comes_back_signs_nothing(session: Session, tmp_path: Path) -> None:
    audit.checkpoint(session)
    keys = session.workspace.path / "keys"
    shutil.copytree(keys, tmp_path / "before")
    audit.rotate_key(session)
    shutil.copy(tmp_path / "before" / "ledger_ed25519", keys / "ledger_ed25519")
    append(session, 1)
    with pytest.raises(IntegrityError):
        audit.checkpoint(session)


def test_a_checkpoint_that_the_old_key_signed_later_is_refused(session: Session) -> None:
    audit.checkpoint(session)
    old = signer_of(session)
    made = audit.rotate_key(session)
    forged = build_checkpoint(old, made.checkpoint.size + 5, bytes(32))
    notes = [("r", build_rotation(old, signer_of(session), made.checkpoint.size - 1).encode())]
    keys, problems = verify.follow_keys([verify.parse_vkey(made.old_vkey)], notes)
    assert problems == []
    with pytest.raises(verify.Broken, match="not in use"):
        verify.parse_checkpoint(forged.note.encode(), keys, "x")


@pytest.mark.parametrize("hidden", ["statement", "record"])
def test_a_statement_and_its_record_are_not_to_be_had_one_without_the_other(
    session: Session, tmp_path: Path, hidden: str
) -> None:
    """Even where the operator signs the manifest again."""
    audit.checkpoint(session)
    first = signer_of(session)
    audit.rotate_key(session)
    made = audit.export_bundle(session, tmp_path / "bundle")
    (statement,) = (made.folder / "rotations").iterdir()
    if hidden == "statement":
        statement.unlink()
    else:
        text = (made.folder / "records.jsonl").read_bytes()
        (made.folder / "records.jsonl").write_bytes(text.replace(b'"kind":"key_rotation"', b'"kind":"kez_rotation"'))
    given = [verify.parse_vkey(made.vkey)]
    assert any(p.seq == 1 for p in verify.verify_bundle(made.folder, given).problems)
    shutil.rmtree(made.folder / "rotations", ignore_errors=True)
    forged = build_rotation(first, load_signer(tmp_path / "x", "shanxi", last=None), 1)
    with pytest.raises(verify.Broken):
        verify.parse_rotation(forged.encode())


def test_keys_of_two_ledgers_or_of_another_algorithm_are_wrong_usage(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = audit.export_bundle(session, tmp_path / "bundle")
    other = load_signer(tmp_path / "other", "shanxi", last=None).vkey
    sm2 = load_signer(tmp_path / "sm2", "shanxi", last=None, hashes="sm3").vkey
    origin = made.vkey.partition("+")[0]
    bundle = str(made.folder)
    assert verify.main([bundle, "--key", made.vkey, "--name", origin, "--hash", "sha256"]) == verify.OK
    for words in (
        ["--key", made.vkey, "--key", other],
        ["--key", made.vkey, "--name", "govcloud/other/00000000"],
        ["--key", made.vkey, "--hash", "sm3"],
        ["--key", sm2, "--hash", "sha256"],
    ):
        assert verify.main([bundle, *words]) == verify.USAGE
    with pytest.raises(InputError):
        audit.verify_ledger(None, made.folder, vkeys=[made.vkey, other])
    swapped = _named(sm2, origin)
    assert verify.main([bundle, "--key", swapped]) == verify.BROKEN, "a swapped algorithm"
    capsys.readouterr()


def test_the_command_says_both_public_keys(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = str(session.workspace.path)
    assert run(["-w", workspace, "--lang", "zh", "audit", "rotate-key"]) == 0
    said = capsys.readouterr().out
    assert said.count("govcloud/shanxi/") == 2 and "旧公钥" in said and "新公钥" in said
    assert run(["-w", workspace, "audit", "verify"]) == 0


def test_a_machine_without_the_key_changes_nothing(session: Session, tmp_path: Path) -> None:
    audit.checkpoint(session)
    shutil.move(session.workspace.path / "keys" / KEY_FILES["sha256"], tmp_path / "safe")
    with session.store.read() as tx:
        assert not audit.may_sign(session, tx)
    with pytest.raises(IntegrityError):
        audit.rotate_key(session)
    with session.store.read() as tx:
        assert ledger_store.size(tx) == 1


def test_a_part_begins_at_a_checkpoint_of_this_ledger_only(session: Session, tmp_path: Path) -> None:
    audit.checkpoint(session)
    append(session, 20)
    with open_session(open_workspace(session.workspace.path), actor="张示例") as other:
        for since in ("0", "7", "99999999999999999999"):
            with pytest.raises(UsageError):
                audit.export_bundle(other, tmp_path / "part", since)
        with pytest.raises(InputError):
            audit.export_bundle(other, tmp_path / "part", str(tmp_path / "missing.note"))
        forged = build_checkpoint(signer_of(session), 1, bytes(32))
        (tmp_path / "forged.note").write_text(forged.note, "utf-8")
        with pytest.raises(IntegrityError):
            audit.export_bundle(other, tmp_path / "part", str(tmp_path / "forged.note"))
