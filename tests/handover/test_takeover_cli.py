"""The commands of a takeover as two parties use them, exit codes and all."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from handover_place import SYSTEM, Place, fill_papers, make_key

from govcloud import resources
from govcloud.cli.main import run as run_cli
from govcloud.model.handover import HostRotation, Rotation
from govcloud.model.text import Text
from govcloud.store import handover as handover_store
from govcloud.workflow import takeover
from govcloud.workflow.inventory import read_inventory


def start(place: Place, capsys: pytest.CaptureFixture[str]) -> str:
    code = place.cli(
        "start", SYSTEM, "--builder", "示例建设单位", "--builder-key", f"{place.builder}.pub",
        "--identity", str(place.builder), "--host", "cloud-01",
    )  # fmt: skip
    assert code == 0
    out = capsys.readouterr().out
    return next(word for word in out.split() if word.startswith("H-"))


def complete(place: Place, handover_id: str, folder: Path) -> None:
    """All papers, and a rotation as the real one records it (tests/handover/test_rotation.py does it for real)."""
    with place.session() as session:
        fill_papers(session, handover_id, folder)
        with session.store.begin() as tx:
            handover = takeover.load(tx, handover_id)
            host = HostRotation(host="cloud-01", ok=True, detail=Text("换好", "done"))
            rotation = Rotation(actor="张示例", at=session.now(), hosts=(host,))
            handover_store.save_handover(tx, replace(handover, rotations=(rotation,)))


def test_two_persons_sign_and_the_inventory_learns_who_maintains(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    h = start(place, capsys)
    assert place.cli("sign", h, "--role", "owner", user="李示例") == 1
    assert "必需资料未完成" in capsys.readouterr().out
    complete(place, h, tmp_path)
    assert place.cli("package", h, "-o", str(tmp_path / "p")) == 1
    assert place.cli("sign", h, "--role", "owner", user="李示例") == 0
    assert place.cli("sign", h, "--role", "builder", user="李示例") == 1
    assert "必须是不同的人" in capsys.readouterr().out
    assert place.cli("sign", h, "--role", "builder", user="王示例") == 0
    assert place.cli("evidence", h, "interfaces", "--note", "补充") == 1, "nothing changes after both have signed"
    with place.session() as session:
        system = read_inventory(session).system(SYSTEM)
        assert system is not None
        assert system.maintained_by == "示例建设单位"
    assert run_cli(["-w", str(place.workspace), "audit", "verify"]) == 0


def test_the_package_is_complete_and_checks_with_sha256sum(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    h = start(place, capsys)
    complete(place, h, tmp_path)
    for role, user in (("owner", "李示例"), ("builder", "王示例")):
        assert place.cli("sign", h, "--role", role, user=user) == 0
    target = tmp_path / "接管包"
    assert place.cli("package", h, "-o", str(target)) == 0
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=target, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    document = json.loads((target / "handover.json").read_text("utf-8"))
    assert document["en"]["checklist"]["status"] == "signed"
    assert "李示例" in (target / "handover.zh.txt").read_text("utf-8")
    assert place.cli("package", h, "-o", str(target)) == 2, "an existing folder is not overwritten"


def test_evidence_that_was_changed_on_disk_is_not_filed(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    h = start(place, capsys)
    complete(place, h, tmp_path)
    for role, user in (("owner", "李示例"), ("builder", "王示例")):
        place.cli("sign", h, "--role", role, user=user)
    kept = next(p for p in (place.workspace / "evidence" / h).iterdir() if len(p.name) == 64)
    kept.chmod(0o600)
    kept.write_text("改过")
    assert place.cli("package", h, "-o", str(tmp_path / "p")) == 5
    assert not (tmp_path / "p").exists()


def test_the_receiver_sends_papers_back(place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    h = start(place, capsys)
    complete(place, h, tmp_path)
    assert place.cli("refuse", h, "design", "backup", "--reason", "缺数据库图", user="王示例") == 0
    assert place.cli("sign", h, "--role", "owner", user="李示例") == 1
    capsys.readouterr()
    run_cli(["-w", str(place.workspace), "--lang", "en", "--format", "json", "takeover", "status", h])
    shown = json.loads(capsys.readouterr().out)
    open_items = {r["item_id"] for r in shown["checklist"]["rows"] if r["required"] and not r["done"]}
    assert open_items == {"design", "backup"}
    assert "缺数据库图" in shown["checklist"]["notes"][1]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("evidence", "{h}", "design", "--note", "口头"), 2),
        (("evidence", "{h}", "key_rotation", "--note", "换过了"), 2),
        (("evidence", "{h}", "no_such_item", "--note", "x"), 2),
        (("evidence", "{h}", "servers"), 2),
        (("evidence", "{h}"), 2),
        (("papers", "{h}", "/does/not/exist"), 3),
        (("papers", "H-0000000000", "."), 2),
        (("evidence", "{h}", "servers", "--note", " "), 2),
        (("evidence", "{h}", "servers", "--note", "x", "--not-applicable", "y"), 2),
        (("evidence", "{h}", "design", "/does/not/exist"), 3),
        (("evidence", "{h}", "servers", "--note", "root 密码：Abc123!"), 3),
        (("evidence", "H-0000000000", "servers", "--note", "x"), 2),
        (("status", "H-0000000000"), 2),
        (("refuse", "{h}", "key_rotation", "--reason", "x"), 2),
        (("start", SYSTEM, "--builder", "b", "--builder-key", "{pub}", "--host", "cloud-01"), 2),
        (("start", "SL-XX-99", "--builder", "b", "--builder-key", "{pub}", "--host", "cloud-01"), 2),
        (("start", SYSTEM, "--builder", "b", "--builder-key", "{pub}", "--host", "nowhere"), 2),
        (("start", SYSTEM, "--builder", "b", "--builder-key", "{ours}.pub", "--host", "cloud-01"), 3),
        (("start", SYSTEM, "--builder", "b", "--builder-key", "{ours}", "--host", "cloud-01"), 3),
        (("start", SYSTEM, "--builder", "b", "--builder-key", "{pub}"), 3),
        (("sign", "{h}", "--role", "auditor"), 2),
    ],
)
def test_mistakes_have_their_exit_code_and_say_what_next(
    place: Place, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int
) -> None:
    h = start(place, capsys)
    filled = [w.format(h=h, pub=f"{place.builder}.pub", ours=place.ours) for w in words]
    assert place.cli(*filled) == code
    assert "Traceback" not in capsys.readouterr().err


def test_another_persons_identity_is_turned_away(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    h = start(place, capsys)
    stranger = make_key(tmp_path / "stranger")
    for verb in ("rotate", "check"):
        assert place.cli(verb, h, "--identity", str(stranger)) == 3


def test_a_check_before_the_rotation_says_that_the_old_key_still_works(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    h = start(place, capsys)
    assert place.cli("check", h, "--identity", str(place.builder)) == 1
    out = capsys.readouterr().out
    assert "旧钥未被拒绝" in out
    assert "对方密钥登录不了" in out


def test_an_item_that_does_not_exist_for_the_system_needs_a_reason(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    h = start(place, capsys)
    assert place.cli("evidence", h, "design", "--not-applicable", "成品软件，无设计文件") == 0
    place.cli("status", h)
    assert "不适用：成品软件，无设计文件" in capsys.readouterr().out


def test_clauses_of_other_jurisdictions_are_not_shown(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    h = start(place, capsys)
    place.cli("status", h)
    out = capsys.readouterr().out
    assert "SX19-35b" in out
    assert "JC22" not in out


def test_a_folder_of_papers_is_taken_and_strange_files_are_named(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    h = start(place, capsys)
    folder = tmp_path / "资料"
    folder.mkdir()
    for name in ("design.docx", "servers.md", ".hidden", "key_rotation.md", "别的.md"):
        (folder / name).write_text("示例", "utf-8")
    assert place.cli("papers", h, str(folder)) == 1
    out = capsys.readouterr().out
    assert "key_rotation.md" in out
    assert "别的.md" in out
    with place.session() as session:
        given = takeover.get_takeover(session, h).handover.evidence
    assert [(e.item_id, e.file_name) for e in given] == [("design", "design.docx"), ("servers", "servers.md")]


def test_the_sample_papers_are_exactly_the_required_ones(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    h = start(place, capsys)
    assert place.cli("papers", h, str(resources.folder("inventory") / "sample" / "handover")) == 0
    with place.session() as session:
        assert [i.item_id for i in takeover.get_takeover(session, h).open] == ["key_rotation"]
