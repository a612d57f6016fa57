"""Where accounts are tried out: a workspace with an administrator, who is whoever runs the tests, and people with tokens."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from office import Office


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Office:
    for name in ("USER", "TOKEN", "TOKEN_FILE", "PASSWORD_FILE"):
        monkeypatch.delenv(f"GOVCLOUD_{name}", raising=False)
    return Office(tmp_path / "w", tmp_path, monkeypatch, capsys).init()
