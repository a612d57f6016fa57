"""What is to be planned and what was planned. Whole minutes, MiB and counts only, so that a plan has one canonical hash."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from govcloud.model.text import Text

PlanStatus = Literal["optimal", "feasible", "infeasible", "unknown"]
"""optimal: proven; feasible: everything is placed, a better plan may exist; infeasible: proven that not everything can be
placed (the waves hold the part that can); unknown: the time was over before either was shown."""

WeakMode = Literal["prefer", "require"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveTask:
    """One system that is to move."""

    system_id: str
    name: str
    department: str | None = None
    cutover_min: int
    """Freeze, final sync, switch and verification."""
    reserve_min: int
    """Time kept after the cutover for the way back."""
    data_mib: int = 0
    vcpus: int = 0
    memory_mib: int = 0
    disk_mib: int = 0
    mlps_level: int | None = None
    core: bool = False
    pilot: bool = False
    priority: int = 1
    """Weight of a day of delay, 1 to 100."""
    skills: tuple[str, ...] = ()
    """Skills that its crew must have."""
    not_before_on: date | None = None
    not_after_on: date | None = None
    """Local date on which its window may open at the latest."""
    assumed: tuple[str, ...] = ()
    """Inputs that were unknown and taken from the defaults: field names of System or Server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveGroup:
    """Systems that strong dependencies bind together: one window, one crew, one common way back."""

    group_id: str
    """The smallest system id of the group."""
    system_ids: tuple[str, ...]
    """In the order of their cutovers: what others need comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeakLink:
    """A dependency that may be cut for a while: the target moves in the same or an earlier window."""

    dependency_id: str
    source_id: str
    target_id: str
    strength_known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWindow:
    window_id: str
    starts_at: datetime
    ends_at: datetime
    opens_on: date
    """Local date of the opening."""
    provisional: bool = False
    """The statutory holidays of that year are not published yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """No cutover and no rollback in [starts_at, ends_at)."""

    name: str
    title: Text
    starts_at: datetime
    ends_at: datetime
    min_mlps: int | None = None
    """Only for systems of this level and above; a system of unknown level counts as one."""
    system_ids: tuple[str, ...] = ()
    """Only for these systems; empty for all."""
    exceptions: tuple[str, ...] = ()
    """Systems with a recorded approval to move all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    name: str
    skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """None: no limit."""

    systems_per_window: int | None = None
    mib_per_window: int | None = None
    """What the link can replicate ahead of one window."""
    vcpus: int | None = None
    """Quota of the target cloud for the whole plan, like the next two."""
    memory_mib: int | None = None
    disk_mib: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """The objective is a sum of system-days: smaller is better."""

    per_wave_days: int = 5
    """A window that is used at all: a night of work for everybody."""
    per_broken_weak_days: int = 14
    """A weak dependency whose target moves later (mode `prefer`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """A system that is not planned, and why."""

    system_id: str
    name: str
    code: str
    """classified, classified_unknown, stopped, not_running, on_gov_cloud, idle, disposition, bound."""
    reason: Text
    needs_answer: bool = False
    """A person has to answer something before it can be planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanProblem:
    """Everything the solver and the verifier know. Equal problems give equal plans."""

    starts_on: date
    weeks: int
    timezone: str
    tasks: tuple[MoveTask, ...] = ()
    groups: tuple[MoveGroup, ...] = ()
    weak_links: tuple[WeakLink, ...] = ()
    weak_mode: WeakMode = "prefer"
    windows: tuple[ChangeWindow, ...] = ()
    """In order of time, never overlapping."""
    freezes: tuple[Freeze, ...] = ()
    crews: tuple[Crew, ...] = ()
    capacity: Capacity = field(default_factory=Capacity)
    costs: Costs = field(default_factory=Costs)
    core_from_window: int = 1
    """Core systems move in the n-th window of the plan or later (1: no restriction). Pilots are exempt."""
    excluded: tuple[Exclusion, ...] = ()
    notes: tuple[Text, ...] = ()
    """What a person should know before trusting the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a group goes: the solver's answer, before the minutes are laid out."""

    group_id: str
    window_id: str
    crew: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    system_id: str
    group_id: str
    crew: str
    starts_at: datetime
    cutover_ends_at: datetime
    ends_at: datetime
    """End of the rollback reserve, which the members of a group have in common."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    number: int
    """From 1."""
    window: ChangeWindow
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplaced:
    system_id: str
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Culprit:
    """One member of a set of demands that can't all be met. In a minimal set, without any one of them the others can."""

    kind: str
    """place, crew_time, skills, systems_per_window, data_per_window, quota, freeze, not_before, not_after, core, pilots, weak."""
    subject: str
    """System id, freeze name, dependency id or quota name; empty where the kind says it all."""
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    culprits: tuple[Culprit, ...]
    minimal: bool = True
    """False where the time was over before every member was shown to be needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationPlan:
    plan_id: str
    created_at: datetime
    problem: PlanProblem
    waves: tuple[Wave, ...]
    unplaced: tuple[Unplaced, ...] = ()
    status: PlanStatus
    objective: int | None = None
    """System-days (see Costs) of what is placed; None when not everything is."""
    bound: int | None = None
    """No plan that places everything costs less than this."""
    baseline: int | None = None
    """Objective of the greedy plan; None where the greedy plan can't place everything."""
    conflicts: tuple[Conflict, ...] = ()
    plan_hash: str

    @property
    def gap_pct(self) -> float | None:
        """How much better a plan could be at most, in per cent of the objective; 0 is proven best."""
        if self.objective is None or self.bound is None:
            return None
        return 100 * (self.objective - self.bound) / self.objective if self.objective else 0.0

    def wave_of(self, system_id: str) -> Wave | None:
        return next((w for w in self.waves if any(m.system_id == system_id for m in w.moves)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanViolation:
    """A rule that a plan breaks, as the independent verifier words it."""

    code: str
    subjects: tuple[str, ...]
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierWindow:
    """Why a system is not in this earlier window."""

    window: ChangeWindow
    reasons: tuple[PlanViolation, ...]
    """What placing it there would break; empty when it is possible but not better."""
    extra_days: int = 0
    """What placing it there would cost in system-days; negative: it would be better (the plan is not proven best)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanExplanation:
    system_id: str
    wave: Wave | None
    move: Move | None
    text: Text
    """The answer in one sentence."""
    earlier: tuple[EarlierWindow, ...] = ()
