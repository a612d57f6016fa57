"""Findings from run to run: nothing is lost, nothing is closed by accident, a problem that comes back is seen."""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from govcloud.model.regulation import Evidence, Finding
from govcloud.model.text import same
from govcloud.store import Store, open_store
from govcloud.store.finding import digest_findings, last_check_on, load_finding, open_findings, track

MONDAY, TUESDAY, FRIDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 6)


def finding(name: str) -> Finding:
    return Finding(
        finding_id=f"F-{name}", rule_id="SX19/not-in-directory", topic="inventory", subject_kind="system",
        subject_id=name, subject_name=name, department=None, verdict="fail", standing="binding", severity="high",
        title=same("x"), message=same("x"), clauses=("SX19-10b",), consequence=None, responsible="owner",
        responsible_term=None, next_step=same("x"),
    )  # fmt: skip


@pytest.fixture
def findings(store: Store) -> Store:
    """Empty, on each of the databases."""
    return store


def run(store: Store, names: str, day: date) -> dict[str, tuple[str, date | None]]:
    with store.begin() as tx:
        found = track(tx, [finding(n) for n in names], day).findings
    return {f.subject_id: (f.state, f.first_seen_on) for f in found}


def test_new_open_resolved(findings: Store) -> None:
    assert run(findings, "ab", MONDAY) == {"a": ("new", MONDAY), "b": ("new", MONDAY)}
    assert run(findings, "bc", TUESDAY) == {"b": ("open", MONDAY), "c": ("new", TUESDAY), "a": ("resolved", MONDAY)}
    assert run(findings, "bc", FRIDAY) == {"b": ("open", MONDAY), "c": ("open", TUESDAY)}


def test_running_twice_on_a_day_changes_nothing(findings: Store) -> None:
    run(findings, "ab", MONDAY)
    once = run(findings, "b", TUESDAY)
    assert run(findings, "b", TUESDAY) == once == {"b": ("open", MONDAY), "a": ("resolved", MONDAY)}


def test_a_problem_that_comes_back_is_new_and_keeps_its_first_day(findings: Store) -> None:
    run(findings, "a", MONDAY)
    run(findings, "", TUESDAY)
    assert run(findings, "a", FRIDAY) == {"a": ("new", MONDAY)}


def test_coming_back_is_new_for_a_whole_day_and_its_days_are_kept(findings: Store) -> None:
    """An office checks in the morning and again in the afternoon: both lists must say the same."""
    run(findings, "a", MONDAY)
    run(findings, "", TUESDAY)
    assert run(findings, "a", FRIDAY) == run(findings, "a", FRIDAY) == {"a": ("new", MONDAY)}
    with findings.read() as tx:
        back = load_finding(tx, "F-a")
    assert back is not None
    assert (back.state, back.first_seen_on, back.resolved_on, back.returned_on) == ("new", MONDAY, TUESDAY, FRIDAY)
    later = date(2026, 3, 9)
    assert run(findings, "a", later) == {"a": ("open", MONDAY)}
    run(findings, "", date(2026, 3, 10))
    with findings.read() as tx:
        gone = load_finding(tx, "F-a")
    assert gone is not None
    assert (gone.state, gone.resolved_on, gone.returned_on) == ("resolved", date(2026, 3, 10), FRIDAY)


def test_nothing_of_a_finding_is_lost_on_the_way_to_the_database(findings: Store) -> None:
    """What is stored is written out by hand: a field that somebody adds to a finding must not be left behind."""
    whole = replace(
        finding("a"), department="示例厅", consequence=same("x"), responsible_term="示例", missing=("users",), provisional=True,
        due_on=FRIDAY, note=same("n"), evidence=(
            Evidence(
                field="users", value="3", subject_id="H-1", source="ssh", locator="ssh://h/x", stale=True,
                observed_at=datetime(2026, 3, 1, tzinfo=UTC),
            ),
            Evidence(field="url", value=None),
        ),
    )  # fmt: skip
    apart = {"waiver", "waived", "state", "first_seen_on", "resolved_on", "returned_on"}
    kept = {f.name for f in fields(whole)} - apart
    with findings.begin() as tx:
        (tracked,) = track(tx, [whole], MONDAY).findings
        stored = load_finding(tx, "F-a")
    assert stored == tracked
    assert {n: getattr(stored, n) for n in kept} == {n: getattr(whole, n) for n in kept}


def test_what_changed_in_a_finding_is_stored_and_its_first_day_kept(findings: Store) -> None:
    run(findings, "a", MONDAY)
    worse = replace(finding("a"), severity="low", department="示例厅")
    with findings.begin() as tx:
        (tracked,) = track(tx, [worse], TUESDAY).findings
        assert load_finding(tx, "F-a") == tracked
    assert (tracked.severity, tracked.state, tracked.first_seen_on) == ("low", "open", MONDAY)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs=st.lists(st.sets(st.sampled_from("abcd")), min_size=1, max_size=6))
def test_any_history_is_told_as_it_was(tmp_path: Path, runs: list[set[str]]) -> None:
    """Against a plain account of who was there on which day."""
    store = open_store(f"sqlite:///{tmp_path}/{uuid4()}.db")
    seen: dict[str, list[bool]] = {name: [] for name in "abcd"}
    for number, names in enumerate(runs):
        states = run(store, "".join(sorted(names)), MONDAY + timedelta(days=number))
        for name, days in seen.items():
            days.append(name in names)
            first = MONDAY + timedelta(days=days.index(True)) if any(days) else None
            if name in names:
                assert states[name] == ("open" if days[-2:-1] == [True] else "new", first)
            else:
                assert states.get(name) == (("resolved", first) if days[-2:-1] == [True] else None)
    with store.read() as tx:
        assert {f.subject_id for f in open_findings(tx)} == runs[-1]
    store.close()


def test_the_digest_in_the_ledger_can_be_made_again_from_what_is_stored(findings: Store) -> None:
    """An auditor recomputes it: the bodies of the open findings by id, each with a line feed."""
    run(findings, "ac", MONDAY)
    with findings.begin() as tx:
        tracked = track(tx, [finding("c"), finding("b")], TUESDAY)
        bodies = tx.exec_driver_sql("SELECT body FROM finding WHERE status = 'open' ORDER BY finding_id").scalars()
        assert tracked.sha256 == hashlib.sha256("".join(f"{body}\n" for body in bodies).encode()).hexdigest()
    assert digest_findings([finding("c"), finding("b")]) == tracked.sha256


def test_more_findings_than_one_statement_takes(findings: Store) -> None:
    many = [finding(f"{n:05}") for n in range(1_203)]
    with findings.begin() as tx:
        assert len(track(tx, many, MONDAY).findings) == 1_203
        tracked = track(tx, many[600:], TUESDAY).findings
        assert [f.state for f in tracked].count("resolved") == 600
        assert len(open_findings(tx)) == 603


def test_what_is_open_and_what_is_gone_can_both_be_looked_up(findings: Store) -> None:
    run(findings, "ab", MONDAY)
    run(findings, "b", TUESDAY)
    with findings.read() as tx:
        assert [f.subject_id for f in open_findings(tx)] == ["b"]
        gone = load_finding(tx, "F-a")
        assert gone is not None
        assert (gone.state, gone.resolved_on) == ("resolved", TUESDAY)
        assert load_finding(tx, "F-none") is None
        assert last_check_on(tx) == TUESDAY


def test_before_the_first_check_there_is_no_last_one(findings: Store) -> None:
    with findings.read() as tx:
        assert last_check_on(tx) is None
