"""Checks are stored together with their ledger record, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from govcloud.errors import UsageError
from govcloud.model.inventory import Inventory, Merged, System
from govcloud.model.observation import Statement
from govcloud.model.server import Server
from govcloud.settings import open_workspace
from govcloud.store import entities
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.workflow.check import Selection, check_estate, find_finding, open_findings
from govcloud.workflow.init import init_workspace
from govcloud.workflow.office import today
from govcloud.workflow.session import Session, open_session

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


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
    found, waivers = find_finding(session, first.finding_id)
    assert (found.state, waivers) == ("resolved", ())

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


def test_two_checks_on_one_day_say_the_same(session: Session) -> None:
    put(session, system(in_directory=False))
    first, second = check_estate(session), check_estate(session)
    assert first == second
    one, two = checks(session)
    assert one == two


def test_evidence_says_who_where_when_and_whether_it_is_too_old(session: Session, clock: Clock) -> None:
    told = [
        Statement(
            subject_kind="system", subject_id="T-01", source=source, place=place, observed_at=at, values={field: value},
            cells={field: "C7"},
        )
        for field, value, source, place, at in (
            ("hosting", "own_room", "workbook", "普查表.xlsx!系统!", NOON - timedelta(days=400)),
            ("classified", False, "person", "confirm!", NOON),
        )
    ]  # fmt: skip
    merged = Merged(
        inventory=Inventory(systems=(system(hosting="own_room", lifecycle="operating"),)),
        evidence={"T-01": {"hosting": 0, "classified": 1}},
    )
    with session.store.begin() as tx:
        first = inventory_store.add_statements(tx, 1, told)
        entities.replace_inventory(tx, merged, range(first, first + 2))
    found = next(f for f in check_estate(session).findings if f.rule_id == "SX19/not-on-government-cloud")
    facts = {e.field: (e.source, e.locator, e.stale) for e in found.evidence}
    assert facts["hosting"] == ("workbook", "普查表.xlsx!系统!C7", True)
    assert facts["classified"] == ("person", "confirm!C7", False)
    assert facts["lifecycle"] == (None, None, False), "nobody is on record for it"


def test_the_criteria_for_zombies_are_judged_by_the_sites_own_numbers(session: Session, clock: Clock) -> None:
    """One threshold in the settings moves a finding, and the finding shows the figures, also those of servers."""
    idle = system(servers=("H-1",), lifecycle="operating", users=500)
    host = Server(server_id="H-1", name="h1", cpu_p95_pct=25.0, utilisation_days=60.0)
    with session.store.begin() as tx:
        entities.replace_inventory(tx, Merged(inventory=Inventory(systems=(idle,), servers=(host,))), ())

    def criterion() -> set[str]:
        found = [f for f in check_estate(session).findings if f.rule_id == "SX17/zombie-resources-idle"]
        return {f.verdict for f in found} | {e.field for f in found for e in f.evidence if e.subject_id == "H-1"}

    assert criterion() == set()
    settings = replace(session.workspace.settings, zombies={"idle_cpu_p95_pct": 30})
    session = replace(session, workspace=replace(session.workspace, settings=settings))
    assert criterion() == {"fail", "cpu_p95_pct"}


def test_a_criterion_that_nobody_can_judge_names_what_to_fill_in(session: Session) -> None:
    put(session, system(lifecycle="operating"))
    found = next(f for f in check_estate(session).findings if f.rule_id == "SX17/zombie-updates-stopped")
    assert found.verdict == "undetermined"
    assert "last_changed_on" in found.missing
    assert not any(name.startswith("zombie_") for name in found.missing)


@pytest.mark.parametrize(
    ("selection", "where"), [(Selection(topic="nosuch"), "--topic"), (Selection(clause="SX19-99"), "--clause")]
)
def test_asking_for_what_no_rule_is_about_checks_nothing(session: Session, selection: Selection, where: str) -> None:
    """An empty list would read as a clean estate."""
    put(session, system())
    with pytest.raises(UsageError, match=where):
        check_estate(session, selection=selection)
    assert checks(session) == []


def test_changes_are_asked_for_on_the_day_only(session: Session) -> None:
    put(session, system())
    with pytest.raises(UsageError, match="--new"):
        check_estate(session, date(2026, 1, 5), Selection(changes=True))


def test_today_is_the_day_of_the_office_not_of_the_machine(session: Session, clock: Clock) -> None:
    clock.at = datetime(2026, 3, 2, 16, 30, tzinfo=UTC)
    assert today(session) == date(2026, 3, 3)


def test_an_empty_inventory_is_not_a_clean_one(session: Session) -> None:
    with pytest.raises(UsageError, match="import"):
        check_estate(session)
    assert checks(session) == []


def test_an_unknown_finding_is_a_usage_error(session: Session) -> None:
    with pytest.raises(UsageError, match="check estate"):
        find_finding(session, "F-0000000000")
