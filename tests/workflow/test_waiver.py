"""Waivers from the grant to the day they end: each on record, none hidden, and the finding back when it is over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from govcloud.errors import UsageError
from govcloud.model.inventory import Inventory, Merged, System
from govcloud.model.regulation import Finding
from govcloud.model.waiver import Waiver
from govcloud.settings import open_workspace
from govcloud.store import entities
from govcloud.store import ledger as ledger_store
from govcloud.workflow.check import check_estate, find_finding, open_findings
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import Session, open_session
from govcloud.workflow.waiver import add_waiver, list_waivers, withdraw_waiver

RULE = "SX19/not-in-directory"


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def session(tmp_path: Path, clock: Clock) -> Iterator[Session]:
    init_workspace(tmp_path / "w", "shanxi", actor="甲")
    with open_session(open_workspace(tmp_path / "w"), actor="甲", now=clock) as opened:
        put(opened, in_directory=False)
        yield opened


def put(session: Session, **facts: object) -> None:
    system = System(system_id="T-01", name="示例系统", **{"classified": False, **facts})  # type: ignore[arg-type]
    with session.store.begin() as tx:
        entities.replace_inventory(tx, Merged(inventory=Inventory(systems=(system,))), ())


def checked(session: Session, as_of: date | None = None) -> Finding:
    return next(f for f in check_estate(session, as_of).findings if f.rule_id == RULE)


def grant(session: Session, finding_id: str, **changed: Any) -> Waiver:
    usual: dict[str, Any] = {
        "reason": "示例：目录系统改造中", "role": "authority", "approver": "示例处长", "document": "示例发〔2026〕3号",
        "approved_on": date(2026, 3, 1), "valid_until": date(2026, 6, 30),
    }  # fmt: skip
    return add_waiver(session, finding_id, **{**usual, **changed})


def records(session: Session) -> list[dict[str, Any]]:
    with session.store.read() as tx:
        found = [json.loads(record.canonical) for record in ledger_store.records(tx)]
    return [record for record in found if record["kind"] == "waiver"]


def test_a_waiver_from_its_first_to_its_last_day(session: Session, clock: Clock) -> None:
    finding = checked(session)
    made = grant(session, finding.finding_id)
    assert made.role_term, "the party as the office's own document calls it"

    now = checked(session)
    assert (now.waived, now.waiver) == (True, made)
    assert [f.waived for f in open_findings(session) if f.rule_id == RULE] == [True]

    clock.at = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)
    assert checked(session).waived
    clock.at = datetime(2026, 7, 1, 4, 0, tzinfo=UTC)
    back = checked(session)
    assert (back.waived, back.state, back.waiver) == (False, "open", made)
    assert list_waivers(session) == ()
    assert [w.waiver_id for w, _ in list_waivers(session, ended=True)] == [made.waiver_id]


def test_a_look_at_another_day_goes_by_the_waivers_of_that_day(session: Session) -> None:
    grant(session, checked(session).finding_id)
    days = [date(2026, 2, 28), date(2026, 3, 1), date(2026, 6, 30), date(2026, 7, 1)]
    assert [checked(session, day).waived for day in days] == [False, True, True, False]


def test_what_is_waived_does_not_count_and_is_named_in_the_record(session: Session) -> None:
    before = check_estate(session)
    made = grant(session, next(f for f in before.findings if f.rule_id == RULE).finding_id)
    check_estate(session)
    with session.store.read() as tx:
        bodies = [json.loads(r.canonical)["body"] for r in ledger_store.records(tx) if '"kind":"check"' in r.canonical]
    assert bodies[1]["binding_fail"] == bodies[0]["binding_fail"] - 1
    assert (bodies[1]["waived"], bodies[1]["waivers"]) == (1, [made.waiver_id])


def test_withdrawing_brings_the_finding_back_at_once(session: Session) -> None:
    made = grant(session, checked(session).finding_id)
    gone = withdraw_waiver(session, made.waiver_id, "示例：目录已恢复")
    assert (gone.withdrawn_on, gone.withdrawn_by) == (date(2026, 3, 2), "甲")
    found = checked(session)
    assert (found.waived, found.waiver) == (False, gone)
    again = grant(session, found.finding_id, reason="示例：第二次")
    assert checked(session).waiver == again
    _, waivers = find_finding(session, found.finding_id)
    assert {w.waiver_id for w in waivers} == {made.waiver_id, again.waiver_id}


def test_every_step_is_on_record(session: Session) -> None:
    made = grant(session, checked(session).finding_id)
    withdraw_waiver(session, made.waiver_id, "示例")
    granted, withdrawn = records(session)
    assert granted["subject_id"] == "T-01"
    assert granted["body"]["document"] == "示例发〔2026〕3号"
    assert (granted["body"]["what"], granted["body"]["valid_until"]) == ("add", "2026-06-30")
    assert withdrawn["body"] == {
        "what": "withdraw", "waiver_id": made.waiver_id, "finding_id": made.finding_id, "rule_id": RULE, "reason": "示例",
    }  # fmt: skip


def test_a_waiver_whose_finding_is_gone_is_listed_with_it(session: Session) -> None:
    made = grant(session, checked(session).finding_id)
    put(session, in_directory=True)
    check_estate(session)
    ((waiver, finding),) = list_waivers(session)
    assert (waiver, finding and finding.state) == (made, "resolved")


def test_a_waived_fact_that_becomes_unknown_is_an_open_question_again(session: Session) -> None:
    grant(session, checked(session).finding_id)
    put(session)
    found = checked(session)
    assert (found.verdict, found.waived) == ("undetermined", False)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"role": "owner"}, "exempt itself"),
        ({"role": "nobody"}, "knows no role"),
        ({"valid_until": date(2026, 3, 1)}, "past"),
        ({"document": "  "}, "no document"),
    ],
)
def test_a_refusal_writes_nothing(session: Session, changed: dict[str, object], why: str) -> None:
    finding = checked(session)
    with pytest.raises(UsageError, match=why) as refused:
        grant(session, finding.finding_id, **changed)
    assert finding.finding_id in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
    assert list_waivers(session, ended=True) == ()
    assert records(session) == []


def test_a_second_waiver_waits_for_the_end_of_the_first(session: Session, clock: Clock) -> None:
    finding = checked(session)
    grant(session, finding.finding_id)
    with pytest.raises(UsageError, match="withdraw it first"):
        grant(session, finding.finding_id)
    clock.at = datetime(2026, 7, 1, 4, 0, tzinfo=UTC)
    grant(session, finding.finding_id, valid_until=date(2026, 12, 31))


def test_unknown_ids_and_ended_waivers_are_usage_errors(session: Session, clock: Clock) -> None:
    finding = checked(session)
    with pytest.raises(UsageError, match="No such finding"):
        grant(session, "F-0000000000")
    with pytest.raises(UsageError, match="waiver list"):
        withdraw_waiver(session, "W-0000000000", "示例")
    made = grant(session, finding.finding_id)
    with pytest.raises(UsageError, match="No reason"):
        withdraw_waiver(session, made.waiver_id, " ")
    withdraw_waiver(session, made.waiver_id, "示例")
    with pytest.raises(UsageError, match="withdrawn on 2026-03-02"):
        withdraw_waiver(session, made.waiver_id, "示例")
    other = grant(session, finding.finding_id, valid_until=date(2026, 3, 5))
    clock.at = datetime(2026, 3, 6, 4, 0, tzinfo=UTC)
    with pytest.raises(UsageError, match="expired on 2026-03-05"):
        withdraw_waiver(session, other.waiver_id, "示例")
