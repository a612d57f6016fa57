"""The dashboard as browsers meet it: a real server on loopback, in a thread of the test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from govcloud.workflow.session import Session

# pytest's importlib mode puts no folder on the path.
sys.path.insert(0, str(Path(__file__).parent))

from served import Served, serving, workspace


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A workspace with the sample workbooks, without accounts."""
    with workspace(tmp_path / "w") as opened:
        yield opened


@pytest.fixture
def served(session: Session) -> Iterator[Served]:
    with serving(session) as running:
        yield running
