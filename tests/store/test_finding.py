"""Findings from run to run: nothing is lost, nothing is closed by accident, a problem that comes back is seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from govcloud.model.regulation import Finding
from govcloud.model.text import same
from govcloud.store import Store, open_store
from govcloud.store.finding import last_check_on, load_finding, open_findings, track

MONDAY, TUESDAY, FRIDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 6)


def finding(name: str) -> Finding:
    return Finding(
        finding_id=f"F-{name}", rule_id="SX19/not-in-directory", topic="inventory", subject_kind="system",
        subject_id=name, subject_name=name, department=None, verdict="fail", standing="binding", severity="high",
        title=same("x"), message=same("x"), clauses=("SX19-10b",), consequence=None, responsible="owner",
        responsible_term=None, next_step=same("x"),
    )  # fmt: skip


@pytest.fixture
def findings(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path}/w.db")
    yield store
    store.close()


def run(store: Store, names: str, day: date) -> dict[str, tuple[str, date | None]]:
    with store.begin() as tx:
        return {f.subject_id: (f.state, f.first_seen_on) for f in track(tx, [finding(n) for n in names], day)}


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
