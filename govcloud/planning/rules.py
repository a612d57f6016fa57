"""The `planning:` section of `govcloud.yaml`; every key is explained in docs/planning.md.

The defaults are working assumptions for a first plan, not rules of any regulation: replace them by what rehearsals show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from govcloud.model.plan import Costs, Crew, WeakMode
from govcloud.model.text import Text

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRule:
    """One opening a week, `start` in local time as HH:MM; it may run past midnight."""

    weekday: Weekday = "saturday"
    start: str = "22:00"
    minutes: int = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeRule:
    """Whole local days, both included; a range may run past New Year."""

    name: str
    title: Text | None = None
    """The name in both languages; without it `name` is shown in both."""
    starts_on: date
    ends_on: date
    every_year: bool = False
    """The same days of all years."""
    min_mlps: int | None = None
    systems: tuple[str, ...] = ()
    exceptions: Mapping[str, str] = field(default_factory=dict)
    """System id -> the approval that lets it move all the same (who, document)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityRule:
    systems_per_window: int | None = None
    link_mbps: int | None = None
    """Link between the departments and the government cloud."""
    replication_hours: int = 40
    """Hours before each window in which the link may be filled with first copies."""
    link_use_pct: int = 70
    vcpus: int | None = None
    memory_gib: int | None = None
    disk_gib: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationRule:
    """cutover = base + final sync + per dependency + the criticality's extra; reserve = the greater of base and share."""

    cutover_base_min: int = 45
    """Freeze, switch of the entrance, verification of a system without data and dependencies."""
    per_dependency_min: int = 5
    dependencies_max_min: int = 30
    """At most so much for all dependencies: those of a shared service are tested side by side."""
    important_extra_min: int = 10
    core_extra_min: int = 20
    changed_pct: int = 5
    """Share of the data that changes between the first copy and the final sync."""
    final_sync_mbps: int = 400
    reserve_base_min: int = 20
    reserve_share_pct: int = 50
    """Reserve in per cent of the cutover."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Taken where the inventory does not know; each use is listed with the plan."""

    data_gib: int = 100
    vcpus: int = 4
    memory_gib: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Minutes of one system from a rehearsal; they replace the formula."""

    cutover_min: int
    reserve_min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Dates that people have agreed. Both the same day: pinned to that window."""

    not_before_on: date | None = None
    not_after_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningRules:
    weeks: int = 12
    windows: tuple[WindowRule, ...] = (WindowRule(),)
    freezes: tuple[FreezeRule, ...] = ()
    freeze_holidays: bool = True
    holiday_margin_days: int = 1
    crews: tuple[Crew, ...] = (Crew(name="一组"), Crew(name="二组"))
    capacity: CapacityRule = field(default_factory=CapacityRule)
    duration: DurationRule = field(default_factory=DurationRule)
    defaults: Defaults = field(default_factory=Defaults)
    durations: Mapping[str, Measured] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)
    priorities: Mapping[str, int] = field(default_factory=dict)
    skills: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """System id -> skills that its crew must have."""
    pilots: tuple[str, ...] = ()
    core_from_window: int = 2
    weak_dependencies: WeakMode = "prefer"
    costs: Costs = field(default_factory=Costs)
