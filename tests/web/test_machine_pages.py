"""Machines that a run makes: the cloud desk's tickets go out and come back on a page, and the keys of new machines are compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_office import as_account
from run_served import SYSTEM, Office, serve_runs
from served import csrf

from govcloud.model.resource import Resource
from govcloud.workflow import run_gates
from govcloud.workflow.run_journal import StoreJournal


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with serve_runs(tmp_path / "w") as running:
        yield running


TICKET = "gc-r1-ticket-main"


def waits_for_the_desk(office: Office) -> str:
    """A run whose worker has written a ticket."""
    desk = office.desk
    written = desk.place.path / "evidence" / "runs" / f"{TICKET}.txt"
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text("云主机开通工单\n", "utf-8")
    desk.facts = {
        "wait": "ticket",
        "ticket.main": str(written),
        "ticket.other": str(desk.place.path.parent / "other.txt"),
    }
    desk.results = lambda _s, step, _p, _n: "failed" if step == "prepare" else "ok"
    run_id = desk.start(SYSTEM)
    with desk.open("worker") as session:
        StoreJournal(session, "m1/cli").keep_resource(Resource(
            resource_id=f"{run_id}/{SYSTEM}/main/ticket", run_id=run_id, system_id=SYSTEM, machine="main", kind="ticket",
            driver="existing", cloud="示例云", name=TICKET, intent_at=desk.now, external_id=TICKET,
        ))  # fmt: skip
    with desk.open() as session:
        run_gates.answer_gates(as_account(session, "li"), run_id)
    desk.work(run_id)
    assert desk.state(run_id) == ("waiting", "ticket")
    return run_id


def test_a_ticket_goes_to_the_cloud_desk_and_its_answer_lets_the_system_go_on(office: Office) -> None:
    run_id = waits_for_the_desk(office)
    here = f"/runs/{run_id}/systems/{SYSTEM}/machines"
    with office.by("sun") as auditor:
        page = auditor.get(here)
        assert f"{here}?ticket={TICKET}" in page
        assert 'name="file"' not in page, "an auditor only looks"
        assert auditor.get(f"{here}?ticket={TICKET}").startswith("云主机开通工单")
        assert auditor.client.get(f"{here}?ticket=other").status_code == 404
    with office.by("zhang") as builder:
        sent = {"csrf": csrf(builder.client.get(here))}
        other = b"ticket: other\nid: i-1\naddress: 10.1.1.9\n"
        wrong = builder.client.post(f"{here}/answer", data=sent, files={"file": ("回执.txt", other)})
        assert (wrong.status_code, "没有这张工单" in wrong.text) == (422, True)
        filled = f"ticket: {TICKET}\nid: i-1\naddress: 10.1.1.9\n".encode()
        page = builder.client.post(f"{here}/answer", data=sent, files={"file": ("回执.txt", filled)}).text
    assert "已登记 i-1，地址 10.1.1.9" in page
    assert f"ticket={TICKET}" not in page, "it is answered"
    assert office.desk.state(run_id) != ("waiting", "ticket")


def test_no_key_is_approved_that_nobody_ticked(office: Office) -> None:
    run_id = waits_for_the_desk(office)
    here = f"/runs/{run_id}/systems/{SYSTEM}/machines"
    with office.by("zhang") as builder:
        assert "没有勾选" in builder.post(f"{here}/trust", status=400)
        assert not re.search(r'name="compared"', builder.get(here))
