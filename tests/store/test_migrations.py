"""Databases that older versions wrote, opened by this one: nothing of what was known may be lost or made up.

tests/cases/store/0004_*.sql are whole databases of revision 0004, recorded from real migrations between lab hosts:
`runs` has one that was rolled back, one that was refused, one whose controller was killed in the freeze, and one that went
well; `unknown` has one that waits for its approval and one whose cutover has an unknown outcome.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text

from govcloud.ledger.verify import check_record
from govcloud.model.ledger import SHA256
from govcloud.model.run import ENDED, MOVED, run_status
from govcloud.store import Store, gate, open_store
from govcloud.store import attempt as attempt_store
from govcloud.store import run as run_store
from govcloud.store.schema import metadata

CASES = Path(__file__).parent.parent / "cases" / "store"
BACK, REFUSED, IN_FLIGHT, DONE = (f"r20261123-{n}" for n in (1, 2, 3, 4))
OA, XF = "SL-OA-01", "SL-XF-02"


def recorded(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.executescript((CASES / f"{name}.sql").read_text("utf-8"))
    return connection


def put(url: str, name: str) -> dict[str, list[tuple[Any, ...]]]:
    """The recorded database at `url`, whatever server that is; returns what its tables held."""
    old = recorded(name)
    tables = old.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    held = {table: old.execute(f"SELECT * FROM {table}").fetchall() for table, _ in tables}  # noqa: S608 - names of the recording
    engine = create_engine(url)
    with engine.begin() as tx:
        for table, ddl in tables:
            tx.execute(text(ddl))
            for row in held[table]:
                marks = ", ".join(f":c{n}" for n in range(len(row)))
                insert = f"INSERT INTO {table} VALUES ({marks})"  # noqa: S608 - names of the recording
                tx.execute(text(insert), {f"c{n}": value for n, value in enumerate(row)})
    engine.dispose()
    return held


@pytest.fixture
def upgraded(url: str, open_again: Callable[[], Store]) -> tuple[Store, dict[str, list[tuple[Any, ...]]]]:
    held = put(url, "0004_runs")
    return open_again(), held


Upgraded = tuple[Store, dict[str, list[tuple[Any, ...]]]]


def test_every_system_ends_as_its_old_records_say(upgraded: Upgraded) -> None:
    """A run in flight must not be carried on by another version, and what it left frozen must not be called fine."""
    store, _ = upgraded
    with store.read() as tx:
        found = {(s.run_id, s.system_id): s for s in run_store.run_systems(tx)}
        runs = run_store.runs(tx)
        busy = run_store.busy(tx, [OA, XF])
    assert {key: s.state for key, s in found.items()} == {
        (BACK, XF): "rolled_back", (REFUSED, XF): "failed", (IN_FLIGHT, XF): "needs_person", (DONE, OA): "trial",
    }  # fmt: skip
    assert [run.run_id for run in runs] == [DONE, IN_FLIGHT, REFUSED, BACK]
    assert runs[0].systems == (OA,) and runs[0].created_by == "操作员甲" and runs[0].scope["spec:SL-OA-01"]
    assert run_status({XF: found[IN_FLIGHT, XF].state}) == "needs_person"
    assert busy == {XF: IN_FLIGHT}, "no second run may begin beside one that may have frozen the source"
    wait = found[IN_FLIGHT, XF].wait
    assert wait is not None
    for words in (wait.text.zh, wait.text.en):
        assert f"govcloud run rollback {IN_FLIGHT} {XF}" in words
    assert found[BACK, XF].wait is None
    for system in found.values():
        assert system.state in ENDED | MOVED or system.wait is not None


def test_downtime_is_kept(upgraded: Upgraded) -> None:
    store, _ = upgraded
    with store.read() as tx:
        found = {s.run_id: s for s in run_store.run_systems(tx)}
    for run_id in (BACK, DONE):
        began, ended = found[run_id].downtime_from, found[run_id].downtime_to
        assert began is not None and ended is not None and 5 < (ended - began).total_seconds() < 60
    assert found[IN_FLIGHT].downtime_from is not None and found[IN_FLIGHT].downtime_to is None
    assert found[REFUSED].downtime_from is None


def test_the_way_back_has_its_migration_file(upgraded: Upgraded) -> None:
    """Without the frozen file nobody could let the source serve again."""
    store, _ = upgraded
    with store.read() as tx:
        (system,) = run_store.run_systems(tx, IN_FLIGHT)
    spec = system.spec
    (machine,) = spec.machines
    assert (machine.source, machine.target) == ("petition-01", "cloud-02")
    assert machine.state_dir.endswith("/cloud-02/var/lib/govcloud")
    (database,) = spec.databases
    assert (database.kind, database.source.name, database.target.run_as_uid) == ("postgresql", "petition", 1000)
    assert database.source.port != database.target.port and database.target.data_dir is not None
    (service,) = spec.services
    assert service.source.script is not None and service.source.script.endswith("/petition/app/ctl")
    (entrance,) = spec.entrances
    assert (entrance.kind, entrance.host, entrance.name) == ("json", "entry-01", "petition")
    assert spec.verify.url.endswith("/petition") and spec.verify.source_url == entrance.source
    assert [check.path for check in spec.verify.checks] == ["/health", "/selftest"]
    assert len(spec.files) == 2 and spec.on_failure == "rollback" and spec.limits.deadline_min == 240


def test_attempts_keep_their_results_and_none_is_live(upgraded: Upgraded) -> None:
    store, held = upgraded
    with store.read() as tx:
        assert attempt_store.live_attempts(tx) == []
        found = [a for run_id in (BACK, REFUSED, IN_FLIGHT, DONE) for a in attempt_store.attempts(tx, run_id)]
        assert attempt_store.next_token(tx, XF) == 1 + sum(a.key.system_id == XF for a in found)
    assert len(found) == len(held["attempt"])
    old = {tuple(row[:4]): json.loads(row[-1])["result"] for row in held["attempt"]}
    for attempt in found:
        key, result = attempt.key, attempt.result
        assert result is not None and attempt.machine_id == "vm"
        back = key.phase == "rollback"
        was = old[key.run_id, key.system_id, "rollback" if back else key.step, key.number]
        if was is None:
            assert (key.run_id, key.step, result.status) == (IN_FLIGHT, "freeze", "unknown")
            assert "旧版本" in result.reasons[0].zh and "older version" in result.reasons[0].en
        else:
            assert (result.status, result.evidence_sha256, dict(result.facts)) == (
                was["status"], was["evidence_sha256"], was["facts"],
            )  # fmt: skip
    assert [a.key.step for a in found if a.key.phase == "rollback"] == ["freeze"]


def test_approvals_are_history_and_open_no_gate(upgraded: Upgraded) -> None:
    store, held = upgraded
    with store.read() as tx:
        for run_id, *_ in held["run"]:
            (opened,) = gate.gates(tx, run_id)
            ((answer,),) = gate.answers(tx, run_id).values()
            assert answer.actor == "审批人乙" and answer.expires_at == answer.at
            assert answer.granted == (run_id != REFUSED)
            assert (opened.used_at is None) == (run_id == REFUSED)
            assert answer.reason == ("材料不全" if run_id == REFUSED else None)


def test_old_records_are_untouched_and_the_ledger_still_verifies(upgraded: Upgraded) -> None:
    store, held = upgraded
    with store.read() as tx:
        kept = {
            name: [tuple(row) for row in tx.execute(metadata.tables[name].select())]
            for name in ("ledger", "checkpoint", "statement", "host_key", "entity")
        }
        tables = set(inspect(tx).get_table_names())
    for name, rows in kept.items():
        assert sorted(map(str, rows)) == sorted(map(str, held[name])), name
    assert not tables & {"approval", "attempt"} and set(metadata.tables) <= tables
    lines = [row[1].encode() for row in sorted(kept["ledger"])]
    assert [check_record(line, seq) for seq, line in enumerate(lines)] == [None] * len(lines)
    for size, root, _ in kept["checkpoint"]:
        assert SHA256.root([SHA256.leaf(line) for line in lines[:size]]).hex() == root


def test_an_unknown_cutover_and_a_waiting_run(url: str, open_again: Callable[[], Store]) -> None:
    """The first needs a person who can only go back; the second had touched nothing and may be started anew."""
    put(url, "0004_unknown")
    with open_again().read() as tx:
        waiting, unknown = run_store.run_systems(tx)
        gates = gate.gates(tx, waiting.run_id)
        last = attempt_store.attempts(tx, unknown.run_id)[-1]
    assert (waiting.state, unknown.state, unknown.step) == ("cancelled", "needs_person", "cutover")
    assert waiting.wait is not None and f"govcloud run start {waiting.system_id}" in waiting.wait.text.en
    assert unknown.wait is not None and f"run rollback {unknown.run_id}" in unknown.wait.text.zh
    assert gates == []
    assert last.key.step == "cutover" and last.result is not None and last.result.status == "unknown"


@pytest.mark.parametrize("revision", ["0002", "0003"])
def test_a_still_older_database_takes_all_steps(url: str, open_again: Callable[[], Store], revision: str) -> None:
    """The tables of runs were the same from the first version to 0004."""
    put(url, "0004_runs")
    engine = create_engine(url)
    with engine.begin() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})
    engine.dispose()
    with open_again().read() as tx:
        assert len(run_store.run_systems(tx)) == 4


def test_a_person_s_decisions_become_orders(url: str, open_again: Callable[[], Store]) -> None:
    put(url, "0004_runs")
    engine = create_engine(url)
    said = {"actor": "审批人乙", "at": "2026-11-23T05:21:00Z", "reason": "已核对", "system_id": XF, "attempt": 1}
    decisions = [
        {**said, "step": "cutover", "choice": "rerun"}, {**said, "step": "cutover", "choice": "mark-done"},
        {**said, "step": "rollback", "choice": "rerun"}, {**said, "step": None, "attempt": 0, "choice": "abort"},
    ]  # fmt: skip
    with engine.begin() as tx:
        body = json.loads(tx.execute(text("SELECT body FROM run WHERE run_id = :r"), {"r": IN_FLIGHT}).scalar_one())
        changed = json.dumps({**body, "decisions": decisions}, ensure_ascii=False)
        tx.execute(text("UPDATE run SET body = :b WHERE run_id = :r"), {"b": changed, "r": IN_FLIGHT})
    engine.dispose()
    with open_again().read() as tx:
        orders = gate.orders(tx, IN_FLIGHT, XF)
    assert [(o.number, o.kind, o.step, o.phase, o.attempt) for o in orders] == [
        (1, "rerun", "cutover", "apply", 1), (2, "done", "cutover", "apply", 1), (3, "rerun", "freeze", "rollback", 1),
        (4, "rollback", None, None, None),
    ]  # fmt: skip
    assert {(o.actor, o.reason) for o in orders} == {("审批人乙", "已核对")}


def test_a_conversion_that_fails_leaves_the_old_database(url: str) -> None:
    """A disk that fills up in the middle, here a body that is no JSON, must not cost the records."""
    put(url, "0004_runs")
    engine = create_engine(url)
    with engine.begin() as tx:
        tx.execute(text("UPDATE attempt SET body = 'cut off' WHERE step = 'freeze' AND run_id = :r"), {"r": DONE})
    before = sorted(inspect(engine).get_table_names())
    with pytest.raises(ValueError, match="Expecting value"):
        open_store(url)
    with engine.connect() as connection:
        assert sorted(inspect(connection).get_table_names()) == before
        assert connection.execute(text("SELECT count(*) FROM run")).scalar() == 4
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0004"
    engine.dispose()
