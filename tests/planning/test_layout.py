"""From ticks to what people read: minutes in the window, dates, names of crews; and the hash that fixes it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import rfc8785
from offices import MONDAY, problem, task, windows

from govcloud.model.plan_problem import Earlier, PlanProblem
from govcloud.model.schedule import Schedule
from govcloud.planning.layout import lay_out, plan_hash, problem_hash
from govcloud.planning.translate import Translation, build_schedule_problem

DAY = timedelta(days=1)


def scheduled(made: PlanProblem, cutovers: dict[str, int]) -> tuple[Translation, Schedule]:
    """The office's own road for each group with its cutover at that many five minutes from the opening of the first window."""
    translation = build_schedule_problem(made)
    axis = translation.axis
    starts, ends = [], []
    for i, job in enumerate(translation.jobs):
        mode = translation.schedule.activities[i].modes[0]
        after = axis.spans[0][0] + cutovers[job.subject_id]
        ready = {"provision": 0, "replicate": 3, "cutover": after, "trial": axis.days[6], "takeover": axis.days[14]}[
            job.kind
        ]
        spans = translation.schedule.calendars[mode.calendar].spans
        ticks = [t for a, b in spans for t in range(a, b) if t >= ready]
        starts.append(ticks[0])
        ends.append(ticks[mode.duration - 1] + 1)
    return translation, Schedule(starts=tuple(starts), ends=tuple(ends), modes=(0,) * len(starts))


def test_members_move_one_after_another_and_share_the_way_back() -> None:
    made = problem([task("A", 90), task("B", 60)], together=["BA"])
    laid = lay_out(made, *scheduled(made, {"A": 3}))
    (wave,) = laid.waves
    opens = windows(1)[0].starts_at
    first, second = wave.moves
    assert (first.system_id, second.system_id) == ("B", "A"), "in the order of the group"
    assert first.starts_at == opens + timedelta(minutes=15) and first.cutover_ends_at == second.starts_at
    assert second.cutover_ends_at - second.starts_at == timedelta(minutes=60)
    assert {m.ends_at for m in wave.moves} == {opens + timedelta(minutes=15 + 150)}
    assert first.crew == second.crew and {m.group_id for m in wave.moves} == {"A"}


def test_days_of_work_are_given_with_their_last_day_and_in_order() -> None:
    made = problem([task("A")])
    laid = lay_out(made, *scheduled(made, {"A": 0}))
    assert [(a.kind, a.starts_on, a.ends_on) for a in laid.activities] == [
        ("provision", MONDAY, MONDAY + 2 * DAY),
        ("replicate", MONDAY + 3 * DAY, MONDAY + 4 * DAY),
        ("trial", MONDAY + 6 * DAY, MONDAY + 12 * DAY),
        ("takeover", MONDAY + 14 * DAY, MONDAY + 15 * DAY),
    ]


def test_a_group_keeps_the_crew_of_the_earlier_plan() -> None:
    window = windows(1)[0]
    made = problem([task("A"), task("B")])
    for crew in ("一组", "二组"):
        earlier = Earlier(group_id="B", opens_on=window.opens_on, starts_at=window.starts_at, crew=crew)
        laid = lay_out(
            replace(made, earlier=(earlier,)), *scheduled(replace(made, earlier=(earlier,)), {"A": 0, "B": 0})
        )
        crews = {m.system_id: m.crew for m in laid.waves[0].moves}
        assert crews["B"] == crew != crews["A"]


def test_more_at_once_than_there_are_crews_is_refused() -> None:
    made = problem([task(s, 60) for s in "ABC"])
    with pytest.raises(ValueError, match="cutover"):
        lay_out(made, *scheduled(made, dict.fromkeys("ABC", 0)))


def test_the_hashes_are_those_of_canonical_json() -> None:
    """Anybody can check them with another RFC 8785 implementation."""
    made = problem([task("A", not_after_on=date(2026, 12, 31)), task("乙", skills=("db",))], notes=(), together=[])
    laid = lay_out(problem([task("A")]), *scheduled(problem([task("A")]), {"A": 0}))
    assert problem_hash(made) == hashlib.sha256(rfc8785.dumps(_plain(asdict(made)))).hexdigest()
    document = {
        "problem": problem_hash(made),
        "waves": [asdict(w) for w in laid.waves],
        "activities": [asdict(a) for a in laid.activities],
    }
    assert plan_hash(made, laid.waves, laid.activities) == hashlib.sha256(rfc8785.dumps(_plain(document))).hexdigest()


def test_a_problem_of_an_earlier_version_keeps_its_hash() -> None:
    """Else a plan that was approved and is half carried out would count as altered."""
    as_it_was_written = "0e328d9a70a5ea89072682b006f55515b156209abe7606085c1ba6ee731f9d2b"
    assert problem_hash(problem([task("A", 90)])) == as_it_was_written


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        # What only later versions know is not there where it is empty.
        return {k: _plain(v) for k, v in value.items() if (k, v) != ("minutes", None)}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def test_a_minute_more_or_another_crew_is_another_plan() -> None:
    made = problem([task("A")])
    laid = lay_out(made, *scheduled(made, {"A": 0}))
    (wave,) = laid.waves
    (move,) = wave.moves
    moved = [
        replace(move, starts_at=move.starts_at + timedelta(minutes=1)),
        replace(move, crew="二组" if move.crew == "一组" else "一组"),
    ]
    waves = [laid.waves, *((replace(wave, moves=(m,)),) for m in moved)]
    assert len({plan_hash(made, w, laid.activities) for w in waves}) == 3
    assert plan_hash(replace(made, weeks=13), laid.waves, laid.activities) != plan_hash(
        made, laid.waves, laid.activities
    )
