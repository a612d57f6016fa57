"""What a person settled stays settled: an office that confirms a fact once must not be asked again after every import."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from govcloud.cli.main import run
from govcloud.discovery.columns import load_column_maps
from govcloud.discovery.records import read_workbook
from govcloud.discovery.workbook import load_workbook
from govcloud.errors import UsageError
from govcloud.model.inventory import Inventory
from govcloud.model.observation import Statement, Value
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.workflow.collect import import_files
from govcloud.workflow.confirm import (
    confirm_field,
    confirm_file,
    confirm_identity,
    list_confirmations,
    withdraw_field,
    withdraw_identity,
)
from govcloud.workflow.inventory import explain_subjects, read_inventory
from govcloud.workflow.session import Session
from govcloud.workflow.statements import store_statements

sys.path.insert(0, str(Path(__file__).parent.parent / "discovery"))

from books import CENSUS, write_book

OA = ["SL-1", "办公系统", "示例厅", "二级", "oa-01", "10.1.1.1", "CentOS 7.6", "8核16G"]


MAPS, _ = load_column_maps()


def census(
    session: Session, tmp_path: Path, *rows: list[str], header: Sequence[str] = CENSUS, name: str = "普查表"
) -> None:
    """A workbook, read and stored; without the child process, which costs half a second each time."""
    path = write_book(tmp_path / f"{name}.xlsx", [header, *rows])
    reading = read_workbook(load_workbook(path), MAPS, at=session.now())
    store_statements(session, kind="import", source=name, statements=reading.statements, body={})


def imported(session: Session, tmp_path: Path, *rows: list[str]) -> None:
    import_files(session, [write_book(tmp_path / "普查表.xlsx", [CENSUS, *rows])])


def discover(session: Session, name: str = "oa-01", **values: Value) -> None:
    told: dict[str, Value] = {"name": name, "addresses": ("10.1.1.1",), **values}
    statement = Statement(
        subject_kind="server", subject_id=f"V-{name}", source="ssh", place=f"ssh://{name}/", observed_at=session.now(),
        values=told,
    )  # fmt: skip
    store_statements(session, kind="discover", source="ssh", statements=[statement], body={})


def records(session: Session) -> list[dict[str, object]]:
    with session.store.read() as tx:
        found = [json.loads(r.canonical) for r in ledger_store.records(tx)]
    return [r["body"] for r in found if r["kind"] == "confirm"]


def memory(session: Session) -> float | None:
    (server,) = read_inventory(session).servers
    return server.memory_gib


def again(session: Session) -> Inventory:
    """Merged from nothing but the statements."""
    from govcloud.discovery.merge import build_inventory

    with session.store.read() as tx:
        return build_inventory(inventory_store.load_statements(tx)[1], {}, inventory_store.known_ids(tx))


class TestFields:
    def test_no_import_and_no_discovery_overrides_it_and_new_disagreement_shows(
        self, session: Session, tmp_path: Path
    ) -> None:
        imported(session, tmp_path, OA)
        discover(session, memory_gib=31.0)
        assert [c.field for c in read_inventory(session).conflicts] == ["memory_gib"]
        confirm_field(session, "oa-01", "内存", "64G", "现场核对", "示例函1号")
        assert (memory(session), read_inventory(session).conflicts) == (64.0, ())
        # What they had said before is no news.
        imported(session, tmp_path, [*OA[:3], "三级", *OA[4:]])
        discover(session, memory_gib=31.2)
        assert [(c.value, c.since) for c in list_confirmations(session)] == [(64.0, ())]
        imported(session, tmp_path, [*OA[:7], "8核96G"])
        discover(session, memory_gib=31.0)
        assert memory(session) == 64.0
        (confirmation,) = list_confirmations(session)
        assert [(o.source, o.value) for o in confirmation.since] == [("workbook", 96.0)]
        (answer,) = [f for f in explain_subjects(session, "10.1.1.1")[0].fields if f.field == "memory_gib"]
        assert (answer.value, answer.decision, [o.value for o in answer.since]) == (64.0, "person", [96.0])
        assert again(session) == read_inventory(session)

    def test_it_is_recorded_with_actor_and_reason_and_can_be_taken_back_but_not_erased(
        self, session: Session, tmp_path: Path
    ) -> None:
        census(session, tmp_path, OA)
        confirm_field(session, "SL-1", "mlps_level", "三级", "核对备案证明")
        settled = withdraw_field(session, "SL-1", "等保级别", "证明属于另一系统")
        assert [c.value for c in settled.withdrawn] == [3]
        assert read_inventory(session).systems[0].mlps_level == 2
        assert list_confirmations(session) == ()
        first, second = records(session)
        assert first["confirmed"] == [
            {"kind": "system", "subject_id": "SL-1", "field": "mlps_level", "value": "3", "reason": "核对备案证明", "document": ""}
        ]  # fmt: skip
        assert second["reason"] == "证明属于另一系统"
        history = explain_subjects(session, "SL-1", history=True)[0].history
        assert [(t.value, t.state) for t in history if t.field == "mlps_level"] == [(2, "counts"), (3, "withdrawn")]
        with pytest.raises(UsageError):
            withdraw_field(session, "SL-1", "mlps_level", "再来一次")

    def test_no_table_of_precedence_puts_anybody_above_a_person(self, session: Session, tmp_path: Path) -> None:
        settings = replace(
            session.workspace.settings, precedence={"memory_gib": ("ssh", "workbook"), "default": ("ssh",)}
        )
        own = replace(session, workspace=replace(session.workspace, settings=settings))
        census(own, tmp_path, OA)
        confirm_field(own, "oa-01", "memory_gib", "64G", "核对")
        discover(own, memory_gib=31.0)
        assert memory(own) == 64.0

    def test_the_newest_answer_counts_and_the_same_answer_again_changes_nothing(
        self, session: Session, tmp_path: Path
    ) -> None:
        census(session, tmp_path, OA)
        for value in ("三级", "四级"):
            confirm_field(session, "SL-1", "mlps_level", value, "核对")
        assert read_inventory(session).systems[0].mlps_level == 4
        assert confirm_field(session, "SL-1", "mlps_level", "4级", "核对").unchanged == 1
        assert len(records(session)) == 2

    def test_values_are_read_as_people_write_them(self, session: Session, tmp_path: Path) -> None:
        census(session, tmp_path, OA)
        for field, value, shown in (
            ("data_gib", "1.5T", 1536.0), ("data_gib", "500", 500.0), ("hosting", "政务云", "gov_cloud"),
            ("hosting", "own room", "own_room"), ("disposition", "下线", "retire"), ("classified", "否", False),
            ("contact", "王示例", "王示例"), ("users", "1.2万", 12000), ("go_live_on", "2019年9月", date(2019, 9, 1)),
            ("stopped_on", "无", None), ("servers", "10.1.1.1", (read_inventory(session).servers[0].server_id,)),
        ):  # fmt: skip
            confirm_field(session, "办公系统", field, value, "核对")
            assert getattr(read_inventory(session).systems[0], field) == shown, (field, value)

    def test_what_can_not_be_meant_is_refused_and_nothing_is_stored(self, session: Session, tmp_path: Path) -> None:
        census(session, tmp_path, OA)
        for subject, field, value in (
            ("SL-1", "mlps_level", "九级"), ("SL-1", "没有的字段", "1"), ("SL-9", "mlps_level", "2"), ("oa-01", "declared", "是"),
            ("oa-01", "sockets", "80"), ("SL-1", "servers", "没有的服务器"), ("SL-1", "system_id", "SL-2"),
        ):  # fmt: skip
            with pytest.raises(UsageError):
                confirm_field(session, subject, field, value, "核对")
        assert (records(session), list_confirmations(session)) == ([], ())

    def test_a_dependency_can_be_settled_although_several_rows_make_it(self, session: Session, tmp_path: Path) -> None:
        census(session, tmp_path, OA, ["SL-2", "公文系统", *OA[2:4], "doc-01", "10.1.1.2", "", ""])
        head = ["源系统", "目标系统", "依赖强度"]
        census(session, tmp_path, ["SL-1", "SL-2", "强"], header=head, name="依赖")
        (dependency,) = read_inventory(session).dependencies
        confirm_field(session, dependency.dependency_id, "strength", "弱", "已改为异步")
        assert [d.strength for d in read_inventory(session).dependencies] == ["weak"]

    def test_a_server_that_only_shows_in_traffic_can_be_given_to_a_department(self, session: Session) -> None:
        line = "in 10.1.1.1 5432 10.1.1.77 0 postgres"
        discover(session, connections=(line,))
        confirm_field(session, "10.1.1.77", "department", "示例厅", "电话确认")
        found = {s.addresses: (s.department, s.declared) for s in read_inventory(session).servers}
        assert found[("10.1.1.77",)] == ("示例厅", True)
        # It is still one machine when it is reached at last, with all that it says of itself.
        again_reached = Statement(
            subject_kind="server", subject_id="V-bak", source="ssh", place="ssh://bak-01/", observed_at=session.now(),
            values={"name": "bak-01", "addresses": ("10.1.1.77", "172.30.5.9")},
        )  # fmt: skip
        store_statements(session, kind="discover", source="ssh", statements=[again_reached], body={})
        found = {s.name: (s.department, s.addresses) for s in read_inventory(session).servers}
        assert found["bak-01"] == ("示例厅", ("10.1.1.77", "172.30.5.9"))

    def test_a_confirmation_whose_subject_is_gone_is_told_not_shown_as_a_thing(
        self, session: Session, tmp_path: Path
    ) -> None:
        census(session, tmp_path, OA)
        confirm_field(session, "SL-1", "mlps_level", "三级", "核对")
        census(session, tmp_path, ["SL-2", "别的系统", *OA[2:]])
        assert [s.system_id for s in read_inventory(session).systems] == ["SL-2"]
        assert [(c.subject_id, c.name) for c in list_confirmations(session)] == [("SL-1", "")]


class TestLists:
    def test_the_list_of_conflicts_comes_back_with_answers(
        self, session: Session, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        census(session, tmp_path, OA)
        discover(session, memory_gib=31.0, cpu_count=4)
        capsys.readouterr()
        assert run(["-w", str(folder), "--lang", "zh", "--format", "csv", "inventory", "conflicts"]) == 0
        rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
        assert [(r["field"], r["chosen"]) for r in rows] == [
            ("cpu_count", "是"), ("cpu_count", "否"), ("memory_gib", "是"), ("memory_gib", "否"),
        ]  # fmt: skip
        rows[1] |= {"answer": "8", "reason": "铭牌"}
        rows[2]["answer"] = "不知道"
        path = tmp_path / "答复.csv"
        with path.open("w", encoding="gb18030", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        settled = confirm_file(session, path, "统一核对")
        assert [(c.field, c.value, c.reason) for c in settled.confirmed] == [("cpu_count", 8, "铭牌")]
        assert [(p.cell, p.read) for p in settled.problems] == [("I4", "不知道")]
        assert [c.field for c in read_inventory(session).conflicts] == ["memory_gib"]
        assert confirm_file(session, path, "统一核对").unchanged == 1
        assert len(records(session)) == 1

    def test_two_answers_to_one_question_and_a_missing_reason_are_told_by_their_cells(
        self, session: Session, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        census(session, tmp_path, OA)
        rows = [["对象编号", "字段", "确认值", "理由"], ["SL-1", "等保级别", "三级", "核对"], ["SL-1", "等保级别", "四级", "核对"],
                ["SL-1", "data_gib", "20G", ""]]  # fmt: skip
        path = write_book(tmp_path / "答复.xlsx", rows)
        assert run(["-w", str(folder), "--lang", "en", "inventory", "confirm", "--file", str(path)]) == 1
        shown = capsys.readouterr().out
        assert "C3" in shown and "C4" in shown and "needs its reason" in shown
        assert [c.field for c in list_confirmations(session)] == ["mlps_level"]
        empty = write_book(tmp_path / "空.xlsx", [["别的", "表"]])
        assert run(["-w", str(folder), "inventory", "confirm", "--file", str(empty)]) == 3


class TestIdentity:
    def two(self, session: Session, tmp_path: Path) -> list[str]:
        census(session, tmp_path, OA)
        discover(session, "oa-new", uuid="4c4c4544-0042-3510-8051-b4c04f4a3132", addresses=("10.8.8.8",))
        return [s.server_id for s in read_inventory(session).servers]

    def test_a_person_joins_and_parts_and_takes_it_back(self, session: Session, tmp_path: Path) -> None:
        one, two = self.two(session, tmp_path)
        confirm_identity(session, "oa-01", "oa-new", "same_as", "搬迁后换了地址")
        (server,) = read_inventory(session).servers
        assert server.addresses == ("10.1.1.1", "10.8.8.8")
        answer = explain_subjects(session, "oa-new" if server.name == "oa-new" else "oa-01")[0]
        assert [j.rule for j in answer.joined] == ["person"]
        discover(session, "oa-new", addresses=("10.8.8.8",))
        assert len(read_inventory(session).servers) == 1
        withdraw_identity(session, one, two, "same_as", "其实是两台")
        assert len(read_inventory(session).servers) == 2

    def test_a_person_undoes_what_a_rule_joined(self, session: Session, tmp_path: Path) -> None:
        census(session, tmp_path, OA)
        discover(session, "oa-02", addresses=("10.1.1.1",))
        answer = explain_subjects(session, "10.1.1.1")[0]
        assert [(j.rule, j.value) for j in answer.joined] == [("address", "10.1.1.1")]
        confirm_identity(session, answer.subject_id, answer.joined[0].subject_id, "not_same_as", "地址被重新分配")
        assert len(read_inventory(session).servers) == 2
        discover(session, "oa-02", addresses=("10.1.1.1",), memory_gib=8.0)
        assert len(read_inventory(session).servers) == 2

    def test_opposite_words_and_different_kinds_are_refused(self, session: Session, tmp_path: Path) -> None:
        one, two = self.two(session, tmp_path)
        with pytest.raises(UsageError):
            confirm_identity(session, one, "SL-1", "same_as", "x")
        with pytest.raises(UsageError):
            confirm_identity(session, one, one, "same_as", "x")
        discover(session, "third", addresses=("10.8.8.8",))
        confirm_identity(session, one, two, "not_same_as", "两台")
        confirm_identity(session, two, "V-third", "same_as", "一台")
        before = read_inventory(session)
        with pytest.raises(UsageError):
            confirm_identity(session, one, "V-third", "same_as", "矛盾")
        assert read_inventory(session) == before
        assert len(list_confirmations(session)) == 2
        # Of one pair the newest word counts.
        confirm_identity(session, one, two, "same_as", "查明是一台")
        assert len(read_inventory(session).servers) == 1
