"""PostgreSQL of Debian's version to the next one: replication under constant writes, ways back, earlier copies."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pg_server
import psycopg
import pytest
from bench import Bench
from module_run import load_util, said
from pg_server import Server, Writer

from govcloud.execution.databases.probes import verify_probes
from govcloud.execution.stream import StreamError

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def debian() -> Iterator[Server]:
    with pg_server.running(pg_server.debian_bin()) as server:
        yield server


@pytest.fixture
def old(debian: Server, new: Server) -> Server:
    pg_server.fill(debian, extensions=())
    return debian


def left_behind(server: Server) -> list[object]:
    with server.connect("oa") as connection:
        return [
            *connection.execute("SELECT slot_name FROM pg_replication_slots").fetchall(),
            *connection.execute("SELECT pubname FROM pg_publication").fetchall(),
            *connection.execute("SELECT subname FROM pg_subscription").fetchall(),
        ]


def test_logical_replication_under_constant_writes_loses_nothing(bench: Bench, old: Server, new: Server) -> None:
    """What it does not carry (sequences, large objects, tables without a key) comes with the final synchronisation."""
    bench.add("postgresql", old.end("oa"), new.end("oa"), "replication")
    bench.mark()
    with Writer(old) as writer:
        facts = bench.data("replicate")[1]
        assert facts["tables_left_out"] == 2 and int(facts["lag_bytes"]) < 1 << 20 and "lag_s" in facts
        assert bench.data("compare")[0] == [] and bench.data("check_replicated")[0] == []
        bench.data("pause_replication")
        bench.data("resume_replication")
        again = bench.data("replicate")[1]  # incremental: nothing is copied a second time
        assert "database_bytes" not in again
        with old.connect("oa") as connection:
            connection.execute("SELECT lo_put(90001, 0, 'changed later')")
        frozen = bench.host("freeze", "source")
    assert not said(frozen)
    facts = bench.data("final")[1]
    assert facts["tables_sent"] == 2  # office.log has no key; the large objects
    problems, facts = bench.data("verify")
    assert problems == [] and facts["level"] == "L2"
    assert not said(bench.host("check_frozen", "source"))
    bench.data("end_replication")
    assert left_behind(old) == left_behind(new) == []
    # Removing slot and publication was a change of our own, not one of the frozen database.
    assert not said(bench.host("check_frozen", "source"))
    with new.connect("oa", "oa", old.password) as app:
        assert app.execute("SELECT count(*) FROM letter WHERE title LIKE 'w%'").fetchone() == (writer.acknowledged,)
        assert app.execute("INSERT INTO letter (title) VALUES ('n') RETURNING id").fetchone()[0] > writer.acknowledged
    assert not said(bench.host("thaw", "source"))


def test_rows_that_the_rehearsal_wrote_are_gone_and_replication_goes_on(bench: Bench, old: Server, new: Server) -> None:
    bench.add("postgresql", old.end("oa"), new.end("oa"), "replication")
    bench.mark()
    bench.data("replicate")
    bench.data("pause_replication")
    with new.connect("oa") as connection:
        connection.execute("INSERT INTO letter (id, title) VALUES (600, 'rehearsal')")
    with old.connect("oa") as connection:
        connection.execute("INSERT INTO letter (id, title) VALUES (600, 'meanwhile')")  # would stop the subscription
    assert int(bench.data("resume_replication")[1]["database_bytes"]) > 0
    assert bench.data("check_replicated")[0] == []
    with new.connect("oa") as connection:
        assert connection.execute("SELECT title FROM letter WHERE id = 600").fetchone() == ("meanwhile",)
    # A changed structure is not replicated: final synchronisation copies all of it and ends the replication.
    with old.connect("oa") as connection:
        connection.execute("ALTER TABLE letter ADD later text DEFAULT 'x'")
    bench.host("freeze", "source")
    bench.data("final")
    assert bench.data("verify")[0] == []
    assert left_behind(old) == left_behind(new) == []
    bench.host("thaw", "source")


def test_the_way_back_leaves_no_slot_even_where_the_target_is_gone(bench: Bench, old: Server, new: Server) -> None:
    """A slot that nobody reads keeps the source's log until its disk is full."""
    bench.add("postgresql", old.end("oa"), new.end("oa"), "replication")
    assert bench.data("export_taken")[1] == {"taken_rows": 0, "taken_deleted": 0}  # nothing had begun
    bench.mark()
    bench.data("replicate")
    with new.connect("oa") as connection:
        assert len(left_behind(old)) == 2
        bench.host("freeze", "source")
        assert not said(bench.host("thaw", "source"))
        assert left_behind(old) == []
        connection.execute("SELECT 1")
    assert bench.data("export_taken")[1] == {"taken_rows": 0, "taken_deleted": 0}
    assert left_behind(new) == []
    # And a replication that can't begin cleans up behind itself.
    bench.databases[0]["source"]["host"] = "localhost"
    with new.connect("postgres") as connection:
        connection.execute("DROP DATABASE oa; ")
        connection.execute("CREATE DATABASE oa")
    with pytest.raises(StreamError, match="no copy of ours"):
        bench.data("replicate")
    assert left_behind(old) == []


