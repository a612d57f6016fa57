"""What every verb needs: the workspace, its store, who acts, the clock and who watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from govcloud.events import Observer, Silent
from govcloud.model.account import Acting
from govcloud.model.text import Lang
from govcloud.settings import Workspace
from govcloud.store import Store, open_store


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    workspace: Workspace
    store: Store
    acting: Acting
    lang: Lang = "zh"
    """The language of files that a verb writes (reports); results carry both."""
    observer: Observer = field(default_factory=Silent)
    now: Callable[[], datetime] = _now

    @property
    def actor(self) -> str:
        """Name of the person who acts."""
        return self.acting.name


@contextmanager
def open_session(
    workspace: Workspace,
    *,
    actor: str | Acting,
    lang: Lang = "zh",
    observer: Observer | None = None,
    now: Callable[[], datetime] = _now,
) -> Iterator[Session]:
    """`actor`: a name stands for the operating-system user of a workspace without accounts."""
    acting = Acting(name=actor) if isinstance(actor, str) else actor
    store = open_store(workspace.database_url, acting=acting)
    try:
        yield Session(
            workspace=workspace, store=store, acting=acting, lang=lang, observer=observer or Silent(), now=now
        )
    finally:
        store.close()
