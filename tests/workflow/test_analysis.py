"""`inventory zombies | sizing | departments | overlaps` and undeclared networks, from what is stored to what is shown.

Missed otherwise: evidence that is lost on the way from a host to the verdict, a request that the catalog check then refuses.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from govcloud.cli import _inventory_analysis as verbs
from govcloud.cli.base import App
from govcloud.discovery.facts import render_connection, render_interface, render_route, render_socket
from govcloud.errors import InputError, UsageError
from govcloud.model.observation import Statement, SubjectKind, Value
from govcloud.model.server import Connection, Interface, Route, Socket
from govcloud.report.networks import build_network_evidence_view
from govcloud.report.text import render_json
from govcloud.settings import Workspace, open_workspace
from govcloud.workflow.init import init_workspace
from govcloud.workflow.networks import list_remaining
from govcloud.workflow.request import check_request
from govcloud.workflow.session import Session, open_session
from govcloud.workflow.sizing import size_servers, write_request
from govcloud.workflow.statements import store_statements
from govcloud.workflow.zombies import list_zombies

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
BOOK = "普查表.xlsx!系统!"


def said(
    kind: SubjectKind,
    subject_id: str,
    source: str = "workbook",
    place: str = BOOK,
    days_ago: int = 0,
    /,
    **values: Value,
) -> Statement:
    return Statement(
        subject_kind=kind, subject_id=subject_id, source=source, place=place, observed_at=NOON - timedelta(days=days_ago),
        values=values, cells=dict.fromkeys(values, "C7") if source == "workbook" else {},
    )  # fmt: skip


def declared() -> list[Statement]:
    server = {"zone": "A", "cpu_count": 8, "memory_gib": 32, "disk_gib": 500, "arch": "x86_64"}
    return [
        said("system", "S-old", name="固定资产管理系统", department="示例交通厅", office="财务处", classified=False, servers=("W-1",), resources_idle=False),
        said("system", "S-new", name="固定资产管理平台", department="示例民政厅", classified=False, servers=("W-2",), users=900, visits_per_year=90000),
        said("system", "S-sec", name="涉密公文系统", department="示例交通厅", classified=True, users=1, visits_per_year=1),
        said("server", "W-1", name="asset-01", department="示例交通厅", addresses=("10.66.1.10",), **server),  # type: ignore[arg-type]
        said("server", "W-2", name="asset-02", department="示例民政厅", addresses=("10.66.1.20",), **server),  # type: ignore[arg-type]
        said("network", "N-1", name="政务外网", kind="extranet", prefixes=("10.66.0.0/16",)),
    ]  # fmt: skip


def seen(day: int) -> list[Statement]:
    """One look at the two hosts; nobody but an administrator and an agent ever talks to the first."""
    home = (render_route(Route(destination="0.0.0.0/0", gateway="10.66.1.1", interface="eth0")),)
    eth0 = render_interface(Interface(name="eth0", kind="ethernet", addresses=("10.66.1.10/24",)))
    leg = render_interface(Interface(name="eth1", kind="ethernet", addresses=("192.168.9.4/24",)))
    listening = (
        render_socket(Socket(address="::", port=8080, process="java")),
        render_socket(Socket(address="::", port=22, process="sshd")),
    )
    first = [
        Connection(local_address="10.66.1.10", local_port=22, remote_address="10.66.9.9", remote_port=0, process="sshd", inbound=True),
        Connection(local_address="10.66.1.10", local_port=10050, remote_address="10.66.9.8", remote_port=0, inbound=True),
    ]  # fmt: skip
    second = [
        Connection(local_address="10.66.1.20", local_port=8080, remote_address="10.66.9.7", remote_port=0, inbound=True)
    ]
    return [
        said("server", "H-1", "ssh", "ssh://asset-01/", day, name="asset-01", zone="A", addresses=("10.66.1.10", "192.168.9.4"),
             interfaces=(eth0, leg), routes=home, sockets=listening, connections=tuple(map(render_connection, first)),
             cpu_p95_pct=4.0, cpu_peak_pct=9.0, utilisation_days=31.0, utilisation_samples=4464),
        said("server", "H-2", "ssh", "ssh://asset-02/", day, name="asset-02", zone="A", addresses=("10.66.1.20",), routes=home,
             connections=tuple(map(render_connection, second)), cpu_p95_pct=50.0, memory_p95_pct=40.0, disk_used_gib=100.0,
             utilisation_days=31.0, utilisation_samples=4464),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    path = tmp_path_factory.mktemp("analysis") / "ws"
    init_workspace(path, "shanxi", actor="甲")
    with open_session(open_workspace(path), actor="甲", now=lambda: NOON) as session:
        store_statements(session, kind="import", source="普查表.xlsx", statements=declared(), body={})
        looks = [s for day in range(120, -1, -3) for s in seen(day)]
        store_statements(session, kind="discover", source="ssh", statements=looks, body={})
    return open_workspace(path)


@pytest.fixture
def session(workspace: Workspace) -> Iterator[Session]:
    with open_session(workspace, actor="甲", now=lambda: NOON) as found:
        yield found


def say(workspace: Workspace, verb: click.Command, *words: str) -> int | None:
    app = App(workspace.path, "zh", "json", "甲")
    code: int | None = verb.main(list(words), obj=app, standalone_mode=False)
    return code


def ask(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], verb: click.Command, *words: str
) -> tuple[int | None, dict[str, Any]]:
    capsys.readouterr()
    code = say(workspace, verb, *words)
    return code, json.loads(capsys.readouterr().out)


class TestZombies:
    def test_paper_and_machine_disagree_and_both_are_shown_with_their_places(
        self, workspace: Workspace, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, shown = ask(workspace, capsys, verbs.zombies)
        assert code == 1
        (row,) = shown["zombies"]["rows"]
        assert (row["system_id"], row["state"], row["met"], row["open"]) == (
            "S-old", "zombie", ["detached"], ["replaceable", "resources_idle", "updates_stopped", "little_used"],
        )  # fmt: skip
        evidence = {(e["criterion"], e["field"]): e for e in shown["zombie_evidence"]["rows"]}
        tick, load = evidence["resources_idle", "resources_idle"], evidence["resources_idle", "cpu_p95_pct"]
        assert (tick["basis"], tick["says"], tick["locator"]) == ("declared", "not_met", BOOK + "C7")
        assert (load["basis"], load["says"], load["value"], load["locator"]) == (
            "measured",
            "met",
            4.0,
            "ssh://asset-01/",
        )
        silence = evidence["detached", "connections"]
        assert (silence["value"], silence["says"], silence["locator"]) == (0, "met", "ssh://asset-01/")
        assert shown["zombies"]["clauses"] == ["SX17-2.1b"]
        assert any("条文没有数字" in note for note in shown["zombies"]["notes"])

    def test_all_lists_what_is_not_judged_and_what_is_missing(
        self, workspace: Workspace, capsys: pytest.CaptureFixture[str]
    ) -> None:
        _, shown = ask(workspace, capsys, verbs.zombies, "--all")
        states = {r["system_id"]: r["state"] for r in shown["zombies"]["rows"]}
        assert states == {"S-old": "zombie", "S-new": "undetermined", "S-sec": "not_judged"}
        details = {d["system_id"]: d for d in shown["zombies"]["details"]}
        assert details["S-new"]["criteria"]["detached"]["verdict"] == "not_met"
        assert details["S-new"]["criteria"]["replaceable"]["missing"] == ["replaceable"]

    def test_a_department_without_one_ends_well(self, workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
        code, shown = ask(workspace, capsys, verbs.zombies, "--department", "示例民政厅")
        assert (code, shown["zombies"]["rows"]) == (0, [])

    def test_the_offices_own_limits_decide_and_a_misspelt_one_is_refused(self, session: Session) -> None:
        def with_limits(**limits: object) -> Session:
            settings = replace(session.workspace.settings, zombies=limits)
            return replace(session, workspace=Workspace(session.workspace.path, settings))

        assert not list_zombies(with_limits(silent_days=365)).found
        with pytest.raises(InputError, match=r"zombies\.silent_day"):
            list_zombies(with_limits(silent_day=3))

    def test_before_the_first_import_there_is_nothing_to_judge(self, tmp_path: Path) -> None:
        made = init_workspace(tmp_path / "empty", "shanxi", actor="甲")
        with open_session(made, actor="甲") as empty, pytest.raises(UsageError):
            list_zombies(empty)


class TestSizing:
    def test_use_and_nameplate_with_what_it_saves(
        self, workspace: Workspace, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, shown = ask(workspace, capsys, verbs.sizing)
        assert code in (None, 0)
        found = {d["system_ids"][0]: d for d in shown["sizing"]["details"] if d["system_ids"]}
        assert (found["S-new"]["cpu_basis"], found["S-new"]["memory_basis"], found["S-new"]["disk_basis"]) == (
            "measured",
        ) * 3
        assert [line["code"] for line in found["S-new"]["lines"]] == ["P-VM-X86", "P-BS-STD"]
        assert (found["S-old"]["cpu_basis"], found["S-old"]["memory_basis"]) == ("measured", "nameplate")
        assert float(found["S-new"]["saving_yuan"]) > 0
        totals = [r for r in shown["sizing_totals"]["rows"] if r["department"] == "示例民政厅"]
        assert [r["monthly_yuan"] for r in totals] == [found["S-new"]["monthly_yuan"]] * 2

    @pytest.mark.parametrize("words", [["--system", "S-new"], ["--department", "示例交通厅"]])
    def test_the_request_that_it_writes_conforms_to_the_last_line(
        self,
        workspace: Workspace,
        session: Session,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        words: list[str],
    ) -> None:
        path = tmp_path / "requests" / "申请.yaml"
        _, shown = ask(workspace, capsys, verbs.sizing, *words, "--request", str(path))
        (check,) = check_request(session, [path]).checks
        assert check.conforms and all(v.conforms for v in check.lines) and not check.no_clause
        wanted = [line["code"] for d in shown["sizing"]["details"] for line in d["lines"]]
        assert [v.code for v in check.lines] == wanted
        monthly = sum(v.monthly_fen or 0 for v in check.lines)
        assert f"{monthly // 100}.{monthly % 100:02}" == next(r["monthly_yuan"] for r in shown["sizing_totals"]["rows"])

    def test_an_application_of_two_departments_is_refused_and_nothing_written(
        self, session: Session, tmp_path: Path
    ) -> None:
        with pytest.raises(UsageError, match="--department"):
            write_request(size_servers(session), tmp_path / "r.yaml")
        with pytest.raises(UsageError):
            write_request(size_servers(session, system_id="S-sec"), tmp_path / "r.yaml")
        with pytest.raises(UsageError, match="S-none"):
            size_servers(session, system_id="S-none")
        assert not (tmp_path / "r.yaml").exists()


class TestDepartments:
    def test_offices_stand_under_their_department(
        self, workspace: Workspace, capsys: pytest.CaptureFixture[str]
    ) -> None:
        _, shown = ask(workspace, capsys, verbs.departments)
        rows = {(d["department"], d["office"]): d for d in shown["departments"]["details"]}
        assert rows["示例交通厅", None]["systems"] == 2 and rows["示例交通厅", None]["zombies"] == 1
        assert 0 < rows["示例民政厅", None]["confidence_pct"] <= 100
        assert rows["示例交通厅", "财务处"]["systems"] == 1 and rows["示例交通厅", "财务处"]["servers"] == 1

    def test_candidates_name_the_words(self, workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
        _, shown = ask(workspace, capsys, verbs.overlaps)
        (found,) = shown["overlaps"]["details"]
        assert (found["system_ids"], found["words"], found["score"]) == (["S-new", "S-old"], ["固定资产"], 100)
        assert ask(workspace, capsys, verbs.overlaps, "--department", "示例信访局")[1]["overlaps"]["rows"] == []


def test_a_leg_on_a_network_nobody_declared_is_told_with_its_host_and_place(session: Session) -> None:
    found = list_remaining(session)
    shown = json.loads(render_json([build_network_evidence_view(found.undeclared, found.inventory)], "zh"))[
        "undeclared_networks"
    ]
    assert [(r["prefix"], r["what"], r["servers"], r["departments"]) for r in shown["rows"]] == [
        ("192.168.9.0/24", ["interface"], ["asset-01"], ["示例交通厅"])
    ]
    assert shown["details"][0]["locator"] == "ssh://asset-01/"
