"""A workspace with a clock of its own, and the workbooks of tests/discovery within reach."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# pytest's importlib mode puts no folder on the path.
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "discovery"))

from clock import Clock

from govcloud.settings import open_workspace
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import Session, open_session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    init_workspace(tmp_path / "ws", "shanxi", actor="甲")
    return tmp_path / "ws"


@pytest.fixture
def session(folder: Path) -> Iterator[Session]:
    with open_session(open_workspace(folder), actor="甲", now=Clock()) as found:
        yield found
