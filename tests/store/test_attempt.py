"""The rows behind the guard: no two live attempts of a system, no result from a holder that was fenced off, none twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from run_rows import AT, SYSTEM, at, attempt
from sqlalchemy.exc import IntegrityError

from govcloud.model.attempt import Attempt, StepResult
from govcloud.model.text import Text
from govcloud.store import Store
from govcloud.store import attempt as attempt_store

OK = StepResult(
    status="ok", started_at=AT, finished_at=at(3), expected=2, proven=2, evidence_sha256="e" * 64, facts={"files": 12, "level": "L2"}
)  # fmt: skip


def claim(store: Store, made: Attempt) -> Attempt:
    with store.begin() as tx:
        attempt_store.add_attempt(tx, made)
    return made


def end(store: Store, made: Attempt, result: StepResult = OK) -> bool:
    with store.begin() as tx:
        return attempt_store.finish(tx, made, result)


def test_an_attempt_comes_back_as_it_was_stored(store: Store) -> None:
    made = claim(store, attempt())
    with store.read() as tx:
        assert attempt_store.load_attempt(tx, made.key) == made
        assert attempt_store.live_attempts(tx) == [made]
    assert end(store, made)
    with store.read() as tx:
        assert attempt_store.load_attempt(tx, made.key) == replace(made, state="ended", result=OK)
        assert attempt_store.live_attempts(tx) == []


def test_two_live_attempts_of_a_system_are_refused_by_the_database(store: Store) -> None:
    """Whoever asks, in whatever run: a replication beside a cutover is how data gets lost."""
    claim(store, attempt())
    for second in (
        attempt("cutover", token=2),
        attempt(phase="rollback", token=2),
        attempt(run_id="r2", token=2),
    ):
        with pytest.raises(IntegrityError):
            claim(store, second)
    claim(store, attempt(system_id="SL-XF-02"))
    assert end(store, attempt())
    claim(store, attempt("replicate", token=2))


def test_of_many_that_claim_at_once_one_gets_it(store: Store) -> None:
    def one(number: int) -> bool:
        try:
            claim(store, attempt("cutover", number=number, token=number))
        except IntegrityError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(1, 9))) == 1


def test_a_result_is_written_once(store: Store) -> None:
    made = claim(store, attempt())
    assert end(store, made)
    assert not end(store, made, replace(OK, status="failed", reasons=(Text("坏", "bad"),)))
    with store.read() as tx:
        kept = attempt_store.load_attempt(tx, made.key)
    assert kept is not None and kept.result == OK


def test_who_holds_an_older_token_writes_nothing(store: Store) -> None:
    """A controller that slept through its own replacement wakes up: neither its start nor its result may count."""
    sleeper = claim(store, attempt())
    with store.begin() as tx:  # the same attempt, taken over with a new token
        taken = replace(sleeper, token=2, executor="m2/cli", machine_id="m2")
        tx.execute(attempt_store._table.delete())
        attempt_store.add_attempt(tx, taken)
    with store.begin() as tx:
        assert not attempt_store.intend(tx, sleeper)
    assert not end(store, sleeper)
    with store.begin() as tx:
        assert attempt_store.intend(tx, taken)
    assert end(store, taken)


def test_what_has_ended_is_not_begun_again(store: Store) -> None:
    made = claim(store, attempt())
    with store.begin() as tx:
        assert attempt_store.intend(tx, made) and attempt_store.intend(tx, made)
    assert end(store, made)
    with store.begin() as tx:
        assert not attempt_store.intend(tx, made)


def test_a_result_without_its_time_is_refused(store: Store) -> None:
    made = claim(store, attempt())
    with pytest.raises(ValueError, match="time"):
        end(store, made, replace(OK, finished_at=None))


def test_tokens_grow_over_all_runs_of_a_system(store: Store) -> None:
    with store.read() as tx:
        assert attempt_store.next_token(tx, SYSTEM) == 1
    for number, run_id in enumerate(("r1", "r1", "r2"), start=1):
        made = claim(store, attempt(number=number, token=number, run_id=run_id))
        assert end(store, made)
    with store.read() as tx:
        assert attempt_store.next_token(tx, SYSTEM) == 4
        assert attempt_store.next_token(tx, "SL-XF-02") == 1


def test_a_heartbeat_is_seen_and_only_its_holder_gives_it(store: Store) -> None:
    made = claim(store, attempt())
    with store.begin() as tx:
        attempt_store.beat(tx, [made], at(30))
        attempt_store.beat(tx, [replace(made, token=7)], at(99))
    with store.read() as tx:
        (live,) = attempt_store.live_attempts(tx, [SYSTEM])
        assert attempt_store.live_attempts(tx, ["SL-XF-02"]) == []
    assert live == replace(made, heartbeat_at=at(30))


def test_attempts_are_in_the_order_of_their_claims(store: Store) -> None:
    steps = [("replicate", 1), ("precheck", 1), ("replicate", 2)]
    for number, (step, count) in enumerate(steps, start=1):
        made = claim(store, attempt(step, count, number, seconds=number))  # type: ignore[arg-type]
        assert end(store, made)
    with store.read() as tx:
        assert [(a.key.step, a.key.number) for a in attempt_store.attempts(tx, "r1", SYSTEM)] == steps
        assert attempt_store.attempts(tx, "r1", "SL-XF-02") == attempt_store.attempts(tx, "r2") == []


def test_the_first_log_stays(store: Store) -> None:
    made = claim(store, attempt())
    with store.begin() as tx:
        assert attempt_store.load_log(tx, made.key) is None
        attempt_store.keep_log(tx, made.key, b"\x1f\x8b first")
        attempt_store.keep_log(tx, made.key, b"second")
    with store.read() as tx:
        assert attempt_store.load_log(tx, made.key) == b"\x1f\x8b first"
