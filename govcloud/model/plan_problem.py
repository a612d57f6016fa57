"""What is to be planned: jobs, windows, crews, resources and wishes, in whole minutes, days, MiB and counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from govcloud.model.schedule import GoalKind
from govcloud.model.text import Text

WeakMode = Literal["prefer", "require"]

Path = Literal["move", "consolidate", "replace", "retire"]
"""move: the whole road. consolidate: its functions and data go into another system. replace: users and data go to a
service that is bought. retire: notice, archive, switch-off; no window."""

JobKind = Literal[
    "adapt", "provision", "replicate", "rehearse", "cutover", "trial", "refile", "accept", "takeover",
    "retention", "switch_off", "notice", "archive", "close",
]  # fmt: skip
JobCalendar = Literal["window", "working", "daily"]
"""window: minutes, uninterrupted inside one change window that no freeze closes. working: working days of the office;
weekends and holidays interrupt it. daily: days without a break."""

ResourceScope = Literal["at_once", "per_window", "per_month", "total"]
"""at_once: in use at the same time. per_window: counted in the window in which the job starts. per_month: counted in the
month in which it starts. total: taken once and kept (a quota of the target cloud)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoverSum:
    """What the minutes of a cutover are made of."""

    base_min: int = 0
    """Freeze, switch of the entrance and verification, by people as well."""
    data_min: int = 0
    """All data compared, and what differs copied, while the source stands still."""
    tests_min: int = 0
    """Of connections to other systems."""
    extra_min: int = 0
    """For its criticality."""
    rehearsed_min: int | None = None
    """What a rehearsal took; it stands for all of the above."""
    rehearsed_reserve_min: int = 0
    per_gib_ms: int = 0
    """Milliseconds for each GiB, by the steps' figures."""
    steps_min: int = 0
    """What the steps take by their figures, the last check included: with less a run does not freeze the source."""
    undo_min: int = 0
    """The way back, by the same figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveTask:
    """One system that is to move, to merge or to go: the facts on which its jobs and its risk rest."""

    system_id: str
    name: str
    department: str | None = None
    path: Path = "move"
    cutover_min: int = 0
    """Freeze, final sync, switch and verification; 0 on the path `retire`."""
    reserve_min: int = 0
    """Time kept after the cutover for the way back."""
    minutes: CutoverSum | None = None
    """Where the two come from; None where there is no cutover by a run, and in plans that were made before this was kept."""
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
    zone: str | None = None
    """Where it runs today; its data crosses this zone's link."""
    pool: str | None = None
    """Resource pool of the target cloud."""
    networks: tuple[str, ...] = ()
    """Dedicated networks that it runs on."""
    adapts: tuple[Text, ...] = ()
    """Why it must be adapted first (domestic platform, compatibility); empty: no adaptation."""
    dependencies: int = 0
    """Business connections to and from other systems."""
    confidence: int | None = None
    """0–100: how far the inventory is to be trusted about it."""
    not_before_on: date | None = None
    not_after_on: date | None = None
    """Local date on which its window may open at the latest: a demand."""
    due_on: date | None = None
    """Date by which it should be taken over: a wish whose lateness is the goal `deadlines`."""
    assumed: tuple[str, ...] = ()
    """Inputs that were unknown and taken from the defaults: field names of System or Server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveGroup:
    """Systems that go together: one path, one window, one crew, one common way back."""

    group_id: str
    """The smallest system id of the group."""
    system_ids: tuple[str, ...]
    """In the order of their cutovers: what others need comes first."""
    path: Path = "move"
    reasons: tuple[Text, ...] = ()
    """What binds them: one line for each tie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """A strong tie between two groups that was cut so that they can move apart; until both have moved it needs a temporary
    connection between the old place and the cloud."""

    dependency_ids: tuple[str, ...]
    source_id: str
    target_id: str
    measured: bool
    """A connection was seen; a tie that was only declared is the easier cut."""
    traffic_mib_day: int | None = None
    cost_days: int
    """Estimated work of building and removing it (settings: planning.bridges)."""
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """A shared service that binds nobody into a group: it moves for itself, early, and serves both sides meanwhile."""

    system_id: str
    dependents: int
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class WeakLink:
    """A dependency that may be cut for a while: the target moves in the same or an earlier window."""

    dependency_id: str
    source_id: str
    target_id: str
    strength_known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work of a group or of a network."""

    job_id: str
    """`<subject>/<kind>`, unique."""
    subject_id: str
    """Group id or network id."""
    kind: JobKind
    calendar: JobCalendar
    length: int
    """Minutes (window) or days (working, daily); of a cutover: all cutovers of the group and their reserves."""
    after: tuple[str, ...] = ()
    """Jobs that must have ended."""
    demands: tuple[tuple[str, int], ...] = ()
    """(resource id, amount)."""
    crew_skills: tuple[str, ...] | None = None
    """None: it needs no crew. Otherwise one crew that has all of these holds it from start to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanResource:
    resource_id: str
    """Such as link:ZONE, pool:POOL:vcpus, pool:POOL:vcpus:month, parallel:cutover, department:NAME, apart:A|B."""
    title: Text
    unit: Text
    scope: ResourceScope
    amount: int
    """The limit; where `changes` are given, until the first of them."""
    changes: tuple[tuple[date, int], ...] = ()
    """From this day on the limit is this amount; ascending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRetirement:
    """A dedicated network of which every system moves: it can close once the last one has."""

    network_id: str
    name: str
    department: str | None = None
    group_ids: tuple[str, ...]
    staying: tuple[str, ...] = ()
    """Systems on it that are not planned. While there are any it has no job."""
    due_on: date | None = None


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
    departments: tuple[str, ...] = ()
    """Only for systems of these departments; empty for all."""
    exceptions: tuple[str, ...] = ()
    """Systems with a recorded approval to move all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    name: str
    skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """Two groups that must not move in the same window."""

    group_ids: tuple[str, str]
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A person has put this group where it is; the planner never moves it."""

    group_id: str
    opens_on: date
    """The window that opens on this day."""
    crew: str | None = None
    reason: str = ""
    source: Literal["pin", "approved", "executed"] = "pin"
    """executed: it has happened; what comes before it is over and is not planned any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A job that the earlier plan has started before this one begins: it is not planned again, nor what came before it."""

    job_id: str
    ended_on: date
    """Its last day by the earlier plan, which may lie ahead; what it holds until then is not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """Where the previous plan had a group: the goal `changes` counts the ones that move."""

    group_id: str
    opens_on: date
    starts_at: datetime
    crew: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """A system that is not planned, and why."""

    system_id: str
    name: str
    code: str
    """classified, classified_unknown, stopped, not_running, on_gov_cloud, idle, retained, bound, incompatible, platform_level."""
    reason: Text
    needs_answer: bool = False
    """A person has to answer something before it can be planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanProblem:
    """Everything the solver and the verifier know. Equal problems give equal plans."""

    starts_on: date
    weeks: int
    """Cutovers lie in these weeks; what follows them may run on."""
    timezone: str
    tasks: tuple[MoveTask, ...] = ()
    groups: tuple[MoveGroup, ...] = ()
    jobs: tuple[Job, ...] = ()
    """Of all groups and retirements; a job stands after those that it waits for."""
    resources: tuple[PlanResource, ...] = ()
    retirements: tuple[NetworkRetirement, ...] = ()
    bridges: tuple[Bridge, ...] = ()
    hubs: tuple[Hub, ...] = ()
    weak_links: tuple[WeakLink, ...] = ()
    weak_mode: WeakMode = "prefer"
    windows: tuple[ChangeWindow, ...] = ()
    """In order of time, never overlapping."""
    freezes: tuple[Freeze, ...] = ()
    days_off: tuple[date, ...] = ()
    """Days that are no working days, from `starts_on` to the last day that anything can end on."""
    crews: tuple[Crew, ...] = ()
    apart: tuple[Apart, ...] = ()
    pins: tuple[Pin, ...] = ()
    done: tuple[Done, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    core_from_window: int = 1
    """Core systems should move in the n-th window that no general freeze closes or later (1: no restriction); pilots are
    exempt. The goal `risk` counts those that don't."""
    goals: tuple[GoalKind, ...] = ("deadlines", "networks", "risk", "makespan", "bridges", "peak", "waiting")
    """In order of rank."""
    excluded: tuple[Exclusion, ...] = ()
    notes: tuple[Text, ...] = ()
    """What a person should know before trusting the plan."""
