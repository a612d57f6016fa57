"""What an operator relies on when he starts, holds, decides and takes back: no act without approval, nothing done twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from run_desk import SYSTEM, Desk, make_desk

from govcloud.errors import InputError, UsageError
from govcloud.model.plan import MigrationPlan, Move, Wave
from govcloud.model.plan_problem import ChangeWindow, MoveGroup, PlanProblem, WeakLink
from govcloud.model.run import MOVED
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.workflow import run as verbs
from govcloud.workflow import run_gates, run_orders
from govcloud.workflow.plan import PlanOrder, build_plan
from govcloud.workflow.run_scope import plan_places
from govcloud.workflow.session import Session

STEPS = [
    "precheck/apply", "prepare/apply", "replicate/apply", "rehearse/apply", "rehearse/rollback", "freeze/apply",
    "final_sync/apply", "verify_data/apply", "cutover/apply", "verify_service/apply",
]  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return make_desk(tmp_path / "w")


@pytest.fixture
def session(desk: Desk) -> Iterator[Session]:
    with desk.open() as opened:
        yield opened


def approve(desk: Desk, run_id: str, actor: str = "li") -> None:
    with desk.open(actor) as session:
        run_gates.answer_gates(session, run_id, reason="窗口已定")
    desk.work(run_id)


def on_trial(desk: Desk) -> str:
    run_id = desk.start()
    approve(desk, run_id)
    approve(desk, run_id)
    assert desk.state(run_id) == ("trial", "order")
    return run_id


def ledger(session: Session) -> list[dict[str, object]]:
    with session.store.read() as tx:
        return [json.loads(r.canonical) for r in ledger_store.records(tx)]


def hosting(session: Session) -> str | None:
    with session.store.read() as tx:
        system = inventory_store.load_inventory(tx).system(SYSTEM)
    return system.hosting if system else None


def test_nothing_but_the_check_runs_before_the_approval(desk: Desk) -> None:
    run_id = desk.start()
    assert desk.did == [f"{SYSTEM} precheck/apply#1"]
    desk.work(run_id)
    assert len(desk.did) == 1 and desk.state(run_id) == ("waiting", "approval")
    approve(desk, run_id)
    assert desk.did[-1] == f"{SYSTEM} rehearse/rollback#1", "and nothing from the freeze on before the second"


def test_an_approved_run_is_carried_out_and_every_act_has_its_intent_and_result_in_the_ledger(
    desk: Desk, session: Session
) -> None:
    run_id = on_trial(desk)
    assert desk.did == [f"{SYSTEM} {s}#1" for s in STEPS]
    records = [(f"{r['step']}/{r['body']['phase']}", r["phase"]) for r in ledger(session) if r["kind"] == "step"]  # type: ignore[index]
    assert records == [(s, phase) for s in STEPS for phase in ("intent", "result")]
    given = [r for r in ledger(session) if r["kind"] == "approval"]
    assert [r["actor"] for r in given] == ["li", "li"]
    row = desk.row(run_id)
    assert row.downtime_from and row.downtime_to and row.downtime_to > row.downtime_from
    assert hosting(session) == "gov_cloud", "the next check must not find it outside of the cloud again"
    run_orders.roll_back(session, run_id, SYSTEM)
    desk.work(run_id)
    assert desk.state(run_id)[0] == "rolled_back" and hosting(session) is None, "the way back takes the fact back"
    assert desk.did[-3:] == [f"{SYSTEM} {s}/rollback#1" for s in ("cutover", "freeze", "prepare")]


def test_a_refused_run_is_over_and_its_system_is_free_again(desk: Desk, session: Session) -> None:
    run_id = desk.start()
    with pytest.raises(UsageError, match=run_id):
        verbs.register_run(session, [SYSTEM])
    run_gates.answer_gates(session, run_id, granted=False)
    assert desk.state(run_id) == ("cancelled", None), "at once, without a worker"
    assert verbs.register_run(session, [SYSTEM]).run_id != run_id


def test_a_system_on_trial_is_free_for_nothing_else_to_begin_but_a_new_run_may_be_registered_later(
    desk: Desk, session: Session
) -> None:
    run_id = on_trial(desk)
    assert desk.state(run_id)[0] in MOVED
    assert verbs.register_run(session, [SYSTEM]).run_id == "r20260308-2", "of the day that the office writes"


def test_classified_and_unknown_systems_never_start(session: Session) -> None:
    for system in ("SL-SM-08", "SL-XX-99", "SL-NO-00"):
        with pytest.raises(UsageError):
            verbs.register_run(session, [system])


def test_a_host_whose_key_nobody_approved_is_never_called(desk: Desk, session: Session) -> None:
    with session.store.begin() as tx:
        tx.exec_driver_sql("DELETE FROM host_key")
    with pytest.raises(UsageError, match="host key"):
        verbs.register_run(session, [SYSTEM])


@pytest.mark.parametrize(
    ("provision", "named"),
    [
        ({"offering": "NO-SUCH:4C8G"}, "NO-SUCH"),
        ({"offering": "P-VM-X86:4C8G", "key_file": "keys/new"}, r"keys/new\.pub"),
    ],
)
def test_a_machine_that_can_not_be_made_is_refused_before_anything_happens(
    desk: Desk, session: Session, provision: dict[str, str], named: str
) -> None:
    path = desk.place.path / "migration" / f"{SYSTEM}.yaml"
    spec = yaml.safe_load(path.read_text())
    spec["machines"][0]["provision"] = {"driver": "existing", "image": "示例镜像", "network": "tenant", **provision}
    path.write_text(yaml.safe_dump(spec, allow_unicode=True))
    with pytest.raises(InputError) as error:
        verbs.register_run(session, [SYSTEM])
    assert re.search(named, str(error.value))


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("migration/SL-OA-01.yaml", "/srv/oa/app", "/srv/oa/other", "the migration file"),
        ("hosts.yaml", "10.100.8.10", "10.100.8.99", "its hosts"),
    ],
)
def test_an_approval_is_void_when_what_was_approved_changes(
    desk: Desk, file: str, old: str, new: str, named: str
) -> None:
    run_id = desk.start()
    path = desk.place.path / file
    original = path.read_text()
    path.write_text(original.replace(old, new))
    with pytest.raises(UsageError, match=named):
        approve(desk, run_id)
    path.write_text(original)
    approve(desk, run_id)
    with desk.open("li") as session:
        run_gates.answer_gates(session, run_id)
    path.write_text(original.replace(old, new))
    before = len(desk.did)
    desk.work(run_id)
    wait = desk.row(run_id).wait
    assert len(desk.did) == before and wait is not None and named in wait.text.en and "resume" in wait.text.en
    path.write_text(original)
    desk.work(run_id)
    assert desk.state(run_id)[0] == "trial", "what was approved is there again"


def test_resume_takes_over_what_changed_and_asks_for_the_approval_again(desk: Desk, session: Session) -> None:
    run_id = desk.start()
    approve(desk, run_id)
    with desk.open("li") as other:
        run_gates.answer_gates(other, run_id)
    path = desk.place.path / "hosts.yaml"
    path.write_text(path.read_text().replace("10.100.8.10", "10.100.8.99"))
    desk.work(run_id)
    (given,) = run_orders.resume(session, run_id)
    assert given.note is not None
    desk.work(run_id)
    assert desk.state(run_id) == ("waiting", "approval"), "the approval that was given is void"
    assert not [d for d in desk.did if "freeze" in d]
    approve(desk, run_id)
    assert desk.state(run_id)[0] == "trial"
    assert [r["body"]["parts"] for r in ledger(session) if r["kind"] == "run_scope"] == [[f"hosts:{SYSTEM}"]]  # type: ignore[index]


def test_a_migration_file_can_change_until_the_target_is_begun(desk: Desk, session: Session) -> None:
    run_id = desk.start()
    path = desk.place.path / "migration" / f"{SYSTEM}.yaml"
    path.write_text(path.read_text().replace("/health", "/alive"))
    run_orders.resume(session, run_id)
    assert desk.row(run_id).spec.verify.checks[0].path == "/alive"
    approve(desk, run_id)
    path.write_text(path.read_text().replace("/alive", "/live"))
    with pytest.raises(UsageError, match="begun by the old one"):
        run_orders.resume(session, run_id)


def test_a_file_that_can_no_longer_be_read_stops_the_run_and_says_so(desk: Desk, session: Session) -> None:
    run_id = desk.start()
    (desk.place.path / "migration" / f"{SYSTEM}.yaml").write_text("system_id: [")
    with pytest.raises(UsageError, match="the migration file"):
        approve(desk, run_id)
    with pytest.raises(InputError):
        run_orders.resume(session, run_id)


def test_from_the_freeze_on_a_system_is_carried_through_as_approved(desk: Desk) -> None:
    run_id = desk.start()
    approve(desk, run_id)
    path = desk.place.path / "hosts.yaml"

    def change_in_the_middle(_system: str, step: str, _phase: str, _number: int) -> str:
        if step == "final_sync":
            path.write_text(path.read_text().replace("10.100.8.10", "10.100.8.99"))
        return "ok"

    desk.results = change_in_the_middle
    approve(desk, run_id)
    assert desk.state(run_id)[0] == "trial"


def test_hold_and_resume(desk: Desk, session: Session) -> None:
    run_id = desk.start()
    (given,) = run_orders.hold(session, run_id, reason="等业务方答复")
    assert given.state == "held", "at once, without a worker"
    approve(desk, run_id)
    assert len(desk.did) == 1 and desk.state(run_id) == ("held", "order")
    with pytest.raises(UsageError, match="held already"):
        run_orders.hold(session, run_id)
    (given,) = run_orders.resume(session, run_id)
    assert given.state == "waiting"
    desk.work(run_id)
    assert desk.did[-1] == f"{SYSTEM} rehearse/rollback#1"
    assert run_orders.resume(session, run_id) == [], "nothing to take back: it is simply gone on with"


def test_a_run_that_is_given_up_before_the_freeze_leaves_a_clean_target(desk: Desk, session: Session) -> None:
    run_id = desk.start()
    approve(desk, run_id)
    with pytest.raises(UsageError, match="nothing to roll back"):
        run_orders.roll_back(session, run_id, SYSTEM)
    run_orders.cancel(session, run_id)
    desk.work(run_id)
    assert desk.state(run_id)[0] == "cancelled" and desk.did[-1] == f"{SYSTEM} prepare/rollback#1"
    for verb in (run_orders.hold, run_orders.cancel, run_orders.accept, run_orders.switch_off):
        with pytest.raises(UsageError):
            verb(session, run_id)


def test_a_failed_check_of_the_service_leads_back(desk: Desk) -> None:
    desk.results = lambda _s, step, phase, _n: "failed" if (step, phase) == ("verify_service", "apply") else "ok"
    run_id = desk.start()
    approve(desk, run_id)
    approve(desk, run_id)
    assert desk.state(run_id)[0] == "rolled_back"


def test_a_cutover_of_unknown_outcome_waits_for_a_person_who_did_not_start_it(desk: Desk, session: Session) -> None:
    desk.results = lambda _s, step, phase, n: {"apply": "unknown", "verify": "failed"}.get(phase, "ok") if step == "cutover" and n == 1 else "ok"  # fmt: skip
    run_id = desk.start()
    approve(desk, run_id)
    approve(desk, run_id)
    assert desk.state(run_id) == ("needs_person", "outcome")
    desk.work(run_id)
    assert desk.state(run_id) == ("needs_person", "outcome"), "and waits, however often it is resumed"
    with pytest.raises(UsageError, match="waiting: cutover"):
        run_orders.decide(session, run_id, SYSTEM, "freeze", "rerun")
    with pytest.raises(UsageError, match="starter"):
        run_orders.decide(session, run_id, SYSTEM, "cutover", "rerun")
    with desk.open("li") as other:
        given = run_orders.decide(other, run_id, SYSTEM, "cutover", "rerun", reason="已现场核实未切换")
    assert given.state == "waiting"
    desk.work(run_id)
    assert desk.state(run_id)[0] == "trial"
    assert [d for d in desk.did if "cutover/apply" in d] == [f"{SYSTEM} cutover/apply#{n}" for n in (1, 2)]
    assert [r["actor"] for r in ledger(session) if r["kind"] == "order"] == ["li"]


def test_the_whole_life_of_a_system(desk: Desk, session: Session) -> None:
    run_id = on_trial(desk)
    with pytest.raises(UsageError, match="not accepted"):
        run_orders.switch_off(session, run_id)
    (given,) = run_orders.accept(session, run_id)
    assert given.state == "accepted" and desk.state(run_id) == ("accepted", "retention")
    with pytest.raises(UsageError, match="can't be taken back"):
        run_orders.roll_back(session, run_id, SYSTEM)
    with pytest.raises(UsageError, match="kept until"):
        run_orders.switch_off(session, run_id)
    wait = desk.row(run_id).wait
    assert wait is not None and wait.until is not None
    desk.now = wait.until
    run_orders.switch_off(session, run_id)
    desk.work(run_id)
    assert desk.state(run_id)[0] == "switched_off" and desk.did[-1] == f"{SYSTEM} switch_off/apply#1"
    assert hosting(session) == "gov_cloud"


def test_a_trial_has_its_days(tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "w", trial_days=30)
    run_id = on_trial(desk)
    with desk.open() as session:
        with pytest.raises(UsageError, match="trial lasts until"):
            run_orders.accept(session, run_id)
        wait = desk.row(run_id).wait
        assert wait is not None and wait.until is not None
        desk.now = wait.until
        assert run_orders.accept(session, run_id)[0].state == "accepted"


def test_the_commands_say_what_to_do_next(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.cli("status") == 2
    assert "run start" in capsys.readouterr().err
    assert desk.cli("start") == 2
    assert "系统" in capsys.readouterr().err
    assert desk.cli("start", "SL-SM-08") == 2
    assert "涉密" in capsys.readouterr().err
    assert desk.cli("approve", "r-none") == 2
    assert desk.cli("decide", "r-none", SYSTEM, "cutover", "maybe") == 2
    run_id = desk.start()
    for argv in (["rollback", run_id, SYSTEM], ["accept", run_id], ["switch-off", run_id], ["review", run_id, "--reason", "x"],
                 ["decide", run_id, SYSTEM, "cutover", "done"], ["hold", run_id, "--system", "SL-NO"], ["cleanup", run_id],
                 ["logs", run_id, SYSTEM, "cutover"], ["probe", run_id, SYSTEM, "precheck"], ["trust", run_id, SYSTEM],
                 ["approve", run_id]):  # fmt: skip
        assert desk.cli(*argv) == 2, argv
        assert "govcloud run" in capsys.readouterr().err, argv


def test_the_verbs_answer_with_what_they_did(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = desk.start()
    assert desk.cli("hold", run_id, "--reason", "示例", lang="en") == 0
    assert f"Recorded: {SYSTEM} hold; now: held" in capsys.readouterr().out
    assert desk.cli("approve", run_id, user="li") == 0
    shown = capsys.readouterr().out
    assert "已批准" in shown and "li" in shown and "有效至" in shown
    assert desk.cli("logs", run_id, SYSTEM, "precheck") == 0
    assert f"log of {run_id}/{SYSTEM}/precheck/apply/1" in capsys.readouterr().out
    assert desk.cli("cleanup", run_id, "--list") == 0


def test_a_new_plan_voids_what_was_not_used_and_resume_takes_over_its_window(desk: Desk, session: Session) -> None:
    order = PlanOrder(limit_s=0.5, starts_on=date(2026, 3, 9))
    first = build_plan(session, order)
    (wave,) = first.waves
    run_id = desk.start(wave=wave.number)
    row = desk.row(run_id)
    assert (row.opens_at, row.closes_at) == (wave.moves[0].starts_at, wave.window.ends_at)
    approve(desk, run_id)
    with desk.open("li") as other:
        run_gates.answer_gates(other, run_id)
    desk.work(run_id)
    assert desk.state(run_id) == ("waiting", "window")
    second = build_plan(session, replace(order, starts_on=date(2026, 3, 10)))
    assert second.plan_hash != first.plan_hash
    desk.work(run_id)
    wait = desk.row(run_id).wait
    assert wait is not None and wait.kind == "approval" and "the plan" in wait.text.en
    run_orders.resume(session, run_id)
    desk.work(run_id)
    assert desk.state(run_id) == ("waiting", "approval")
    (planned,) = [w for w in second.waves if any(m.system_id == SYSTEM for m in w.moves)]
    assert desk.row(run_id).closes_at == planned.window.ends_at
    with desk.open("li") as other:
        (given,) = run_gates.answer_gates(other, run_id)
    assert given.lapses_early, "the approver is told that his word will not last until the window"
    desk.now = planned.moves[0].starts_at
    desk.work(run_id)
    assert desk.state(run_id) == ("waiting", "approval")
    approve(desk, run_id)
    assert desk.state(run_id)[0] == "trial"


def test_a_deadline_that_would_end_a_step_in_the_window_is_refused_before_anything_begins(
    desk: Desk, session: Session
) -> None:
    """Otherwise the source stands frozen, the comparison is ended half way, and the night is lost."""
    made = build_plan(session, PlanOrder(limit_s=0.5, starts_on=date(2026, 3, 9)))
    path = desk.place.path / "migration" / f"{SYSTEM}.yaml"
    was = path.read_text("utf-8")
    path.write_text(was + "limits: {deadline_min: 2}\n", "utf-8")
    with pytest.raises(InputError) as error:
        desk.start(wave=made.waves[0].number)
    assert "deadline_min is 2 minutes" in error.value.what.en
    path.write_text(was, "utf-8")
    assert desk.start(wave=made.waves[0].number)


def test_groups_go_in_their_order_and_ties_only_where_the_plan_put_them_so() -> None:
    at = datetime(2026, 3, 7, 14, tzinfo=UTC)
    window = ChangeWindow(window_id="W", starts_at=at, ends_at=at + timedelta(hours=6), opens_on=date(2026, 3, 7))
    moves = tuple(
        Move(
            system_id=f"SL-{n}", group_id="SL-1", crew="一组", starts_at=at + timedelta(hours=n),
            cutover_ends_at=at + timedelta(hours=n + 1), ends_at=at + timedelta(hours=6),
        )
        for n in (1, 2, 3)
    )  # fmt: skip
    ties = (("SL-3", "SL-1"), ("SL-1", "SL-3"))
    problem = PlanProblem(
        starts_on=date(2026, 3, 7), weeks=1, timezone="Asia/Shanghai",
        groups=(MoveGroup(group_id="SL-1", system_ids=("SL-1", "SL-2")), MoveGroup(group_id="SL-3", system_ids=("SL-3",))),
        weak_links=tuple(WeakLink(dependency_id=f"{a}{b}", source_id=a, target_id=b) for a, b in ties),
    )  # fmt: skip
    plan = MigrationPlan(
        plan_id="P", created_at=at, problem=problem, waves=(Wave(number=1, window=window, moves=moves),), status="optimal",
        plan_hash="h",
    )  # fmt: skip
    places = plan_places(plan, ["SL-1", "SL-2", "SL-3", "SL-9"])
    assert {s: p.after for s, p in places.items()} == {"SL-1": (), "SL-2": ("SL-1",), "SL-3": ("SL-1",)}
    assert plan_places(plan, ["SL-2"])["SL-2"].after == (), "who is not in the run is not waited for"
