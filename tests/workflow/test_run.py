"""What an operator, an approver and an auditor rely on: no act without approval, no second executor, nothing done twice."""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "execution"))

from run_place import HERE, SYSTEM, Place, make_place

from govcloud.cli.main import run as govcloud
from govcloud.errors import InputError, UsageError
from govcloud.execution.attempt import Guard
from govcloud.settings import open_workspace
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.workflow import rollback
from govcloud.workflow import run as verbs
from govcloud.workflow.run_journal import StoreJournal
from govcloud.workflow.session import Session, open_session

STANDIN = functools.partial(Guard, supervisor=(sys.executable, str(HERE / "standin.py")))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return make_place(tmp_path / "w")


@pytest.fixture
def session(place: Place) -> Iterator[Session]:
    with open_session(open_workspace(place.path), actor="zhang") as opened:
        yield opened


def waiting(place: Place, session: Session) -> str:
    """A run whose check went well."""
    run_id = verbs.register_run(session, [SYSTEM]).run_id
    assert work(place, run_id) == "waiting_approval"
    return run_id


def work(place: Place, run_id: str) -> str:
    """What `run resume` does, with the stand-in in Ansible's place."""
    with open_session(open_workspace(place.path), actor="zhang") as session:
        run = verbs.load_run(session, run_id)
        if verbs.is_over(run):
            return run.status
        with verbs.operator_lock(session, run_id):
            return verbs.engine(session, run, 0.0, make_guard=STANDIN).migrate()


def approve(session: Session, run_id: str, actor: str = "li") -> None:
    verbs.approve_run(replace(session, actor=actor), run_id, reason="窗口已定")


def ledger(session: Session) -> list[dict[str, object]]:
    with session.store.read() as tx:
        return [json.loads(r.canonical) for r in ledger_store.records(tx)]


def test_nothing_but_the_check_runs_before_the_approval(place: Place, session: Session) -> None:
    run_id = waiting(place, session)
    assert place.begun() == ["precheck#1"]
    assert work(place, run_id) == "waiting_approval"
    assert place.begun() == ["precheck#1"]


def test_an_approved_run_is_carried_out_and_every_act_has_its_intent_and_result_in_the_ledger(
    place: Place, session: Session
) -> None:
    run_id = waiting(place, session)
    approve(session, run_id)
    assert work(place, run_id) == "done"
    steps = ["precheck", "replicate", "freeze", "final_sync", "verify_data", "cutover", "verify_service"]
    assert place.begun() == [f"{s}#1" for s in steps]
    records = [(r["step"], r["phase"]) for r in ledger(session) if r["kind"] == "step"]
    assert records == [(s, phase) for s in steps for phase in ("intent", "result")]
    given = next(r for r in ledger(session) if r["kind"] == "approval")
    assert given["actor"] == "li" and given["plan_hash"] == verbs.load_run(session, run_id).scope_hash
    assert hosting(session) == "gov_cloud", "the next check must not find it outside of the cloud again"
    StoreJournal(session, run_id, "x").settle(SYSTEM, "rolled_back")
    assert hosting(session) is None, "the way back takes the fact back"


def hosting(session: Session) -> str | None:
    with session.store.read() as tx:
        system = inventory_store.load_inventory(tx).system(SYSTEM)
    return system.hosting if system else None


def test_a_waiting_run_goes_on_by_itself_when_another_terminal_approves(place: Place, session: Session) -> None:
    run_id = verbs.register_run(session, [SYSTEM]).run_id
    run = verbs.load_run(session, run_id)
    engine = verbs.engine(session, run, 30.0, make_guard=STANDIN)
    reached: list[str] = []
    waiting = threading.Thread(target=lambda: reached.append(engine.migrate()))
    waiting.start()
    while verbs.load_run(session, run_id).status != "waiting_approval":
        time.sleep(0.1)
    approve(session, run_id)
    waiting.join(30)
    assert reached == ["done"]


