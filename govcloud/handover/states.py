"""The states of a takeover, pure: computed from what happened and never stored beside it, so that the two cannot disagree."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from govcloud.handover.checklist import STAGES, build_standings
from govcloud.handover.signoff import is_signed, is_started
from govcloud.model.handover import STATE_NAMES, Act, Checklist, Handover, TakeoverState
from govcloud.model.text import Text

PAUSED: frozenset[TakeoverState] = frozenset({"deferred", "not_applicable"})
_ANY: frozenset[Act] = frozenset({"plan", "defer", "exclude"})
_TAKES: Mapping[TakeoverState, frozenset[Act]] = {
    "to_assess": _ANY | {"start"},
    "planned": _ANY | {"start"},
    "papers": _ANY,
    "knowledge_transfer": _ANY,
    "dual_run": _ANY,
    "confirmed": _ANY,
    # The next takeover of the system, by another unit.
    "operating": frozenset({"plan", "start"}),
    "deferred": frozenset({"resume", "exclude"}),
    "not_applicable": frozenset({"resume"}),
}
_STARTED = Text("接管已经开始", "the takeover has begun")
_PAUSED = Text("先用 takeover resume 恢复", "first takeover resume")
_SIGNED = Text("双方已签字", "both parties have signed")
_RUNNING = Text("它没有暂缓，也没有列为不适用", "it is neither deferred nor excluded")


def build_state(checklist: Checklist, handover: Handover | None, today: date) -> TakeoverState:
    """`handover`: the newest of the system; None for one that nobody has looked at."""
    if handover is None:
        return "to_assess"
    if is_signed(handover):
        return "operating"
    last = handover.decisions[-1].act if handover.decisions else "start"
    if last in ("defer", "exclude"):
        return "deferred" if last == "defer" else "not_applicable"
    if not is_started(handover):
        planned = any(d.act == "plan" for d in handover.decisions)
        return "planned" if planned else "to_assess"
    due = {s.stage for s in build_standings(checklist, handover).values() if s.required and not s.done}
    for stage in STAGES:
        if stage in due:
            return stage
    until = handover.dual_run_until
    return "dual_run" if until is not None and today < until else "confirmed"


def verify_decision(checklist: Checklist, handover: Handover | None, act: Act, today: date) -> list[Text]:
    """Why this may not be decided in the state that the takeover is in; empty when it may."""
    state = build_state(checklist, handover, today)
    if act in _TAKES[state]:
        return []
    why = _RUNNING if act == "resume" else _PAUSED if state in PAUSED else _SIGNED if state == "operating" else _STARTED
    return [Text("现为“{state}”：{why}", "It is at “{state}”: {why}").format(state=STATE_NAMES[state], why=why)]
