"""The host's end of a copy: listings see every change, and nothing that a source says leads outside the target's folder."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import os
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from file_place import SYSTEM
from hypothesis import given, settings
from hypothesis import strategies as st

from govcloud import resources
from govcloud.execution.agent import TARGET, boot, source_program, target_program
from govcloud.execution.digest import escape, parse_row

FOLDER = resources.folder("playbooks") / "library" / "module_utils"


class Agent:
    """One agent, spoken to as the controller does, without SSH between."""

    def __init__(self, program: bytes) -> None:
        argv = [sys.executable, *boot(program)[1:]]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._put(program)

    def _put(self, content: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(content)
        self.process.stdin.flush()

    def frame(self, kind: bytes, content: bytes = b"") -> None:
        self._put(struct.pack(">cI", kind, len(content)) + content)

    def ask(self, do: str, **given: Any) -> None:
        self.frame(b"J", json.dumps({"do": do, **given}).encode())

    def answer(self) -> tuple[dict[str, Any], bytes]:
        """The next K or E, and the rows that came before it."""
        assert self.process.stdout is not None
        rows = b""
        while True:
            kind, length = struct.unpack(">cI", self.process.stdout.read(5))
            content = self.process.stdout.read(length)
            if kind in b"KE":
                return json.loads(content), rows
            if kind == b"L":
                rows += (b"\0" if rows else b"") + content

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def listing(root: Path, **given: Any) -> dict[bytes, tuple[bytes, bytes]]:
    agent = Agent(source_program())
    agent.ask("list", root=str(root), owners=False, digests=True, **given)
    said, rows = agent.answer()
    agent.close()
    assert "en" not in said, said
    parts = rows.split(b"\0")
    return {
        path: (common, private) for path, common, private in zip(parts[0::3], parts[1::3], parts[2::3], strict=True)
    }


def test_awkward_names_are_kept_apart_and_readable_ones_stay_readable(tmp_path: Path) -> None:
    (tmp_path / "年度 总结").mkdir()
    (tmp_path / "年度 总结" / "公文 1.txt").write_text("内容")
    (tmp_path / "link").symlink_to("年度 总结/公文 1.txt")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + "附件".encode("gbk"))).write_text("g")
    (tmp_path / "a%b\nc").write_text("p")
    found = {escape(path): parse_row(path, row[0]) for path, row in listing(tmp_path).items()}
    assert set(found) == {".", "年度 总结", "年度 总结/公文 1.txt", "link", "a%25b%0Ac", "%B8%BD%BC%FE"}
    assert found["年度 总结/公文 1.txt"].digest == hashlib.sha256("内容".encode()).hexdigest()
    assert found["link"].kind == "l"


def test_rows_come_in_the_order_in_which_both_sides_are_compared(tmp_path: Path) -> None:
    """`a.b` sorts before `a/b` as text, but not in a tree; a wrong order would call equal trees different."""
    for name in ("a/b", "a.b", "a-/c", "a/b.c/d", "B"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    paths = list(listing(tmp_path))
    assert paths == sorted(paths, key=lambda path: path.replace(b"/", b"\0"))


def test_a_change_with_the_same_size_and_time_shows_in_the_private_part(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("before")
    times, before = file.stat(), listing(tmp_path)
    file.write_text("behind")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    after = listing(tmp_path)
    assert before[b"f"][0] != after[b"f"][0] and before[b"f"][1] != after[b"f"][1]


@cache
def _names_module() -> dict[str, Any]:
    """`escape` of the hosts' module, without Ansible."""
    here: dict[str, Any] = {}
    text = (FOLDER / "gov_manifest.py").read_text("utf-8")
    tree = ast.parse(text)
    wanted = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in ("escape",)]
    wanted += [
        node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) and "ansible" not in ast.dump(node)
    ]
    exec(compile(ast.Module(sorted(wanted, key=lambda node: node.lineno), []), "gov_manifest", "exec"), here)  # noqa: S102
    return here


@settings(deadline=None)
@given(st.binary(max_size=30))
def test_names_are_escaped_alike_on_both_ends(name: bytes) -> None:
    here = _names_module()
    assert (here["escape"](name) or ".") == escape(name)
    assert "\n" not in escape(name)


