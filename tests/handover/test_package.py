"""The package of a takeover: what both parties keep, checked offline, the same bytes for the same state."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from docx import Document as open_word
from handover_place import SYSTEM, Place, fill_papers, prove_all
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from run_desk import make_desk

from govcloud.cli.main import run as govcloud
from govcloud.errors import IntegrityError
from govcloud.model.text import LANGS
from govcloud.workflow import run_gates
from govcloud.workflow.takeover import list_takeovers
from govcloud.workflow.takeover_archive import SUMS, verify_archive
from govcloud.workflow.timeline import Wanted, read_timeline

HANDOVER = re.compile(r"H-[0-9a-f]{6,}")


@pytest.fixture
def started(place: Place, capsys: pytest.CaptureFixture[str]) -> str:
    code = place.cli(
        "start", SYSTEM, "--level", "full", "--builder", "示例建设单位", "--builder-key", f"{place.builder}.pub", "--host", "cloud-01",
    )  # fmt: skip
    found = HANDOVER.search(capsys.readouterr().out)
    assert code == 0 and found
    return found[0]


@pytest.fixture
def signed(place: Place, started: str, tmp_path: Path) -> str:
    fill_papers(place, started, tmp_path)
    prove_all(place, started)
    assert place.cli("accept", started, "--all", user="王示例") in (0, 1)
    assert place.cli("sign", started, "--role", "owner", user="李示例") == 0
    assert place.cli("sign", started, "--role", "builder", user="王示例") == 0
    return started


def unpacked(archive: Path, folder: Path) -> Path:
    subprocess.run(["tar", "-xf", archive, "-C", folder], check=True, timeout=60)
    return folder


def test_it_has_all_that_both_parties_need(place: Place, signed: str, tmp_path: Path) -> None:
    tar, folder = tmp_path / "p.tar", tmp_path / "p"
    assert place.cli("package", signed, "-o", str(tar)) == 0
    folder.mkdir()
    unpacked(tar, folder)
    assert (
        subprocess.run(["sha256sum", "-c", "--strict", SUMS], cwd=folder, capture_output=True, timeout=60).returncode
        == 0
    )
    index = json.loads((folder / "index.json").read_text("utf-8"))
    assert not index["draft"] and index["system"] == SYSTEM and index["state"] == "operating"
    names = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert {f["name"] for f in index["files"]} == names - {SUMS, "index.json", "index.zh.html", "index.en.html"}
    for name in ("index", "form", "runbook"):
        zh, en = ((folder / f"{name}.{lang}.html").read_text("utf-8") for lang in LANGS)
        assert "协同办公系统" in zh and zh != en
    form = open_word(str(folder / "form.zh.docx"))
    text = "\n".join(
        [*(p.text for p in form.paragraphs), *(c.text for t in form.tables for r in t.rows for c in r.cells)]
    )
    for wanted in (
        "移交确认单",
        "示例软件公司",
        "示例建设单位",
        "李示例",
        "王示例",
        "单位（盖章）",
        "全面移交",
        "已接收",
    ):
        assert wanted in text, wanted
    assert "草稿" not in text
    records = [json.loads(line) for line in (folder / "records.jsonl").read_text("utf-8").splitlines()]
    assert [r["kind"] for r in records][-2:] == ["signoff", "signoff"]
    evidence = {d for r in records for d in r["evidence"]}
    assert evidence and evidence <= {p.name for p in (folder / "evidence").iterdir()}


def test_each_record_in_it_is_proved_without_us(place: Place, signed: str, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    assert place.cli("package", signed, "-o", str(folder)) == 0
    key = next((place.workspace / "keys").glob("*.vkey")).read_text().strip()
    shutil.copy(folder / "verify.py", tmp_path / "auditors_own.py")
    proofs = sorted((folder / "proofs").iterdir())
    assert len(proofs) == len((folder / "records.jsonl").read_text("utf-8").splitlines())
    check = [sys.executable, "-I", str(tmp_path / "auditors_own.py"), "--proof", str(proofs[-1]), "--key", key]
    assert subprocess.run(check, capture_output=True, timeout=60).returncode == 0
    proofs[-1].write_bytes(proofs[-1].read_bytes().replace("示例".encode(), "某某".encode()))
    assert subprocess.run(check, capture_output=True, timeout=60).returncode == 5


def test_the_same_state_gives_the_same_bytes(place: Place, signed: str, tmp_path: Path) -> None:
    for name in ("a.tar", "b.tar", "c"):
        assert place.cli("package", signed, "-o", str(tmp_path / name), user="赵示例") == 0
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    with tarfile.open(tmp_path / "a.tar") as tar:
        for member in tar:
            content = tar.extractfile(member)
            assert content is not None and content.read() == (tmp_path / "c" / member.name).read_bytes()
            assert (member.uid, member.gid, member.uname) == (0, 0, "")


def test_before_both_have_signed_it_is_a_draft_and_says_what_is_missing(
    place: Place, started: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place.cli("package", started, "-o", str(tmp_path / "p")) == 1
    out = capsys.readouterr().out
    assert "未完成：设计文件" in out and "未签字：移交方（业主单位）" in out and "草稿" in out
    assert json.loads((tmp_path / "p" / "index.json").read_text("utf-8"))["draft"]
    assert "草稿" in (tmp_path / "p" / "form.zh.html").read_text("utf-8")
    assert "DRAFT" in (tmp_path / "p" / "runbook.en.html").read_text("utf-8")
    assert place.cli("package", started, "-o", str(tmp_path / "p")) == 2, "what is there is not overwritten"


def test_the_ledger_knows_the_package(
    place: Place, signed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place.cli("package", signed, "-o", str(tmp_path / "p")) == 0
    digest = hashlib.sha256((tmp_path / "p" / SUMS).read_bytes()).hexdigest()
    capsys.readouterr()
    at = ["-w", str(place.workspace), "--lang", "zh", "--format", "json"]
    assert govcloud([*at, "audit", "log", "--takeover", signed, "--limit", "1"]) == 0
    record = json.loads(capsys.readouterr().out)["ledger"]["records"][0]
    assert (record["step"], record["evidence"], record["body"]["draft"]) == ("package", [digest], False)
    assert govcloud(["--format", "json", "takeover", "package", "--check", str(tmp_path / "p")]) == 0
    assert json.loads(capsys.readouterr().out)["package"]["sha256sums"] == digest


def test_changed_or_lost_evidence_is_not_filed(place: Place, signed: str, tmp_path: Path) -> None:
    kept = next(p for p in (place.workspace / "evidence" / signed).iterdir() if len(p.name) == 64)
    kept.chmod(0o600)
    kept.write_bytes(b"something else")
    assert place.cli("package", signed, "-o", str(tmp_path / "p.tar")) == IntegrityError.exit_code
    kept.unlink()
    assert place.cli("package", signed, "-o", str(tmp_path / "p.tar")) == IntegrityError.exit_code
    assert not [p for p in tmp_path.iterdir() if p.name.startswith((".p", "p"))], "no half package is left"


def test_where_it_can_not_be_written_nothing_is_left_and_nothing_recorded(
    place: Place, signed: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    assert place.cli("package", signed, "-o", str(tmp_path / "file" / "p.tar")) == 4
    with place.session() as session:
        assert "package" not in {r["step"] for r in read_timeline(session, Wanted(takeover=signed), limit=None).records}
    assert place.cli("package", signed, "-o", str(tmp_path / "new" / "p.tar")) == 0
    assert place.cli("package", signed, "-o", str(tmp_path / "new" / "p")) == 0
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "new").iterdir()}
    assert modes == {"p.tar": 0o600, "p": 0o700}, "the papers of a system are not everybody's"


def test_no_secret_gets_into_it(place: Place, signed: str, tmp_path: Path) -> None:
    assert place.cli("package", signed, "-o", str(tmp_path / "p.tar")) == 0
    data = (tmp_path / "p.tar").read_bytes()
    secrets = [
        place.ours,
        place.builder,
        *(p for p in (place.workspace / "keys").iterdir() if not p.name.endswith((".pub", ".vkey"))),
    ]
    for path in secrets:
        body = path.read_bytes().splitlines()
        assert body[1] not in data and b"PRIVATE KEY" not in data, path


def test_the_runbook_of_a_migrated_system_says_how_it_is_started_and_checked(tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "w")
    run_id = desk.start()
    for _ in range(2):
        with desk.open("李示例") as session:
            run_gates.answer_gates(session, run_id, reason="示例批准")
        desk.work(run_id)
    at = ["-w", str(desk.place.path), "--user", "张示例", "takeover"]
    assert govcloud([*at, "start", SYSTEM, "--level", "register", "--builder", "示例建设单位"]) == 0
    with desk.open() as session:
        (handover_id,) = (t.handover.handover_id for t in list_takeovers(session))
    assert govcloud([*at, "package", handover_id, "-o", str(tmp_path / "p")]) == 1, "nobody has signed"
    runbook = (tmp_path / "p" / "runbook.en.html").read_text("utf-8")
    spec = desk.row(run_id).spec
    (service, *_), (check, *_) = spec.services, spec.verify.checks
    for wanted in (
        service.target.systemd or service.target.script,
        spec.verify.url,
        check.path,
        spec.databases[0].target.name,
    ):
        assert wanted and wanted in runbook, wanted
    views = json.loads((tmp_path / "p" / "index.json").read_text("utf-8"))["views"]["en"]
    assert {"run", "approval", "step"} <= {row["kind"] for row in views["moving_records"]["rows"]}
    assert "migrated" in (tmp_path / "p" / "form.en.html").read_text("utf-8")


# --- the check, without a workspace


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of two files; the rest of it is the same thing in large."""
    folder = tmp_path_factory.mktemp("small")
    files = {"index.json": b"{}\n", "evidence/" + hashlib.sha256(b"x").hexdigest(): b"x"}
    return write(folder / "p.tar", files, sums_of(files))


