"""Every rule carries its own examples: at least one that passes and one that fails. Loads them and tries them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec

from govcloud.compliance.calendar import WorkCalendar
from govcloud.compliance.evaluate import decide_rule
from govcloud.compliance.pack_file import CASES, PackFile, faulty, read_pack_file
from govcloud.compliance.subjects import subjects
from govcloud.compliance.zombies import build_zombies
from govcloud.errors import InputError
from govcloud.model.inventory import Inventory, Network, Project, System
from govcloud.model.regulation import CaseResult, Regulation, Rule, Verdict
from govcloud.model.server import Server
from govcloud.model.text import Text
from govcloud.model.zombie import ZombieRules
from govcloud.safe_yaml import load_located


class _Case(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    expect: Verdict
    as_of: date
    system: System | None = None
    server: Server | None = None
    network: Network | None = None
    project: Project | None = None
    inventory: Inventory = msgspec.field(default_factory=Inventory)


class _Cases(msgspec.Struct, forbid_unknown_fields=True):
    rule: str
    cases: list[_Case]


def run_cases(root: Path, pack: Regulation, calendar: WorkCalendar) -> tuple[CaseResult, ...]:
    """Try every case of the pack; `root` is the folder that holds the pack's folder.

    Raises InputError with file and line for a rule without a passing or a failing case, or a case of no rule.
    """
    folder = root / pack.regulation_id
    rules = {rule.rule_id.partition("/")[2]: rule for rule in pack.rules}
    untried = dict(rules)
    results: list[CaseResult] = []
    for path in sorted((folder / "cases").glob("*.yaml")):
        file = read_pack_file(path, _Cases, CASES)
        name, cases = file.content.rule, file.content.cases
        rule = untried.pop(name, None)
        if rule is None:
            known = name in rules
            file.refuse(
                ("rule",), name,
                "另一文件已有这条规则的用例" if known else "没有这条规则",
                "its cases are in another file" if known else "no such rule",
            )  # fmt: skip
        for verdict in ("pass", "fail"):
            if not any(case.expect == verdict for case in cases):
                file.refuse(("cases",), name, f"缺少 {verdict} 用例", f"has no case that expects {verdict}")
        results += [_run(rule, case, pack, calendar, file, number) for number, case in enumerate(cases)]
    if untried:
        raise _without_cases(folder / "rules.yaml", list(rules), list(untried))
    return tuple(results)


def _without_cases(path: Path, rules: list[str], untried: list[str]) -> InputError:
    what = Text("规则没有用例：{ids}", "rules without cases: {ids}").format(ids=", ".join(untried))
    return faulty(CASES, what, load_located(path).where("rules", rules.index(untried[0])))


def _run(
    rule: Rule, case: _Case, pack: Regulation, calendar: WorkCalendar, file: PackFile[_Cases], number: int
) -> CaseResult:
    inventory = replace(
        case.inventory,
        systems=(*([case.system] if case.system else []), *case.inventory.systems),
        servers=(*([case.server] if case.server else []), *case.inventory.servers),
        networks=(*([case.network] if case.network else []), *case.inventory.networks),
        projects=(*([case.project] if case.project else []), *case.inventory.projects),
    )
    zombies = {z.system_id: z for z in build_zombies(inventory, ZombieRules(), {}, case.as_of)}
    subject = next(subjects(inventory, rule.subject, zombies), None) if getattr(case, rule.subject, None) else None
    if subject is None:
        kind = rule.subject
        file.refuse(("cases", number), f"{file.content.rule}「{case.name}」", f"缺少 {kind}", f"lacks its {kind}")
    try:
        answer = decide_rule(rule, subject, pack, calendar, case.as_of)
    except (OverflowError, ValueError):  # a deadline after the last year that a date can have
        file.refuse(("cases", number), f"{file.content.rule}「{case.name}」", "日期超出范围", "a date is out of range")
    return CaseResult(
        rule_id=rule.rule_id,
        name=case.name,
        expected=case.expect,
        actual=answer.verdict,
        where=file.located.where("cases", number),
    )
