"""Gates: what must be given before a step may begin, and who gave it. Also the orders that people give to a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from govcloud.model.step import GateKind, Phase, StepName

OrderKind = Literal["hold", "resume", "cancel", "rollback", "accept", "switch_off", "rerun", "done", "abort", "review"]
"""hold: no further step begins; resume: takes that back; cancel: ends the step under way and the system's run; rollback:
the way back; accept: the trial run has been passed; switch_off: the source may go; rerun, done, abort: what to make of an
attempt whose outcome is unknown, or of a failure that is held; review: an emergency was looked at afterwards."""
Choice = Literal["rerun", "done", "abort"]
"""Of the orders: those that decide on an attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Opened when a system arrives at a step that needs it. Good for one passage."""

    gate_id: str
    """`<run>/<system>/<step>/<n>`"""
    run_id: str
    system_id: str
    step: StepName
    kind: GateKind
    scope_hash: str
    """What is asked for: plan, migration file, hosts and playbooks as they are now."""
    opened_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A person's word at a gate; nobody has two at the same gate."""

    gate_id: str
    actor: str
    unit: str = ""
    role: str = ""
    at: datetime
    granted: bool
    expires_at: datetime
    reason: str | None = None
    emergency: bool = False
    """One of the two that open a gate without the ordinary approval and outside the window."""
    review_due_on: date | None = None
    """Emergency: by when it must be reviewed (a setting of the site)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A person's word on a system of a run, kept for ever in the order given."""

    number: int
    """From 1, in the run."""
    run_id: str
    system_id: str
    kind: OrderKind
    step: StepName | None = None
    phase: Phase | None = None
    attempt: int | None = None
    """rerun, done, abort: of which attempt. resume with step `freeze`: the wave went on although so many systems had
    failed. review: `step` is the step whose gate was opened in an emergency."""
    actor: str
    unit: str = ""
    role: str = ""
    at: datetime
    reason: str | None = None
