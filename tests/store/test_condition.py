"""Looking at a database tells what it is like and leaves it as it is, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import create_engine, inspect, make_url, text

from govcloud.store import Store
from govcloud.store.condition import look
from govcloud.store.engine import REVISION


def test_an_empty_database_is_not_converted_by_looking(url: str) -> None:
    found = look(url)
    if found.kind == "sqlite":
        assert found.trouble and not Path(str(make_url(url).database)).exists()
    else:
        assert (found.trouble, found.revision) == ("", None)
        engine = create_engine(url)
        assert inspect(engine).get_table_names() == []
        engine.dispose()


def test_schema_and_server_are_told(url: str, open_again: Callable[[], Store]) -> None:
    open_again()
    found = look(url)
    assert (found.revision, found.current, found.trouble) == (REVISION, REVISION, "")
    assert (found.version == "") == (found.kind == "sqlite")
    if found.version:
        assert int(found.version.split(".")[0]) > 9


def test_an_older_schema_is_told(url: str, open_again: Callable[[], Store]) -> None:
    with open_again().begin() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    assert look(url).revision == "0003"
