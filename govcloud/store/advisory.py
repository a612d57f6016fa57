"""A lock that a process holds in PostgreSQL for as long as it lives, seen from every machine."""

from __future__ import annotations

import hashlib
from contextlib import suppress

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from govcloud.errors import OutsideError
from govcloud.model.text import Text
from govcloud.store.engine import postgres_args

# A machine that vanished keeps its session, and with it the lock, until the server notices: within about a minute.
_KEEPALIVE = {"tcp_keepalives_idle": 20, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 4}


class SessionLock:
    """Held by a session of its own; it ends with the session, however the process ends."""

    def __init__(self, url: str, name: str) -> None:
        self._engine = create_engine(url, poolclass=NullPool, connect_args=postgres_args(url))
        self._key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        self._session: Connection | None = None

    def take(self) -> bool:
        """False: another session holds it. Raises OutsideError when the server does not answer."""
        if self._session is not None:
            return True
        try:
            session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            for name, value in _KEEPALIVE.items():
                session.execute(text(f"SET {name} = {value}"))
            got = session.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}).scalar()
        except OperationalError as error:
            raise OutsideError(
                Text("数据库不可用：{why}", "The database is not available: {why}").format(why=error.orig),
                where=self._engine.url.render_as_string(hide_password=True),
            ) from error
        if not got:
            session.close()
            return False
        self._session = session
        return True

    def held(self) -> bool:
        """Whether it still is ours: after a lost session it is asked for again. Raises OutsideError as `take` does."""
        if self._session is not None:
            try:
                self._session.execute(text("SELECT 1"))
            except DBAPIError:
                self.release()
        return self.take()

    def release(self) -> None:
        if self._session is not None:
            with suppress(DBAPIError):
                self._session.close()
            self._session = None
