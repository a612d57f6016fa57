"""The review opinion goes out under the office's name: what it concludes, cites and costs must be in every form of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from govcloud import resources
from govcloud.compliance.catalog_match import check_request
from govcloud.compliance.catalog_source import load_catalog
from govcloud.compliance.load import load_packs
from govcloud.compliance.request_quota import build_quota_lines, parse_quotas
from govcloud.compliance.request_source import load_request
from govcloud.model.request import RequestCheck
from govcloud.model.text import LANGS, Lang
from govcloud.report.opinion import Opinion, build_opinion, render_opinion_json, render_opinion_text
from govcloud.report.request import build_request_view, build_requests_view
from govcloud.report.text import render_text

SAMPLES = resources.folder("inventory") / "sample" / "requests"
CATALOG = load_catalog(resources.folder("service_catalog"), "sample-provincial")
PACKS = {p.regulation_id: p for p in load_packs(resources.folder("regulations"), ["SX19", "JN19", "SD"])}
GOOD, BAD = "示例交通厅-合规申请.yaml", "示例档案局-自建机房申请.yaml"


def checked(file: str, own: str = "SX19") -> RequestCheck:
    return check_request(load_request(SAMPLES / file, CATALOG), CATALOG, PACKS[own], file, "ab" * 32)


def opinion(check: RequestCheck, own: str = "SX19") -> Opinion:
    at = datetime(2026, 3, 9, 1, tzinfo=UTC)
    return build_opinion(check, PACKS[own], office="示例局", at=at, timezone="Asia/Shanghai", made_by="甲")


def test_a_refusal_says_what_for_by_which_clause_and_what_to_do() -> None:
    text = render_opinion_text(opinion(checked(BAD)), "zh")
    lines = text.splitlines()
    assert lines[0] == "关于示例档案局政务云资源申请的审核意见"
    assert "示例档案局：" in lines and any("2026年3月2日" in line and "档案查询系统" in line for line in lines)
    assert "不同意。共 5 项，其中 4 项不符合。" in text
    assert "SX19-12b" in text and "第十二条" in text and "晋政办发〔2019〕72号" in text
    assert "P-SMS-01" in text and "省政务信息管理局" in text and "SX19-11a" in text
    assert "1440.00 元/年" in text
    assert "不是官方目录" in text and "ab" * 32 in text
    assert "审核人（签字）：" in text and "签字盖章前不生效" in text


def test_an_unknown_quota_is_said() -> None:
    (check,) = build_quota_lines([checked(GOOD)], parse_quotas({}, []))
    assert "配额未知，未核对" in render_opinion_text(opinion(check), "zh")
    assert "the quota is unknown and was not checked" in render_opinion_text(opinion(check), "en")


def test_an_approval_has_nothing_to_change_and_no_exception() -> None:
    found = opinion(checked(GOOD))
    assert [s.section_id for s in found.document.sections] == ["basis", "conclusion", "lines", "cost"]
    assert "同意。各项均符合目录规定。" in render_opinion_text(found, "zh")
    assert "Approved. Every line conforms" in render_opinion_text(found, "en")


def test_too_much_is_told_although_every_line_conforms() -> None:
    (check,) = build_quota_lines([checked(GOOD)], parse_quotas({"示例交通厅": {"vcpu": 4}}, []))
    text = render_opinion_text(opinion(check), "zh")
    assert "修改后同意。" in text and "超出部门配额" in text and "请压减用量" in text
    assert "approved after changes" in render_text([build_request_view(check)], "en")


@pytest.mark.parametrize("own", ["JN19", "SD"])
def test_without_a_clause_nothing_is_refused_and_no_number_is_invented(own: str) -> None:
    text = render_opinion_text(opinion(checked(BAD, own), own), "zh")
    assert "修改后同意" in text and "不同意。" not in text
    assert "本地区无服务目录条款" in text and "SX19" not in text
    assert ("文本未载文号" in text) == (own == "SD")


@pytest.mark.parametrize("lang", LANGS)
def test_a_machine_reads_the_same(lang: Lang) -> None:
    found = json.loads(render_opinion_json(opinion(checked(BAD)), lang))["opinion"]
    assert (found["conclusion"], found["signed"], found["sha256"]) == ("reject", False, "ab" * 32)
    assert found["rows"][0]["outcome"] == "self_built" and found["rows"][0]["clauses"] == ["SX19-12b"]
    assert {row["clause"] for row in found["basis"]} == {"SX19-12b", "SX19-11a"}
    assert found["exceptions"]["1"]["role"] == "authority" and found["nearest"]["4"][0]["why"]
    assert found["office"] == "示例局" and found["made_at"].startswith("2026-03-09")


def test_a_name_that_would_drive_a_terminal_is_shown_harmless() -> None:
    check = checked(GOOD)
    request = replace(check.request, department="示例\x1b[2J厅", system_name="a\u202eb")
    text = render_opinion_text(opinion(replace(check, request=request)), "zh")
    assert "\x1b" not in text and "\u202e" not in text


def test_the_sum_over_all_requests() -> None:
    good, bad = checked(GOOD), checked(BAD)
    facts = build_requests_view([good, bad]).facts
    assert facts["conclusions"] == {"approve": 1, "approve_with_changes": 0, "reject": 1}
    each = [float(build_request_view(c).facts["yearly_yuan"]) for c in (good, bad)]  # type: ignore[arg-type]
    assert float(facts["yearly_yuan"]) == sum(each) > 0  # type: ignore[arg-type]
