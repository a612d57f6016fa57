"""Waivers are kept for ever and read back as they were written, on each of the databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from govcloud.model.waiver import Waiver
from govcloud.store import Store
from govcloud.store.waiver import add_waiver, list_waivers, load_waiver, replace_waiver

WAIVER = Waiver(
    waiver_id="W-1", finding_id="F-1", rule_id="SX19/not-in-directory", subject_id="SL-1", reason="示例", role="authority",
    role_term="示例主管局", approver="示例处长", document="示例发〔2026〕3号", approved_on=date(2026, 1, 10),
    valid_until=date(2026, 6, 30), recorded_by="甲", recorded_at=datetime(2026, 1, 11, tzinfo=UTC),
)  # fmt: skip


def test_what_was_granted_is_read_back(store: Store) -> None:
    later = replace(WAIVER, waiver_id="W-2", finding_id="F-2", valid_until=WAIVER.valid_until + timedelta(days=1))
    with store.begin() as tx:
        add_waiver(tx, later)
        add_waiver(tx, WAIVER)
    with store.read() as tx:
        assert list_waivers(tx) == [WAIVER, later], "the one that ends first comes first"
        assert list_waivers(tx, ["F-2", "F-404"]) == [later]
        assert list_waivers(tx, []) == []
        assert (load_waiver(tx, "W-1"), load_waiver(tx, "W-404")) == (WAIVER, None)


def test_withdrawing_changes_that_waiver_alone(store: Store) -> None:
    other = replace(WAIVER, waiver_id="W-2")
    gone = replace(WAIVER, withdrawn_on=date(2026, 3, 2), withdrawn_by="甲", withdrawn_reason="示例")
    with store.begin() as tx:
        add_waiver(tx, WAIVER)
        add_waiver(tx, other)
        replace_waiver(tx, gone)
        assert list_waivers(tx, ["F-1"]) == [gone, other]
