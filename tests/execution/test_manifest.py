"""The host's end of a copy: manifests see every change, staged files get their names only when they are whole."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from govcloud import resources
from govcloud.execution.digest import parse_manifest

SCRIPT = (resources.folder("playbooks") / "library" / "module_utils" / "gov_manifest.py").read_text("utf-8")


def ask(action: str, arguments: dict[str, Any], give: Any = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, action, json.dumps(arguments)],
        input=json.dumps(give),
        capture_output=True,
        text=True,
    )


def manifest(root: Path) -> str:
    done = ask("manifest", {"root": str(root)})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def owner(tmp_path: Path) -> dict[str, str]:
    marker = tmp_path / "marker.json"
    marker.write_text(json.dumps({"system_id": "SL-OA-01", "run_id": "r1", "state": "preparing"}))
    return {"marker": str(marker), "system_id": "SL-OA-01", "run_id": "r1"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    (root / "年度 总结").mkdir(parents=True)
    (root / "年度 总结" / "公文 1.txt").write_text("内容")
    (root / "empty").mkdir()
    (root / "link").symlink_to("年度 总结/公文 1.txt")
    # GBK names of old Windows shares, line breaks and percent signs are all allowed by the file system.
    Path(os.fsdecode(os.fsencode(root) + b"/" + "附件".encode("gbk"))).write_text("g")
    (root / "a%b\nc").write_text("p")
    return root


def test_awkward_names_are_kept_apart_and_readable_ones_stay_readable(tree: Path) -> None:
    found = parse_manifest(manifest(tree).splitlines())
    assert {"年度 总结", "年度 总结/公文 1.txt", "empty", "link", "a%25b%0Ac", "%B8%BD%BC%FE"} == set(found)
    assert found["年度 总结/公文 1.txt"].digest == hashlib.sha256("内容".encode()).hexdigest()
    assert found["link"].kind == "l"


def test_a_changed_byte_with_the_same_size_and_time_is_seen(tree: Path) -> None:
    """rsync's default misses this."""
    file = tree / "a%b\nc"
    before, times = manifest(tree), file.stat()
    file.write_text("q")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert manifest(tree) != before


def test_a_device_or_pipe_is_refused_and_a_missing_folder_is_empty(tree: Path, tmp_path: Path) -> None:
    os.mkfifo(tree / "pipe")
    done = ask("manifest", {"root": str(tree)})
    assert done.returncode != 0 and "pipe" in done.stderr
    assert manifest(tmp_path / "nothing") == ""


def copy(
    tree: Path, target: Path, owner: dict[str, str], extra: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    staged = ask("stage", {**owner, "target": str(target), "suffix": "r1-1"})
    assert staged.returncode == 0, staged.stderr
    partial = staged.stdout.strip()
    subprocess.run(["cp", "-a", f"{tree}/.", partial], check=True)
    entries = parse_manifest(manifest(tree).splitlines())
    expected = {p: (e.kind, e.mode, e.digest) for p, e in entries.items()}
    arguments = {**owner, "partial": partial, "target": str(target)}
    return ask("promote", arguments, {"expected": expected, "extra": extra})


def test_a_staged_copy_becomes_equal_and_leaves_nothing_beside_it(
    tree: Path, tmp_path: Path, owner: dict[str, str]
) -> None:
    target = tmp_path / "place" / "target"
    target.mkdir(parents=True)
    (target / "old").write_text("gone from the source")
    (target / "link").mkdir()  # was a folder, is a link now
    assert copy(tree, target, owner, ("old",)).returncode == 0
    assert manifest(target) == manifest(tree)
    assert [p.name for p in target.parent.iterdir()] == ["target"]


def test_a_file_that_arrived_damaged_never_gets_its_name(tree: Path, tmp_path: Path, owner: dict[str, str]) -> None:
    target = tmp_path / "place" / "target"
    partial = ask("stage", {**owner, "target": str(target), "suffix": "r1-1"}).stdout.strip()
    (Path(partial) / "f").write_text("half")
    expected = {"f": ("f", "0644", hashlib.sha256(b"whole").hexdigest())}
    done = ask("promote", {**owner, "partial": partial, "target": str(target)}, {"expected": expected, "extra": ()})
    assert done.returncode != 0 and "damaged" in done.stderr
    assert not (target / "f").exists()


@pytest.mark.parametrize("key", ["system_id", "run_id"])
def test_a_copy_of_another_run_or_system_is_not_touched(tmp_path: Path, owner: dict[str, str], key: str) -> None:
    target = tmp_path / "target"
    done = ask("stage", {**owner, key: "other", "target": str(target), "suffix": "r1-1"})
    assert done.returncode != 0 and "another copy" in done.stderr
    assert not target.exists()
