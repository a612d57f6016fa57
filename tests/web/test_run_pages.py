"""Runs on the dashboard: each system with its reason, and every word that ends a wait, by who may say it and nobody else."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from run_served import OTHER, SYSTEM, Office, serve_runs

from govcloud.store import ledger as ledger_store


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with serve_runs(tmp_path / "w") as running:
        yield running


def gates(page: str) -> list[str]:
    return sorted(set(re.findall(r'name="gates" value="([^"]+)"', page)))


def notice(page: str) -> str:
    found = re.search(r'class="notice"[^>]*>([^<]*)', page)
    return html.unescape(found[1]) if found else ""


def said_by(office: Office, kind: str) -> list[tuple[str, str]]:
    """Actor and system of the ledger's records of the kind."""
    with office.desk.open() as session, session.store.read() as tx:
        found = [json.loads(record.canonical) for record in ledger_store.records(tx)]
    return [(record["actor"], record["subject_id"]) for record in found if record["kind"] == kind]


def approve(office: Office, run_id: str, login: str = "li", **more: object) -> str:
    with office.by(login) as browser:
        page = browser.get(f"/runs/{run_id}")
        step = re.findall(r'name="step" value="([^"]+)"', page)[0]
        systems = sorted({g.split("/")[1] for g in gates(page)})
        told = browser.post(
            f"/runs/{run_id}/answer", **({"word": "approve", "step": step, "gates": gates(page), "systems": systems} | more)
        )  # fmt: skip
    office.desk.work(run_id)
    return told


def to_trial(office: Office) -> str:
    run_id = office.desk.start(SYSTEM)
    approve(office, run_id)
    approve(office, run_id)
    assert office.desk.state(run_id)[0] == "trial"
    return run_id


def order_forms(page: str) -> set[str]:
    return set(re.findall(r'action="/runs/[^/]+/([a-z-]+)"', page))


def test_each_waiting_system_says_why_and_its_approver_ends_it_with_the_form(office: Office) -> None:
    run_id = office.desk.start(plan_id="P-1", wave=1)
    with office.by("li") as li:
        page = li.get(f"/runs/{run_id}")
        for system in (SYSTEM, OTHER):
            assert f'href="/runs/{run_id}/systems/{system}"' in page
        assert "待批准" in page and "ab" * 32 in page and "2026-03-14 22:00" in page, (
            "what is approved: plan and window"
        )
        assert "由发起人 zhang 以外的人批准" in page and "govcloud run" not in page, (
            "a page names its buttons, no commands"
        )
    told = notice(approve(office, run_id))
    assert "已批准" in told and SYSTEM in told and OTHER in told
    assert said_by(office, "approval") == [("李示例", SYSTEM), ("李示例", OTHER)]


@pytest.mark.parametrize("login", ["zhang", "wang", "sun"])
def test_who_may_not_approve_sees_no_form_and_is_refused(office: Office, login: str) -> None:
    run_id = office.desk.start(SYSTEM)
    with office.by("li") as li:
        found = gates(li.get(f"/runs/{run_id}"))
    with office.by(login) as other:
        assert not gates(other.get(f"/runs/{run_id}")) and not gates(other.get("/approvals"))
        other.post(
            f"/runs/{run_id}/answer", 403, word="approve", step="prepare", gates=found, systems=[SYSTEM]
        )  # fmt: skip
    assert not said_by(office, "approval")
    assert office.desk.state(run_id) == ("waiting", "approval")


def test_what_has_changed_since_it_was_shown_is_not_approved(office: Office) -> None:
    run_id = office.desk.start(SYSTEM)
    with office.by("li") as li, office.by("wang") as wang:
        shown = gates(li.get(f"/runs/{run_id}"))
        hosts = office.desk.place.path / "hosts.yaml"
        hosts.write_text(hosts.read_text().replace("10.100.8.10", "10.100.8.11"))
        office.desk.work(run_id)
        assert "hold" in order_forms(wang.get(f"/runs/{run_id}"))
        assert "继续" in notice(wang.post(f"/runs/{run_id}/resume", systems=[SYSTEM]))
        office.desk.work(run_id)
        assert gates(li.get(f"/runs/{run_id}")) != shown
        refused = li.post(
            f"/runs/{run_id}/answer", 400, word="approve", step="prepare", gates=shown, systems=[SYSTEM]
        )  # fmt: skip
        assert "显示之后内容已变" in refused
        li.post(f"/runs/{run_id}/answer", 400, word="approve", step="prepare", systems=[SYSTEM])
    assert not said_by(office, "approval")


