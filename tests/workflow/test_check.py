"""Checks are stored together with their ledger record, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from govcloud import resources
from govcloud.errors import InputError, UsageError
from govcloud.model.inventory import Inventory, Merged, System
from govcloud.settings import open_workspace
from govcloud.store import entities
from govcloud.store import ledger as ledger_store
from govcloud.workflow.check import check_estate, find_finding, open_findings
from govcloud.workflow.init import init_workspace
from govcloud.workflow.office import today
from govcloud.workflow.request import check_request
from govcloud.workflow.session import Session, open_session

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
SAMPLES = resources.folder("inventory") / "sample" / "requests"


class Clock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


def system(**facts: object) -> System:
    usual: dict[str, object] = {"classified": False, "in_directory": True, "hosting": "gov_cloud"}
    return System(system_id="T-01", name="示例系统", **{**usual, **facts})  # type: ignore[arg-type]


def put(session: Session, *systems: System) -> None:
    with session.store.begin() as tx:
        entities.replace_inventory(tx, Merged(inventory=Inventory(systems=systems)), ())


def checks(session: Session) -> list[dict[str, object]]:
    with session.store.read() as tx:
        found = [json.loads(record.canonical) for record in ledger_store.records(tx)]
    return [record["body"] for record in found if record["kind"] == "check"]


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def session(tmp_path: Path, clock: Clock) -> Iterator[Session]:
    init_workspace(tmp_path / "w", "shanxi", actor="甲")
    with open_session(open_workspace(tmp_path / "w"), actor="甲", now=clock) as opened:
        yield opened


def test_a_finding_is_followed_from_its_first_day_to_its_last(session: Session, clock: Clock) -> None:
    put(session, system(in_directory=False))
    first = next(f for f in check_estate(session).findings if f.rule_id == "SX19/not-in-directory")
    assert (first.state, first.first_seen_on) == ("new", date(2026, 3, 2))

    clock.at = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)
    put(session, system())
    gone = next(f for f in check_estate(session).findings if f.finding_id == first.finding_id)
    assert (gone.state, gone.resolved_on) == ("resolved", date(2026, 3, 9))
    assert first.finding_id not in {f.finding_id for f in open_findings(session)}
    assert find_finding(session, first.finding_id).state == "resolved"

    body = checks(session)[-1]
    assert body["resolved"] == [first.finding_id]
    assert (body["what"], body["as_of"], body["tracked"]) == ("estate", "2026-03-09", True)


def test_a_look_at_another_day_neither_opens_nor_closes_anything(session: Session) -> None:
    put(session, system(in_directory=False))
    check_estate(session)
    before = open_findings(session)
    put(session, system())
    for day in (date(2026, 1, 5), date(2027, 1, 5)):
        checked = check_estate(session, day)
        assert not checked.tracked
    assert open_findings(session) == before
    assert [body["tracked"] for body in checks(session)] == [True, False, False]


def test_today_is_the_day_of_the_office_not_of_the_machine(session: Session, clock: Clock) -> None:
    clock.at = datetime(2026, 3, 2, 16, 30, tzinfo=UTC)
    assert today(session) == date(2026, 3, 3)


def test_an_empty_inventory_is_not_a_clean_one(session: Session) -> None:
    with pytest.raises(UsageError, match="import"):
        check_estate(session)
    assert checks(session) == []


def test_a_request_is_recorded_with_its_outcome(session: Session) -> None:
    files = sorted(SAMPLES.glob("*.yaml"))
    assert len(files) == 2
    found = check_request(session, files)
    assert [check.conforms for check in found] == [body["conforms"] for body in checks(session)]
    assert {check.conforms for check in found} == {True, False}


def test_one_faulty_request_among_good_ones_records_nothing(session: Session, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("department: 示例厅\n")
    with pytest.raises(InputError):
        check_request(session, [*SAMPLES.glob("*.yaml"), bad])
    assert checks(session) == []


def test_an_unknown_finding_is_a_usage_error(session: Session) -> None:
    with pytest.raises(UsageError, match="check estate"):
        find_finding(session, "F-0000000000")
