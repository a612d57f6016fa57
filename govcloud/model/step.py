"""The steps of a migration, as their folders under playbooks/ describe them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from govcloud.model.text import Text

StepName = Literal[
    "precheck", "provision", "prepare", "replicate", "rehearse", "freeze", "final_sync", "verify_data", "network_move",
    "cutover", "verify_service", "switch_off",
]  # fmt: skip
"""In order. Some don't apply to every system: steps.applicable says which do."""
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
