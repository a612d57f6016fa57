"""What a user would lose without these: a workspace that two commands open at once, and plain words about a bad database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from govcloud.errors import InputError, IntegrityError, OutsideError
from govcloud.store import Store, open_store
from govcloud.store.schema import metadata


def test_an_empty_database_gets_every_table(store: Store) -> None:
    with store.read() as tx:
        assert set(metadata.tables) <= set(inspect(tx).get_table_names())


def test_opening_again_changes_nothing(store: Store, open_again: Callable[[], Store]) -> None:
    with store.begin() as tx:
        tx.execute(text("INSERT INTO checkpoint (size, root_hash, note) VALUES (1, 'x', 'y')"))
    with open_again().read() as tx:
        assert tx.execute(text("SELECT count(*) FROM checkpoint")).scalar() == 1


def test_commands_started_at_once_on_a_new_workspace_all_open_it(url: str) -> None:
    def open_and_close(_: int) -> None:
        open_store(url).close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(open_and_close, range(6)))


def test_a_migration_that_breaks_off_leaves_nothing_half_made(url: str) -> None:
    """A table with the name of an index that the schema makes late stands for the full disk: all or nothing."""
    index = next(index for table in metadata.sorted_tables for index in table.indexes)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE {index.name} (in_the_way INTEGER)"))
    with pytest.raises((OutsideError, DBAPIError)):
        open_store(url)
    assert inspect(engine).get_table_names() == [index.name]
    engine.dispose()


def test_what_fails_in_a_transaction_is_not_kept(store: Store) -> None:
    with pytest.raises(RuntimeError), store.begin() as tx:
        tx.execute(text("INSERT INTO checkpoint (size, root_hash, note) VALUES (1, 'x', 'y')"))
        raise RuntimeError
    with store.read() as tx:
        assert tx.execute(text("SELECT count(*) FROM checkpoint")).scalar() == 0


def test_a_database_of_a_newer_version_is_refused_and_left_alone(store: Store, url: str) -> None:
    with store.begin() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(IntegrityError) as caught:
        open_store(url)
    assert caught.value.exit_code == 5
    assert "更新版本" in caught.value.message("zh") and "newer" in caught.value.message("en")
    with store.read() as tx:
        assert tx.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"


def test_a_file_that_is_no_database_is_an_integrity_error(tmp_path: Path) -> None:
    file = tmp_path / "govcloud.db"
    file.write_bytes("这不是数据库\n".encode() * 100)
    with pytest.raises(IntegrityError) as caught:
        open_store(f"sqlite:///{file}")
    assert str(file) in caught.value.message("zh")
    assert file.read_bytes().startswith("这不是数据库".encode())


def test_a_damaged_database_is_an_integrity_error(tmp_path: Path) -> None:
    file = tmp_path / "govcloud.db"
    open_store(f"sqlite:///{file}").close()
    content = bytearray(file.read_bytes())
    content[100:4096] = b"\xff" * 3996
    file.write_bytes(content)
    with pytest.raises(IntegrityError):
        open_store(f"sqlite:///{file}")


def test_a_database_that_another_command_holds_is_an_outside_error(tmp_path: Path) -> None:
    file = tmp_path / "govcloud.db"
    open_store(f"sqlite:///{file}").close()
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    store = open_store(f"sqlite:///{file}", busy_seconds=0.2)
    with pytest.raises(OutsideError) as caught, store.begin():
        pass
    assert caught.value.exit_code == 4
    assert "另一个 govcloud" in caught.value.message("zh")
    holder.close()
    with store.begin():
        pass
    store.close()


def test_a_database_that_may_not_be_written_is_an_outside_error(tmp_path: Path) -> None:
    file = tmp_path / "govcloud.db"
    open_store(f"sqlite:///{file}").close()
    store = open_store(f"sqlite:///file:{file}?mode=ro&uri=true")
    with pytest.raises(OutsideError) as caught, store.begin() as tx:
        tx.execute(text("INSERT INTO checkpoint (size, root_hash, note) VALUES (1, 'x', 'y')"))
    assert caught.value.exit_code == 4
    store.close()


def test_a_missing_folder_is_an_outside_error(tmp_path: Path) -> None:
    with pytest.raises(OutsideError):
        open_store(f"sqlite:///{tmp_path / 'missing' / 'govcloud.db'}")


def test_a_server_that_does_not_answer_is_an_outside_error_without_the_password() -> None:
    with pytest.raises(OutsideError) as caught:
        open_store("postgresql+psycopg://tester:geheim@127.0.0.1:1/none")
    for lang in ("zh", "en"):
        assert "geheim" not in caught.value.message(lang)


@pytest.mark.parametrize("address", ["govcloud.db", "nosuchdb://x", "mysql+nosuchdriver://x/y", ""])
def test_an_address_that_names_no_database_is_an_input_error(address: str) -> None:
    with pytest.raises(InputError) as caught:
        open_store(address)
    assert "govcloud.yaml" in caught.value.message("zh")


def test_the_newest_migration_is_the_revision_that_a_new_database_gets() -> None:
    """Otherwise a script that was added would never run on the workspaces that need it."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    from govcloud.store import engine

    config = Config()
    config.set_main_option("script_location", str(Path(engine.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == engine.REVISION


@pytest.mark.parametrize("url", ["wheel_postgres"], indirect=True)
def test_a_stopped_writer_does_not_keep_its_locks_for_ever(url: str) -> None:
    """SIGSTOP or a paused machine in the middle of a transaction: the server ends it, the others go on."""
    store = open_store(url)
    with store.read() as tx:
        assert tx.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "1min"
    store.close()
    impatient = open_store(f"{url}&options=-c%20idle_in_transaction_session_timeout%3D300ms")
    other = open_store(url)
    with pytest.raises(OutsideError), impatient.begin() as tx:
        tx.exec_driver_sql("LOCK TABLE ledger IN ACCESS EXCLUSIVE MODE")
        with other.read() as reading:
            assert reading.exec_driver_sql("SELECT count(*) FROM ledger").scalar() == 0
        tx.exec_driver_sql("SELECT 1")
    impatient.close()
    other.close()
