"""What a playbook's task does with the files of a system, and what it tells whoever reads the result."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from file_place import SYSTEM, Copy, FilePlace, tree
from module_run import run_module


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilePlace]:
    found = FilePlace(tmp_path_factory.mktemp("files"))
    yield found
    found.close()


@pytest.fixture
def copy(place: FilePlace) -> Copy:
    return place.copy(f"module{time.monotonic_ns()}")


def given(copy: Copy, action: str, *pairs: tuple[Path, Path], **other: Any) -> dict[str, Any]:
    machine = {"name": "main", "source": "old", "target": "new", "state_dir": str(copy.state)}
    spec = {
        "system_id": "SL-OA-01", "machines": [machine], "limits": {"bandwidth_mbps": None, "deadline_min": 60},
        "files": [{"machine": "main", "source": str(a), "target": str(b)} for a, b in pairs],
    }  # fmt: skip
    return {
        "action": action, "spec": spec, "system": SYSTEM, "evidence": str(copy.evidence),
        "ssh_config": str(copy.place.config), **other,
    }  # fmt: skip


def test_all_directories_of_a_system_are_copied_and_their_digests_told(copy: Copy) -> None:
    other, there = copy.source.with_name(copy.source.name + "-b"), copy.target.with_name(copy.target.name + "-b")
    other.mkdir()
    (copy.source / "一").write_text("1")
    (other / "b").write_text("22")
    pairs = ((copy.source, copy.target), (other, there))
    done = run_module("gov_files", **given(copy, "sync", *pairs, live=True))
    assert done["changed"] and (done["gov"]["files"], done["gov"]["sent"]) == (4, 2)
    assert not run_module("gov_files", **given(copy, "sync", *pairs))["changed"]
    checked = run_module("gov_files", **given(copy, "verify", *pairs))
    assert not checked["changed"] and checked["gov"]["level"] == "L2" and checked["gov"]["bytes"] == 3
    assert {key for key in checked["gov"] if key.startswith("sha256 ")} == {
        f"sha256 {copy.source}",
        f"sha256 {other}",
    }
    assert tree(there) == tree(other)


def test_a_difference_and_a_refusal_are_told_in_both_languages(copy: Copy) -> None:
    (copy.source / "f").write_text("x")
    copy.target.mkdir()
    (copy.target / "f").write_text("y")
    refused = run_module("gov_files", **given(copy, "sync", (copy.source, copy.target)))
    assert "复制" in refused["problems"][0]["zh"] and "不会覆盖" in refused["problems"][0]["zh"]
    assert "not overwritten" in refused["msg"]
    differs = run_module("gov_files", **given(copy, "verify", (copy.source, copy.target)))
    assert "1 missing or different" in differs["msg"] and "level" not in differs["gov"]


def test_a_system_without_files_has_nothing_to_do_and_proves_nothing(copy: Copy) -> None:
    assert run_module("gov_files", **given(copy, "verify"))["gov"] == {}
    assert os.listdir(copy.evidence) == []  # noqa: PTH208