@pytest.mark.parametrize("actor", ["zhang", "ZHANG ", "Zhang"])
def test_nobody_approves_his_own_run(place: Place, session: Session, actor: str) -> None:
    run_id = waiting(place, session)
    with pytest.raises(UsageError):
        approve(session, run_id, actor)


def test_a_second_answer_and_an_answer_before_the_check_are_refused(place: Place, session: Session) -> None:
    early = verbs.register_run(session, [SYSTEM]).run_id
    with pytest.raises(UsageError):
        approve(session, early)
    work(place, early)
    approve(session, early)
    with pytest.raises(UsageError):
        approve(session, early, "wang")


def test_a_refused_run_is_over_and_its_system_is_free_again(place: Place, session: Session) -> None:
    run_id = waiting(place, session)
    verbs.approve_run(session, run_id, approved=False)
    assert work(place, run_id) == "failed"
    assert verbs.register_run(session, [SYSTEM]).run_id != run_id


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("migration/SL-OA-01.yaml", "/srv/oa/app", "/srv/oa/other", f"spec:{SYSTEM}"),
        ("hosts.yaml", "10.100.8.10", "10.100.8.99", "hosts"),
    ],
)
def test_an_approval_is_void_when_what_was_approved_changes(
    place: Place, session: Session, file: str, old: str, new: str, named: str
) -> None:
    run_id = waiting(place, session)
    path = place.path / file
    original = path.read_text()
    path.write_text(original.replace(old, new))
    with pytest.raises(InputError, match=named):
        approve(session, run_id)
    path.write_text(original)
    approve(session, run_id)
    path.write_text(original.replace(old, new))
    with pytest.raises(InputError, match=named):
        work(place, run_id)
    assert place.begun() == ["precheck#1"]
    path.write_text(original)
    assert work(place, run_id) == "done"


def test_classified_and_unknown_systems_never_start(session: Session) -> None:
    for system in ("SL-SM-08", "SL-XX-99", "SL-NO-00"):
        with pytest.raises(UsageError):
            verbs.register_run(session, [system])


def test_a_system_is_in_one_unfinished_run_at_a_time(session: Session) -> None:
    first = verbs.register_run(session, [SYSTEM])
    with pytest.raises(UsageError, match=first.run_id):
        verbs.register_run(session, [SYSTEM])


def test_a_second_executor_is_refused_with_the_holders_name(place: Place, session: Session) -> None:
    run_id = verbs.register_run(session, [SYSTEM]).run_id
    with (
        verbs.operator_lock(session, run_id),
        pytest.raises(UsageError, match="zhang"),
        verbs.operator_lock(replace(session, actor="li"), run_id),
    ):
        pass


@pytest.mark.parametrize(
    ("point", "again"),
    [
        # Occurrences count over precheck, replicate, freeze …; killed in replicate while its supervisor lives on.
        ("after_spawn:1", {}),
        ("before_record:2", {}),
        ("after_record:5", {}),
        # The intent is there and nothing else: replicate may be repeated, and is.
        ("after_intent:1", {"replicate": 2}),
    ],
)
def test_killed_and_resumed_it_ends_the_same_and_repeats_nothing_that_is_done(
    place: Place, session: Session, point: str, again: dict[str, int]
) -> None:
    place.script(replicate={"sleep": 1})
    run_id = waiting(place, session)
    approve(session, run_id)
    assert place.run("engine_process.py", run_id, point).returncode == -signal.SIGKILL
    assert work(place, run_id) == "done"
    begun = [b.split("#")[0] for b in place.begun()]
    assert len(begun) == len(set(begun)) == 7, "each step started once"
    attempts = {a.step: a.number for a in verbs.run_attempts(session, run_id)}
    assert {step: n for step, n in attempts.items() if n > 1} == again


