"""Opens the database, brings its schema up to date and hands out transactions."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from govcloud.errors import InputError, IntegrityError, OutsideError
from govcloud.model.account import Acting
from govcloud.model.ledger import SHA256, HashProfile
from govcloud.model.text import Text

REVISION = "0007"
"""Of the schema that this version works with: the newest script in migrations/versions/."""
ACTING = "govcloud.acting"
"""Key in a connection's `info`: the ledger reads unit, role and identity there."""
LEDGER = "govcloud.ledger"
"""The same for how the ledger hashes."""
_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_SECONDS = 30
# A worker that is stopped in the middle of a writing transaction (SIGSTOP, a paused machine) would otherwise keep its locks
# for ever, and a server that is silently gone would hold a command for minutes.
_POSTGRES = {
    "connect_timeout": 10, "keepalives_idle": 20, "keepalives_interval": 10, "keepalives_count": 4,
    "options": "-c idle_in_transaction_session_timeout=60s",
}  # fmt: skip
# An arbitrary number that no other program on the same PostgreSQL server is likely to lock.
_MIGRATION_LOCK = 7_204_118_306


class Store:
    """`with store.begin() as tx:` writes; `with store.read() as tx:` reads. One writer at a time on SQLite."""

    def __init__(self, engine: Engine, acting: Acting | None = None, ledger: HashProfile = SHA256) -> None:
        self.engine = engine
        self.acting = acting
        """Who the records of this store's transactions are written for; None where that is not known."""
        self.ledger = ledger
        # Threads of one process that wait for each other in SQLite do it by polling, which cost half of a worker's time.
        is_sqlite = engine.dialect.name == "sqlite"
        self._writer: AbstractContextManager[object] = threading.RLock() if is_sqlite else nullcontext()

    def written_for(self, acting: Acting) -> Store:
        """The same database and the same queue of writers, for records of another person: a page's visitor."""
        other = copy(self)
        other.acting = acting
        return other

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with self._writer, _outside_errors(self.engine), self.engine.connect() as connection:
            connection.info.update({ACTING: self.acting, LEDGER: self.ledger})
            if self.engine.dialect.name == "sqlite":
                # A deferred transaction that upgrades to writing fails at once with "database is locked".
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with _outside_errors(self.engine), self.engine.connect() as connection:
            connection.info[LEDGER] = self.ledger
            try:
                yield connection
            finally:
                connection.rollback()

    def close(self) -> None:
        self.engine.dispose()


def open_store(
    url: str, busy_seconds: float = _BUSY_SECONDS, *, acting: Acting | None = None, ledger: HashProfile = SHA256
) -> Store:
    """Open and migrate. `busy_seconds`: how long to wait for another writer on SQLite. `acting`: whose records are written.
    `ledger`: how they are hashed.

    Raises InputError for an address that names no database, OutsideError when the database can't be reached, IntegrityError
    when it is not ours.
    """
    try:
        engine = create_engine(url, connect_args=_connect_args(url, busy_seconds))
    except (ArgumentError, ModuleNotFoundError) as error:
        raise InputError(
            Text("数据库地址不能用：{why}", "Not a usable database address: {why}").format(why=error),
            where="govcloud.yaml: database",
            next_step=Text(
                "写 sqlite:///govcloud.db，或装上 govcloud[postgres] 后写 postgresql+psycopg://…",
                "Write sqlite:///govcloud.db, or install govcloud[postgres] and write postgresql+psycopg://…",
            ),
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_pragmas)
    with _outside_errors(engine):
        _migrate(engine)
    return Store(engine, acting, ledger)


def _connect_args(url: str, busy_seconds: float) -> dict[str, Any]:
    return {"timeout": busy_seconds} if url.startswith("sqlite") else postgres_args(url)


def postgres_args(url: str) -> dict[str, Any]:
    """Time limits of a session, but for those that the address sets itself; nothing for another database."""
    if not url.startswith("postgresql"):
        return {}
    return {key: value for key, value in _POSTGRES.items() if key not in make_url(url).query}


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    # Transactions are begun by Store.begin, not by the driver.
    connection.isolation_level = None
    # 16 MiB of pages: with the usual 2 a large import writes pages that it is about to change again.
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "cache_size=-16384"):
        connection.execute(f"PRAGMA {pragma}")
    # The change of mode needs the file for itself, and SQLite does not wait for that as it waits for a writer.
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)


def _migrate(engine: Engine) -> None:
    with engine.connect() as connection:
        current = _revision(connection)
        connection.rollback()
        if current == REVISION:
            return
        # Half of the time that a command takes to start: only those pay it that have something to migrate.
        from alembic import command
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        # Two commands may open a new workspace at once: one migrates, the other waits and finds it done.
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
        current = _revision(connection)
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if current is not None and current not in known:
            connection.rollback()
            raise IntegrityError(
                Text("数据库由更新版本的 govcloud 写成", "The database was written by a newer govcloud"),
                where=engine.url.render_as_string(hide_password=True),
                next_step=Text("升级 govcloud 后再打开", "Upgrade govcloud, then open it"),
            )
        if current != REVISION:
            config.attributes["connection"] = connection
            command.upgrade(config, REVISION)
        connection.commit()


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


@contextmanager
def _outside_errors(engine: Engine) -> Iterator[None]:
    """Database failures that a user can cause (disk full, locked, no server, no database) become OutsideError."""
    where = engine.url.render_as_string(hide_password=True)
    try:
        yield
    except DatabaseError as error:
        # PostgreSQL calls a session that it ended itself an internal error.
        if isinstance(error, OperationalError) or error.connection_invalidated:
            raise OutsideError(
                Text("数据库不可用：{why}", "The database is not available: {why}").format(why=error.orig),
                where=where,
                next_step=Text(
                    "检查磁盘空间、权限以及是否有另一个 govcloud 正在写入，然后重试；已提交的记录不会丢失",
                    "Check disk space, permissions and whether another govcloud is writing, then try again; nothing committed is lost",
                ),
            ) from error
        if "not a database" not in str(error.orig) and "malformed" not in str(error.orig):
            raise
        raise IntegrityError(
            Text("这个文件不是完好的数据库", "This file is not an intact database"),
            where=where,
            next_step=Text("从备份恢复，不要继续写入", "Restore it from a backup; do not write to it"),
        ) from error
