"""JSON in and out of the frozen model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

import msgspec

T = TypeVar("T")


def encode(value: object) -> str:
    return msgspec.json.encode(value).decode()


def decode(text: str, kind: type[T]) -> T:
    return msgspec.json.decode(text, type=kind)


def instant(at: datetime) -> str:
    """UTC, ISO 8601, microseconds always written, so that text order is time order."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
