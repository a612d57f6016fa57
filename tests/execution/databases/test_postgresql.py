"""PostgreSQL from one server to another: everything that belongs to the database, proven row by row on a frozen source."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pg_server
import psycopg
import pytest
from bench import Bench
from module_run import said
from pg_server import Server, Writer

from govcloud.execution.databases.far import build_pairs


@pytest.fixture
def short() -> Iterator[Path]:
    """The path of a unix socket has at most 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="gc-new-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def moved(bench: Bench, old: Server, new: Server) -> Bench:
    bench.add("postgresql", old.end("oa"), new.end("oa"))
    bench.mark()
    return bench


def ended(bench: Bench, side: str) -> None:
    assert not said(bench.host("thaw" if side == "source" else "stop", side))


def test_the_whole_way_into_a_server_of_our_own(bench: Bench, old: Server, short: Path) -> None:
    """An engineer finds out on Sunday which account, grant, sequence, large object or setting a dump did not carry."""
    target = old.end("oa", "oa") | {
        "port": pg_server.free_port(),
        "data_dir": str(short / "pg"),
        "run_as_uid": pg_server.UID,
    }
    bench.add("postgresql", old.end("oa"), target)
    bench.mark()
    assert not said(bench.host("provision", "target"))
    try:
        with Writer(old) as writer:
            facts = bench.data("replicate")[1]
            assert int(facts["database_bytes"]) > 100_000
            assert bench.data("compare")[0] == []
            frozen = bench.host("freeze", "source")
        assert not said(frozen) and frozen["gov"]["sessions_closed"] == 1
        with pytest.raises(psycopg.OperationalError, match="too many connections"), old.connect("oa", "oa"):
            pass
        assert bench.data("final")[1]["tables_sent"] == 2
        problems, facts = bench.data("verify")
        assert problems == [] and facts["level"] == "L2" and facts["tables"] == 8
        assert not said(bench.host("check_frozen", "source"))
        carried(
            old, Server(folder=old.folder, bin=old.bin, port=target["port"], password=old.password), writer.acknowledged
        )
        evidence = "".join(p.read_text() for p in bench.evidence.iterdir() if p.is_file())
        assert "SCRAM" not in evidence and old.password not in evidence
    finally:
        ended(bench, "source")
        ended(bench, "target")
    with old.connect("oa", "oa") as connection:
        connection.execute("INSERT INTO letter (title) VALUES ('it serves again')")


def carried(old: Server, new: Server, acknowledged: int) -> None:
    """What the application and its other accounts find on the new server, with the passwords that they had."""
    with new.connect("oa", "oa") as app:
        assert app.execute("SELECT count(*) FROM letter WHERE title LIKE 'w%'").fetchone() == (acknowledged,)
        assert app.execute("SHOW statement_timeout").fetchone() == ("90s",)
        assert app.execute("SHOW work_mem").fetchone() == ("8MB",)
        assert app.execute("SELECT nextval('office.ticket')").fetchone() == (1014,)
        assert app.execute("SELECT length(lo_get(90001)), convert_from(lo_get(90002), 'UTF8')").fetchone() == (
            3000,
            "附件",
        )
        assert app.execute("INSERT INTO letter (title) VALUES ('new') RETURNING id > 500").fetchone() == (True,)
        assert app.execute("SELECT count(*) > 0 FROM office.totals").fetchone() == (True,)
    with new.connect("oa", "oa_report") as report:
        assert report.execute("SELECT office.secret()").fetchone() == (1,)
        report.execute("UPDATE letter SET title = title WHERE false")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            report.execute("DELETE FROM letter")
    with pytest.raises(psycopg.OperationalError), new.connect("oa", "nobodys_business"):
        pass


