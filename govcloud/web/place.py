"""The workspace that is served: opened once, used by every request in its visitor's name."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request

from govcloud.model.account import Acting
from govcloud.model.text import Lang, Text
from govcloud.web.limits import Limiter
from govcloud.web.live import Followers
from govcloud.web.oidc import Provider
from govcloud.workflow.session import Session
from govcloud.workflow.sign_in import LocalKey

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
LANGUAGE = "govcloud_lang"
"""Cookie of the language that somebody chose."""
_MOST_NOTICES = 1000


class Notices:
    """What a form did, kept until the next page of the same browser shows it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Text] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, browser: str, notice: Text) -> None:
        with self._lock:
            self._kept[browser] = notice
            if len(self._kept) > _MOST_NOTICES:
                self._kept.popitem(last=False)

    def take(self, browser: str) -> Text | None:
        with self._lock:
            return self._kept.pop(browser, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    session: Session
    """Opened by `govcloud serve`, in the name of the operating-system user who serves."""
    hosts: frozenset[str] = LOOPBACK_NAMES
    """Names by which browsers may call us; any other is refused (DNS rebinding)."""
    secure: bool = False
    """Served over TLS: cookies go nowhere else."""
    local_key: LocalKey | None = None
    """Opens the door once for whoever started the server, where the workspace keeps no accounts."""
    oidc: Provider | None = None
    """The office's identity provider."""
    attempts: Limiter = field(default_factory=lambda: Limiter(burst=10, per_minute=10))
    """Of sign-ins, per address."""
    requests: Limiter = field(default_factory=lambda: Limiter(burst=120, per_minute=1200))
    """Of everything, per address."""

    notices: Notices = field(default_factory=Notices)
    followers: Followers = field(default_factory=Followers)
    """Of live parts of pages."""
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set when the server is told to stop: live parts of pages end."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.session.workspace.settings.timezone)

    @property
    def now(self) -> Callable[[], datetime]:
        return self.session.now

    def session_for(self, acting: Acting, lang: Lang) -> Session:
        return replace(self.session.written_for(acting), lang=lang)


def place_of(request: Request) -> Place:
    place: Place = request.app.state.place
    return place


def language_of(request: Request) -> Lang:
    chosen = request.cookies.get(LANGUAGE)
    if chosen in ("zh", "en"):
        return chosen  # type: ignore[return-value]
    accepted = request.headers.get("accept-language", "")
    if not accepted:
        return place_of(request).session.lang
    return "zh" if accepted.lower().startswith("zh") else "en"
