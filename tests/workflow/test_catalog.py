"""The office's catalog by day, from the workspace where the site keeps its own. Missed otherwise: requests of last year
that are judged by this year's catalog, and an official catalog that lies in the workspace unread.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from govcloud import resources
from govcloud.errors import InputError, UsageError
from govcloud.workflow import catalog as workflow
from govcloud.workflow.office import office_catalog
from govcloud.workflow.session import Session

SHIPPED = resources.folder("service_catalog") / "catalogs"


def keep(session: Session, catalog_id: str, *versions: str) -> Path:
    """Copies of shipped versions as the site's own, under the id that its settings name."""
    folder = session.workspace.path / "service_catalog" / "catalogs" / session.workspace.settings.catalog
    for version in versions:
        shutil.copytree(SHIPPED / catalog_id / version, folder / version)
        head = folder / version / "catalog.yaml"
        head.write_text(head.read_text("utf-8").replace(f"id: {catalog_id}", f"id: {folder.name}"), "utf-8")
    return folder


def test_the_day_of_the_clock_and_a_day_of_ones_choice(session: Session) -> None:
    keep(session, "sample-municipal", "示例-2025", "示例-2026")
    assert office_catalog(session).version == "示例-2026"
    assert office_catalog(session, date(2025, 6, 1)).version == "示例-2025"
    # New Year in the office's own time zone, when it is still the old year in UTC.
    for hour, version in ((15, "示例-2025"), (16, "示例-2026")):
        at = replace(session, now=lambda hour=hour: datetime(2025, 12, 31, hour, 30, tzinfo=UTC))
        assert office_catalog(at).version == version


def test_the_sites_own_versions_are_the_only_ones_of_that_id(session: Session) -> None:
    assert office_catalog(session).offering("P-VM-X86")
    keep(session, "sample-municipal", "示例-2025")
    found = office_catalog(session)
    assert (found.catalog_id, found.version) == ("sample-provincial", "示例-2025")
    assert found.effective_to == date(2025, 12, 31), "it has run out, and says so itself"
    listed = workflow.list_versions(date(2026, 3, 2), session.workspace.path)
    assert [(v.catalog_id, v.version, v.own) for v in listed] == [
        ("sample-municipal", "示例-2025", False), ("sample-municipal", "示例-2026", False), ("sample-provincial", "示例-2025", True),
    ]  # fmt: skip


def test_settings_may_name_a_version(session: Session) -> None:
    settings = replace(session.workspace.settings, catalog="sample-municipal@示例-2025")
    pinned = replace(session, workspace=replace(session.workspace, settings=settings))
    assert office_catalog(pinned).version == "示例-2025"


def test_a_faulty_own_catalog_is_refused_by_line_and_never_replaced_by_ours(session: Session) -> None:
    folder = keep(session, "sample-municipal", "示例-2026")
    part = folder / "示例-2026" / "saas.yaml"
    part.write_text(part.read_text("utf-8").replace("class: sms", "class: smss"), "utf-8")
    with pytest.raises(InputError, match=r"saas\.yaml:\d+: .*M-SMS-01.*smss"):
        office_catalog(session)


def test_a_catalog_is_named_by_id_version_or_path(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = SHIPPED / "sample-municipal" / "示例-2025"
    for named in (str(folder), str(folder / "catalog.yaml"), "sample-municipal@示例-2025"):
        assert workflow.resolve_catalog(named).version == "示例-2025"
    # A folder that happens to have the name of a catalog is not meant, unless there is a catalog in it.
    monkeypatch.chdir(session.workspace.path)
    Path("sample-municipal").mkdir()
    assert workflow.resolve_catalog("sample-municipal").version == "示例-2026"
    with pytest.raises(UsageError, match="sample-municipal"):
        workflow.resolve_catalog("nosuch")
