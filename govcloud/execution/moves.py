"""What comes next for a system: an act, a wait, or the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from govcloud.model.attempt import AttemptKey
from govcloud.model.gate import Gate
from govcloud.model.run import SystemState, Wait
from govcloud.model.step import Phase, StepName


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Claim this attempt and carry it out; one that is claimed already is gone on with."""

    kind: Literal["act"] = "act"
    step: StepName
    phase: Phase
    number: int
    gate_id: str | None = None
    """The gate that its claim uses up."""
    rerun: bool = False
    """A person's word allowed this repeat."""
    state: SystemState = "running"
    """Of the system meanwhile: running or rolling_back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Park:
    """Nothing can be done before somebody or something else does."""

    kind: Literal["park"] = "park"
    state: SystemState
    wait: Wait | None = None
    opens: Gate | None = None
    """To be opened together with the wait."""
    about: AttemptKey | None = None
    """The attempt on which a person's word (rerun, done, abort) is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    kind: Literal["ended"] = "ended"
    state: SystemState


Move = Act | Park | Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """The way ahead is given up; what was begun is undone. The system ends in this state where its
    source has not been touched, else it is rolled_back."""

    state: Literal["failed", "cancelled"]
