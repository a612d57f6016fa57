"""A workspace with a few records, and a bundle made of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from govcloud.model.ledger import HashName
from govcloud.settings import open_workspace
from govcloud.workflow import audit
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import Session, open_session

# pytest's importlib mode puts no folder on the path.
sys.path.insert(0, str(Path(__file__).parent))

from ledger_bundle import AT, Exported, append


@pytest.fixture
def profile() -> HashName:
    """Tests of both say so with parametrize."""
    return "sha256"


@pytest.fixture
def session(tmp_path: Path, profile: HashName) -> Iterator[Session]:
    init_workspace(tmp_path / "w", "shanxi", actor="张示例", ledger=profile)
    with open_session(open_workspace(tmp_path / "w"), actor="张示例", now=lambda: AT) as opened:
        yield opened


@pytest.fixture
def exported(session: Session, tmp_path: Path) -> Exported:
    """Five records; checkpoints at 3 and 5."""
    append(session, 2)
    audit.checkpoint(session)
    append(session, 1)
    made = audit.export_bundle(session, tmp_path / "bundle")
    return Exported(session=session, bundle=made.folder, vkey=made.vkey)
