"""The steps of a migration, as their folders under playbooks/ describe them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from govcloud.model.text import Text

StepName = Literal[
    "precheck", "provision", "prepare", "replicate", "rehearse", "freeze", "final_sync", "verify_data", "network_move",
    "cutover", "verify_service", "switch_off",
]  # fmt: skip
"""In order. Some don't apply to every system: steps.applicable says which do."""
IN_WINDOW: tuple[StepName, ...] = ("freeze", "final_sync", "verify_data", "network_move", "cutover", "verify_service")
"""From the freeze of the source to the proof of service: what has to fit into the change window."""
BACK_IN_WINDOW: tuple[StepName, ...] = ("cutover", "network_move", "freeze")
"""What is undone until the source serves again. The target is cleaned up afterwards, outside of the window if need be."""
Phase = Literal["apply", "verify", "rollback"]
"""apply: the step itself; verify: looks only, and says whether the step's effect is there; rollback: its undo."""
Touches = Literal["nothing", "cloud", "target", "source", "entrance", "network"]
GateKind = Literal["none", "approval", "window", "order"]
"""What must be given before the step: nothing; an approval; an approval and an open change window; an explicit order after
acceptance and retention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`playbooks/<name>/meta.yml`."""

    name: StepName
    title: Text
    inputs: tuple[str, ...]
    """Names of the variables that the playbooks read."""
    touches: Touches
    reversible: bool
    undo: Text
    """How it is undone, or why it can't be."""
    repeatable: bool
    """May be started again without asking when an earlier attempt's outcome is unknown and the probe could not tell."""
    point_of_no_return: bool = False
    gate: GateKind = "none"
    minutes: int
    """Typical duration, for windows and progress."""
    minutes_per_gib: float = 0.0
    """In addition, for each GiB of the system's data."""
    undo_minutes: int = 0
    idle_s: int = 900
    """Without any sign of life for so long an attempt is ended."""
    batch: int = 50
    """So many systems may share one playbook run; 1: each has its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowNeed:
    """What a system needs of its change window: what the planner reserves rests on this, and so does the word on the freeze."""

    minutes: int
    """From the freeze to the proof of service, without the data."""
    minutes_per_gib: float
    """In addition, for each GiB: all of it is read again on both sides while the source stands still."""
    undo_min: int

    def forward_min(self, data_bytes: int) -> int:
        # 1e-9: 0.3 and 0.3 of 380 GiB are 228, whatever floats make of it.
        return math.ceil(self.minutes + self.minutes_per_gib * data_bytes / 2**30 - 1e-9)


def window_need(steps: Mapping[StepName, Step], applicable: Collection[StepName] = IN_WINDOW) -> WindowNeed:
    """`applicable`: the system's steps; without a migration file all of them are taken to be."""
    forward = [steps[n] for n in IN_WINDOW if n in applicable]
    return WindowNeed(
        minutes=sum(s.minutes for s in forward),
        minutes_per_gib=sum(s.minutes_per_gib for s in forward),
        undo_min=sum(steps[n].undo_minutes for n in BACK_IN_WINDOW if n in applicable),
    )
