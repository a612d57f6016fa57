"""Who may open a gate, and whether it is open. Pure; the same rules are asked when an answer is given and when it is used."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from govcloud.execution.rules import AccountHolder, ExecutionRules, Person
from govcloud.execution.steps import applicable
from govcloud.execution.window import Window, window_problem
from govcloud.model.account import ACCOUNT_ROLES, ACTION_NAMES, AccountRole, Action, allowed, roles_for, same_person
from govcloud.model.gate import Answer, Gate, Order
from govcloud.model.ids import normalize
from govcloud.model.run import Run, RunSystem
from govcloud.model.step import Step, StepName
from govcloud.model.text import Text

EMERGENCY_PEOPLE = 2
_PARTS = {
    "plan": Text("迁移计划", "the plan"),
    "playbooks": Text("剧本", "the playbooks"),
    "hosts": Text("hosts.yaml 中的主机", "its hosts in hosts.yaml"),
    "spec": Text("迁移文件", "the migration file"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the answers at a gate amount to at one moment."""

    granted: tuple[Answer, ...] = ()
    """Those that count."""
    refused: Answer | None = None
    emergency: bool = False
    """Two people have opened it outside of the ordinary way: the window does not matter."""
    spent: bool = False
    """It was answered, and none of the answers can count any more: it has to be asked anew."""


def needs_gate(step: Step, rules: ExecutionRules, system: RunSystem) -> bool:
    """Where nothing is made the gate before `provision` stands before `prepare`. A planned window is a gate by itself."""
    if step.name == "prepare" and "provision" in rules.gates and "provision" not in applicable(system.spec):
        return True
    planned = system.opens_at is not None or system.closes_at is not None
    return step.name in rules.gates or (step.gate == "window" and planned)


def needs_approval(step: StepName, rules: ExecutionRules) -> bool:
    """Of a gate that stands: a window without an approval opens by itself."""
    return step in rules.gates or (step == "prepare" and "provision" in rules.gates)


def standing(answers: Sequence[Answer], run: Run, rules: ExecutionRules, now: datetime) -> Standing:
    refused = next((a for a in answers if not a.granted), None)
    live = [a for a in answers if a.granted and now < a.expires_at]
    ordinary = [
        a for a in live if not a.emergency and not _same(a.actor, run.created_by, rules) and _has_role(a, rules)
    ]
    urgent = [a for a in live if a.emergency and _has_role(a, rules)]
    two = len({_name(a.actor, rules) for a in urgent}) >= EMERGENCY_PEOPLE
    return Standing(
        granted=tuple(urgent if two else ordinary),
        refused=refused,
        emergency=two,
        spent=bool(answers) and refused is None and not ordinary and not urgent,
    )


def gate_problem(
    gate: Gate,
    answers: Sequence[Answer],
    run: Run,
    rules: ExecutionRules,
    changed: Collection[str],
    now: datetime,
    window: Window | None,
) -> Text | None:
    """Why the gate may not be used now. `window`: None where the step needs none."""
    if gate.used_at is not None:
        return Text("这道关口已用过", "This gate has been used")
    if changed:
        return changed_text(changed)
    found = standing(answers, run, rules, now)
    if found.refused is not None:
        return Text("{who} 不予批准", "{who} has refused it").format(who=found.refused.actor)
    if needs_approval(gate.step, rules) and not found.granted:
        return Text("尚未批准", "Not approved yet")
    if window is not None and not found.emergency:
        return window_problem(window, now)
    return None


def answer_problem(
    gate: Gate,
    answers: Sequence[Answer],
    run: Run,
    rules: ExecutionRules,
    changed: Collection[str],
    actor: str,
    *,
    granted: bool,
    emergency: bool,
) -> Text | None:
    """Why this person may not give this answer. Anybody who may speak at all may refuse, the starter included."""
    if gate.used_at is not None:
        return Text("这道关口已用过，不能再答复", "This gate has been used: there is nothing left to answer")
    if any(_same(a.actor, actor, rules) for a in answers):
        return Text("{who} 已答复过，每人只答复一次", "{who} has answered already; everybody answers once").format(
            who=actor
        )
    if problem := approver_problem(actor, run, rules, granted=granted, emergency=emergency):
        return problem
    if not granted:
        return None
    if any(not a.granted for a in answers):
        return Text("已有人不予批准", "Somebody has refused it")
    return changed_text(changed) if changed else None


def approver_problem(actor: str, run: Run, rules: ExecutionRules, *, granted: bool, emergency: bool) -> Text | None:
    """Why it is not for this person to answer, whatever the gate's state."""
    if problem := person_problem(actor, rules, "approve" if granted else None):
        return problem
    if granted and not emergency and _same(actor, run.created_by, rules):
        return Text("不能批准自己发起的执行", "Nobody approves a run of his own")
    return None