def test_what_the_target_took_is_exported_and_an_earlier_runs_copy_is_kept(
    bench: Bench, old: Server, new: Server
) -> None:
    bench.add("postgresql", old.end("oa"), new.end("oa"))
    bench.mark()
    bench.data("replicate")
    assert bench.data("export_taken")[1] == {"taken_rows": 0, "taken_deleted": 0}
    assert bench.data("verify")[0] == []
    with new.connect("oa", "oa", old.password) as connection:
        connection.execute(
            "INSERT INTO letter (title) VALUES ('新来的'); UPDATE letter SET title = 'changed' WHERE id = 5; DELETE FROM letter WHERE id IN (7, 8); SELECT lo_from_bytea(90009, 'new')"
        )
    assert bench.data("export_taken")[1] == {"taken_rows": 3, "taken_deleted": 2}
    rows = [json.loads(line) for line in (bench.evidence / "taken-0.jsonl").read_text().splitlines()]
    assert {row["row"]["title"] for row in rows if "row" in row} == {"新来的", "changed"}
    assert [row for row in rows if "large_object" in row] == [{"large_object": 90009, "base64": "bmV3"}]
    bench.mark("rolled_back")
    bench.system |= {"run_id": "r2", "token": 6}
    bench.mark()
    kept = str(bench.data("replicate")[1]["database_kept"])
    with new.connect(kept) as connection:
        assert connection.execute("SELECT count(*) FROM letter WHERE title = '新来的'").fetchone() == (1,)
        connection.execute("SELECT 1")
    with new.connect("postgres") as connection:
        connection.execute(psycopg.sql.SQL("DROP DATABASE {}").format(psycopg.sql.Identifier(kept)))
    assert bench.data("verify")[0] == []


def test_an_owner_who_is_no_superuser_shuts_the_others_out(bench: Bench, old: Server, new: Server) -> None:
    bench.add("postgresql", old.end("oa", "oa"), new.end("oa", "oa"))
    frozen = bench.host("freeze", "source")
    assert not said(frozen) and "oa, postgres" in frozen["gov"]["can_still_write"]
    with (
        pytest.raises(psycopg.OperationalError, match="permission denied for database"),
        old.connect("oa", "oa_report"),
    ):
        pass
    with old.connect("oa", "oa") as same_account:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            same_account.execute("DELETE FROM letter WHERE id = 9")
        same_account.execute("BEGIN READ WRITE; DELETE FROM letter WHERE id = 9; COMMIT")
    assert "was written to after the freeze" in said(bench.host("check_frozen", "source"))
    assert not said(bench.host("thaw", "source"))
    with old.connect("oa", "oa_report") as connection:
        connection.execute("SELECT 1")


def test_a_target_that_may_not_give_objects_away_owns_them_itself(bench: Bench, old: Server, new: Server) -> None:
    """A database of a provider: no superuser there, accounts made by the provider."""
    with new.connect("postgres") as connection:
        connection.execute(
            f"CREATE ROLE oa LOGIN CREATEDB PASSWORD '{new.password}'; CREATE ROLE oa_readers; CREATE ROLE oa_report LOGIN"
        )
    with old.connect("oa") as connection:
        connection.execute("SELECT lo_unlink(90001), lo_unlink(90002); ALTER ROLE oa IN DATABASE oa RESET ALL")
    bench.add("postgresql", old.end("oa"), new.end("oa", "oa"))
    bench.mark()
    bench.data("replicate")
    assert bench.data("verify")[0] == []


def test_probes_say_what_would_go_wrong_before_anything_is_touched(bench: Bench, old: Server, new: Server) -> None:
    probe = load_util("gov_postgres").probe

    def end(server: Server, user: str = "postgres", **more: object) -> dict[str, object]:
        return server.end("oa", user) | {"index": 0, "kind": "postgresql", "method": "replication"} | more

    source, target = probe(end(old), "source"), probe(end(new), "target")
    assert source["problems"] == target["problems"] == [] and source["bytes"] > 1 << 20 and source["version"][0] == 15
    assert verify_probes(source, target, "dump") == []
    assert "older" in verify_probes(target, source, "dump")[0].en
    told = " ".join(p["en"] for p in probe(end(old, "oa"), "source")["problems"])
    assert "lacks REPLICATION" in told
    assert "already" not in told
    with new.connect("postgres") as connection:
        connection.execute("CREATE DATABASE oa")
    assert "of that name" in probe(end(new), "target")["problems"][0]["en"]
    assert probe(end(new), "target", True)["problems"] == []
    assert "can't be read" in probe(end(old, password_file="/nowhere"), "source")["problems"][0]["en"]
    assert probe(end(old, bin="/nowhere"), "source")["missing_programs"] == ["psql", "pg_dump", "pg_restore"]
    bench.add("postgresql", old.end("oa"), new.end("oa"))
    bench.host("freeze", "source")
    assert "may not have been rolled back" in probe(end(old), "source")["problems"][0]["en"]
    bench.host("thaw", "source")