def test_a_cutover_of_unknown_outcome_waits_for_a_person(place: Place, session: Session) -> None:
    run_id = waiting(place, session)
    approve(session, run_id)
    # after_intent counts replicate, freeze, final_sync, verify_data, cutover.
    assert place.run("engine_process.py", run_id, "after_intent:5").returncode == -signal.SIGKILL
    assert work(place, run_id) == "needs_person"
    assert work(place, run_id) == "needs_person", "and waits, however often it is resumed"
    assert not [b for b in place.begun() if b.startswith("cutover")]
    with pytest.raises(UsageError):
        verbs.decide(session, run_id, "freeze", "rerun")
    verbs.decide(session, run_id, "cutover", "rerun", reason="已现场核实未切换")
    assert work(place, run_id) == "done"
    assert [b for b in place.begun() if b.startswith("cutover")] == ["cutover#2"]
    assert any(r["kind"] == "decision" and r["actor"] == "zhang" for r in ledger(session))


def test_a_failed_check_of_the_service_leads_back(place: Place, session: Session) -> None:
    place.script(verify_service={"status": "failed"})
    run_id = waiting(place, session)
    approve(session, run_id)
    assert work(place, run_id) == "rolled_back"
    assert place.begun()[-1] == "rollback#1"


def test_the_way_back_can_be_asked_for_in_the_middle(place: Place, session: Session) -> None:
    run_id = waiting(place, session)
    with pytest.raises(UsageError, match="nothing to roll back"):
        rollback.roll_back(session, run_id, SYSTEM)
    approve(session, run_id)
    place.run("engine_process.py", run_id, "after_record:3")  # replicate, freeze, final_sync
    rollback._ask_for_it(session, run_id, SYSTEM, "业务要求")
    assert work(place, run_id) == "rolled_back"
    assert place.begun()[-2:] == ["final_sync#1", "rollback#1"]


def test_ctrl_c_leaves_the_step_to_its_supervisor_and_resume_takes_its_result(place: Place, session: Session) -> None:
    place.script(replicate={"sleep": 3})
    run_id = waiting(place, session)
    approve(session, run_id)
    with place.process("engine_process.py", run_id, "") as child:
        while "replicate#1" not in place.begun():
            time.sleep(0.1)
        os.kill(child.pid, signal.SIGINT)
        child.communicate(timeout=30)
    assert child.returncode != 0
    assert work(place, run_id) == "done"
    assert place.begun().count("replicate#1") == 1


def test_the_commands_say_what_to_do_next(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    base = ["-w", str(place.path), "--lang", "zh"]
    assert govcloud([*base, "run", "status"]) == 2
    assert "run start" in capsys.readouterr().err
    assert govcloud([*base, "run", "start"]) == 2
    assert "系统" in capsys.readouterr().err
    assert govcloud([*base, "run", "start", "SL-SM-08"]) == 2
    assert "涉密" in capsys.readouterr().err
    assert govcloud([*base, "run", "approve", "r-none"]) == 2
    assert govcloud([*base, "run", "decide", "r-none", "cutover", "maybe"]) == 2


def test_status_shows_every_attempt_in_both_languages(
    place: Place, session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    place.script(verify_service={"status": "failed"})
    run_id = waiting(place, session)
    approve(session, run_id)
    work(place, run_id)
    base = ["-w", str(place.path)]
    assert govcloud([*base, "--lang", "zh", "run", "status", run_id]) == 0
    assert "已回退" in (shown := capsys.readouterr().out) and "批准：li" in shown
    assert govcloud([*base, "--lang", "en", "run", "status"]) == 0
    assert "rolled back" in capsys.readouterr().out
    assert govcloud([*base, "--format", "json", "run", "status", run_id]) == 0
    document = json.loads(capsys.readouterr().out)["run"]
    assert document["status"] == "rolled_back" and document["outcomes"] == {SYSTEM: "rolled_back"}
    assert [a["status"] for a in document["attempts"]].count("failed") == 1
    assert govcloud([*base, "run", "status", "--all"]) == 0
    assert run_id in capsys.readouterr().out
    assert govcloud([*base, "run", "resume", run_id]) == 1
