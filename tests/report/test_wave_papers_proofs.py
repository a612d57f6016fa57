"""A level is claimed by what was measured after the freeze, and by nothing else, whatever happened in whatever order."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "execution"))

from sample_spec import GOOD

from govcloud.model.attempt import Attempt, AttemptKey, StepResult
from govcloud.model.migration import MigrationSpec
from govcloud.model.run import RunSystem
from govcloud.report.proof_levels import build_claims
from govcloud.report.run_overview import SystemStatus

AT = datetime(2026, 3, 7, 20, tzinfo=UTC)
SPEC = msgspec.convert(GOOD, MigrationSpec)
Deed = tuple[str, str, str, str | None]
"""Step, phase, status, level."""
DEEDS = st.tuples(
    st.sampled_from(("freeze", "verify_data", "cutover", "verify_service", "replicate")), st.sampled_from(("apply", "verify", "rollback")),
    st.sampled_from(("ok", "failed", "unknown")), st.sampled_from(("L1", "L2", "L3", None)),
)  # fmt: skip
FROZEN: Deed = ("freeze", "apply", "ok", None)
COMPARED: Deed = ("verify_data", "apply", "ok", "L2")
SERVED: Deed = ("verify_service", "apply", "ok", "L3")


def status(deeds: list[Deed]) -> SystemStatus:
    attempts = tuple(
        Attempt(
            key=AttemptKey(run_id="r", system_id="s", step=step, phase=phase, number=n), token=n, executor="e", machine_id="m",  # type: ignore[arg-type]
            state="ended", claimed_at=AT, heartbeat_at=AT,
            result=StepResult(status=result, facts={"level": level} if level else {}),  # type: ignore[arg-type]
        )
        for n, (step, phase, result, level) in enumerate(deeds, 1)
    )  # fmt: skip
    row = RunSystem(run_id="r", system_id="s", position=1, spec=SPEC, scope_hash="0" * 64, since=AT)
    return SystemStatus(row=row, attempts=attempts)


def states(deeds: list[Deed]) -> dict[str, str]:
    return {claim.level: claim.state for claim in build_claims(status(deeds))}


@given(st.lists(DEEDS, max_size=8))
def test_every_level_is_told_of_and_the_owners_own_is_never_claimed(deeds: list[Deed]) -> None:
    found = build_claims(status(deeds))
    assert [claim.level for claim in found] == ["L0", "L1", "L2", "L3", "L4"]
    assert found[4].state == "not_proven"
    assert all((claim.attempt is not None) == (claim.state in ("proven", "lapsed")) for claim in found)
    assert all(claim.why is not None for claim in found if claim.state in ("not_proven", "lapsed"))


@given(st.lists(DEEDS, max_size=8))
def test_no_digest_counts_that_was_taken_before_a_freeze(deeds: list[Deed]) -> None:
    never_frozen = [d for d in deeds if d[0] != "freeze"]
    assert states([*never_frozen, COMPARED])["L2"] == "not_proven"


@given(st.lists(DEEDS, max_size=8))
def test_a_source_that_took_writes_again_takes_every_proof_of_the_data_back(deeds: list[Deed]) -> None:
    found = states([*deeds, FROZEN, COMPARED, ("freeze", "rollback", "ok", None)])
    assert {found[level] for level in ("L0", "L1", "L2")} == {"lapsed"}


@given(st.lists(DEEDS, max_size=8))
def test_a_later_comparison_that_failed_takes_the_earlier_one_back(deeds: list[Deed]) -> None:
    assert states([*deeds, FROZEN, COMPARED, ("verify_data", "apply", "failed", None)])["L2"] == "not_proven"


@given(st.lists(DEEDS, max_size=8))
def test_what_was_compared_and_asked_last_is_claimed(deeds: list[Deed]) -> None:
    assert states([*deeds, FROZEN, COMPARED, SERVED]) == dict.fromkeys(("L0", "L1", "L2", "L3"), "proven") | {
        "L4": "not_proven"
    }
    assert states([*deeds, FROZEN, COMPARED, SERVED, ("cutover", "rollback", "ok", None)])["L3"] == "lapsed"
