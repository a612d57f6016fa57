"""What a reader of the estate's papers would miss: a finding that is in no list, a month that counts a neighbour's day,
a form without room to sign, and a cell that runs."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring
from docx import Document as open_word
from docx.oxml.ns import qn
from hypothesis import given, settings
from hypothesis import strategies as st

from govcloud.ledger.verify import Problem, Report
from govcloud.model.inventory import Inventory, System
from govcloud.model.ledger import Checkpoint
from govcloud.model.regulation import Clause, Finding
from govcloud.model.server import Server
from govcloud.model.text import LANGS, Text
from govcloud.report.audit_document import build_audit_sections
from govcloud.report.bar_chart import render_bars
from govcloud.report.document import Document, FormRow, Section, Signature, Signed
from govcloud.report.document_text import build_document_json, build_document_views, render_document_text
from govcloud.report.docx import render_docx
from govcloud.report.estate_document import build_estate_sections
from govcloud.report.findings_document import build_findings_sections
from govcloud.report.html import render_html
from govcloud.report.ledger_kinds import KIND
from govcloud.report.ledger_words import WORDS as TOLD
from govcloud.report.month_document import Checked, Month, build_month_sections
from govcloud.report.paper_view import drop_empty_columns
from govcloud.report.view import Column, View

AT = datetime(2026, 3, 7, 16, 30, tzinfo=UTC)
WORDS = Text("字", "word")


def paper(*sections: Section, **more: Any) -> Document:
    return Document(
        title=Text("示例文书", "Sample paper"), office="示例局", made_at=AT, timezone="Asia/Shanghai", made_by="甲",
        sections=sections, **more,
    )  # fmt: skip


FORM = paper(
    Section(
        section_id="form", title=Text("审批", "Form"), headed=False,
        form=(
            FormRow(fields=((Text("批次", "Wave"), 1), (Text("窗口", "Window"), "22:00"))),
            FormRow(fields=((Text("意见", "Opinion"), None),), lines=4),
        ),
    ),
    Section(section_id="why", title=Text("说明", "Why"), paragraphs=(Text("1. 先停写。\n2. 再切换。", "1. Stop.\n2. Switch."),)),
    Section(section_id="how", title=Text("办法", "How")),
    numbered=True,
    opening=(Text("示例厅：", "To X"), Text("请审批。", "Please approve.")),
    closing=(Text("签字前不生效。", "Void until signed."),),
    signatures=(
        Signature(party=Text("业主单位", "Owner"), unit="示例厅",
                  signed=Signed(name="李示例", at=AT, note=Text("公钥指纹 ab", "by key ab"))),
        Signature(party=Text("建设单位", "Builder"), people=(Text("经办人", "Prepared by"), Text("负责人", "Head"))),
        Signature(party=Text("监理单位", "Supervisor")),
    ),
)  # fmt: skip


def finding(number: int, department: str | None, severity: Any = "high", **more: Any) -> Finding:
    return Finding(**{
        "finding_id": f"F-{number}", "rule_id": "SX19/x", "topic": "cloud", "subject_kind": "system",
        "subject_id": f"S-{number}", "subject_name": "示例系统", "department": department, "verdict": "fail",
        "standing": "binding", "severity": severity, "title": WORDS, "message": Text("没有上云", "not on the cloud"),
        "clauses": ("SX19-35a",), "consequence": None, "responsible": "owner", "responsible_term": None,
        "next_step": Text("列入迁移计划", "plan its move"), **more,
    })  # fmt: skip


CLAUSES = {
    "SX19-35a": Clause(
        clause_id="SX19-35a", regulation_id="SX19", article="第三十五条", topics=("cloud",),
        obligation=Text("应迁到政务云", "must move to the cloud"),
    )
}  # fmt: skip


def findings_sections(found: list[Finding], department: str | None = None) -> tuple[Section, ...]:
    return build_findings_sections(
        found,
        CLAUSES,
        as_of=date(2026, 3, 7),
        documents=(Text("示例办法", "Sample rules"),),
        today=date(2026, 3, 8),
        department=department,
    )


def views(sections: tuple[Section, ...]) -> dict[str, View]:
    return {view.name: view for section in sections for view in section.views}


def cells(data: bytes) -> list[str]:
    word = open_word(io.BytesIO(data))
    return [cell.text for table in word.tables for row in table.rows for cell in row.cells]


def test_a_form_has_its_values_and_room_for_the_pen() -> None:
    word = open_word(io.BytesIO(render_docx(FORM, "zh")))
    form, signatures = word.tables
    assert [c.text for c in form.rows[0].cells] == ["批次", "1", "窗口", "22:00"]
    assert {c.text for c in form.rows[1].cells} == {"意见", ""}
    heights = [int(row._tr.trPr.find(qn("w:trHeight")).get(qn("w:val"))) for row in form.rows]
    assert heights[1] == 4 * heights[0]
    assert [len(row.cells) for row in signatures.rows] == [3], "three parties beside each other"
    signed, open_, _ = signatures.rows[0].cells
    assert signed.text.split("\n") == [
        "业主单位",
        "单位（盖章）：示例厅",
        "签字：李示例",
        "日期：2026年3月8日",
        "公钥指纹 ab",
    ]
    assert [line.rstrip("　") for line in open_.text.split("\n")][:4] == [
        "建设单位",
        "单位（盖章）：",
        "经办人：",
        "负责人：",
    ]
    assert open_.text.endswith("年　　月　　日"), "the day is written by hand"


def test_a_paper_keeps_the_order_of_an_official_document() -> None:
    lines = [p.text for p in open_word(io.BytesIO(render_docx(FORM, "zh"))).paragraphs if p.text.strip()]
    wanted = [
        "文号：　　　　〔　　　　〕　　号",
        "示例文书",
        "示例厅：",
        "请审批。",
        "一、说明",
        "1. 先停写。",
        "2. 再切换。",
        "二、办法",
        "签字前不生效。",
    ]
    assert [line for line in lines if line in wanted] == wanted
    assert not [line for line in lines if "审批" in line and "请" not in line], (
        "the form is the paper: it has no heading"
    )


def test_a_page_shows_what_the_paper_shows() -> None:
    for lang in LANGS:
        html = render_html(FORM, lang)
        for text in ("示例厅", "李示例", FORM.closing[0].to(lang), FORM.signatures[2].party.to(lang), "22:00"):
            assert text in html
        assert html.count('class="lines-4"') == 1
    assert "二、办法" in render_html(FORM, "zh") and "三、" not in render_html(FORM, "zh")


def test_a_paper_goes_to_a_screen_and_to_a_program() -> None:
    text = render_document_text(FORM, "zh")
    assert "批次：1　窗口：22:00" in text and "签字：李示例" in text and "二、办法" in text
    found = build_document_json(FORM, "en")
    assert found["sections"][0]["form"][2] == {"label": "Opinion", "value": None}
    assert found["signatures"][0]["signed_by"] == "李示例" and found["signatures"][1]["signed_by"] is None
    assert [view.name for view in build_document_views(FORM)] == ["form_form"]


def test_parts_are_numbered_where_there_are_several_and_named_once() -> None:
    one = View(name="a", title=Text("甲表", "A"), columns=(Column("k", WORDS),), rows=({"k": 1},))
    two = replace(one, name="b", title=Text("乙表", "B"))
    document = paper(
        Section(section_id="x", title=Text("甲表", "A"), views=(one,)),
        Section(section_id="y", title=Text("两张", "Two"), views=(one, two)),
    )
    heads = [p.text for p in open_word(io.BytesIO(render_docx(document, "zh"))).paragraphs if "Heading" in p.style.name]
    assert heads == ["一、甲表", "二、两张", "（一）甲表", "（二）乙表"]


def test_every_finding_is_in_the_list_and_counted_once_a_clause_and_department() -> None:
    found = [finding(1, "示例甲厅"), finding(2, "示例甲厅", "low"), finding(3, None, clauses=("SX19-35a", "SX17-9"))]
    found.append(finding(4, "示例乙厅", waived=True))
    found.append(finding(5, "示例乙厅", standing="reference"))
    shown = views(findings_sections(found))
    assert [row["finding_id"] for row in shown["rectification"].rows] == ["F-1", "F-2", "F-3"]
    by_clause = {row["clause"]: row["findings"] for row in shown["findings_by_clause"].rows}
    assert by_clause == {"SX19-35a": 3, "SX17-9": 1}
    assert [row["findings"] for row in shown["findings_by_department"].rows] == [2, 1]
    for row in shown["findings_by_clause"].rows:
        assert sum(int(str(row[k])) for k in ("high", "medium", "low", "info")) == row["findings"]


def test_a_department_s_own_list_has_no_table_of_others() -> None:
    sections = findings_sections([finding(1, "示例甲厅")], "示例甲厅")
    assert "findings_by_department" not in views(sections) and not sections[0].figures


def test_an_office_without_findings_is_told_so() -> None:
    sections = findings_sections([])
    assert any(section.missing for section in sections) and "rectification" not in views(sections)
    assert render_docx(paper(*sections), "zh")


def test_the_estate_counts_what_is_unknown_as_unknown() -> None:
    inventory = Inventory(
        systems=(System(system_id="S-1", name="甲", hosting="gov_cloud"), System(system_id="S-2", name="乙")),
        servers=(Server(server_id="V-1", name="a", os_name="openEuler", seen=True), Server(server_id="V-2", name="b")),
    )
    shown = views(build_estate_sections(inventory, ()))
    assert [(row["hosting"].en, row["systems"]) for row in shown["hosting"].rows] == [
        ("government cloud", 1),
        ("unknown", 1),
    ]  # type: ignore[union-attr]
    assert [row["servers"] for row in shown["platforms"].rows] == [1, 1]


def test_a_month_shows_what_happened_and_not_what_did_not() -> None:
    month = Month(first_on=date(2026, 2, 1), last_on=date(2026, 2, 28), names={"S-1": "甲系统"})
    month.records.update({"check": 2, "run_state": 1})
    month.first_seq, month.last_seq = 5, 9
    month.checks[date(2026, 2, 3)] = Checked(at=AT, failed=7, undetermined=1, waived=0, new=2, resolved=1)
    month.new.update({"F-1", "F-2"})
    month.states.append((AT, "S-1", "R-1", "trial"))
    sections = build_month_sections(month, deadlines=(), own=None, networks=(), waves=(), as_of=date(2026, 2, 28))
    shown = views(sections)
    assert [row["name"] for row in shown["month_moved"].rows] == ["甲系统"]
    assert [row["failed"] for row in shown["month_checks"].rows] == [7]
    numbers = {n.label.en: n.value for n in sections[0].numbers}
    assert (numbers["New findings"], numbers["Systems migrated"], numbers["Networks closed"]) == (2, 1, 0)
    assert "month_signed" not in shown and "尚未结束" not in sections[0].intro.zh  # type: ignore[union-attr]
    assert "5" in shown["month_records"].notes[0].zh and "9" in shown["month_records"].notes[0].zh


def test_the_auditor_gets_the_key_the_heads_and_the_steps() -> None:
    def made(*problems: Problem) -> tuple[Section, ...]:
        return build_audit_sections(
            Report(7, "ab" * 32, 1, 5, list(problems)), live=True, unsigned=2, checkpoints=[Checkpoint(size=5, root_hash="cd" * 32, note="n")],
            newest={"seq": 6, "at": "2026-03-07T16:30:00Z", "leaf_hash": "ef" * 32}, vkey="示例+12+AAAA", hashes="sm3",
            kinds={"check": (7, "2026-01-01", "2026-03-07")},
        )  # fmt: skip

    text = render_document_text(paper(*made()), "zh")
    for said in (
        "示例+12+AAAA",
        "ef" * 32,
        "ab" * 32,
        "cd" * 32,
        "verify.py",
        "--checkpoint",
        "SM3",
        "合规核对",
        "核对通过",
        "不能发现",
    ):
        assert said in text
    bad = render_document_text(paper(*made(Problem("第 3 条不符", "record 3 differs", 3))), "en")
    assert "does not verify" in bad and "record 3 differs" in bad


def test_every_kind_of_record_has_a_name_in_the_tables() -> None:
    assert set(KIND) == set(TOLD)


def test_bars_name_the_whole_and_put_the_rest_together() -> None:
    counts = Counter({(f"示例{n}局", "high"): 30 - n for n in range(25)})
    counts[None, "low"] = 40  # type: ignore[index]
    kinds = {"high": (Text("高", "high"), "#9c3d2e"), "low": (Text("低", "low"), "#6f9bc4")}
    svg = render_bars(
        counts, kinds, "zh", axis=WORDS, unknown=Text("（未填）", "(none)"), others=Text("其他 {n} 个", "{n} others")
    )
    assert "（未填）" in svg and "其他 6 个" in svg and "示例24局" not in svg
    assert ">40<" in svg and "高" in svg and "低" in svg


def test_paper_leaves_out_columns_that_nobody_fills() -> None:
    columns = (Column("a", WORDS), Column("b", WORDS), Column("c", WORDS))
    view = View(name="v", title=WORDS, columns=columns, rows=({"a": 0, "c": None}, {"a": 1, "b": False}))
    assert [c.key for c in drop_empty_columns(view).columns] == ["a", "b"], "nought and no are answers"
    assert drop_empty_columns(replace(view, rows=())).columns == columns


def test_a_very_long_table_is_cut_on_paper_and_says_so() -> None:
    view = View(name="v", title=WORDS, columns=(Column("a", WORDS),), rows=tuple({"a": n} for n in range(2001)))
    data = render_docx(paper(Section(section_id="s", title=WORDS, views=(view,))), "zh")
    lines = [p.text for p in open_word(io.BytesIO(data)).paragraphs]
    assert any("2000" in line and "2001" in line for line in lines)
    assert "1999" in cells(data) and "2000" not in cells(data)


TEXT = st.text(max_size=40)
HOSTILE = st.sampled_from(
    ['=HYPERLINK("http://x")', "{{ 7*7 }}", "<img src=x onerror=alert(1)>", "\x00\x1b[31m\u202e", "]]>&amp;"]
)


@settings(max_examples=20, deadline=None)
@given(st.one_of(TEXT, HOSTILE), st.one_of(TEXT, HOSTILE))
def test_names_from_workbooks_stay_text_in_forms_and_signatures(one: str, other: str) -> None:
    """F28, F37: nothing of them becomes a field, a tag or a direction of writing."""
    text = Text(one, other)
    document = paper(
        Section(section_id="s", title=text, paragraphs=(text,), form=(FormRow(fields=((text, one), (text, other))),)),
        opening=(text,), closing=(text,),
        signatures=(Signature(party=text, unit=one, people=(text,), signed=Signed(name=other, at=AT, note=text)),),
    )  # fmt: skip
    with zipfile.ZipFile(io.BytesIO(render_docx(document, "zh"))) as parts:
        body: Element = fromstring(parts.read("word/document.xml"))
    tags = {element.tag for element in body.iter()}
    assert not tags & {qn("w:instrText"), qn("w:fldChar"), qn("w:fldSimple"), qn("w:hyperlink"), qn("w:object")}
    page = render_html(document, "zh")
    assert "<img" not in page and "onerror=alert(1)>" not in page
    assert "\u202e" not in "".join(body.itertext()) and "\u202e" not in render_document_text(document, "zh")