def test_a_form_without_a_chosen_system_does_nothing(office: Office) -> None:
    run_id = office.desk.start(plan_id="P-1", wave=1)
    with office.by("wang") as wang:
        for order in ("hold", "resume", "cancel", "switch-off", "rollback"):
            wang.post(f"/runs/{run_id}/{order}", 400)
    with office.by("li") as li:
        for order in ("accept", "review"):
            li.post(f"/runs/{run_id}/{order}", 400, reason="示例")
    assert not said_by(office, "order")


def test_hold_and_resume_and_cancel(office: Office) -> None:
    run_id = office.desk.start(plan_id="P-1", wave=1)
    with office.by("wang") as wang:
        assert order_forms(wang.get(f"/runs/{run_id}")) == {"hold", "cancel"}
        wang.post(f"/runs/{run_id}/hold", systems=[SYSTEM], reason="示例理由")
        assert office.desk.state(run_id) == ("held", "order")
        assert office.desk.state(run_id, OTHER)[0] == "waiting"
        page = wang.get(f"/runs/{run_id}")
        assert order_forms(page) == {"hold", "resume", "cancel"} and "示例理由" in page
        assert order_forms(wang.get(f"/runs/{run_id}/systems/{SYSTEM}")) == {"resume", "cancel"}
        wang.post(f"/runs/{run_id}/hold", 400, systems=[SYSTEM])
        wang.post(f"/runs/{run_id}/resume", systems=[SYSTEM])
        wang.post(f"/runs/{run_id}/cancel", systems=[SYSTEM, OTHER])
        office.desk.work(run_id)
        assert {row.state for row in office.desk.rows(run_id)} == {"cancelled"}
        assert order_forms(wang.get(f"/runs/{run_id}")) == set()


def test_the_trial_is_accepted_by_the_owner_and_switched_off_by_the_builder(office: Office) -> None:
    run_id = to_trial(office)
    page = f"/runs/{run_id}/systems/{SYSTEM}"
    with office.by("wang") as wang, office.by("li") as li:
        assert order_forms(wang.get(page)) == {"rollback"}
        assert order_forms(li.get(page)) == {"accept"}
        wang.post(f"/runs/{run_id}/accept", 403, systems=[SYSTEM])
        li.post(f"/runs/{run_id}/accept", systems=[SYSTEM], back="system")
        assert office.desk.state(run_id) == ("accepted", "retention")
        assert order_forms(wang.get(page)) == set(), "the source is kept for its time"
        wang.post(f"/runs/{run_id}/switch-off", 400, systems=[SYSTEM])
        wang.post(f"/runs/{run_id}/rollback", 400, systems=[SYSTEM])


def test_a_trial_is_rolled_back_one_system_at_a_time(office: Office) -> None:
    run_id = to_trial(office)
    with office.by("wang") as wang:
        wang.post(f"/runs/{run_id}/rollback", 400, systems=[SYSTEM, OTHER])
        wang.post(f"/runs/{run_id}/rollback", systems=[SYSTEM], reason="示例", back="system")
        office.desk.work(run_id)
        assert "已回退" in wang.get(f"/runs/{run_id}")
    assert office.desk.state(run_id)[0] == "rolled_back"


def test_an_unclear_attempt_is_decided_on_where_its_log_stands(office: Office) -> None:
    office.desk.results = lambda _s, step, phase, n: (
        "failed" if (step, phase, n) == ("verify_service", "apply", 1) else "ok"
    )
    run_id = office.desk.start(OTHER)
    approve(office, run_id)
    approve(office, run_id)
    assert office.desk.state(run_id, OTHER) == ("needs_person", "outcome")
    page = f"/runs/{run_id}/systems/{OTHER}"
    with office.by("wang") as wang, office.by("sun") as sun:
        shown = wang.get(page)
        assert f'href="{page}#run-question"' in wang.get(f"/runs/{run_id}")
        (log,) = {
            html.unescape(m) for m in re.findall(r'href="(/runs[^"]+step=verify_service&amp;phase=apply[^"]+)"', shown)
        }
        assert f"log of {run_id}/{OTHER}/verify_service/apply/1" in sun.get(log)
        assert "decide" not in order_forms(sun.get(page))
        word = {"system": OTHER, "step": "verify_service", "phase": "apply", "word": "rerun"}
        sun.post(f"/runs/{run_id}/decide", 403, **word, number=1)
        wang.post(f"/runs/{run_id}/decide", 400, **word, number=2)
        assert "已记录" in notice(wang.post(f"/runs/{run_id}/decide", **word, number=1, reason="现场已核实"))
        assert "decide" not in order_forms(wang.get(page))


