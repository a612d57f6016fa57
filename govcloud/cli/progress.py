"""Progress on stderr, only when stderr is a terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING

from govcloud.events import Event
from govcloud.model.text import Lang

if TYPE_CHECKING:
    from rich.progress import Progress as Bars


class Progress:
    """An Observer with one bar per activity; commands that tell of nothing don't wait for the library to load."""

    def __init__(self, lang: Lang) -> None:
        self._lang = lang
        self._bars: Bars | None = None
        self._tasks: dict[str, int] = {}

    def on_event(self, event: Event) -> None:
        if not sys.stderr.isatty():
            return
        if self._bars is None:
            self._bars = _start()
        name = event.what.to(self._lang)
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=event.total, subject="")
        self._bars.update(self._tasks[name], completed=event.done, total=event.total, subject=event.subject)  # type: ignore[arg-type]

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._bars is not None:
            self._bars.stop()


def _start() -> Bars:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    bars = Bars(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("{task.fields[subject]}", markup=False), console=Console(stderr=True), transient=True,
    )  # fmt: skip
    bars.start()
    return bars
