"""MariaDB from one server to another: dumped or replicated while it is written to, frozen, compared row by row."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator

import mariadb_server
import pytest
from bench import Bench
from mariadb_server import MariaServer
from module_run import load_util, said

from govcloud.execution.databases.far import build_pairs
from govcloud.execution.stream import StreamError

pytestmark = pytest.mark.servers

CONTENT = r"""
CREATE TABLE unit (id int AUTO_INCREMENT PRIMARY KEY, name varchar(50) NOT NULL UNIQUE) AUTO_INCREMENT = 70;
INSERT INTO unit (name) SELECT CONCAT('处室', seq) FROM seq_1_to_20;
CREATE TABLE letter (
  id bigint unsigned AUTO_INCREMENT PRIMARY KEY, unit int, title varchar(200) NOT NULL DEFAULT '', body text, raw varbinary(50),
  at timestamp DEFAULT '2026-03-01 08:00:00', amount decimal(12,2), rate double, state enum('拟稿','归档') DEFAULT '拟稿',
  twice decimal(13,2) AS (amount * 2) STORED, about longtext CHECK (json_valid(about)),
  FOREIGN KEY (unit) REFERENCES unit (id) ON DELETE SET NULL, KEY by_title (title(20))
) CHARACTER SET utf8mb4;
INSERT INTO letter (unit, title, body, raw, amount, rate, about) SELECT 70 + seq % 20, CONCAT('第', seq, '号𠮷\t''"\\N'), REPEAT('正文\n', seq % 9),
  UNHEX(MD5(seq)), seq * 1.11, 1 / seq, '{"a": 1}' FROM seq_1_to_400;
INSERT INTO letter (title, body) VALUES ('NULL', NULL), ('', 'NULL');
CREATE TABLE `odd ``name`` 表` (`select` int PRIMARY KEY, v blob) ENGINE = MyISAM;
INSERT INTO `odd ``name`` 表` VALUES (1, x'00ff0a');
CREATE TABLE nothing (a int);
CREATE SEQUENCE ticket START WITH 1000;
SELECT NEXTVAL(ticket);
CREATE DEFINER = clerk@'127.0.0.1' VIEW newest AS SELECT id, title FROM letter ORDER BY id DESC;
CREATE DEFINER = clerk@'127.0.0.1' PROCEDURE touch_all() UPDATE letter SET state = '归档';
CREATE FUNCTION double_it(a int) RETURNS int DETERMINISTIC RETURN a * 2;
CREATE TRIGGER stamp BEFORE UPDATE ON letter FOR EACH ROW SET NEW.body = CONCAT(COALESCE(NEW.body, ''), '.');
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM nothing;
"""


@pytest.fixture
def old() -> Iterator[MariaServer]:
    with mariadb_server.running("--log-bin=binlog", "--server-id=11", "--default-time-zone=+08:00") as server:
        server.sql(
            "CREATE DATABASE oa CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci; CREATE USER app@'127.0.0.1' IDENTIFIED BY 'app'; "
            "CREATE USER clerk@'127.0.0.1' IDENTIFIED BY 'clerk'; GRANT ALL ON oa.* TO app@'127.0.0.1'; CREATE USER stranger; "
            "GRANT EXECUTE, SELECT ON oa.* TO clerk@'127.0.0.1';", "",
        )  # fmt: skip
        server.sql(CONTENT)
        server.sql("GRANT UPDATE (title) ON oa.letter TO clerk@'127.0.0.1'")
        yield server


@pytest.fixture
def new() -> Iterator[MariaServer]:
    with mariadb_server.running("--server-id=12", "--default-time-zone=-05:00", "--sql-mode=ANSI") as server:
        yield server


def write_until(stop: threading.Event, server: MariaServer, acknowledged: list[int]) -> threading.Thread:
    def write() -> None:
        try:
            while not stop.is_set():
                server.sql(f"INSERT INTO letter (title) VALUES ('w{acknowledged[0]}')", user="app")  # noqa: S608 - a number
                acknowledged[0] += 1
        except load_util("gov_db").Problem:
            return

    writer = threading.Thread(target=write)
    writer.start()
    return writer


@pytest.mark.parametrize("method", ["dump", "replication"])
def test_everything_arrives_while_it_is_written_to_and_nothing_is_lost(
    bench: Bench, old: MariaServer, new: MariaServer, method: str
) -> None:
    """Both servers have other time zones and SQL modes; accounts log in with the passwords that they had."""
    bench.add("mysql", old.end(), new.end(), method)
    bench.mark()
    stop, acknowledged = threading.Event(), [0]
    writer = write_until(stop, old, acknowledged)
    try:
        bench.data("replicate")
        assert bench.data("compare")[0] == []
        assert bench.data("check_replicated")[0] == []
        if method == "replication":
            bench.data("pause_replication")
            bench.data("resume_replication")
        time.sleep(0.5)
        frozen = bench.host("freeze", "source")
        assert not said(frozen)
    finally:
        stop.set()
        writer.join()
    facts = bench.data("final")[1]
    assert facts["tables_sent"] == (0 if method == "replication" else 1)
    problems, facts = bench.data("verify")
    assert problems == [] and facts["level"] == "L2" and facts["tables"] == 4
    assert not said(bench.host("check_frozen", "source"))
    bench.data("end_replication")
    assert new.sql("SELECT COUNT(*) FROM letter WHERE title LIKE 'w%'") == [[str(acknowledged[0])]] != [["0"]]
    assert new.sql("SELECT double_it(21), NEXTVAL(ticket)", user="app")[0][0] == "42"
    assert new.sql("SHOW ALL SLAVES STATUS") == []
    assert new.sql("SELECT user FROM mysql.user WHERE user = 'stranger'") == []
    evidence = "".join(p.read_text() for p in bench.evidence.iterdir() if p.is_file())
    assert "IDENTIFIED" not in evidence and mariadb_server.PASSWORD not in evidence


def test_a_frozen_server_refuses_the_application_and_a_write_behind_our_back_is_found(
    bench: Bench, old: MariaServer, new: MariaServer
) -> None:
    bench.add("mysql", old.end(), new.end())
    assert not said(bench.host("freeze", "source"))
    with pytest.raises(load_util("gov_db").Problem, match="read-only"):
        old.sql("START TRANSACTION READ WRITE; INSERT INTO letter (title) VALUES ('late')", user="app")
    assert not said(bench.host("check_frozen", "source"))
    old.sql("INSERT INTO letter (title) VALUES ('an administrator')")
    assert "letter was changed after the freeze" in said(bench.host("check_frozen", "source"))
    bench.host("thaw", "source")
    old.sql("INSERT INTO letter (title) VALUES ('again')", user="app")


def test_on_a_server_that_others_use_only_this_schemas_accounts_are_locked(
    bench: Bench, old: MariaServer, new: MariaServer
) -> None:
    """read_only would stop the other department's system on the same server."""
    old.sql("CREATE DATABASE other; CREATE TABLE other.t (a int); CREATE USER neighbour@'127.0.0.1' IDENTIFIED BY 'app'; "
            "GRANT ALL ON other.* TO neighbour@'127.0.0.1'", "")  # fmt: skip
    bench.add("mysql", old.end(), new.end())
    assert not said(bench.host("freeze", "source"))
    with pytest.raises(load_util("gov_db").Problem, match="locked"):
        old.sql("SELECT 1", user="app")
    old.sql("INSERT INTO t VALUES (1)", "other", user="neighbour")
    assert not said(bench.host("check_frozen", "source"))
    bench.host("thaw", "source")
    old.sql("INSERT INTO letter (title) VALUES ('again')", user="app")


