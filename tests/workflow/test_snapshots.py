"""What the inventory was on a day, and what changed since: an auditor's first question next spring."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from govcloud.cli.main import run
from govcloud.discovery.columns import load_column_maps
from govcloud.discovery.records import read_workbook
from govcloud.discovery.workbook import load_workbook
from govcloud.errors import InputError, UsageError
from govcloud.model.answers import Difference
from govcloud.settings import open_workspace
from govcloud.store import inventory as inventory_store
from govcloud.store import snapshot as snapshot_store
from govcloud.workflow.confirm import confirm_field, withdraw_field
from govcloud.workflow.init import init_workspace
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.session import Session, open_session
from govcloud.workflow.snapshots import compare_moments, list_snapshots, take_snapshot
from govcloud.workflow.statements import store_statements

sys.path.insert(0, str(Path(__file__).parent.parent / "discovery"))

from books import CENSUS, write_book

OA = ["SL-1", "办公系统", "示例厅", "二级", "oa-01", "10.1.1.1", "CentOS 7.6", "8核16G"]
DOC = ["SL-2", "公文系统", "别的局", "二级", "doc-01", "10.1.1.2", "CentOS 7.6", "8核16G"]


AT = datetime(2026, 3, 7, tzinfo=UTC)


class Clock:
    """One day later at every look."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 7, 3, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(days=1)
        return self.at


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    init_workspace(tmp_path / "ws", "shanxi", actor="甲")
    with open_session(open_workspace(tmp_path / "ws"), actor="甲", now=Clock()) as found:
        yield found


MAPS, _ = load_column_maps()


def census(session: Session, tmp_path: Path, *rows: list[str]) -> None:
    path = write_book(tmp_path / "普查表.xlsx", [CENSUS, *rows])
    reading = read_workbook(load_workbook(path), MAPS, at=AT)
    store_statements(session, kind="import", source="普查表", statements=reading.statements, body={})


def shown(difference: Difference) -> list[tuple[str, str, str | None, object, object]]:
    return [(c.subject_id, c.change, c.field, c.was, c.now) for c in difference.changes if c.kind == "system"]


def test_a_snapshot_is_what_witnesses_had_said_whatever_is_said_or_taken_back_later(
    session: Session, tmp_path: Path
) -> None:
    census(session, tmp_path, OA)
    take_snapshot(session, "第一次普查")
    census(session, tmp_path, [*OA[:3], "三级", *OA[4:]], DOC)
    confirm_field(session, "SL-1", "users", "120", "核对")
    take_snapshot(session, "核对后")
    withdraw_field(session, "SL-1", "users", "记错")
    census(session, tmp_path, DOC)
    assert shown(compare_moments(session, "第一次普查", "核对后")) == [
        ("SL-1", "changed", "mlps_level", 2, 3), ("SL-1", "changed", "users", None, 120), ("SL-2", "added", None, None, None),
    ]  # fmt: skip
    assert shown(compare_moments(session, "核对后")) == [("SL-1", "removed", None, None, None)]
    assert [m.redone for m in (compare_moments(session, "第一次普查").before, compare_moments(session, "核对后").before)] == [
        False, False,
    ]  # fmt: skip


def test_a_moment_may_be_a_day_or_a_batch_and_there_and_back_is_the_opposite(session: Session, tmp_path: Path) -> None:
    census(session, tmp_path, OA)  # on the 8th
    census(session, tmp_path, [*OA[:3], "三级", *OA[4:]])  # on the 9th
    expected = [("SL-1", "changed", "mlps_level", 2, 3)]
    assert shown(compare_moments(session, "2026-03-08")) == expected
    assert shown(compare_moments(session, "#1", "#2")) == expected
    assert shown(compare_moments(session, "2", "1")) == [("SL-1", "changed", "mlps_level", 3, 2)]
    assert shown(compare_moments(session, "2026-03-09")) == []
    assert shown(compare_moments(session, "2026-03-07", "2026-03-08")) == [("SL-1", "added", None, None, None)]
    for wrong in ("没有的", "#9", "2026-13-01", "99999999999999999999"):
        with pytest.raises(UsageError):
            compare_moments(session, wrong)


def test_a_difference_can_be_narrowed_to_a_kind_and_a_department(session: Session, tmp_path: Path) -> None:
    census(session, tmp_path, OA)
    census(session, tmp_path, [*OA[:3], "三级", *OA[4:7], "8核32G"], DOC)
    kinds = {c.kind for c in compare_moments(session, "#1", kind="server").changes}
    assert kinds == {"server"}
    found = compare_moments(session, "#1", department="别的")
    assert {c.subject_id for c in found.changes if c.kind == "system"} == {"SL-2"}
    assert {c.department for c in found.changes if c.kind != "department"} == {"别的局"}


def test_a_snapshot_that_would_merge_otherwise_today_says_so(session: Session, tmp_path: Path) -> None:
    census(session, tmp_path, OA)
    (server,) = read_inventory(session).servers
    with session.store.read() as tx:
        told = next(s for s in inventory_store.load_statements(tx)[1] if s.subject_id == server.server_id)
    said = replace(told, source="ssh", place="ssh://oa-01/", values={"cpu_count": 4}, cells={})
    store_statements(session, kind="discover", source="ssh", statements=[said], body={})
    take_snapshot(session, "a")
    assert not compare_moments(session, "a").before.redone
    settings = replace(session.workspace.settings, precedence={"server.cpu_count": ("workbook", "ssh")})
    other = replace(session, workspace=replace(session.workspace, settings=settings))
    assert compare_moments(other, "a").before.redone
    # What the precedence table says wrong is named, not ignored.
    for precedence in ({"cpu_cuont": ("ssh",)}, {"cpu_count": ("shh",)}, {"network.cpu_count": ("ssh",)}):
        settings = replace(session.workspace.settings, precedence=precedence)
        wrong = replace(session, workspace=replace(session.workspace, settings=settings))
        with pytest.raises(InputError, match=next(iter(precedence)).partition(".")[2] or "cuont|shh"):
            compare_moments(wrong, "a")


def test_labels_are_taken_once_and_mean_nothing_else_and_the_ledger_knows_them(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    census(session, tmp_path, OA)
    made = take_snapshot(session, "  第一次  普查 ")
    assert made.label == "第一次 普查"
    for label in ("第一次 普查", "now", "现在", "12", "#12", "2026-03-07", "", "x" * 81, "a\x07b"):
        with pytest.raises(UsageError):
            take_snapshot(session, label)
    with session.store.read() as tx:
        assert made.sha256 == snapshot_store.stored_digest(tx)
        assert made.sha256 == snapshot_store.inventory_digest(inventory_store.load_inventory(tx))
    assert list_snapshots(session) == (made,)
    at = ["-w", str(tmp_path / "ws"), "--lang", "en"]
    assert run([*at, "--format", "json", "inventory", "diff", "第一次 普查"]) == 0
    assert json.loads(capsys.readouterr().out)["diff"]["counts"] == {"added": 0, "changed": 0, "removed": 0}
    assert run([*at, "inventory", "snapshots"]) == 0
    assert run([*at, "inventory", "snapshot", "now"]) == 2
    assert run([*at, "audit", "log", "--kind", "snapshot"]) == 0
    assert made.sha256[:10] in capsys.readouterr().out
