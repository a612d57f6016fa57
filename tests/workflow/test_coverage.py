"""Which documents the coverage table is about: the office's, a named one's, or all."""

from __future__ import annotations

from pathlib import Path

import pytest

from govcloud.errors import UsageError
from govcloud.settings import open_workspace
from govcloud.workflow.coverage import list_coverage
from govcloud.workflow.session import Session


def ids(*names: str | None, session: Session | None = None) -> list[str]:
    found = list_coverage(session.workspace if session else None, *names)
    return [d.regulation.regulation_id for d in found.documents]


def test_nobody_in_particular_sees_all() -> None:
    assert ids() == ["JC22", "JN19", "SD", "SX17", "SX19"]
    assert list_coverage().own is None


def test_the_office_sees_its_own(session: Session) -> None:
    assert ids(session=session) == ["SX19", "SX17"]
    assert list_coverage(session.workspace).own is not None
    assert ids("SD", session=session) == ["SD"], "another document may be looked at"
    assert ids(None, "SX17", session=session) == ["SX17"]


def test_limits_of_the_site_do_not_stop_a_look_at_another_office(folder: Path) -> None:
    """`limits:` of the office name numbers of its own packs; another document knows nothing of them."""
    settings = folder / "govcloud.yaml"
    settings.write_text(settings.read_text("utf-8") + "\nlimits: {no_such_limit: 3}\n", "utf-8")
    workspace = open_workspace(folder)
    assert [d.regulation.regulation_id for d in list_coverage(workspace, "SD").documents] == ["SD"]


def test_unknown_names_are_usage_errors(session: Session) -> None:
    with pytest.raises(UsageError, match="SX19"):
        list_coverage(session.workspace, "nosuch")
    with pytest.raises(UsageError, match="SX17"):
        list_coverage(session.workspace, None, "JN19")
