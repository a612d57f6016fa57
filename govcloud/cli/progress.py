"""Progress on stderr, only when stderr is a terminal."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from govcloud.events import Event
from govcloud.model.text import Lang


class Progress:
    """An Observer with one bar per activity."""

    def __init__(self, lang: Lang) -> None:
        self._lang = lang
        self._bars = Bars(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TextColumn("{task.fields[subject]}", markup=False),
            console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty(),
        )  # fmt: skip
        self._tasks: dict[str, int] = {}

    def on_event(self, event: Event) -> None:
        name = event.what.to(self._lang)
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=event.total, subject="")
        self._bars.update(self._tasks[name], completed=event.done, total=event.total, subject=event.subject)  # type: ignore[arg-type]

    def __enter__(self) -> Progress:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._bars.stop()
