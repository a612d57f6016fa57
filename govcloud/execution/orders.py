"""Which orders a system can follow as it is now, and what may be decided on an attempt. Pure; asked where an order is offered
and again where it is given."""

from __future__ import annotations

from datetime import tzinfo
from typing import get_args

from govcloud.execution.history import is_held, last_order, source_touched
from govcloud.execution.journal import Seen
from govcloud.model.gate import Choice, OrderKind
from govcloud.model.run import ENDED, SystemState, WaitKind
from govcloud.model.step import Phase, StepName
from govcloud.model.text import Text

CHOICES: tuple[Choice, ...] = get_args(Choice)
RELEASED: frozenset[WaitKind] = frozenset({"wave_stop", "predecessor", "quota", "ticket", "host_key"})
"""Waits that a person's resume ends or cuts short."""
_STATES: dict[SystemState, Text] = {
    "waiting": Text("等待中", "waiting"),
    "running": Text("执行中", "running"),
    "held": Text("已暂停", "held"),
    "needs_person": Text("待人决定", "waiting for a person's decision"),
    "rolling_back": Text("回退中", "on its way back"),
    "trial": Text("试运行", "on trial"),
    "accepted": Text("已验收", "accepted"),
    "switched_off": Text("源已停用", "its source is switched off"),
    "rolled_back": Text("已回退", "rolled back"),
    "failed": Text("未成功", "failed"),
    "cancelled": Text("已取消", "cancelled"),
}


def order_problem(seen: Seen, kind: OrderKind, zone: tzinfo) -> Text | None:
    """Why the system can't follow the order; `zone`: of the office, for days that are named. For hold, cancel, rollback, accept
    and switch_off; whether there is something to resume is `resumable`, and decisions and reviews are about an attempt or a gate.
    """
    if seen.system.state in ENDED:
        return Text("已结束：{s}", "it is over: {s}").format(s=_STATES[seen.system.state])
    if "older_version" in seen.run.settings and seen.system.state == "needs_person" and kind != "rollback":
        return Text("由旧版本开始，只能回退", "begun by an older version; only the way back is possible")
    asked = {"hold": _hold, "cancel": _cancel, "rollback": _rollback}
    if kind in asked:
        return asked[kind](seen)
    return _accept(seen, zone) if kind == "accept" else _switch_off(seen, zone)


def resumable(seen: Seen) -> bool:
    """Whether it is held, or waits for what a resume ends; `seen.changed` is the caller's to look at."""
    return is_held(seen) or (seen.system.wait is not None and seen.system.wait.kind in RELEASED)


def choice_problem(choice: Choice, step: StepName, phase: Phase) -> Text | None:
    if choice == "done" and step == "precheck":
        return Text("检查不能以人的判断代替", "A check can't be replaced by a person's word")
    if choice == "abort" and phase == "rollback":
        return Text(
            "回退不能半途放弃：修复后 rerun，或手工做完后 done",
            "A way back can't be given up half-way: repair and rerun, or do it by hand and say done",
        )
    return None


def _hold(seen: Seen) -> Text | None:
    if seen.system.state in ("trial", "accepted"):
        return Text("已在新平台服务，没有待执行的步骤", "it serves from the target; no step is due")
    return Text("已暂停", "it is held already") if is_held(seen) else None


def _cancel(seen: Seen) -> Text | None:
    if seen.system.state in ("trial", "accepted"):
        return Text("已在新平台服务；要退回请用 run rollback", "it serves from the target; to go back use run rollback")
    if seen.system.state == "rolling_back" or last_order(seen, "cancel", "rollback"):
        return Text("已在回退", "it is on its way back already")
    return None


def _rollback(seen: Seen) -> Text | None:
    if seen.system.state == "accepted" or last_order(seen, "accept"):
        return Text(
            "已验收，不能回退；须按紧急程序另行立项迁回",
            "it is accepted and can't be taken back: that would be an emergency and a new migration",
        )
    if last_order(seen, "rollback"):
        return Text("已在回退", "it is on its way back already")
    if not source_touched(seen):
        return Text(
            "源没有被动过，无需回退；放弃请用 run cancel", "the source was not touched: nothing to roll back; to give up use run cancel"
        )  # fmt: skip
    return None


def _accept(seen: Seen, zone: tzinfo) -> Text | None:
    if seen.system.state != "trial":
        return Text("不在试运行：{s}", "it is not on trial: {s}").format(s=_STATES[seen.system.state])
    until = seen.system.wait.until if seen.system.wait else None
    if until is not None and seen.now < until:
        return Text("试运行至 {d} 方可验收", "the trial lasts until {d}").format(
            d=f"{until.astimezone(zone):%Y-%m-%d %H:%M}"
        )
    return None


def _switch_off(seen: Seen, zone: tzinfo) -> Text | None:
    if seen.system.state != "accepted":
        return Text("尚未验收：{s}", "it is not accepted: {s}").format(s=_STATES[seen.system.state])
    wait = seen.system.wait
    if wait is not None and wait.kind == "retention" and wait.until is not None and seen.now < wait.until:
        return Text("源须保留至 {d}", "its source is kept until {d}").format(
            d=f"{wait.until.astimezone(zone):%Y-%m-%d %H:%M}"
        )
    return None
