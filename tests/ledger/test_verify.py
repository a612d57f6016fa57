"""The standalone verifier: whatever is done to a bundle is found, the first bad record is named."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_bundle import Exported, append

from govcloud.ledger import verify
from govcloud.ledger.checkpoint import load_signer
from govcloud.ledger.export import write_bundle
from govcloud.model.ledger import SHA256
from govcloud.settings import open_workspace
from govcloud.store import ledger as ledger_store
from govcloud.workflow import audit
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import Session, open_session

NOTE = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
NOTE_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


def test_a_bundle_that_nobody_touched_verifies(exported: Exported) -> None:
    report = exported.check()
    assert report.problems == []
    assert (report.records, report.checkpoints, report.signed) == (5, 2, 5)


def test_the_copy_in_the_bundle_runs_alone(exported: Exported, tmp_path: Path) -> None:
    """Without govcloud, without its virtual environment, in a C locale."""
    (tmp_path / "key").write_text(exported.vkey + "\n")
    for lang, words in (("zh", "核对通过"), ("en", "verified")):
        done = subprocess.run(
            [sys.executable, "-I", "-S", "verify.py", ".", "--key", str(tmp_path / "key"), "--lang", lang],
            cwd=exported.bundle, env={"LC_ALL": "C", "PYTHONUTF8": "1"}, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        assert words in done.stdout


def test_the_script_is_old_python_with_the_standard_library_only() -> None:
    source = Path(verify.__file__).read_text("utf-8")
    tree = ast.parse(source, feature_version=(3, 8))
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    names |= {str(n.module) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_the_example_note_of_the_format_opens() -> None:
    """The example of golang.org/x/mod/sumdb/note, on which C2SP signed-note is built."""
    key = verify.parse_vkey(NOTE_KEY)
    assert verify.open_note(NOTE.encode(), [key]) == NOTE.split("\n\n", maxsplit=1)[0] + "\n"
    with pytest.raises(verify.Broken):
        verify.open_note(NOTE.replace("cryptography", "Cryptography").encode(), [key])


def flips(path: Path, step: int) -> range:
    return range(0, path.stat().st_size, step)


@pytest.mark.parametrize("profile", ["sha256", "sm3"])
def test_any_flipped_byte_is_caught(session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every byte of the data; of the script's copy, which is checked by its digest alone, every 997th. The bundle is a part
    of a ledger with a changed key, so that each kind of file is there."""
    before = audit.export_bundle(session, tmp_path / "before")
    audit.rotate_key(session)
    made = audit.export_bundle(session, tmp_path / "bundle", since="2")
    exported = Exported(session=session, bundle=made.folder, vkey=before.vkey)
    assert exported.main() == verify.OK
    for path in sorted(p for p in exported.bundle.rglob("*") if p.is_file()):
        original = path.read_bytes()
        for place in flips(path, 997 if path.name == "verify.py" else 1):
            changed = bytearray(original)
            changed[place] ^= 1 << place % 8
            path.write_bytes(changed)
            assert exported.check().problems, (path.name, place)
        path.write_bytes(original)
    capsys.readouterr()
    assert exported.main() == verify.OK


def lines_of(exported: Exported, name: str = "records.jsonl") -> list[bytes]:
    return (exported.bundle / name).read_bytes().splitlines(keepends=True)


def write_lines(exported: Exported, lines: list[bytes], name: str = "records.jsonl") -> None:
    (exported.bundle / name).write_bytes(b"".join(lines))


CHANGES: dict[str, tuple[Callable[[list[bytes]], list[bytes]], int]] = {
    "deleted": (lambda x: x[:2] + x[3:], 2),
    "duplicated": (lambda x: x[:2] + x[1:], 2),
    "reordered": (lambda x: [x[0], x[2], x[1], *x[3:]], 1),
    "truncated": (lambda x: x[:3], 3),
    "cut in a line": (lambda x: [*x[:-1], x[-1][:-9]], 4),
    "appended": (lambda x: [*x, x[-1]], 5),
    "edited": (lambda x: [*x[:3], x[3].replace("张示例".encode(), "李示例".encode()), x[4]], 3),
    "reformatted": (lambda x: [*x[:3], x[3].replace(b'":', b'": ', 1), x[4]], 3),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_done_to_records_is_found_and_the_first_bad_one_named(exported: Exported, change: str) -> None:
    make, first_bad = CHANGES[change]
    write_lines(exported, make(lines_of(exported)))
    report = exported.check()
    assert report.problems
    assert report.first_bad_seq == first_bad


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=8))
def test_no_other_choice_of_records_verifies(chosen: list[int]) -> None:
    """Leaf hashes are chosen along: only the checkpoints can tell."""
    lines, leaves = _RECORDS
    report = verify.verify_records([lines[i] for i in chosen], [leaves[i] for i in chosen], _NOTES)
    assert bool(report.problems) is (chosen != list(range(5)))


