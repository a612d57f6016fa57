"""docs/auditor.md: each of its commands, by an office that has govcloud and an auditor who has not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from sources import ROOT

from govcloud.cli.main import run as govcloud
from govcloud.settings import open_workspace
from govcloud.workflow.session import open_session
from govcloud.workflow.timeline import Wanted, read_timeline

BLOCK = re.compile(r"^```sh (office|auditor|auditor-sm3)\n(.*?)^```$", re.M | re.S)
PAGE = (ROOT / "docs" / "auditor.md").read_text("utf-8")
SYSTEM, PROJECT = "SL-OA-01", "SLXM-2023-01"


def blocks(*kinds: str) -> list[tuple[str, str]]:
    return [(kind, text) for kind, text in BLOCK.findall(PAGE) if kind in kinds]


@dataclass
class Desk:
    """Two people: the office in its workspace, the auditor in an empty folder."""

    office: Path
    auditor: Path
    bin: Path
    known: dict[str, str]

    def type(self, kind: str, text: str) -> str:
        """What it printed. Stops at the first command that fails."""
        where, programs = (
            (self.office, self.bin / "office") if kind == "office" else (self.auditor, self.bin / "auditor")
        )
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text], cwd=where, capture_output=True, text=True, timeout=120,
            env=self.known | {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(where), "LANG": "C.UTF-8"},
        )  # fmt: skip
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def hand_over(self, *names: str) -> None:
        for name in names:
            source, target = self.office / name, self.auditor / name
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)


def make_desk(folder: Path, ledger: str) -> Desk:
    office, auditor, programs = folder / "office", folder / "auditor", folder / "bin"
    assert govcloud(["init", str(office), "--site", "shanxi", "--ledger", ledger]) == 0
    (programs / "office").mkdir(parents=True)
    (programs / "auditor").mkdir()
    auditor.mkdir()
    ours = programs / "office" / "govcloud"
    ours.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m govcloud "$@"\n')
    # -S: without site-packages, where govcloud and everything else that is not Python's own would be.
    plain = programs / "auditor" / "python3"
    plain.write_text(f'#!/bin/sh\nexec "{os.path.realpath(sys.executable)}" -I -S "$@"\n')
    ours.chmod(0o755)
    plain.chmod(0o755)
    shutil.copy(ROOT / "govcloud" / "ledger" / "verify.py", auditor)
    desk = Desk(office, auditor, programs, {"SYSTEM": SYSTEM, "PROJECT": PROJECT})
    samples = ROOT / "inventory" / "sample" / "workbooks"
    books = [str(p) for p in sorted(samples.glob("*.xlsx")) if p.name in {"示例交通厅-普查表.xlsx", "项目台账.xlsx"}]
    assert govcloud(["-w", str(office), "import", *books]) == 0
    return desk


def take_over(desk: Desk) -> None:
    """A takeover that is only registered, with one paper: the package is a draft of it."""
    at = ["-w", str(desk.office), "--user", "张示例", "takeover"]
    assert govcloud([*at, "start", SYSTEM, "--level", "register", "--builder", "示例建设单位"]) == 0
    paper = desk.office / "design.txt"
    paper.write_text("示例设计文件\n", "utf-8")
    with open_session(open_workspace(desk.office), actor="张示例") as session:
        (first, *_) = read_timeline(session, Wanted(kind="handover")).records
    assert govcloud([*at, "evidence", first["run_id"], "design", str(paper)]) == 0
    with open_session(open_workspace(desk.office), actor="张示例") as session:
        *_, last = read_timeline(session, Wanted(kind="handover")).records
    desk.known |= {"TAKEOVER": first["run_id"], "DIGEST": last["evidence"][0]}


def read_key(desk: Desk) -> None:
    """On paper, by telephone: not out of the bundle."""
    key = next((desk.office / "keys").glob("*.vkey")).read_text().strip()
    desk.known |= {"KEY": key, "NAME": key.partition("+")[0]}


def test_the_auditor_has_none_of_our_packages(tmp_path: Path) -> None:
    desk = make_desk(tmp_path, "sha256")
    with pytest.raises(AssertionError, match="No module named 'govcloud'"):
        desk.type("auditor", "python3 -c 'import govcloud'")
    with pytest.raises(AssertionError, match="command not found"):
        desk.type("auditor", "govcloud --help")


def test_every_command_of_the_guide_works(tmp_path: Path) -> None:
    desk = make_desk(tmp_path, "sha256")
    take_over(desk)
    said: list[str] = []
    for kind, text in blocks("office", "auditor"):
        if "takeover package" in text and "-o package.tar" in text:
            # A takeover that nobody has signed gives a draft, and says so by its exit code.
            text = text.replace("-o package.tar", "-o package.tar || test $? -eq 1")
        said.append(desk.type(kind, text))
        if kind == "office" and "audit export" in text:
            read_key(desk)
            shutil.rmtree(desk.office / "bundle")
            # The bundle is made last, so that it has the record of the package, too.
            desk.type("office", "govcloud audit export -o bundle")
            desk.hand_over("bundle", "checkpoint.note", "proof.json", "package.tar")
            shutil.copy(desk.auditor / "checkpoint.note", desk.auditor / "kept.note")
        if "evidence.bin" in text and kind == "office":
            desk.hand_over("evidence.bin")
    told = "\n".join(said)
    assert desk.known["DIGEST"] in told and "Signature Verified Successfully" in told and "开始接管" in told
    assert (desk.auditor / "kept.vkey").read_text().strip() == desk.known["KEY"]


def test_what_the_guide_keeps_finds_a_rebuilt_ledger_next_year(tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "a", "sha256")
    desk.type("office", "govcloud audit export -o bundle")
    desk.hand_over("bundle")
    read_key(desk)
    desk.type("auditor", next(text for _, text in blocks("auditor") if "kept.vkey" in text))
    keys = desk.office / "keys"
    rebuilt = make_desk(tmp_path / "b", "sha256")
    # The office has its own key, and rebuilds the ledger before anything of it was signed.
    shutil.copytree(keys, rebuilt.office / "keys")
    rebuilt.type("office", "govcloud audit export -o bundle")
    shutil.rmtree(desk.auditor / "bundle")
    shutil.copytree(rebuilt.office / "bundle", desk.auditor / "bundle")
    check = next(text for _, text in blocks("auditor") if "--checkpoint kept.note" in text)
    desk.type("auditor", next(text for _, text in blocks("auditor")))
    with pytest.raises(AssertionError):
        desk.type("auditor", check)


def test_the_commands_for_a_ledger_in_sm3(tmp_path: Path) -> None:
    desk = make_desk(tmp_path, "sm3")
    desk.type("office", "govcloud audit export -o bundle && govcloud audit checkpoint -o checkpoint.note")
    desk.hand_over("bundle", "checkpoint.note")
    read_key(desk)
    assert "Verified OK" in [desk.type(kind, text) for kind, text in blocks("auditor-sm3")][-1]


def test_all_commands_of_the_page_are_tried() -> None:
    assert len(re.findall(r"^```\w", PAGE, re.M)) == len(BLOCK.findall(PAGE)) > 10