def word_problem(actor: str, run: Run, rules: ExecutionRules, *, repeats_once_only: bool) -> Text | None:
    """Why this person may not decide on an attempt. `repeats_once_only`: he lets a step begin again that must not be repeated
    by itself, which is an approval."""
    if repeats_once_only and _same(actor, run.created_by, rules):
        return Text(
            "这一步不可自动重做，准许重做即为批准，不能由发起人作出",
            "This step is never repeated by itself; to allow it is an approval, which the starter of the run may not give",
        )
    return person_problem(actor, rules, "approve" if repeats_once_only else "operate")


def review_problem(actor: str, run: Run, answers: Sequence[Answer], rules: ExecutionRules) -> Text | None:
    """Why this person may not review the emergency that these answers declared."""
    if any(_same(actor, other, rules) for other in (run.created_by, *(a.actor for a in answers if a.emergency))):
        return Text(
            "紧急批准须由第三人复核：不能是批准人或发起人",
            "An emergency is reviewed by a third person: neither one who approved nor the starter",
        )
    return person_problem(actor, rules, "review")


def person_problem(actor: str, rules: ExecutionRules, action: Action | None) -> Text | None:
    """Why this person may not do this; None for `action`: why he may not speak at all.

    The table of roles and actions is for holders of accounts. People of the settings have roles of the office's own choice,
    and `approver_roles` names those that approve and review.
    """
    person = find_person(actor, rules)
    if rules.people and person is None:
        return Text(
            "{who} 没有可用的账号，也不在 execution.people 名单中",
            "{who} has no account in use and is not listed in execution.people",
        ).format(who=actor)
    by_account = isinstance(person, AccountHolder)
    if by_account and action is not None and not allowed(_account_roles(person), action):
        return Text("{who} 没有“{what}”所需的角色：{roles}", '{who} has none of the roles that "{what}" takes: {roles}').format(
            who=actor, what=ACTION_NAMES[action], roles=roles_for(action)
        )  # fmt: skip
    chosen = action == "approve" or (action == "review" and not by_account)
    if chosen and rules.approver_roles and not set(rules.approver_roles) & set(person.roles if person else ()):
        return Text(
            "{who} 没有批准所需的角色：{roles}", "{who} has none of the roles that may approve: {roles}"
        ).format(who=actor, roles=", ".join(rules.approver_roles))  # fmt: skip
    return None


def find_person(actor: str, rules: ExecutionRules) -> Person | None:
    return next((p for p in rules.people if any(same_person(name, actor) for name in _names(p))), None)


def role_of(actor: str, rules: ExecutionRules) -> tuple[str, str]:
    """Unit and role under which records name the person: the role that lets him approve before any other."""
    person = find_person(actor, rules)
    if person is None:
        return "", ""
    fitting = [r for r in person.roles if r in rules.approver_roles]
    return person.unit, next(iter((*fitting, *person.roles)), "")


def unreviewed(answers: Sequence[Answer], gate: Gate, orders: Sequence[Order]) -> tuple[Answer, ...]:
    """The emergency answers by which a gate was passed and that nobody has looked at since."""
    urgent = tuple(a for a in answers if a.granted and a.emergency)
    if gate.used_at is None or len(urgent) < EMERGENCY_PEOPLE:
        return ()
    reviewed = any(o.kind == "review" and o.step == gate.step and o.at >= gate.used_at for o in orders)
    return () if reviewed else urgent


def changed_text(changed: Collection[str]) -> Text:
    named = [_PARTS.get(part.partition(":")[0], Text(part, part)) for part in sorted(changed)]
    return Text(
        "登记后有变，未用的批准作废：{parts}", "Changed since it was registered, which voids unused approvals: {parts}"
    ).format(parts=Text("、".join(t.zh for t in named), ", ".join(t.en for t in named)))


def _has_role(answer: Answer, rules: ExecutionRules) -> bool:
    """Who has lost his role since has lost his word."""
    return person_problem(answer.actor, rules, "approve") is None


def _account_roles(person: Person | None) -> list[AccountRole]:
    return [role for role in ACCOUNT_ROLES if person is not None and role in person.roles]


def _names(person: Person) -> tuple[str, ...]:
    return (person.name, *person.known_as) if isinstance(person, AccountHolder) else (person.name,)


def _name(actor: str, rules: ExecutionRules) -> str:
    """One word for one person, whatever he was called when it was written down."""
    person = find_person(actor, rules)
    return normalize(person.name if person else actor)


def _same(a: str, b: str, rules: ExecutionRules) -> bool:
    return _name(a, rules) == _name(b, rules)