def _records() -> tuple[list[bytes], list[bytes]]:
    documents = [dict.fromkeys(verify.FIELDS) | {"seq": i, "body": {"n": i}, "kind": "test"} for i in range(5)]
    lines = [rfc8785.dumps(document) for document in documents]
    return lines, [verify.hashlib.sha256(b"\x00" + line).hexdigest().encode() for line in lines]


def _notes() -> list[verify.Note]:
    tree, notes = verify.Tree(), []
    for leaf in _RECORDS[1]:
        tree.add(bytes.fromhex(leaf.decode()))
        if tree.size in (3, 5):
            notes.append(verify.Note(str(tree.size), tree.size, tree.root()))
    return notes


_RECORDS = _records()
_NOTES = _notes()


def rebuild(exported: Exported, tmp_path: Path) -> None:
    """The operator makes the whole ledger anew, with his own key, and leaves one record out."""
    signer = exported.signer()
    init_workspace(tmp_path / "other", "shanxi", actor="张示例")
    with open_session(open_workspace(tmp_path / "other"), actor="张示例") as other:
        shutil.copytree(exported.session.workspace.path / "keys", tmp_path / "other" / "keys", dirs_exist_ok=True)
        append(other, 4)
        signed = audit.checkpoint(other)
        shutil.rmtree(exported.bundle)
        with other.store.read() as tx:
            root = partial(ledger_store.tree_root, tx)
            rows = ledger_store.iterate(tx)
            write_bundle(exported.bundle, records=rows, checkpoints=[signed], root=root, signer=signer, hashes=SHA256)


def test_a_rebuilt_ledger_is_caught_by_a_checkpoint_that_the_auditor_kept(exported: Exported, tmp_path: Path) -> None:
    kept = tmp_path / "kept.note"
    shutil.copy(exported.bundle / "checkpoints" / "3.note", kept)
    rebuild(exported, tmp_path)
    assert exported.check().problems == [], "within itself it is sound: that is why auditors keep checkpoints"
    report = exported.check(kept=(kept,))
    assert report.first_bad_seq == 0
    assert "rebuilt" in report.problems[0].en


def test_a_ledger_that_lost_its_end_is_caught_by_a_kept_checkpoint(exported: Exported, tmp_path: Path) -> None:
    newest = tmp_path / "9.note"
    append(exported.session, 4)
    newest.write_text(audit.checkpoint(exported.session).note, "utf-8")
    report = exported.check(kept=(newest,))
    assert report.first_bad_seq == 5


def test_another_key_does_not_do(exported: Exported, tmp_path: Path) -> None:
    """Re-signed with another key, and with the same origin line written over it."""
    other = load_signer(tmp_path / "otherkeys", "shanxi", last=None)
    report = verify.verify_bundle(exported.bundle, [verify.parse_vkey(other.vkey)])
    assert report.problems
    assert report.signed == 0


def test_a_second_ledgers_checkpoint_is_no_checkpoint_of_this_one(exported: Exported) -> None:
    key = verify.Keys(verify.parse_vkey(exported.vkey))
    note = exported.signer().sign("govcloud/other/00000000\n5\n" + "A" * 43 + "=\n")
    with pytest.raises(verify.Broken):
        verify.parse_checkpoint(note.encode(), key, "x")


def test_extra_missing_and_linked_files_are_reported(exported: Exported) -> None:
    (exported.bundle / "extra.txt").write_text("x")
    (exported.bundle / "checkpoints" / "4.note").symlink_to("5.note")
    (exported.bundle / "checkpoints" / "3.note").unlink()
    said = " ".join(p.en for p in exported.check().problems)
    assert "'extra.txt'" in said
    assert "'checkpoints/4.note'" in said
    assert "checkpoints/3.note is missing" in said


