"""The one shape that everything shown has. Commands and reports build Views; they never print."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal

from govcloud.model.text import Text

Cell = Text | str | int | float | bool | date | datetime | None | Sequence[str]


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    """The name in JSON and CSV: the field of the model, never translated."""
    title: Text
    align: Literal["left", "right"] = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    name: str
    """Key in JSON, sheet name in xlsx, anchor in HTML."""
    title: Text
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Cell], ...] = ()
    """Column key -> value; a missing key is shown as unknown (—)."""
    notes: tuple[Text, ...] = ()
    """Sentences under the table: totals, what it means, what to do next."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """Extra JSON values that scripts need and tables do not show."""


def filled(view: View, *, without: Collection[str] = ()) -> View:
    """As a page shows it: no columns of dashes, and none of `without`."""

    def says(column: Column) -> bool:
        return any(row.get(column.key) not in (None, "", (), []) for row in view.rows)

    columns = tuple(c for c in view.columns if c.key not in without and (says(c) or not view.rows))
    return replace(view, columns=columns)