def sums_of(files: dict[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(d).hexdigest()}  {n}\n" for n, d in sorted(files.items())).encode()


def write(
    path: Path, files: dict[str, bytes], sums: bytes, change: Callable[[tarfile.TarInfo], None] | None = None
) -> Path:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in sorted({**files, SUMS: sums}.items()):
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(data), 1, 0o644
            if change is not None:
                change(info)
            tar.addfile(info, io.BytesIO(data))
    return path


def code(path: Path) -> int:
    return govcloud(["--lang", "en", "takeover", "package", "--check", str(path)])


def test_any_flipped_bit_is_found(small: Path, tmp_path: Path) -> None:
    assert code(small) == 0
    data = small.read_bytes()
    zeros = data.index(bytes(tarfile.BLOCKSIZE))
    for position in [*range(zeros), *range(zeros, len(data), 61)]:
        (tmp_path / "q.tar").write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        assert verify_archive(tmp_path / "q.tar").problems, position
    assert code(tmp_path / "q.tar") == 5


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_cut_grown_or_spliced_it_is_refused(small: Path, tmp_path: Path, data: st.DataObject) -> None:
    whole = small.read_bytes()
    cut = data.draw(st.integers(0, len(whole) - 1))
    more = data.draw(st.binary(min_size=1, max_size=600) | st.just(bytes(10240)) | st.just(whole))
    for made in (whole[:cut], whole + more, whole[:cut] + more, whole[:cut] + more + whole[cut:]):
        if made != whole:
            (tmp_path / "q.tar").write_bytes(made)
            assert verify_archive(tmp_path / "q.tar").problems


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../up", "a/../b", "a//b", "./a", "-rf", "a\\b", "a\nb", "ü", "A/B:c", "x" * 101, ".hidden", "evidence/../../x"]
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "q.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for one, data in ((name, b"x"), (SUMS, f"{hashlib.sha256(b'x').hexdigest()}  {name}\n".encode())):
            info = tarfile.TarInfo(one)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    assert code(path) == 5


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.FIFOTYPE,
        tarfile.DIRTYPE,
        tarfile.GNUTYPE_SPARSE,
        b"g",
        b"x",
        b"L",
    ],
)
def test_links_devices_and_bombs_are_refused(tmp_path: Path, kind: bytes) -> None:
    def change(info: tarfile.TarInfo) -> None:
        if info.name != SUMS:
            info.type, info.linkname, info.size = kind, "/etc/passwd", 0

    assert code(write(tmp_path / "q.tar", {"a": b""}, sums_of({"a": b""}), change)) == 5


