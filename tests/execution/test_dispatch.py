"""Who may begin, and why the others wait. A user would miss: limits that hold, a reason for every wait, and a worker that does
not burn a core because a thousand systems wait for signatures."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud.execution.dispatch import ASK_AGAIN_S, LIVING_S, Board, Row, choose, living, serves
from govcloud.execution.rules import ExecutionRules, ZoneRules
from govcloud.model.attempt import Worker
from govcloud.model.run import Wait, WaitKind
from govcloud.model.text import Text

NOW = datetime(2026, 3, 7, 20, tzinfo=UTC)
ZONES = st.sampled_from([None, "dmz", "core", "office"])


def row(number: int, zone: str | None = None, **changes: object) -> Row:
    made = Row(run_id="r1", system_id=f"S{number:03d}", position=number, state="waiting", zone=zone, wait_kind=None, leg=0,
               orders=0, answers=0)  # fmt: skip
    return made._replace(**changes)  # type: ignore[arg-type]


def worker(name: str, *zones: str, seen: float = 0.0, pid: int = 7) -> Worker:
    return Worker(
        worker_id=f"m/{name}", machine_id="m", host="h", pid=pid, zones=zones, seen_at=NOW - timedelta(seconds=seen)
    )  # fmt: skip


def wait(kind: WaitKind, until: datetime | None = None) -> Wait:
    return Wait(kind=kind, text=Text("等", "waits"), since=NOW, until=until)


@given(
    rows=st.lists(ZONES, max_size=30).map(lambda zones: [row(n, zone) for n, zone in enumerate(zones, 1)]),
    active=st.dictionaries(ZONES, st.integers(0, 5)),
    slots=st.integers(1, 4),
    mine=st.sets(st.sampled_from(["dmz", "core"])),
    other=st.sets(st.sampled_from(["core", "office"])),
)
def test_the_choice_keeps_to_slots_and_zones_and_explains_the_rest(
    rows: list[Row], active: dict[str | None, int], slots: int, mine: set[str], other: set[str]
) -> None:
    me, others = worker("me", *sorted(mine)), [worker("o", *sorted(other))] if other else []
    rules = ExecutionRules(slots=slots, zones={z: ZoneRules(slots=slots) for z in ("dmz", "core", "office")})
    choice = choose(rows, active, [me, *others], me, rules, NOW)
    begun = Counter(r.zone for r in choice.start)
    for zone, count in begun.items():
        assert serves(me, zone) and count + active.get(zone, 0) <= slots
    for r in rows:
        explained = r in choice.start or r in choice.waits
        assert explained or (not serves(me, r.zone) and any(serves(w, r.zone) for w in others))
        if r in choice.waits:
            kind = choice.waits[r].kind
            assert kind == ("slot" if serves(me, r.zone) else "zone")
            assert kind != "slot" or begun[r.zone] + active.get(r.zone, 0) >= slots
    # In the order of the wave: nobody passes somebody of the same zone.
    for zone in {r.zone for r in rows}:
        places = [r in choice.start for r in rows if r.zone == zone]
        assert places == sorted(places, reverse=True)


def test_a_reason_that_is_shown_already_is_not_written_again() -> None:
    rows = [row(1), row(2, wait_kind="slot"), row(3, zone="core", wait_kind="zone")]
    choice = choose(rows, {None: 10}, [], worker("me", "dmz"), ExecutionRules(), NOW)
    assert [r.system_id for r in choice.waits] == ["S001"]


def test_a_silent_worker_and_one_that_left_do_not_live() -> None:
    workers = [worker("a"), worker("b", seen=LIVING_S + 1), worker("c", pid=0)]
    assert [w.worker_id for w in living(workers, NOW)] == ["m/a"]


def test_nobody_is_asked_twice_while_nothing_happens() -> None:
    """A thousand systems at gates: no question in five minutes."""
    board, rows = Board(), [row(n, leg=1) for n in range(1, 1001)]
    assert board.look(rows, (), NOW).ask == rows
    for r in rows:
        board.waits(r, "waiting", wait("approval"), NOW)
    parked = [r._replace(wait_kind="approval") for r in rows]
    for seconds in range(1, 299, 7):
        assert board.look(parked, (), NOW + timedelta(seconds=seconds)).ask == []


def test_an_answer_an_order_or_a_clock_has_it_asked_again() -> None:
    board = Board()
    for number, one in enumerate(
        (wait("approval"), wait("approval"), wait("window", NOW + timedelta(hours=2)), wait("quota"))
    ):
        board.waits(row(number, leg=1), "waiting", one, NOW)
    kinds: list[WaitKind] = ["approval", "approval", "window", "quota"]
    rows = [row(n, leg=1, wait_kind=kind) for n, kind in enumerate(kinds)]
    assert board.look(rows, (), NOW).ask == []
    answered = [rows[0]._replace(answers=1), rows[1]._replace(orders=3), *rows[2:]]
    assert board.look(answered, (), NOW).ask == answered[:2]
    assert board.look(answered, [answered[0].key], NOW).ask == answered[1:2], "under way: not asked"
    assert board.look(rows, (), NOW + timedelta(seconds=ASK_AGAIN_S)).ask == rows[3:]
    assert rows[2] in board.look(rows, (), NOW + timedelta(hours=2)).ask


@pytest.mark.parametrize("kind", ["quota", "ticket", "host_key", "approval", "order"])
def test_nobody_sits_before_a_command_that_waits_for_a_person(kind: WaitKind) -> None:
    """`run resume` must end where somebody has to trust a key or to have a quota raised."""
    board = Board()
    board.waits(row(1), "waiting", wait(kind), NOW)
    assert board.next_at() is None
    board.waits(row(2), "waiting", wait("unreachable"), NOW)
    assert board.next_at() == NOW + timedelta(seconds=ASK_AGAIN_S)


def test_those_that_wait_for_others_are_asked_when_the_others_fare() -> None:
    board, first, second = Board(), row(1, leg=1), row(2, leg=1)
    board.look([first, second], (), NOW)
    board.waits(first, "waiting", wait("approval"), NOW)
    board.waits(second, "waiting", wait("predecessor"), NOW)
    rows = [
        first._replace(wait_kind="approval"),
        second._replace(wait_kind="predecessor"),
        row(3, state="running", leg=1),
    ]
    busy = [rows[2].key]
    assert board.look(rows, busy, NOW).ask == []
    moved = [*rows[:2], rows[2]._replace(state="trial", wait_kind="order")]
    assert board.look(moved, busy, NOW).ask == [rows[1]]


def test_ready_systems_stay_ready_without_being_asked_while_slots_are_full() -> None:
    board = Board()
    answered = row(1, leg=1, wait_kind="approval", answers=1)
    board.look([answered], (), NOW)
    board.is_ready(answered, NOW)
    assert board.look([answered], (), NOW).ready == [answered]
    shown = answered._replace(wait_kind="slot")
    assert board.look([shown], (), NOW).ask == [shown], "once: its row has changed"
    board.is_ready(shown, NOW)
    for seconds in range(1, 59):
        due = board.look([shown], (), NOW + timedelta(seconds=seconds))
        assert (due.ask, due.ready) == ([], [shown])
    assert board.look([shown], (), NOW + timedelta(seconds=61)).ask == [shown], "approvals expire and windows close"


def test_what_was_just_registered_is_ready_without_a_question() -> None:
    assert Board().look([row(1)], (), NOW).ready == [row(1)]
    ended = [row(1, state="failed"), row(2, state="switched_off")]
    due = Board().look(ended, (), NOW)
    assert (due.ask, due.ready) == ([], [])


def test_a_system_that_waits_for_a_distant_window_is_looked_at_before_it_opens() -> None:
    """Its copy is to be brought up to date by then; nobody would, if it were asked again at the opening only."""
    board, waiting = Board(), row(1, wait_kind="window")
    board.look([waiting], [], NOW)
    board.waits(waiting, waiting.state, wait("window", NOW + timedelta(days=3)), NOW)
    assert board.look([waiting], [], NOW + timedelta(minutes=5)).ask == []
    assert board.look([waiting], [], NOW + timedelta(hours=1)).ask == [waiting]
    assert board.next_at() == NOW + timedelta(days=3), "nobody stays for it who only works until nothing is left to do"
