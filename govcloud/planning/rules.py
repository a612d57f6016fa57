"""The `planning:` section of `govcloud.yaml`; every key is explained in docs/planning.md.

The defaults are working assumptions for a first plan, not rules of any regulation: replace them by what rehearsals show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from govcloud.model.plan_problem import Crew, JobKind, WeakMode
from govcloud.model.schedule import GoalKind
from govcloud.model.text import Text

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FLAT_POOL = "main"
"""The pool that capacity.vcpus, memory_gib and disk_gib stand for."""


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
    every_month: bool = False
    """The same days of all months: the last days before taxes or contributions are due."""
    min_mlps: int | None = None
    systems: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    """Names as in the inventory."""
    exceptions: Mapping[str, str] = field(default_factory=dict)
    """System id -> the approval that lets it move all the same (who, document)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    vcpus: int | None = None
    memory_gib: int | None = None
    disk_gib: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolChange:
    """From this day on the quota is this much in all; what is not named stays as it was."""

    starts_on: date
    vcpus: int | None = None
    memory_gib: int | None = None
    disk_gib: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRule:
    """A resource pool of the target cloud; None: no limit."""

    vcpus: int | None = None
    memory_gib: int | None = None
    disk_gib: int | None = None
    domestic: bool = False
    """信创: domestic processors and systems; what runs on others today must be adapted first."""
    monthly: Amounts = field(default_factory=Amounts)
    """Most that the provider opens in a calendar month."""
    changes: tuple[PoolChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityRule:
    systems_per_window: int | None = None
    systems_per_department: int | None = None
    """Most systems of one department in a window."""
    crews: int | None = None
    """How many crews there are: the first of `crews`, and more like the last of them."""
    parallel: Mapping[JobKind, int] = field(default_factory=dict)
    """Most pieces of work of a kind at a time."""
    link_mbps: int | None = None
    """Link between the departments and the government cloud; of the zones that `links` does not name."""
    links: Mapping[str, int] = field(default_factory=dict)
    """Zone -> Mbit/s of its own link."""
    replication_hours: int = 40
    """Hours a week in which the links may be filled with copies."""
    link_use_pct: int = 70
    vcpus: int | None = None
    memory_gib: int | None = None
    disk_gib: int | None = None
    pools: Mapping[str, PoolRule] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRule:
    """Days of the work around a cutover; 0: there is no such work. Assumptions all of them."""

    adapt_days: int = 20
    provision_days: int = 5
    stream_mbps: int = 200
    """Speed of the copy of one group, where its link gives so much."""
    rehearse_days: int = 2
    trial_days: int = 30
    """Some cities ask for a trial run of 30 days; no clause of the four jurisdictions states a length."""
    refile_days: int = 10
    accept_days: int = 5
    takeover_days: int = 5
    retention_days: int = 30
    """The old place is kept, read-only, for the way back."""
    notice_days: int = 15
    archive_days: int = 5
    switch_off_days: int = 2
    close_days: int = 10
    """Cancelling the line of a dedicated network after the last system has left it."""
    daily: tuple[JobKind, ...] = ("trial", "retention")
    """Counted in calendar days; the others in working days. Replication always runs every day."""
    with_crew: tuple[JobKind, ...] = ("cutover",)
    """Work that holds a crew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationRule:
    """cutover = base + data + per dependency + the criticality's extra; reserve = the greater of base and share. The minutes
    of the data are those of the steps (playbooks, `steps:` of the settings)."""

    cutover_base_min: int = 45
    """Freeze, switch of the entrance, verification of a system without data and dependencies; at least what the steps take."""
    per_dependency_min: int = 5
    dependencies_max_min: int = 30
    """At most so much for all dependencies: those of a shared service are tested side by side."""
    important_extra_min: int = 10
    core_extra_min: int = 20
    reserve_base_min: int = 20
    reserve_share_pct: int = 50
    """Reserve in per cent of the cutover without its data: the way back copies nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Taken where the inventory does not know; each use is listed with the plan."""

    data_gib: int = 100
    vcpus: int = 4
    memory_gib: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Minutes of one system from a rehearsal; they replace the formula, as far as they are enough for a run."""

    cutover_min: int
    reserve_min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Dates that people have agreed. The first two the same day: pinned to that window."""

    not_before_on: date | None = None
    not_after_on: date | None = None
    due_on: date | None = None
    """It should be taken over by then; a wish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRule:
    max_systems: int | None = None
    """A group of more is cut like one that is longer than the longest window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubRule:
    """Shared services: at least `min_dependents` systems and `share_pct` of all systems need them, or people name them."""

    min_dependents: int = 10
    share_pct: int = 1
    systems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeRule:
    """Days of work for a temporary connection between the old place and the cloud, built and removed."""

    base_days: int = 3
    measured_days: int = 2
    """More where traffic was seen: it must be carried over, not only allowed."""
    database_days: int = 5
    """More where one of the two works in the other's database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApartRule:
    systems: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformRule:
    mlps_level: int | None = None
    """Level that the cloud platform itself is filed and assessed at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningRules:
    weeks: int = 26
    windows: tuple[WindowRule, ...] = (WindowRule(),)
    freezes: tuple[FreezeRule, ...] = ()
    freeze_holidays: bool = True
    holiday_margin_days: int = 1
    crews: tuple[Crew, ...] = (Crew(name="一组"), Crew(name="二组"))
    capacity: CapacityRule = field(default_factory=CapacityRule)
    activities: ActivityRule = field(default_factory=ActivityRule)
    duration: DurationRule = field(default_factory=DurationRule)
    defaults: Defaults = field(default_factory=Defaults)
    durations: Mapping[str, Measured] = field(default_factory=dict)
    lengths: Mapping[str, Mapping[JobKind, int]] = field(default_factory=dict)
    """System id -> kind of work -> days; they replace those of `activities`."""
    targets: Mapping[str, Target] = field(default_factory=dict)
    priorities: Mapping[str, int] = field(default_factory=dict)
    skills: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """System id -> skills that its crew must have."""
    pilots: tuple[str, ...] = ()
    adapt: Mapping[str, str] = field(default_factory=dict)
    """System id -> why it must be adapted before it can run on the cloud."""
    system_pools: Mapping[str, str] = field(default_factory=dict)
    """System id -> pool of the target cloud."""
    platform: PlatformRule = field(default_factory=PlatformRule)
    groups: GroupRule = field(default_factory=GroupRule)
    hubs: HubRule = field(default_factory=HubRule)
    bridges: BridgeRule = field(default_factory=BridgeRule)
    together: tuple[tuple[str, ...], ...] = ()
    """Systems that people want to move in one window, whatever their dependencies say."""
    apart: tuple[ApartRule, ...] = ()
    core_from_window: int = 2
    weak_dependencies: WeakMode = "prefer"
    goals: tuple[GoalKind, ...] = ("deadlines", "networks", "risk", "makespan", "bridges", "peak", "waiting")
    """In order of rank."""

    def pools(self) -> Mapping[str, PoolRule]:
        """By name, in the order of the settings. The flat quotas are those of the pool `main`, where it states none."""
        flat, named = self.capacity, self.capacity.pools
        if (flat.vcpus, flat.memory_gib, flat.disk_gib) == (None, None, None):
            return named
        main = named.get(FLAT_POOL, PoolRule())
        quotas = {
            q: getattr(flat, q) if (n := getattr(main, q)) is None else n for q in ("vcpus", "memory_gib", "disk_gib")
        }
        return {FLAT_POOL: replace(main, **quotas), **{name: pool for name, pool in named.items() if name != FLAT_POOL}}

    def teams(self) -> tuple[Crew, ...]:
        """As many crews as capacity.crews says, else those of the list; skills sorted."""
        listed = [Crew(name=c.name, skills=tuple(sorted(set(c.skills)))) for c in self.crews]
        wanted = self.capacity.crews if self.capacity.crews is not None else len(listed)
        taken = {c.name for c in listed}
        number = len(listed)
        while len(listed) < wanted:
            number += 1
            if (name := f"第{number}组") not in taken:
                listed.append(Crew(name=name, skills=listed[-1].skills))
        return tuple(listed[:wanted])