def test_one_changed_row_is_red_and_what_the_target_took_is_exported(
    bench: Bench, old: MariaServer, new: MariaServer
) -> None:
    bench.add("mysql", old.end(), new.end())
    bench.mark()
    bench.data("replicate")
    assert bench.data("verify")[0] == []
    new.sql("UPDATE unit SET name = 'x' WHERE id = 75; INSERT INTO letter (title) VALUES ('新来的'); DELETE FROM letter WHERE id = 3; "
            "ALTER TABLE nothing ADD b int")  # fmt: skip
    problems, _ = bench.data("verify")
    told = "\n".join(p.en for p in problems)
    assert "Table letter" in told and "Table unit" in told and "+column nothing.b #2 int" in told
    assert bench.data("export_taken")[1] == {"taken_rows": 2, "taken_deleted": 2}
    assert "\\u65b0\\u6765\\u7684" in (bench.evidence / "taken-0.jsonl").read_text()


def test_a_dump_without_its_end_is_red(bench: Bench, old: MariaServer, new: MariaServer) -> None:
    """Every statement of a truncated dump succeeds."""
    bench.add("mysql", old.end(), new.end())
    bench.mark()
    (pair,) = build_pairs(bench.spec, bench.system, evidence=bench.evidence, ssh_config=bench.ssh_config)
    about = pair.source.ask("describe")
    whole = subprocess.run(pair.source.argv("dump"), capture_output=True, check=True).stdout
    cut = whole[: whole.index(b";\n", len(whole) // 2) + 2]
    done = subprocess.run(pair.target.argv("restore", facts=about), input=cut, capture_output=True, check=False)
    assert done.returncode == 1 and b"cut off" in done.stderr


def test_a_schema_that_is_not_ours_is_left_alone_and_an_earlier_runs_is_kept(
    bench: Bench, old: MariaServer, new: MariaServer
) -> None:
    bench.add("mysql", old.end(), new.end())
    bench.mark()
    new.sql("CREATE DATABASE oa; CREATE TABLE oa.theirs (a int)", "")
    with pytest.raises(StreamError, match="no copy of ours"):
        bench.data("replicate")
    new.sql("DROP DATABASE oa", "")
    bench.data("replicate")
    new.sql("INSERT INTO letter (title) VALUES ('taken by the earlier run')")
    bench.mark("rolled_back")
    bench.system |= {"run_id": "r2", "token": 6}
    bench.mark()
    kept = bench.data("replicate")[1]["database_kept"]
    assert new.sql("SELECT COUNT(*) FROM letter WHERE title LIKE 'taken%'", str(kept)) == [["1"]]
    assert new.sql("SELECT COUNT(*) FROM letter WHERE title LIKE 'taken%'") == [["0"]]