def test_a_freeze_holds_against_begin_read_write_and_leaves_the_database_as_it_was(moved: Bench, old: Server) -> None:
    def state() -> object:
        with old.connect("postgres") as connection:
            row = connection.execute(
                "SELECT datconnlimit, datacl::text, (SELECT array_agg(setconfig::text ORDER BY setconfig) FROM pg_db_role_setting "
                "WHERE setdatabase = d.oid) FROM pg_database d WHERE datname = 'oa'"
            ).fetchone()  # fmt: skip
            return row

    with old.connect("postgres") as connection:
        connection.execute("ALTER DATABASE oa CONNECTION LIMIT 50")
    before = state()
    idle = old.connect("oa", "oa")
    assert moved.host("freeze", "source")["gov"]["sessions_closed"] == 1
    with pytest.raises(psycopg.OperationalError):
        idle.execute("BEGIN READ WRITE")
    with pytest.raises(psycopg.OperationalError, match="too many connections"), old.connect("oa", "oa"):
        pass
    # Another database of the server works on, and autovacuum writes its statistics: neither is a write here.
    with old.connect("postgres") as connection:
        connection.execute("CREATE TABLE elsewhere (a int); DROP TABLE elsewhere")
    with old.connect("oa", options="-c default_transaction_read_only=off") as connection:
        connection.execute("ANALYZE")
    assert not said(moved.host("check_frozen", "source"))
    moved.host("freeze", "source")
    with old.connect("oa", options="-c default_transaction_read_only=off") as connection:
        connection.execute("DELETE FROM letter WHERE id = 7")  # only a superuser still can
    assert "was written to after the freeze" in said(moved.host("check_frozen", "source"))
    ended(moved, "source")
    assert state() == before
    assert "no note" in said(moved.host("check_frozen", "source"))


def test_what_differs_is_named_so_that_a_person_can_read_it(moved: Bench, old: Server, new: Server) -> None:
    """Both servers show times, dates, intervals and bytes differently: that alone must not be red (F23)."""
    moved.data("replicate")
    assert moved.data("verify")[0] == []
    with new.connect("oa") as connection:
        connection.execute(
            "UPDATE letter SET raw = set_byte(raw, 3, (get_byte(raw, 3) + 1) % 256) WHERE id = 250; "
            "ALTER TABLE office.empty ADD b text DEFAULT 'x'; REVOKE SELECT ON letter FROM oa_readers; "
            "SELECT setval('office.ticket', 2000); SELECT lo_put(90001, 5, 'x'); "
            "CREATE OR REPLACE FUNCTION office.secret() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 2'; DROP INDEX letter_state_idx"
        )  # fmt: skip
    problems, _ = moved.data("verify")
    told = "\n".join(p.en for p in problems)
    for words in (
        'Table "public"."letter" of oa differs (source 503 rows, target 503)', "Table (large objects)",
        'Sequence "office"."ticket" of oa differs: source 1007 called, target 2000 called', "+column office.empty.b #2 text default",
        "-grant SELECT on public.letter to oa_readers", "-function office.secret()", "-index CREATE INDEX letter_state_idx",
    ):  # fmt: skip
        assert words in told, words
    assert "结构不同" in "".join(p.zh for p in problems)
    shown = (moved.evidence / "database-0.diff").read_text()
    assert "-index CREATE INDEX letter_state_idx" in shown and "@@ grants" in shown


def test_a_stream_that_was_cut_off_is_never_a_copy(moved: Bench, new: Server) -> None:
    """psql takes the end of its input for the end of a table, and exits with 0 (F22)."""
    (pair,) = build_pairs(moved.spec, moved.system, evidence=moved.evidence, ssh_config=moved.ssh_config)

    def run(argv: list[str], given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(argv, input=given, capture_output=True, check=False)

    with new.connect("postgres") as connection:
        connection.execute("CREATE DATABASE oa")
    with new.connect("oa") as connection:
        connection.execute(
            "CREATE SCHEMA office CREATE TABLE log (at timestamptz, what text) CREATE TABLE empty (a int)"
        )
    share = [
        p for part in pair.source.ask("inventory", streams=1)["pieces"] for p in part if p["name"] in ("log", "empty")
    ]
    pair.target.ask("expect", give=json.dumps([share]).encode())
    whole = run(pair.source.argv("copy_out", snapshot=None, encoding="UTF8"), json.dumps(share).encode()).stdout
    into = pair.target.argv("copy_in", name="oa", encoding="UTF8", number=0)
    for cut in (whole[: len(whole) // 2], whole[: whole.rindex(b"\n", 0, -3) + 1], b"", whole + b"1\n"):
        done = run(into, cut)
        assert done.returncode == 1 and (b"cut off" in done.stderr or b"More data" in done.stderr)
    with new.connect("oa") as connection:
        connection.execute("ALTER TABLE office.log ADD CHECK (what <> 'line 150')")
    done = run(into, whole)  # an SQL error in the middle
    assert done.returncode == 1 and b"violates check constraint" in done.stderr and b"line 150" not in done.stderr
    schema = run(pair.source.argv("dump_schema", snapshot=None, encoding="UTF8", owners=True)).stdout
    facts = pair.source.ask("describe") | {"owners": True}
    half = pair.target.argv("restore_schema", name="govcloud_cut", encoding="UTF8", facts=facts)
    assert run(half, schema[: len(schema) // 2]).returncode == 1