@pytest.mark.parametrize(
    "name", ["../records.jsonl", "/etc/passwd", "checkpoints/../verify.py", "a b", "records.jsonl\n"]
)
def test_hostile_paths_in_a_manifest_are_refused(exported: Exported, name: str) -> None:
    """Even when they are signed: the names of a bundle are a fixed list."""
    signer = exported.signer()
    text = f"{verify.MANIFEST_HEADER}\n{signer.name}\n{'0' * 64} 1 {name}\n"
    (exported.bundle / verify.MANIFEST).write_text(signer.sign(text), "utf-8")
    assert any(verify.MANIFEST in p.en for p in exported.check().problems)


def test_nothing_to_check_is_never_ok(exported: Exported, tmp_path: Path) -> None:
    assert verify.verify_records([], [], []).problems
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "missing"):
        assert verify.main([str(folder), "--key", exported.vkey]) == verify.UNREADABLE
    for name in ("records.jsonl", "leaves.txt"):
        (exported.bundle / name).write_bytes(b"")
    assert exported.main() == verify.BROKEN
    (exported.bundle / "records.jsonl").unlink()
    assert exported.main() == verify.BROKEN


@pytest.mark.parametrize("key", ["x", "", "name+00000000+AAAA", NOTE_KEY[:-1]])
def test_a_key_that_is_none_is_a_usage_error_or_unreadable(exported: Exported, key: str) -> None:
    assert verify.main([str(exported.bundle), "--key", key]) in (verify.USAGE, verify.UNREADABLE)


def test_without_a_key_it_does_not_trust_the_one_in_the_bundle(exported: Exported) -> None:
    with pytest.raises(SystemExit) as left:
        verify.main([str(exported.bundle)])
    assert left.value.code == verify.USAGE


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), json_values, max_size=5))
def test_the_canonical_form_is_the_one_of_the_rfc8785_library(body: dict[str, object]) -> None:
    record = dict.fromkeys(verify.FIELDS) | {"seq": 7, "body": body}
    line = rfc8785.dumps(record)  # type: ignore[arg-type]
    assert verify.check_record(line, 7) is None


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "7", "null", "{}", "{", "\xff", '{"seq":0,"seq":0}', "[" * 100_000, '{"a":1.0}', '{"a":NaN}', '{"a":-0}',
        '{"a":12345678901234567890}', '{"a":"\\ud800"}', '{"a":"\\u0041"}', '{"b":1,"a":1}', "1" * 10_000,
    ],
)  # fmt: skip
def test_odd_json_is_a_finding_not_a_crash(text: str) -> None:
    assert verify.check_record(text.encode("latin-1"), 0) is not None


@given(st.binary(max_size=200))
def test_random_bytes_never_pass_and_never_crash(data: bytes) -> None:
    assert verify.check_record(data, 0) is not None
    with pytest.raises(verify.Broken):
        verify.open_note(data, [verify.parse_vkey(NOTE_KEY)])


def test_memory_does_not_grow_with_the_bundle(exported: Exported, tmp_path: Path) -> None:
    """30 MB of records in a child process whose address space would not hold them beside Python."""
    big = exported.bundle / "records.jsonl"
    line = lines_of(exported)[-1]
    with big.open("wb") as out:
        for _ in range(30):
            out.write(line * (2**20 // len(line)))
    child = (
        "import resource, sys\n"
        "limit = 60 * 2**20\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        f"sys.path.insert(0, {str(exported.bundle)!r})\n"
        "import verify\n"
        f"sys.exit(verify.main([{str(exported.bundle)!r}, '--key', {exported.vkey!r}]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", child],
        capture_output=True,
        text=True,
        timeout=120,
        env={"LC_ALL": "C.UTF-8", **os.environ},
    )
    assert (done.returncode, done.stderr) == (verify.BROKEN, "")


def test_the_report_for_a_person_names_the_first_bad_record_in_both_languages(
    exported: Exported, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lines(exported, CHANGES["edited"][0](lines_of(exported)))
    assert exported.main("--lang", "zh") == verify.BROKEN
    assert "首个有问题的记录：3" in capsys.readouterr().out
    assert exported.main("--lang", "en") == verify.BROKEN
    assert "first bad record: 3" in capsys.readouterr().out
    assert json.loads(lines_of(exported)[3])["actor"] == "李示例"
