"""A pack that somebody wrote wrongly is refused with one line that says where: without it an office that adds its own
rules would search 400 lines for a misspelt field, or check by a deadline that is never missed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from govcloud.compliance.calendar import WorkCalendar
from govcloud.compliance.cases import run_cases
from govcloud.compliance.load import load_packs
from govcloud.errors import InputError
from govcloud.model.regulation import CaseResult

PACK = """\
regulation:
  id: XX26
  title: {zh: 示例办法, en: Sample measures}
  number: null
  issuer: 示例市人民政府办公室
  level: city
  issued_on: 2026-01-05
  effective_from: 2026-02-01
  effective_to: null
  superseded_by: null
  scope: {zh: 示例市直部门, en: departments of the sample city}
  roles: {owner: 示例单位, authority: 示例局}
clauses:
  - id: XX26-01
    article: 第一条
    topics: [scope]
    zh: 目的
    en: Purpose
    information: {zh: 只写目的, en: only a purpose}
  - id: XX26-02
    article: 第二条
    topics: [contract_filing]
    zh: 合同签订后 5 个工作日内备案
    en: File the contract within 5 working days
    who: [owner]
    to: [authority]
    deadline: {event: contract_signed, unit: workday, n: 5, record: contract_filed_on}
  - id: XX26-03
    article: 第三条
    topics: [inventory]
    zh: 系统须有用户
    en: Systems have users
    who: [owner]
"""
RULES = """\
rules:
  - id: contract-not-filed-in-time
    topic: contract_filing
    subject: project
    clauses: [XX26-02]
    severity: medium
    responsible: owner
    title: {zh: 合同迟备案, en: Contract filed late}
    message: {zh: 超过 5 个工作日, en: More than 5 working days}
    next_step: {zh: 补备案, en: File it}
    must: {in_time: XX26-02}
  - id: few-users
    topic: inventory
    subject: system
    clauses: [XX26-03]
    severity: low
    responsible: owner
    title: {zh: 用户少, en: Few users}
    message: {zh: "用户不足 {few} 个", en: "Fewer than {few} users"}
    next_step: {zh: 核对, en: Check it}
    when: {classified: false}
    must:
      users: {ge: limit:few}
limits:
  few: {value: 20, title: {zh: 至少用户数, en: least users}}
"""
CASES = """\
rule: few-users
cases:
  - name: 够
    expect: pass
    as_of: 2026-03-02
    system: {system_id: S-1, name: 示例系统, classified: false, users: 20}
  - name: 少
    expect: fail
    as_of: 2026-03-02
    system: {system_id: S-1, name: 示例系统, classified: false, users: 19}
"""
OTHER = """\
rule: contract-not-filed-in-time
cases:
  - name: 按期
    expect: pass
    as_of: 2026-03-20
    project: {project_id: P-1, name: 示例项目, contract_signed_on: 2026-03-02, contract_filed_on: 2026-03-09}
  - name: 迟
    expect: fail
    as_of: 2026-03-20
    project: {project_id: P-1, name: 示例项目, contract_signed_on: 2026-03-02, contract_filed_on: 2026-03-10}
