"""Waivers by the day: what counts, what has ended, and what nobody may grant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud.compliance.waivers import apply_waivers, verify_grant
from govcloud.model.regulation import EstateCheck, Finding
from govcloud.model.text import same
from govcloud.model.waiver import Waiver

GRANTED, TODAY, LAST = date(2026, 1, 10), date(2026, 3, 2), date(2026, 6, 30)
ROLES = {
    "owner": "示例部门", "builder": "示例建设单位", "authority": "示例主管局", "approver": "示例主管局", "finance": "示例财政局",
    "auditor": None,
}  # fmt: skip


def finding(**facts: object) -> Finding:
    usual: dict[str, object] = {
        "finding_id": "F-1", "rule_id": "SX19/not-in-directory", "topic": "inventory", "subject_kind": "system",
        "subject_id": "SL-1", "subject_name": "示例系统", "department": None, "verdict": "fail", "standing": "binding",
        "severity": "high", "title": same("x"), "message": same("x"), "clauses": ("SX19-10b",), "consequence": None,
        "responsible": "owner", "responsible_term": "示例部门", "next_step": same("x"), "state": "open",
    }  # fmt: skip
    return Finding(**{**usual, **facts})  # type: ignore[arg-type]


def waiver(**facts: object) -> Waiver:
    usual: dict[str, object] = {
        "waiver_id": "W-1", "finding_id": "F-1", "rule_id": "SX19/not-in-directory", "subject_id": "SL-1",
        "reason": "示例理由", "role": "authority", "role_term": "示例主管局", "approver": "示例处长", "document": "示例发〔2026〕3号",
        "approved_on": GRANTED, "valid_until": LAST, "recorded_by": "甲",
        "recorded_at": datetime(2026, 1, 11, tzinfo=UTC),
    }  # fmt: skip
    return Waiver(**{**usual, **facts})  # type: ignore[arg-type]


def check(*findings: Finding) -> EstateCheck:
    return EstateCheck(
        as_of=TODAY, regulations=("SX19",), not_in_force=(), findings=findings, tallies=(), coverage=()
    )  # fmt: skip


@pytest.mark.parametrize(
    ("day", "waived", "shown"),
    [
        (GRANTED - timedelta(days=1), False, False),
        (GRANTED, True, True),
        (LAST, True, True),
        (LAST + timedelta(days=1), False, True),
    ],
)
def test_a_waiver_counts_from_its_approval_through_its_last_day(day: date, waived: bool, shown: bool) -> None:
    (found,) = apply_waivers([finding()], [waiver()], day)
    assert (found.waived, found.waiver is not None) == (waived, shown)
    assert check(found).clean is waived


def test_a_withdrawn_waiver_counts_until_the_day_before() -> None:
    gone = waiver(withdrawn_on=TODAY, withdrawn_by="甲", withdrawn_reason="示例")
    assert apply_waivers([finding()], [gone], TODAY - timedelta(days=1))[0].waived
    (found,) = apply_waivers([finding()], [gone], TODAY)
    assert not found.waived
    assert found.waiver == gone


def test_of_several_waivers_the_valid_one_is_shown_and_else_the_last() -> None:
    old = waiver(waiver_id="W-0", valid_until=date(2026, 2, 1))
    older = waiver(waiver_id="W-9", valid_until=date(2026, 1, 20))
    (found,) = apply_waivers([finding()], [old, waiver(), older], TODAY)
    assert (found.waived, found.waiver) == (True, waiver())
    (found,) = apply_waivers([finding()], [old, older], TODAY)
    assert (found.waived, found.waiver) == (False, old)


@pytest.mark.parametrize("facts", [{"verdict": "undetermined"}, {"standing": "reference"}, {"state": "resolved"}])
def test_only_what_fails_and_binds_is_waived(facts: dict[str, object]) -> None:
    (found,) = apply_waivers([finding(**facts)], [waiver()], TODAY)
    assert not found.waived
    assert found.waiver == waiver()


@given(
    st.lists(st.tuples(st.dates(GRANTED, LAST), st.integers(0, 90), st.none() | st.dates(GRANTED, LAST)), max_size=4),
    st.dates(GRANTED, LAST),
)
def test_waived_is_what_some_valid_waiver_covers(spans: list[tuple[date, int, date | None]], day: date) -> None:
    waivers = [
        waiver(waiver_id=f"W-{n}", approved_on=on, valid_until=on + timedelta(days=days), withdrawn_on=gone)
        for n, (on, days, gone) in enumerate(spans)
    ]
    (found,) = apply_waivers([finding()], waivers, day)
    assert found.waived is any(w.valid(day) for w in waivers)
    assert apply_waivers([finding()], waivers[::-1], day) == (found,), "in whatever order they are read"


def refused(found: Finding | None = None, others: tuple[Waiver, ...] = (), **wanted: object) -> str:
    return "；".join(p.zh for p in verify_grant(found or finding(), others, waiver(**wanted), ROLES, TODAY))


def test_what_may_be_granted_is() -> None:
    assert refused() == ""
    assert refused(others=(waiver(valid_until=date(2026, 2, 1)),)) == "", "one that has expired is no obstacle"
    assert refused(valid_until=TODAY) == ""


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"role": "nobody"}, "没有角色"),
        ({"role": "auditor"}, "没有角色"),
        ({"role": "owner"}, "不能豁免自己"),
        ({"role": "builder"}, "被监管"),
        ({"reason": " "}, "没有写理由"),
        ({"approver": ""}, "没有写批准人"),
        ({"document": "\n"}, "没有写批准文件"),
        ({"approved_on": TODAY + timedelta(days=1)}, "还没有到"),
        ({"valid_until": GRANTED - timedelta(days=1)}, "早于批准日期"),
        ({"valid_until": TODAY - timedelta(days=1)}, "已过"),
    ],
)
def test_what_can_t_be_granted_says_why(wanted: dict[str, object], why: str) -> None:
    assert why in refused(**wanted)


def test_two_roles_of_one_party_are_one_party() -> None:
    """In a county the approving body is the authority: it can't exempt itself under its other name."""
    assert "不能豁免自己" in refused(finding(responsible="authority"), role="approver")


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"state": "resolved"}, "已消除"),
        ({"standing": "reference"}, "只供参照"),
        ({"verdict": "undetermined"}, "资料不足"),
    ],
)
def test_some_findings_can_t_be_waived(facts: dict[str, object], why: str) -> None:
    assert why in refused(finding(**facts))


def test_a_second_valid_waiver_is_refused_and_names_the_first() -> None:
    assert "W-7" in refused(others=(replace(waiver(), waiver_id="W-7"),))