def test_two_files_of_one_name_and_files_that_are_not_listed_are_refused(tmp_path: Path) -> None:
    files = {"a": b"1", "b": b"2"}
    for wrong in (
        write(tmp_path / "1.tar", files, sums_of({"a": b"1"})),
        write(tmp_path / "2.tar", {"a": b"1"}, sums_of(files)),
        write(tmp_path / "3.tar", {"a": b"1", "A": b"1"}, sums_of({"a": b"1", "A": b"1"})),
        write(tmp_path / "4.tar", files, b""),
        write(tmp_path / "5.tar", files, sums_of(files) * 2),
    ):
        assert code(wrong) == 5, wrong.name


def test_a_folder_is_checked_alike_and_its_links_are_not_followed(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    unpacked(small, folder)
    assert code(folder) == 0
    (folder / "extra").symlink_to("/etc/passwd")
    assert code(folder) == 5
    (folder / "extra").unlink()
    (folder / "index.json").write_text("{ }")
    assert code(folder) == 5


def test_what_is_no_package_is_an_input_error_and_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code(tmp_path / "nothing.tar") == 3
    (tmp_path / "q.tar").write_bytes(b"PK\x03\x04 something else")
    assert code(tmp_path / "q.tar") == 5
    (tmp_path / "empty").mkdir()
    assert code(tmp_path / "empty") == 5
    assert "Traceback" not in capsys.readouterr().err
    assert govcloud(["takeover", "package"]) == 2
