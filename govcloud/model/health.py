"""What `govcloud doctor` finds: one line a thing, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from govcloud.model.text import Text

HealthState = Literal["good", "note", "act"]
"""act: something does not work, or evidence is at risk, until somebody does something. note: to be known, nothing is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthLine:
    area: Literal["machine", "workspace", "optional"]
    key: str
    """For scripts; never translated."""
    title: Text
    state: HealthState
    found: Text
    to_do: Text | None = None
