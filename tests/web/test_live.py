"""Pages that follow a run: what changes reaches the browser, and open tabs cost the server next to nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from run_served import SYSTEM, Office, serve_runs
from served import csrf

from govcloud.workflow import run_orders
from govcloud.workflow.account_changes import disable_account


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with serve_runs(tmp_path / "w") as running:
        yield running


def events(answer: httpx.Response) -> Iterator[tuple[str, str]]:
    name, data = "", []
    for line in answer.iter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif not line and name:
            yield name, "\n".join(data)
            name, data = "", []


def until_followers(office: Office, number: int) -> None:
    for _ in range(200):
        if len(office.served.place.followers) == number:
            return
        time.sleep(0.05)
    raise AssertionError(f"{len(office.served.place.followers)} follow, not {number}")


def test_a_change_in_the_store_reaches_the_browser(office: Office) -> None:
    run_id = office.desk.start(SYSTEM)
    with office.by("sun") as sun, sun.client.stream("GET", f"/runs/{run_id}/live", timeout=30) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        told = events(stream)
        name, part = next(told)
        assert name == "part" and "待批准" in part and "<html" not in part
        with office.desk.open("wang") as session:
            run_orders.hold(session, run_id, [SYSTEM], reason="示例<b>理由")
        name, part = next(told)
        assert name == "part" and "已暂停" in part and "示例&lt;b&gt;理由" in part


def test_the_stream_ends_with_the_run(office: Office) -> None:
    run_id = office.desk.start(SYSTEM)
    with office.by("sun") as sun, sun.client.stream("GET", f"/runs/{run_id}/live", timeout=30) as stream:
        told = events(stream)
        next(told)
        with office.desk.open("wang") as session:
            run_orders.cancel(session, run_id, [SYSTEM])
        office.desk.work(run_id)
        assert [name for name, _ in told][-1] == "end"
    until_followers(office, 0)


def test_a_closed_browser_is_forgotten_and_holds_no_thread(office: Office) -> None:
    run_id = office.desk.start(SYSTEM)
    before = set(threading.enumerate())
    with office.by("sun") as sun, ExitStack() as tabs:
        followed = [events(tabs.enter_context(_follow(sun.client, run_id))) for _ in range(5)]
        assert [next(told)[0] for told in followed] == ["part"] * 5
        assert len(office.served.place.followers) == 5
        assert len([t for t in set(threading.enumerate()) - before if t.name.startswith("live")]) <= 3
    until_followers(office, 0)


def test_many_tabs_leave_the_pages_answering_and_are_bounded(office: Office) -> None:
    run_id = office.desk.start(SYSTEM)
    with office.by("sun") as sun, office.by("li") as li, ExitStack() as tabs:
        followed = [events(tabs.enter_context(_follow(sun.client, run_id))) for _ in range(12)]
        assert [next(told)[0] for told in followed] == ["part"] * 10 + ["full"] * 2
        assert li.client.get(f"/runs/{run_id}", timeout=10).status_code == 200
        other = events(tabs.enter_context(_follow(li.client, run_id)))
        assert next(other)[0] == "part", "one with many tabs does not shut out the others"


def _follow(client: httpx.Client, run_id: str) -> AbstractContextManager[httpx.Response]:
    return client.stream("GET", f"/runs/{run_id}/live", timeout=30)


def test_who_signs_out_or_is_disabled_sees_nothing_more(office: Office) -> None:
    office.served.place.followers.ask_s = 0.0
    run_id = office.desk.start(SYSTEM)
    with office.by("sun") as sun, office.by("zhao") as zhao:
        with sun.client.stream("GET", f"/runs/{run_id}/live", timeout=30) as stream:
            told = events(stream)
            next(told)
            with httpx.Client(base_url=office.served.address, cookies=sun.client.cookies) as other:
                other.post("/sign-out", data={"csrf": csrf(other.get("/runs"))})
            assert next(told)[0] == "left"
        with zhao.client.stream("GET", f"/runs/{run_id}/live", timeout=30) as stream:
            told = events(stream)
            next(told)
            with office.desk.open("钱示例") as session:
                disable_account(session, "zhao")
            assert next(told)[0] == "left"


def test_an_open_page_prolongs_no_session(office: Office) -> None:
    office.served.place.followers.ask_s = 0.0
    run_id = office.desk.start(SYSTEM)
    with office.by("sun") as sun, sun.client.stream("GET", f"/runs/{run_id}/live", timeout=30) as stream:
        told = events(stream)
        next(told)
        for _ in range(4):
            time.sleep(0.3)
            office.desk.now += 8 * timedelta(minutes=1)
        assert [name for name, _ in told][-1] == "left"


def test_the_stream_of_a_run_that_is_not_there_is_a_refusal(office: Office) -> None:
    with office.by("sun") as sun:
        assert sun.client.get("/runs/nothing/live").status_code == 400
