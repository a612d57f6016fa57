"""Opens the database, brings its schema up to date and hands out transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DatabaseError, OperationalError

from govcloud.errors import IntegrityError, OutsideError
from govcloud.model.text import Text

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_SECONDS = 30


class Store:
    """`with store.begin() as tx:` writes; `with store.read() as tx:` reads. One writer at a time on SQLite."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with _outside_errors(self.engine), self.engine.connect() as connection:
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
            try:
                yield connection
            finally:
                connection.rollback()

    def close(self) -> None:
        self.engine.dispose()


def open_store(url: str) -> Store:
    """Open and migrate. Raises OutsideError when the database can't be reached, IntegrityError when it is not ours."""
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS} if url.startswith("sqlite") else {})
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_pragmas)
    with _outside_errors(engine):
        _migrate(engine)
    return Store(engine)


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    # Transactions are begun by Store.begin, not by the driver.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    head = ScriptDirectory.from_config(config).get_current_head()
    with engine.connect() as connection:
        current = None
        if inspect(connection).has_table("alembic_version"):
            current = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        connection.rollback()
        if current == head:
            return
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if current is not None and current not in known:
            raise IntegrityError(
                Text("数据库由更新版本的 govcloud 写成", "The database was written by a newer govcloud"),
                where=engine.url.render_as_string(hide_password=True),
                next_step=Text("升级 govcloud 后再打开", "Upgrade govcloud, then open it"),
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


@contextmanager
def _outside_errors(engine: Engine) -> Iterator[None]:
    """Database failures that a user can cause (disk full, locked, no server, no database) become OutsideError."""
    where = engine.url.render_as_string(hide_password=True)
    try:
        yield
    except OperationalError as error:
        raise OutsideError(
            Text("数据库不可用：{why}", "The database is not available: {why}").format(why=error.orig),
            where=where,
            next_step=Text(
                "检查磁盘空间、权限以及是否有另一个 govcloud 正在写入，然后重试；已提交的记录不会丢失",
                "Check disk space, permissions and whether another govcloud is writing, then try again; nothing committed is lost",
            ),
        ) from error
    except DatabaseError as error:
        if "not a database" not in str(error.orig) and "malformed" not in str(error.orig):
            raise
        raise IntegrityError(
            Text("这个文件不是完好的数据库", "This file is not an intact database"),
            where=where,
            next_step=Text("从备份恢复，不要继续写入", "Restore it from a backup; do not write to it"),
        ) from error
