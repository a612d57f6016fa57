"""Every rule carries its own examples: at least one that passes and one that fails. Loads them and tries them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec

from govcloud.compliance.calendar import WorkCalendar
from govcloud.compliance.evaluate import decide_rule
from govcloud.compliance.subjects import subjects
from govcloud.compliance.zombies import build_zombies
from govcloud.errors import InputError
from govcloud.model.inventory import Inventory, Network, Project, System
from govcloud.model.regulation import CaseResult, Regulation, Rule, Verdict
from govcloud.model.server import Server
from govcloud.model.text import Text
from govcloud.model.zombie import ZombieRules
from govcloud.safe_yaml import load_yaml


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
    """Try every case of the pack. Raises InputError for a rule without a passing or a failing case, or a case of no rule."""
    folder = root / pack.regulation_id / "cases"
    rules = {rule.rule_id.partition("/")[2]: rule for rule in pack.rules}
    results: list[CaseResult] = []
    for path in sorted(folder.glob("*.yaml")):
        cases = _load(path)
        rule = rules.pop(cases.rule, None)
        if rule is None:
            raise _faulty(
                path,
                Text("没有这条规则，或已有另一文件写了它的用例", "no such rule, or its cases are in another file"),
                cases.rule,
            )
        results += [_run(rule, case, pack, calendar, path) for case in cases.cases]
        for verdict in ("pass", "fail"):
            if not any(case.expect == verdict for case in cases.cases):
                raise _faulty(path, Text("缺少 {v} 用例", "has no case that expects {v}").format(v=verdict), cases.rule)
    if rules:
        raise _faulty(folder, Text("规则没有用例", "a rule without cases"), ", ".join(rules))
    return tuple(results)


def _load(path: Path) -> _Cases:
    try:
        return msgspec.convert(load_yaml(path), _Cases)
    except msgspec.ValidationError as error:
        raise _faulty(path, Text("不合格式：{why}", "not in the expected form: {why}").format(why=error), "") from None


def _run(rule: Rule, case: _Case, pack: Regulation, calendar: WorkCalendar, path: Path) -> CaseResult:
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
        raise _faulty(path, Text("用例缺少 {k}", "the case lacks its {k}").format(k=rule.subject), case.name)
    answer = decide_rule(rule, subject, pack, calendar, case.as_of)
    return CaseResult(rule_id=rule.rule_id, name=case.name, expected=case.expect, actual=answer.verdict)


def _faulty(path: Path, what: Text, entry: str) -> InputError:
    return InputError(
        Text("规则用例有误：{what}", "The rule cases are faulty: {what}").format(what=what),
        where=f"{path}:{entry}" if entry else str(path),
        next_step=Text(
            "每条规则至少写一个 pass 和一个 fail 用例", "Give each rule at least one pass and one fail case"
        ),
    )
