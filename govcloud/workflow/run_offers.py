"""What a person may say to runs at this moment, by the same rules by which it is then taken or refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from govcloud.execution.gates import answer_problem, person_problem, review_problem, word_problem
from govcloud.execution.journal import Seen
from govcloud.execution.machine import open_question
from govcloud.execution.orders import CHOICES, choice_problem, order_problem, resumable
from govcloud.execution.rules import AccountHolder, ExecutionRules, parse_rules
from govcloud.model.account import Action
from govcloud.model.gate import Answer, Gate, OrderKind
from govcloud.model.run import ENDED, Wait
from govcloud.model.text import Text
from govcloud.report.run_asked import Asked, Offers, Question, Review, Word
from govcloud.report.run_overview import RunOverview, SystemStatus
from govcloud.store import gate as gate_store
from govcloud.store import run as run_store
from govcloud.workflow.people import holders
from govcloud.workflow.run_journal import StoreJournal
from govcloud.workflow.run_status import run_overview
from govcloud.workflow.session import Session

_ORDERS: Mapping[OrderKind, Action] = {
    "hold": "operate",
    "resume": "operate",
    "cancel": "operate",
    "rollback": "operate",
    "accept": "approve",
    "switch_off": "operate",
}


def list_offers(session: Session) -> list[Offers]:
    """Of all runs in which a gate waits for an approval or an emergency was declared, the newest run last."""
    with session.store.read() as tx:
        found = run_store.runs_waiting(tx, "approval") | gate_store.emergency_runs(tx)
    return [find_offers(session, run_overview(session, run_id)) for run_id in sorted(found)]


def find_offers(session: Session, shown: RunOverview) -> Offers:
    with session.store.read() as tx:
        kept = holders(tx)
    rules = parse_rules(session.workspace.settings.execution).with_people(kept)
    seen = _all_seen(shown, kept)
    return Offers(
        asked=_asked(session, shown, rules), orders=_orders(session, shown, seen, rules),
        questions={s.row.system_id: q for s in shown.systems if (q := _question(session, s, rules)) is not None},
        reviews=_reviews(session, shown, rules),
    )  # fmt: skip


def _all_seen(shown: RunOverview, kept: tuple[AccountHolder, ...] | None) -> dict[str, Seen]:
    """As far as orders ask: without the other systems of the run and the files that may have changed."""
    gates: dict[str, list[Gate]] = defaultdict(list)
    orders: dict[str, list[Any]] = defaultdict(list)
    for gate in shown.gates:
        gates[gate.system_id].append(gate)
    for order in shown.orders:
        orders[order.system_id].append(order)
    return {
        (name := s.row.system_id): Seen(
            run=shown.run, system=s.row, attempts=s.attempts, gates=tuple(gates[name]), answers=shown.answers,
            orders=tuple(orders[name]), others={}, changed=(), resources=(), now=shown.now, holders=kept,
        )
        for s in shown.systems
    }  # fmt: skip


def _orders(
    session: Session, shown: RunOverview, seen: Mapping[str, Seen], rules: ExecutionRules
) -> dict[OrderKind, tuple[str, ...]]:
    found = {}
    for kind, action in _ORDERS.items():
        if not session.acting.may(action) or person_problem(
            session.actor, rules, action if session.acting.roles is not None else None
        ):
            continue
        fitting = (
            _can_resume(s) if kind == "resume" else not order_problem(s, kind, shown.zone) for s in seen.values()
        )
        if systems := tuple(name for name, fits in zip(seen, fitting, strict=True) if fits):
            found[kind] = systems
    return found


def _can_resume(seen: Seen) -> bool:
    wait = seen.system.wait
    if seen.system.state in ENDED:
        return False
    # Without a gate it waits for what has changed to be adopted; a window that is over is planned anew.
    over = seen.system.closes_at is not None and seen.now >= seen.system.closes_at
    changed = wait is not None and (
        (wait.kind == "approval" and wait.gate_id is None) or (wait.kind == "window" and over)
    )
    return changed or resumable(seen)


def _question(session: Session, status: SystemStatus, rules: ExecutionRules) -> Question | None:
    if status.row.state != "needs_person":
        return None
    journal = StoreJournal(session, "")
    seen = journal.seen(status.row.run_id, status.row.system_id)
    park = open_question(seen, journal.steps, rules)
    if park is None or park.about is None:
        return None
    key, words = park.about, []
    for choice in CHOICES:
        alone = choice == "rerun" and key.phase == "apply" and not journal.steps[key.step].repeatable
        if not choice_problem(choice, key.step, key.phase) and not word_problem(
            session.actor, seen.run, rules, repeats_once_only=alone
        ):
            words.append(choice)
    return Question(key=key, words=tuple(words))


def _asked(session: Session, shown: RunOverview, rules: ExecutionRules) -> tuple[Asked, ...]:
    newest = {g.gate_id: g for g in shown.gates if g.used_at is None}
    groups: dict[tuple[Any, ...], list[tuple[SystemStatus, Gate, tuple[Answer, ...]]]] = {}
    for status in shown.systems:
        wait = status.row.wait
        gate = newest.get(wait.gate_id or "") if wait is not None and status.row.state not in ENDED else None
        if gate is None or wait is None or wait.kind not in ("approval", "window"):
            continue
        given = tuple(shown.answers.get(gate.gate_id, ()))
        words, why_not = _words(session, shown, gate, given, wait, rules)
        key = (gate.step, words, why_not, wait.kind, frozenset(a.actor for a in given))
        groups.setdefault(key, []).append((status, gate, given))
    return tuple(
        Asked(
            run=shown.run, step=step, title=shown.titles[step], systems=tuple(m[0] for m in members),
            gates=tuple(m[1] for m in members), answers=tuple(a for m in members for a in m[2]), words=words,
            why_not=why_not, waits=kind == "approval", labels=shown.labels,
        )
        for (step, words, why_not, kind, _), members in groups.items()
    )  # fmt: skip


def _words(
    session: Session, shown: RunOverview, gate: Gate, given: tuple[Answer, ...], wait: Wait, rules: ExecutionRules
) -> tuple[frozenset[Word], Text | None]:
    def problem(*, granted: bool, emergency: bool) -> Text | None:
        return answer_problem(
            gate, given, shown.run, rules, (), session.actor, granted=granted, emergency=emergency
        )  # fmt: skip

    if not session.acting.may("approve"):
        return frozenset(), person_problem(session.actor, rules, "approve")
    problems: dict[Word, Text | None] = {
        "approve": problem(granted=True, emergency=False),
        "refuse": problem(granted=False, emergency=False),
        "emergency": problem(granted=True, emergency=True),
    }
    half_way = any(a.granted and a.emergency and shown.now < a.expires_at for a in given)
    # A window needs no ordinary approval any more, and one who follows an emergency declares it, too.
    ordinary = wait.kind == "approval" and not half_way
    words = frozenset(w for w, why in problems.items() if why is None and (w != "approve" or ordinary))
    return words, problems["emergency" if half_way else "approve"]


def _reviews(session: Session, shown: RunOverview, rules: ExecutionRules) -> tuple[Review, ...]:
    systems = {g.gate_id: g.system_id for g in shown.gates}
    due: dict[str, list[Answer]] = defaultdict(list)
    for answer in shown.due_reviews:
        due[systems[answer.gate_id]].append(answer)
    return tuple(
        Review(
            run=shown.run, system_id=system_id, answers=tuple(answers),
            why_not=review_problem(session.actor, shown.run, answers, rules),
        )
        for system_id, answers in due.items()
    )  # fmt: skip
