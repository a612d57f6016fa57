"""Tables for paper: a screen scrolls sideways, a page does not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from govcloud.report.view import View


def choose_columns(view: View, keys: Collection[str]) -> View:
    """Only these columns, in the view's own order."""
    return replace(view, columns=tuple(c for c in view.columns if c.key in keys))


def drop_empty_columns(view: View) -> View:
    """Without the columns that no row fills."""
    filled = {c.key for c in view.columns if any(row.get(c.key) not in (None, "", ()) for row in view.rows)}
    return choose_columns(view, filled) if view.rows else view
