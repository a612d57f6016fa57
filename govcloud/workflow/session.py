"""What every verb needs: the workspace, its store, who acts, the clock and who watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from govcloud.events import Observer, Silent
from govcloud.ledger.profile import load_profile
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

    def written_for(self, acting: Acting) -> Session:
        """The same for another person: records are in his name from here on."""
        return replace(self, acting=acting, store=self.store.written_for(acting))


@contextmanager
def open_session(
    workspace: Workspace,
    *,
    actor: str | Acting,
    admit: Callable[[Session], Acting] | None = None,
    lang: Lang = "zh",
    observer: Observer | None = None,
    now: Callable[[], datetime] = _now,
) -> Iterator[Session]:
    """`actor`: a name stands for the operating-system user. `admit`: the door; it is asked in this one's name who acts, and
    raises NotAllowed."""
    acting = Acting(name=actor) if isinstance(actor, str) else actor
    store = open_store(workspace.database_url, acting=acting, ledger=load_profile(workspace.settings.ledger))
    try:
        session = Session(
            workspace=workspace, store=store, acting=acting, lang=lang, observer=observer or Silent(), now=now
        )
        yield session if admit is None else session.written_for(admit(session))
    finally:
        store.close()
