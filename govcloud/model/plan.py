"""What was planned, how good it is at least, and what is said about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from govcloud.model.plan_problem import ChangeWindow, JobKind, PlanProblem
from govcloud.model.schedule import GoalKind
from govcloud.model.text import Text

PlanStatus = Literal["optimal", "feasible", "infeasible", "unknown"]
"""optimal: proven; feasible: everything is placed, a better plan may exist; infeasible: proven that not everything can be
placed (the plan holds the part that can); unknown: the time was over before either was shown."""


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
class Activity:
    """A planned job that is not a cutover."""

    job_id: str
    subject_id: str
    kind: JobKind
    starts_on: date
    ends_on: date
    """The last day of the work, included; a job of no length ends the day before it starts."""
    crew: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalValue:
    kind: GoalKind
    value: int
    bound: int
    """No plan that places the same systems gets below this."""

    @property
    def gap_pct(self) -> float | None:
        """How much better it could be at most, in per cent of the value, to two places; 0 is proven best. None where nothing is
        known: a bound of 0 holds of itself, and is no bound for a greater value."""
        if self.value <= self.bound:
            return 0.0
        return round(100 * (self.value - self.bound) / self.value, 2) if self.bound > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverRecord:
    solver: str
    seed: int
    limit_s: float
    problem_hash: str
    """SHA-256 of the canonical JSON of the problem."""
    seconds: float
    """Not part of the plan's hash."""
    repeatable: bool
    """False: the clock or a person ended the search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplaced:
    system_id: str
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Something that the office has asked for and could do without: what conflicts are made of and plans are relaxed by."""

    kind: str
    """place, crews, skills, window_length, resource, freeze, not_before, not_after, pilots, weak, apart, pin, tie, weeks."""
    subject: str
    """Group id (place, tie, skills, pin), system id (not_before, not_after), freeze name, resource id, dependency id (weak);
    A|B: two groups (apart); A@DATE: one of several pins of a group; DATE: all latest dates up to it (not_after). Empty
    where the kind says it all, and for all groups (place) or all links (weak)."""
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxation:
    """A smallest change of one demand after which the others of the conflict can be met."""

    demand: Demand
    text: Text
    """What to change, by how much: 班组增加到 3 个; latest date 2027-03-14 instead of 2027-02-01 …"""
    setting: str | None = None
    """For `plan build --set`: capacity.crews=3; None where it is no setting."""
    cost: int
    """For ranking: crew-weeks, days or systems it takes; the cheapest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    demands: tuple[Demand, ...]
    """They can't all be met. In a minimal set, without any one of them the others can."""
    minimal: bool = True
    """False where the time was over before every member was shown to be needed."""
    relaxations: tuple[Relaxation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationPlan:
    plan_id: str
    created_at: datetime
    problem: PlanProblem
    waves: tuple[Wave, ...]
    activities: tuple[Activity, ...] = ()
    """By start, then id."""
    unplaced: tuple[Unplaced, ...] = ()
    status: PlanStatus
    goals: tuple[GoalValue, ...] = ()
    """In order of rank; of what is placed."""
    baseline: tuple[GoalValue, ...] = ()
    """The same for placing systems one by one in order of priority; empty where that can't place everything."""
    conflicts: tuple[Conflict, ...] = ()
    solver: SolverRecord | None = None
    previous_id: str | None = None
    """The plan that this one was made from."""
    what_if: tuple[str, ...] = ()
    """Settings that were changed for a trial (KEY=VALUE); such a plan is compared, never run."""
    plan_hash: str

    @property
    def gap_pct(self) -> float | None:
        """Of the most important goal that is not proven best; None without goals or a bound for it."""
        return next((g.gap_pct for g in self.goals if g.value > g.bound), 0.0) if self.goals else None

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
    worse: tuple[GoalKind, ...] = ()
    """The goals that placing it there would make worse."""
    better: tuple[GoalKind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One thing that fixes the date of a job, with the job or resource that it comes from."""

    job_id: str
    kind: Literal["predecessor", "resource", "crew", "calendar", "freeze", "demand", "pin"]
    subject: str
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanExplanation:
    system_id: str
    wave: Wave | None
    move: Move | None
    text: Text
    """The answer in one sentence."""
    minutes: Text | None = None
    """Where those of its cutover come from."""
    bindings: tuple[Binding, ...] = ()
    """From the cutover back along what fixes its date, up to the start of the plan."""
    waits_for: tuple[str, ...] = ()
    """Systems, networks and jobs that come before it by a rule."""
    awaited_by: tuple[str, ...] = ()
    slack_days: int | None = None
    """How much later its cutover can be without moving anything else or the end of the plan."""
    to_move_earlier: tuple[Text, ...] = ()
    """What would have to change, the smallest first."""
    earlier: tuple[EarlierWindow, ...] = ()


Level = Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskAssessment:
    """Risk and confidence of a group or a wave, with the reasons that made them."""

    subject: str
    """Group id, or the number of a wave."""
    risk: Level
    risk_points: int
    confidence: Level
    reasons: tuple[Text, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChange:
    """What became of a group or network from one plan to another."""

    subject_id: str
    system_ids: tuple[str, ...]
    kind: Literal["added", "removed", "earlier", "later", "crew", "time", "regrouped"]
    before_on: date | None = None
    after_on: date | None = None
    before_crew: str | None = None
    after_crew: str | None = None
    reasons: tuple[Text, ...] = ()