def test_an_emergency_takes_two_and_is_reviewed_by_a_third(office: Office) -> None:
    run_id = office.desk.start(SYSTEM)
    approve(office, run_id)
    with office.by("zhao") as zhao:
        assert "紧急" in zhao.get("/approvals")
        zhao.post(
            f"/runs/{run_id}/answer",
            400,
            word="emergency",
            step="freeze",
            gates=gates(zhao.get("/approvals")),
            systems=[SYSTEM],
        )
    approve(office, run_id, "zhao", word="emergency", reason="示例紧急")
    assert office.desk.state(run_id) == ("waiting", "approval")
    with office.by("li") as li:
        page = li.get("/approvals")
        assert "示例紧急" in page and 'value="emergency"' in page and 'value="approve"' not in page
    approve(office, run_id, "li", word="emergency", reason="示例紧急二", back="approvals")
    assert office.desk.state(run_id)[0] == "trial"
    with office.by("li") as li:
        assert "review" not in order_forms(li.get("/approvals")), "who approved does not review"
        li.post(f"/runs/{run_id}/review", 403, systems=[SYSTEM], reason="示例")
    with office.by("zhou") as zhou:
        assert "示例紧急二" in zhou.get("/approvals")
        zhou.post(f"/runs/{run_id}/review", 400, systems=[SYSTEM], reason=" ")
        assert "复核" in notice(
            zhou.post(f"/runs/{run_id}/review", systems=[SYSTEM], reason="情况属实", back="approvals")
        )
        assert "review" not in order_forms(zhou.get("/approvals"))
    assert said_by(office, "order") == [("周示例", SYSTEM)]


def test_my_approvals_are_mine_and_others_see_why_not_they(office: Office) -> None:
    run_id = office.desk.start(SYSTEM)
    with office.by("li") as li, office.by("zhang", "en") as zhang:
        assert gates(li.get("/approvals")) == [f"{run_id}/{SYSTEM}/prepare/1"]
        page = zhang.get("/approvals")
        assert not gates(page) and "Waiting for somebody else" in page and run_id in page
        told = li.post(
            f"/runs/{run_id}/answer", word="refuse", step="prepare", gates=gates(li.get("/approvals")), systems=[SYSTEM],
            back="approvals",
        )  # fmt: skip
        assert "未予批准" in notice(told) and not gates(told)
    assert office.desk.state(run_id)[0] == "cancelled"


def test_a_run_is_registered_for_the_workers_and_no_step_begins(office: Office) -> None:
    with office.by("zhang") as zhang, office.by("li") as li:
        page = zhang.get("/runs/new")
        assert "P-1" in page and "2026-03-14 22:00" in page
        assert li.client.get("/runs/new").status_code == 403
        li.post("/runs", 403, systems=SYSTEM)
        assert "所填内容仍在" in zhang.post("/runs", 400, systems=" ,")
        zhang.post("/runs", 400, wave="7", plan_id="P-1")
        told = zhang.post("/runs", wave="1", plan_id="P-1")
        assert "已登记" in notice(told) and SYSTEM in told and OTHER in told
        assert "没有在线的执行进程" in told
        zhang.post("/runs", 400, systems=f"{SYSTEM}、{OTHER}")
    assert not office.desk.did


def test_a_run_after_midnight_carries_the_day_of_the_office(office: Office) -> None:
    office.desk.now = datetime(2026, 3, 14, 17, tzinfo=UTC)
    assert office.desk.start(SYSTEM) == "r20260315-1"


def test_pages_of_a_run_that_is_not_there(office: Office) -> None:
    run_id = office.desk.start(SYSTEM)
    with office.by("sun") as sun:
        for path, status in {
            "/runs/nothing": 400, "/runs/nothing/live": 400, f"/runs/{run_id}/systems/nothing": 404,
            f"/runs/{run_id}/systems/{SYSTEM}/log?step=nothing": 404, f"/runs/{run_id}/systems/{SYSTEM}/log?step=freeze": 400,
        }.items():  # fmt: skip
            assert sun.client.get(path).status_code == status, path


def test_a_log_is_text_whatever_it_says_and_comes_whole_as_a_file(office: Office) -> None:
    office.desk.log = "<script>alert(1)</script>\n" + "示例行\n" * 60_000 + "末行"
    run_id = office.desk.start(SYSTEM)
    path = f"/runs/{run_id}/systems/{SYSTEM}/log?step=precheck"
    with office.by("sun") as sun:
        page = sun.get(path)
        assert "<script>alert" not in page and "末行" in page and len(page) < 300_000
        whole = sun.client.get(path + "&as=txt")
        assert "<script>alert(1)</script>" in whole.text and whole.headers["content-type"].startswith("text/plain")
        assert "attachment" in whole.headers["content-disposition"]