@pytest.mark.parametrize("name", TARGET)
def test_old_hosts_can_read_our_text(name: str) -> None:
    """CentOS 7's Python is 3.6: one newer construct would stop every migration off it."""
    ast.parse((FOLDER / f"{name}.py").read_text("utf-8"), feature_version=(3, 6))


@pytest.fixture
def target(tmp_path: Path) -> Agent:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "SL-OA-01.json").write_text(json.dumps({**SYSTEM, "state": "preparing"}))
    agent = Agent(target_program())
    agent.ask(
        "plan", marker=str(tmp_path / "state" / "SL-OA-01.json"), system=SYSTEM, root=str(tmp_path / "target"), live=True,
        owners=False,
    )  # fmt: skip
    return agent


FILE_ROW = b"f 644 - 4 1000000000"


@pytest.mark.parametrize(
    "rows",
    [
        [(b"../out", b"d 755 -")],
        [(b"/etc/out", FILE_ROW)],
        [(b"a", b"l - /tmp"), (b"a/out", b"d 755 -")],
        [(b"a", b"l - /tmp"), (b"a/out", FILE_ROW)],
        [(b"a/../../out", FILE_ROW)],
        [(b"never listed/out", FILE_ROW)],
    ],
)
def test_a_listing_that_leads_outside_is_refused(
    tmp_path: Path, target: Agent, rows: list[tuple[bytes, bytes]]
) -> None:
    """A taken-over department server must not write where it likes on the cloud host."""
    flat = [field for path, common in [(b"", b"d 755 -"), *rows] for field in (path, common, b"1")]
    target.frame(b"L", b"\0".join(flat))
    target.frame(b"l")
    said, _ = target.answer()
    target.close()
    assert "isn't allowed" in said["en"] and "不允许" in said["zh"]
    assert not (tmp_path / "out").exists() and not (tmp_path / "target" / "out").exists()


def _small(name: bytes, data: bytes, digest: bytes = b"") -> bytes:
    return struct.pack(">BHIqHHB", 2, len(name), len(data), 10**18, 0o644, 0, len(digest)) + name + digest + data


def _enter(name: bytes) -> bytes:
    return struct.pack(">BHIqHHB", 1, len(name), 0, 0, 0, 0, 0) + name


@pytest.mark.parametrize(
    "content",
    [
        _enter(b"") + _small(b"../out", b"x"),
        _enter(b"..") + _small(b"out", b"x"),
        _enter(b"a/../..") + _small(b"out", b"x"),
        _enter(b"/tmp") + _small(b"out", b"x"),
        _enter(b"") + _small(b"..", b"x"),
        _enter(b"") + _small(b"f", b"x", hashlib.sha256(b"y").digest()),
    ],
)
def test_content_that_is_damaged_or_leads_outside_is_refused(tmp_path: Path, target: Agent, content: bytes) -> None:
    target.frame(b"L", b"\0".join([b"", b"d 755 -", b"1"]))
    target.frame(b"l")
    assert target.answer()[0]["rows"] == 1
    target.ask("receive")
    target.frame(b"D", content)
    said, _ = target.answer()
    target.close()
    assert "isn't allowed" in said["en"] or "different from what was announced" in said["en"]
    assert {p.name for p in tmp_path.rglob("*") if p.name in ("out", "f")} == set()


def test_an_agent_left_over_from_a_broken_connection_is_ended_by_the_next(tmp_path: Path, target: Agent) -> None:
    """Otherwise what the network still held would be written into the file that the next connection goes on with."""
    target.frame(b"L", b"\0".join([b"", b"d 755 -", b"1"]))
    target.frame(b"l")
    target.answer()
    second = Agent(target_program())
    second.ask(
        "plan", marker=str(tmp_path / "state" / "SL-OA-01.json"), system=SYSTEM, root=str(tmp_path / "target"), live=True,
        owners=False,
    )  # fmt: skip
    assert target.process.wait(20) == -9
    target.close()
    second.frame(b"l")
    assert second.answer()[0]["rows"] == 0
    second.close()


def test_the_program_is_small_enough_to_be_sent_at_every_connection() -> None:
    assert len(target_program()) < 40_000 and len(io.BytesIO(source_program()).getvalue()) < 20_000
