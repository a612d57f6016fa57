"""`takeover history`: who maintained what, since when, by which takeover."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from handover_place import SYSTEM, Place, fill_papers, prove_all
from hypothesis import given
from hypothesis import strategies as st

from govcloud.cli.main import run as govcloud
from govcloud.model.answers import Said
from govcloud.model.inventory import System
from govcloud.model.observation import Statement
from govcloud.workflow.statements import store_statements
from govcloud.workflow.takeover_history import build_periods

AT = datetime(2026, 3, 7, 14, tzinfo=UTC)
OLD, NEW = "示例软件公司", "示例建设单位"


def said(
    number: int,
    unit: str,
    day: int,
    *,
    source: str = "workbook",
    place: str = "普查表.xlsx!系统!",
    withdrawn: bool = False,
) -> Said:
    statement = Statement(
        subject_kind="system", subject_id=SYSTEM, source=source, place=place, observed_at=AT + timedelta(days=day),
        values={"maintained_by": unit},
    )  # fmt: skip
    return Said(number=number, batch_no=number, actor="张示例", statement=statement, withdrawn=withdrawn)


def periods(*told: Said) -> list[tuple[str, int, int | None]]:
    """Unit, first day, last day."""
    system = System(system_id=SYSTEM, name="示例", maintenance_ends_on=date(2027, 1, 1))
    found = build_periods(system, told)
    assert [p.contract_ends_on for p in found][:-1] == [None] * (len(found) - 1)
    return [(p.unit, (p.since - AT).days, (p.until - AT).days if p.until else None) for p in found]


def test_each_takeover_ends_the_time_of_the_unit_before() -> None:
    first = said(2, NEW, 10, source="person", place="handover/H-1")
    again = said(4, "示例运维中心", 30, source="person", place="handover/H-2")
    assert periods(said(1, OLD, 0), first, again) == [(OLD, 0, 10), (NEW, 10, 30), ("示例运维中心", 30, None)]


def test_the_same_unit_said_again_is_one_stretch() -> None:
    assert periods(said(1, OLD, 0), said(2, f" {OLD} ", 5), said(3, NEW, 9)) == [(OLD, 0, 9), (NEW, 9, None)]


def test_a_form_that_does_not_know_of_the_takeover_does_not_undo_it() -> None:
    taken = said(2, NEW, 10, source="person", place="handover/H-1")
    assert periods(said(1, OLD, 0), taken, said(3, OLD, 20)) == [(OLD, 0, 10), (NEW, 10, None)]


def test_what_a_person_took_back_was_never_so_and_an_older_form_was() -> None:
    wrong = said(2, "写错的单位", 3, source="person", place="confirm", withdrawn=True)
    assert periods(said(1, OLD, 0, withdrawn=True), wrong, said(3, NEW, 9)) == [(OLD, 0, 9), (NEW, 9, None)]


@given(
    st.lists(st.tuples(st.sampled_from([OLD, NEW, "丙"]), st.integers(0, 9), st.booleans(), st.booleans()), max_size=8)
)
def test_stretches_follow_each_other_without_gap_or_overlap(told: list[tuple[str, int, bool, bool]]) -> None:
    found = periods(*(
        said(n, unit, day, source="person" if person else "workbook", withdrawn=gone)
        for n, (unit, day, person, gone) in enumerate(told)
    ))  # fmt: skip
    assert all(a[2] == b[1] and a[0] != b[0] for a, b in pairwise(found))
    assert not found or found[-1][2] is None


def taken_over(place: Place, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    key = f"{place.builder}.pub"
    assert (
        place.cli("start", SYSTEM, "--level", "technical", "--builder", NEW, "--builder-key", key, "--host", "cloud-01")
        == 0
    )
    match = re.search(r"H-[0-9a-f]{6,}", capsys.readouterr().out)
    assert match
    fill_papers(place, match[0], folder)
    prove_all(place, match[0])
    assert place.cli("sign", match[0], "--role", "owner", user="李示例") == 0
    assert place.cli("sign", match[0], "--role", "builder", user="王示例") == 0
    return match[0]


def test_the_command_names_the_takeover_and_finds_a_unit(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handover_id = taken_over(place, tmp_path, capsys)
    with place.session() as session:
        other = Statement(
            subject_kind="system", subject_id="SL-XX-77", source="workbook", place="普查表.xlsx!系统!2", observed_at=AT,
            values={"name": "另一系统", "maintained_by": OLD},
        )  # fmt: skip
        store_statements(session, kind="import", source="普查表二.xlsx", statements=[other], body={})
    capsys.readouterr()

    def asked(*words: str) -> list[dict[str, Any]]:
        assert govcloud(["-w", str(place.workspace), "--format", "json", "takeover", "history", *words]) == 0
        found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["maintenance"]["periods"]
        return found

    first, second = asked(SYSTEM)
    assert (first["unit"], second["unit"], second["handover_id"]) == (OLD, NEW, handover_id)
    assert first["until"] == second["since"] and second["until"] is None
    assert [(p["system_id"], p["until"] is None) for p in asked("--unit", OLD)] == [(SYSTEM, False), ("SL-XX-77", True)]
    assert place.cli("history", "协同办公系统") == 0
    assert f"接管 {handover_id}" in capsys.readouterr().out
    assert place.cli("history", "NONE") == 2
    assert place.cli("history", "--unit", "没有这家") == 1
