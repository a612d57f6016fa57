"""What the inventory answers when somebody asks: pages of a list, one subject with its witnesses, differences, confidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from govcloud.model.collect import Change, RowError
from govcloud.model.inventory import Conflict, Flow, Joined
from govcloud.model.observation import Observation, Source, Statement, SubjectKind, Value
from govcloud.model.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which entities of a list are wanted; texts are parts of names, in any case."""

    department: str | None = None
    find: str | None = None
    """Anywhere in the values."""
    limit: int | None = None
    """None: all."""
    offset: int = 0
    """So many are passed over first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The first part of a list, and what its rows name beside themselves."""

    entities: tuple[Any, ...]
    total: int
    """Entities that the query fits, shown or not."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Id -> as a person knows it."""
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Entity id -> ids of the systems on it."""
    stale: Mapping[str, int] = field(default_factory=dict)
    """Entity id -> number of its facts that are older than the office's limit; those without are left out."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Of all that fit, by what the list's note speaks of."""

    @property
    def left_out(self) -> int:
        return self.total - len(self.entities)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictPage:
    conflicts: tuple[Conflict, ...]
    total: int
    labels: Mapping[str, str]
    contradicted: int = 0
    """Confirmed facts that a witness has contradicted since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPage:
    flows: tuple[Flow, ...]
    total: int
    labels: Mapping[str, str]
    systems: Mapping[str, tuple[str, ...]]
    """Server id -> systems on it."""
    classes: Mapping[str, int]
    """Traffic class -> flows, of all that fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A statement as it was stored."""

    number: int
    batch_no: int
    actor: str
    """Who ran the import or discovery."""
    statement: Statement
    withdrawn: bool
    """A later version of the same file, or its own author, took it back."""


Decision = Literal["only", "person", "run", "site", "default", "newest", "all", "derived"]
"""Why a value is shown: the only witness; a person; a migration; the site's order; our order; the newest of equally
trusted ones; every witness adds to it; computed from other facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldAnswer:
    field: str
    value: object
    """As the entity holds it; None where it is not known."""
    witness: Observation | None = None
    stale: bool = False
    witnesses: tuple[Observation, ...] = ()
    """All that count, the most trusted first."""
    decision: Decision = "derived"
    order: tuple[str, ...] = ()
    """The order of sources that was used."""
    against: tuple[Observation, ...] = ()
    """Those of the witnesses that disagree with the value."""
    since: tuple[Observation, ...] = ()
    """Of a value that a person confirmed: what witnesses said since then that nobody had said before."""
    asked: tuple[tuple[Text, Observation], ...] = ()
    """Of an unknown field: who was asked, and why they could not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One witness's unbroken word on one field: the same value from the first time to the last."""

    field: str
    value: Value
    source: str
    locator: str
    actor: str
    first_at: datetime
    last_at: datetime
    times: int
    state: Literal["counts", "outdated", "withdrawn"]
    """`outdated`: the same witness has said something else since; `withdrawn`: a newer version of its file, or its author, took it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectAnswer:
    kind: SubjectKind
    subject_id: str
    entity: Any
    fields: tuple[FieldAnswer, ...]
    joined: tuple[Joined, ...] = ()
    flows: tuple[Flow, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    history: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What a person settled and has not taken back."""

    kind: SubjectKind
    subject_id: str
    field: str
    """A field of the subject, or `same_as`, `not_same_as`."""
    value: Value
    actor: str
    at: datetime
    reason: str
    document: str = ""
    name: str = ""
    """Of the subject, as it is called now; empty where nothing but this confirmation speaks of it any more."""
    since: tuple[Observation, ...] = ()
    """What witnesses said since then that nobody had said before, and that disagrees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What came of confirming: what counts now, what was so already, and answers that could not be taken."""

    confirmed: tuple[Confirmation, ...] = ()
    withdrawn: tuple[Confirmation, ...] = ()
    unchanged: int = 0
    problems: tuple[RowError, ...] = ()
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    label: str
    batch_no: int
    """The last batch that counts."""
    at: datetime
    actor: str
    sha256: str
    """Of the merged inventory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A state of the inventory that can be looked at again."""

    name: str
    """As the user named it."""
    batch_no: int
    at: datetime | None
    """Of the last batch that counts; None before the first."""
    redone: bool = False
    """A snapshot that would merge otherwise today: rules or precedence changed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    kind: SubjectKind
    subject_id: str
    name: str
    department: str | None
    change: Literal["added", "changed", "removed"]
    field: str | None = None
    """None: of the subject as a whole."""
    was: object = None
    now: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    before: Moment
    after: Moment
    changes: tuple[FieldChange, ...]
    unchanged: int
    labels: Mapping[str, str]


FactState = Literal["measured", "declared", "confirmed", "conflicting", "stale", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactScore:
    """How well one fact that a migration needs is known; of servers, over all servers of the system."""

    fact: str
    """`server.cpu_count`, `system.mlps_level`: kind and field."""
    weight: int
    points: float
    """0 to the weight."""
    states: Mapping[FactState, int]
    """State -> number of subjects."""

    @property
    def lost(self) -> float:
        return self.weight - self.points


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """How far the facts that a migration of the system needs can be relied on."""

    system_id: str
    score: int
    """0 to 100."""
    parts: tuple[FactScore, ...]
    """The facts that cost most points first."""


SourceKind = Literal["measured", "declared", "confirmed"]


@dataclass(frozen=True, slots=True)
class Witness:
    """Who a shown value was taken from, and when: all that ages and scores need of an observation."""

    source: Source | str
    at: datetime