"""
FILES = {"pack.yaml": PACK, "rules.yaml": RULES, "cases/few-users.yaml": CASES, "cases/contract.yaml": OTHER}
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """The sample pack, in which one text of one file was replaced."""

    def write(file: str | None = None, old: str = "", new: str = "") -> Path:
        (tmp_path / "topics.yaml").write_text(
            "inventory: {zh: 目录, en: directory}\ncontract_filing: {zh: 合同, en: contracts}\n", "utf-8"
        )
        for name, text in FILES.items():
            assert name != file or text.count(old) >= 1, old
            target = tmp_path / "XX26" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text.replace(old, new, 1) if name == file else text, "utf-8")
        return tmp_path

    return write


def tried(root: Path, calendar: WorkCalendar, **limits: float) -> tuple[CaseResult, ...]:
    return run_cases(root, load_packs(root, ["XX26"], limits)[0], calendar)


def test_the_sample_itself_is_right(write: Write, calendar: WorkCalendar) -> None:
    results = tried(write(), calendar)
    assert len(results) == 4
    assert all(result.agrees for result in results)


def line_of(file: str, text: str) -> int:
    return FILES[file][: FILES[file].index(text)].count("\n") + 1


# what was written there, what is written now, the place that is named (a text on that line), zh, en
WRONG = [
    ("pack.yaml", "id: XX26-02", "id: XX26-01", "id: XX26-02", "XX26-01：条款编号重复", "XX26-01: this clause id is used twice"),
    ("pack.yaml", "id: XX26\n", "id: XX27\n", "id: XX26\n", "XX27：与文件夹名 XX26 不符", "XX27: the folder is called XX26"),
    ("pack.yaml", "effective_to: null", "effective_to: 2026-01-31", "effective_to", "失效日早于施行日", "it ends before it takes effect"),
    ("pack.yaml", "effective_from: 2026-02-01", "effective_from: 2026-01-04", "effective_from", "施行日早于成文日", "before it was issued"),
    ("pack.yaml", "superseded_by: null", "superseded_by: XX26", "superseded_by", "不能由自己取代", "replaced by itself"),
    ("pack.yaml", "effective_from: 2026-02-01", "effective_from: soon", "effective_from", "effective_from：不是日期", "effective_from: not a date"),
    ("pack.yaml", "level: city", "level: galaxy", "level: city", "level：不能写 galaxy", "level: galaxy is not an allowed value"),
    ("pack.yaml", "    article: 第三条\n", "", "id: XX26-03", "缺少必填项 article", "the required key article is missing"),
    ("pack.yaml", "who: [owner]", "wo: [owner]", "who: [owner]", "不认识的项 wo", "unknown key wo"),
    ("pack.yaml", "topics: [scope]", "topics: scope", "topics: [scope]", "topics：应为列表，实为文字", "topics: should be a list, is text"),
    ("pack.yaml", "event: contract_signed", "event: contract_singed", "deadline:", "未知事件：contract_singed", "unknown event: contract_singed"),
    ("pack.yaml", "record: contract_filed_on", "record: contract_field_on", "deadline:", "record 不是项目的日期字段：contract_field_on", "record is no date of a project: contract_field_on"),
    ("pack.yaml", "record: contract_filed_on", "record: builder", "deadline:", "record 不是项目的日期字段：builder", "record is no date of a project: builder"),
    ("pack.yaml", "n: 5, ", "", "deadline:", "大于零的 n", "need an event and n above zero"),
    ("pack.yaml", "n: 5, ", "n: 0, ", "deadline:", "大于零的 n", "need an event and n above zero"),
    ("pack.yaml", "unit: workday", "unit: recurring", "deadline:", "unit 须为 workday 或 month", "the unit has to be workday or month"),
    ("pack.yaml", "n: 5, ", "n: 5, n_min: 6, ", "deadline:", "n_min 大于 n", "n_min is above n"),
    ("pack.yaml", "n: 5, ", "n: 5, due_on: 2026-05-01, ", "deadline:", "unit: date 与 due_on", "due_on belong together"),
    ("pack.yaml", "n: 5, ", "n: 5, month_day: 12-31, ", "deadline:", "unit: yearly 与 month_day", "month_day belong together"),
    ("pack.yaml", "    information: {zh: 只写目的, en: only a purpose}\n", "", "id: XX26-01", "XX26-01：须有规则引用", "XX26-01: exactly one of"),
    ("pack.yaml", "information: {zh: 只写目的, en: only a purpose}", "information: {zh: 只写目的, en: only a purpose}\n    not_automatable: {zh: 甲, en: a}", "id: XX26-01", "XX26-01：须有规则引用", "XX26-01: exactly one of"),
    ("pack.yaml", "    who: [owner]\n    to: [authority]\n", "    information: {zh: 甲, en: a}\n", "id: XX26-02", "XX26-02：须有规则引用", "XX26-02: exactly one of"),
    ("pack.yaml", "n: 5, ", "n: 1000000000000, ", "deadline:", "n 大于 1000", "n is above 1000"),
    ("rules.yaml", "{in_time: XX26-02}", "{in_time: [XX26-02]}", "must: {in_time", "记录字段的条款", "an event, a number and a record"),
    ("rules.yaml", "few: {value: 20", "few: {value: .nan", "few: {value", "few：界线须为不小于零的数", "few: a limit has to be a number from 0"),
    ("rules.yaml", "few: {value: 20", "few: {value: -1", "few: {value", "few：界线须为不小于零的数", "few: a limit has to be a number from 0"),
    ("cases/contract.yaml", "contract_signed_on: 2026-03-02", "contract_signed_on: 9999-12-31", "- name: 按期", "日期超出范围", "a date is out of range"),
    ("rules.yaml", "clauses: [XX26-03]", "clauses: [XX26-99]", "clauses: [XX26-03]", "few-users：引用了不存在的条款：XX26-99", "few-users: cites an unknown clause: XX26-99"),
    ("rules.yaml", "clauses: [XX26-03]", "clauses: []", "- id: few-users", "few-users：没有引用条款", "few-users: cites no clause"),
    ("rules.yaml", "id: few-users", "id: contract-not-filed-in-time", "- id: few-users", "规则编号重复", "this rule id is used twice"),
    ("rules.yaml", "topic: inventory", "topic: nosuch", "topic: inventory", "few-users：未知主题：nosuch", "few-users: unknown topic: nosuch"),
    ("rules.yaml", "subject: system", "subject: tenant", "subject: system", "不支持的对象：tenant", "rules about a tenant are not supported"),
    ("rules.yaml", "responsible: owner", "responsible: boss", "responsible: owner", "未知角色：boss", "unknown role: boss"),
    ("rules.yaml", "severity: low", "severity: awful", "severity: low", "severity：不能写 awful", "severity: awful is not an allowed value"),
    ("rules.yaml", "when: {classified: false}", "when: {clasified: false}", "when: {", "未知字段：clasified", "unknown field: clasified"),
    ("rules.yaml", "{ge: limit:few}", "{gge: limit:few}", "must:\n", "users：未知判断 gge", "users: unknown operator gge"),
    ("rules.yaml", "{ge: limit:few}", "{ge: limit:many}", "must:\n", "未知界线：many", "unknown limit: many"),
    ("rules.yaml", "{ge: limit:few}", "{ge: many}", "must:\n", "数字段不能与 'many' 比较大小", "a number can't be compared with 'many'"),
    ("rules.yaml", "{ge: limit:few}", "{at_most: name}", "must:\n", "users 与 name 须都是数字段", "users and name are not both a number"),
    ("rules.yaml", "{ge: limit:few}", "{days_ago_at_most: 3}", "must:\n", "须用于日期字段", "needs a date and a whole number"),
    ("rules.yaml", "{ge: limit:few}", "{in: 3}", "must:\n", "users.in 须为列表", "users.in: needs a list"),
    ("rules.yaml", "{ge: limit:few}", "{recorded: maybe}", "must:\n", "须为 true 或 false", "needs true or false"),
    ("rules.yaml", "{in_time: XX26-02}", "{in_time: XX26-03}", "must: {in_time", "天数和记录字段的条款：XX26-03", "an event, a number and a record: XX26-03"),
    ("rules.yaml", "when: {classified: false}", "when: {in_time: XX26-02}", "when: {", "in_time 只用于项目", "in_time is for projects only"),
    ("rules.yaml", "不足 {few} 个", "不足 {fwe} 个", "message: {zh: \"用户", "未知界线：{fwe}", "unknown limit: {fwe}"),
    ("rules.yaml", "limits:\n", "requests: {own_cloud: [XX26-77]}\nlimits:\n", "limits:\n", "引用了不存在的条款：XX26-77", "cites an unknown clause: XX26-77"),
    ("rules.yaml", "limits:\n", "requests: {exception_role: boss}\nlimits:\n", "limits:\n", "未知角色：boss", "unknown role: boss"),
    ("cases/few-users.yaml", "rule: few-users", "rule: nosuch", "rule:", "nosuch：没有这条规则", "nosuch: no such rule"),
    ("cases/few-users.yaml", "expect: fail", "expect: undetermined", "cases:\n", "few-users：缺少 fail 用例", "few-users: has no case that expects fail"),
    ("cases/few-users.yaml", "expect: pass", "expect: maybe", "expect: pass", "expect：不能写 maybe", "expect: maybe is not an allowed value"),
    ("cases/few-users.yaml", "as_of: 2026-03-02", "as_of: soon", "as_of: 2026-03-02", "as_of：不是日期", "as_of: not a date"),
    ("cases/few-users.yaml", "    system: {system_id: S-1, name: 示例系统, classified: false, users: 20}\n", "", "- name: 够", "few-users「够」：缺少 system", "few-users「够」: lacks its system"),
    ("cases/few-users.yaml", "rule: few-users", "rule: contract-not-filed-in-time", "rule:", "另一文件已有这条规则的用例", "its cases are in another file"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "at", "zh", "en"), WRONG)
def test_one_line_says_what_is_wrong_and_where(
    write: Write, calendar: WorkCalendar, file: str, old: str, new: str, at: str, zh: str, en: str
) -> None:
    with pytest.raises(InputError) as caught:
        tried(write(file, old, new), calendar)
    first, second = (caught.value.message(lang).split("\n") for lang in ("zh", "en"))  # type: ignore[arg-type]
    assert len(first) == len(second) == 2, "one line, and the next step"
    place = re.match(r".*/XX26/(\S+?):(\d+): ", first[0])
    assert place, first[0]
    assert (place[1], int(place[2])) == (file, line_of(file, at)), first[0]
    assert zh in first[0]
    assert en in second[0]


def test_a_rule_without_cases_is_named_by_its_line_in_rules_yaml(write: Write, calendar: WorkCalendar) -> None:
    root = write()
    (root / "XX26" / "cases" / "few-users.yaml").unlink()
    with pytest.raises(InputError) as caught:
        tried(root, calendar)
    assert caught.value.message("zh").startswith(f"{root}/XX26/rules.yaml:{line_of('rules.yaml', '- id: few-users')}: ")
    assert "规则没有用例：few-users" in caught.value.message("zh")


def test_every_case_that_disagrees_is_reported(write: Write, calendar: WorkCalendar) -> None:
    """The first disagreement must not hide the others: they are corrected in one go."""
    root = write("rules.yaml", "{ge: limit:few}", "{lt: limit:few}")
    wrong = [r for r in tried(root, calendar) if not r.agrees]
    assert [(r.rule_id, r.name, r.expected, r.actual) for r in wrong] == [
        ("XX26/few-users", "够", "pass", "fail"),
        ("XX26/few-users", "少", "fail", "pass"),
    ]


def test_a_limit_of_the_site_is_what_rule_and_message_go_by(write: Write, calendar: WorkCalendar) -> None:
    root = write()
    rule = load_packs(root, ["XX26"], {"few": 12.5})[0].rules[1]
    assert rule.message.zh == "用户不足 12.5 个"
    assert [r.actual for r in tried(root, calendar, few=12.5) if r.rule_id == "XX26/few-users"] == ["pass", "pass"]


@pytest.mark.parametrize("limits", [{"few": float("inf")}, {"many": 3}])
def test_a_limit_of_the_site_that_can_not_be_meant_names_the_settings(write: Write, limits: dict[str, float]) -> None:
    with pytest.raises(InputError) as caught:
        load_packs(write(), ["XX26"], limits)
    assert caught.value.where.zh == f"govcloud.yaml:limits.{next(iter(limits))}"


def test_a_superseded_pack_ends(write: Write) -> None:
    (pack,) = load_packs(
        write(
            "pack.yaml", "effective_to: null\n  superseded_by: null", "effective_to: 2026-06-30\n  superseded_by: YY26"
        ),
        ["XX26"],
    )
    assert [pack.in_force(date(2026, 6, 30)), pack.in_force(date(2026, 7, 1))] == [True, False]
    assert pack.superseded_by == "YY26"
