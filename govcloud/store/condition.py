"""What a database is like, read without changing it: `open_store` would migrate it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from govcloud.store.engine import REVISION, postgres_args


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    kind: str
    """sqlite or postgresql; empty where the address names neither."""
    version: str
    """Of the server, as 15.6; empty for SQLite, which is part of Python."""
    revision: str | None
    """Of the schema; None where there is none yet."""
    trouble: str = ""
    """Why it can't be read."""
    current: str = REVISION


def look(url: str) -> Condition:
    """Never raises for what a user can cause."""
    try:
        parsed = make_url(url)
        kind = parsed.get_backend_name()
        if kind == "sqlite" and not Path(parsed.database or "").is_file():
            return Condition(kind=kind, version="", revision=None, trouble="no such file")
        engine = create_engine(url, connect_args=postgres_args(url))
    except (ArgumentError, ModuleNotFoundError) as error:
        return Condition(kind="", version="", revision=None, trouble=str(error))
    try:
        with engine.connect() as connection:
            found = inspect(connection).has_table("alembic_version")
            revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if found else None
            parts = connection.dialect.server_version_info or () if kind != "sqlite" else ()
            return Condition(kind=kind, version=".".join(map(str, parts)), revision=revision)
    except DBAPIError as error:
        return Condition(kind=kind, version="", revision=None, trouble=str(error.orig).strip())
    finally:
        engine.dispose()
