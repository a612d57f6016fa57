"""What every verb needs: the workspace, its store, who acts, the clock and who watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from govcloud.events import Observer, Silent
from govcloud.model.text import Lang
from govcloud.settings import Workspace
from govcloud.store import Store, open_store


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    workspace: Workspace
    store: Store
    actor: str
    lang: Lang = "zh"
    """The language of files that a verb writes (reports); results carry both."""
    observer: Observer = field(default_factory=Silent)
    now: Callable[[], datetime] = _now


@contextmanager
def open_session(
    workspace: Workspace,
    *,
    actor: str,
    lang: Lang = "zh",
    observer: Observer | None = None,
    now: Callable[[], datetime] = _now,
) -> Iterator[Session]:
    store = open_store(workspace.database_url)
    try:
        yield Session(workspace=workspace, store=store, actor=actor, lang=lang, observer=observer or Silent(), now=now)
    finally:
        store.close()
