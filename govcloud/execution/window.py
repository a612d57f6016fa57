"""Change windows: may the source be frozen now, with enough time for everything up to the check and for the way back? Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from govcloud.execution.steps import applicable
from govcloud.model.run import RunSystem
from govcloud.model.step import Step, StepName, window_need
from govcloud.model.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a plan gave, and what is needed of it. Without a plan there is neither opening nor closing."""

    opens_at: datetime | None
    closes_at: datetime | None
    forward_min: int
    """freeze … verify_service."""
    undo_min: int
    """The way back from there: it must fit in as well."""

    @property
    def needed_min(self) -> int:
        return self.forward_min + self.undo_min

    @property
    def latest_at(self) -> datetime | None:
        """The latest moment to begin; before `opens_at` where the window is too short altogether."""
        return self.closes_at - timedelta(minutes=self.needed_min) if self.closes_at else None

    def left_min(self, now: datetime) -> int | None:
        return math.floor((self.closes_at - now).total_seconds() / 60) if self.closes_at else None


def build_window(system: RunSystem, steps: Mapping[StepName, Step], data_bytes: int) -> Window:
    need = window_need(steps, applicable(system.spec))
    return Window(
        opens_at=system.opens_at,
        closes_at=system.closes_at,
        forward_min=need.forward_min(data_bytes),
        undo_min=need.undo_min,
    )


def window_problem(window: Window, now: datetime) -> Text | None:
    """Why the source can't be frozen now. None: it can."""
    if window.opens_at is not None and now < window.opens_at:
        return Text("变更窗口尚未开启", "The change window is not open yet")
    left = window.left_min(now)
    if left is None or left >= window.needed_min:
        return None
    if left <= 0:
        return Text("变更窗口已过", "The change window is over")
    return Text(
        "变更窗口只剩 {left} 分钟，冻结到验证需 {f} 分钟，另需留 {u} 分钟回退",
        "Only {left} minutes of the change window are left; freeze to verification takes {f}, and {u} must be kept for the way back",
    ).format(left=left, f=window.forward_min, u=window.undo_min)


def opens_later(window: Window, now: datetime) -> bool:
    """It is only a matter of time: the window has not opened and is long enough."""
    if window.opens_at is None or now >= window.opens_at:
        return False
    return window.latest_at is None or window.latest_at >= window.opens_at
