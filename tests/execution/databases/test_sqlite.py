"""SQLite files: copied while they are written to, frozen even for root, compared by rows, and what came later is kept."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from bench import Bench
from module_run import load_util, run_module, said

from govcloud.execution.databases.far import build_pairs
from govcloud.execution.stream import StreamError


def end(path: Path) -> dict[str, Any]:
    return {
        "host": "127.0.0.1", "port": None, "name": "", "user": "", "bin": "/usr/bin", "password_file": None,
        "path": str(path), "data_dir": None, "run_as_uid": None,
    }  # fmt: skip


def make(path: Path, *, wal: bool) -> None:
    path.parent.mkdir()
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA journal_mode = {'WAL' if wal else 'DELETE'}")
    database.executescript(
        """
        CREATE TABLE letter (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, raw BLOB, rate REAL, anything);
        CREATE TABLE "odd ""name"" 表" ("select" TEXT PRIMARY KEY) WITHOUT ROWID;
        CREATE VIEW newest AS SELECT * FROM letter ORDER BY id DESC;
        CREATE INDEX by_title ON letter (title);
        CREATE VIRTUAL TABLE words USING fts5(body);
        CREATE TRIGGER t AFTER INSERT ON letter BEGIN UPDATE letter SET rate = 1.5 WHERE id = NEW.id; END;
        PRAGMA user_version = 7;
        INSERT INTO "odd ""name"" 表" VALUES ('甲');
        INSERT INTO words VALUES ('公文 正文');
        """
    )
    rows = [(f"第{n}号𠮷", bytes([n % 256]) * 3, n if n % 3 else str(n)) for n in range(500)]
    database.executemany("INSERT INTO letter (title, raw, anything) VALUES (?, ?, ?)", rows)
    database.commit()
    database.close()


@pytest.fixture
def moved(request: pytest.FixtureRequest, tmp_path: Path, bench: Bench) -> Iterator[Bench]:
    make(tmp_path / "old" / "oa.db", wal=getattr(request, "param", "wal") == "wal")
    (tmp_path / "new").mkdir()
    bench.add("sqlite", end(tmp_path / "old" / "oa.db"), end(tmp_path / "new" / "oa.db"))
    bench.mark()
    yield bench
    # An immutable file could not be cleared away.
    load_util("gov_sqlite").thaw(bench.databases[0]["source"], None, "")


def path(bench: Bench, side: str) -> str:
    return str(bench.databases[0][side]["path"])


def insert(place: str, title: str = "x") -> None:
    with closing(sqlite3.connect(place, timeout=10)) as database:
        database.execute("INSERT INTO letter (title) VALUES (?)", (title,))
        database.commit()


def test_a_file_is_carried_while_it_is_written_to_and_equal_after_the_freeze(moved: Bench) -> None:
    """Copying the file of a serving application by hand gives a torn database; and writes after the copy are lost."""
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            insert(path(moved, "source"))
            time.sleep(0.005)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert moved.data("replicate")[0] == []
        assert moved.data("compare")[0] == []
    finally:
        stop.set()
        writer.join()
    insert(path(moved, "source"), "the last acknowledged one")
    frozen = moved.host("freeze", "source")
    assert not said(frozen) and frozen["gov"]["databases_frozen"] == 1
    facts = moved.data("final")[1]
    assert facts["tables_sent"]
    problems, facts = moved.data("verify")
    assert problems == [] and facts["level"] == "L2" and facts["tables"] >= 3
    assert not said(moved.host("check_frozen", "source"))
    assert moved.data("final")[1]["tables_sent"] == 0
    found = sqlite3.connect(path(moved, "target")).execute("SELECT title FROM letter ORDER BY id DESC").fetchone()
    assert found == ("the last acknowledged one",)


def test_a_frozen_file_takes_no_write_and_one_that_was_written_to_all_the_same_is_found(moved: Bench) -> None:
    place = path(moved, "source")
    moved.host("freeze", "source")
    with pytest.raises(sqlite3.OperationalError):
        insert(place)
    assert not said(moved.host("check_frozen", "source"))
    moved.host("thaw", "source")
    insert(place)
    # Frozen again by a second attempt: the first one's note of how it was before is kept.
    moved.host("freeze", "source")
    moved.host("freeze", "source")
    moved.host("thaw", "source")
    assert Path(place).stat().st_mode & 0o200
    assert "no note" in said(moved.host("check_frozen", "source"))


def test_a_write_behind_our_back_after_the_freeze_is_named(moved: Bench) -> None:
    place = Path(path(moved, "source"))
    moved.host("freeze", "source")
    position = moved.note()
    moved.host("thaw", "source")
    insert(str(place))
    moved.host("freeze", "source")
    note = moved.state["target"] / "SL-OA-01.databases.json"
    now = moved.note()
    now["source 0"]["freeze"]["position"] = position["source 0"]["freeze"]["position"]
    note.write_text(json.dumps(now))
    assert "was written to after the freeze" in said(moved.host("check_frozen", "source"))
    moved.host("thaw", "source")


def test_a_process_that_still_has_the_file_open_stops_the_freeze(moved: Bench) -> None:
    """Permissions are checked when a file is opened: this one would write on."""
    open_already = sqlite3.connect(path(moved, "source"))
    open_already.execute("SELECT count(*) FROM letter").fetchall()
    assert "still have" in said(moved.host("freeze", "source"))
    open_already.close()
    assert not said(moved.host("freeze", "source"))
    moved.host("thaw", "source")


@pytest.mark.parametrize("moved", ["rollback"], indirect=True)
def test_one_changed_value_is_red_and_so_is_a_changed_structure(moved: Bench) -> None:
    moved.data("replicate")
    target = sqlite3.connect(path(moved, "target"))
    target.execute("UPDATE letter SET anything = CAST(anything AS TEXT) WHERE id = 2")  # 1 became '1'
    target.execute("CREATE INDEX later ON letter (rate)")
    target.commit()
    target.close()
    problems, _ = moved.data("verify")
    told = "\n".join(p.en for p in problems)
    assert "Table letter" in told and "+CREATE INDEX later ON letter (rate)" in told
    assert "+CREATE INDEX later" in (moved.evidence / "database-0.diff").read_text()


def test_what_the_target_took_is_exported_and_counted(moved: Bench) -> None:
    """Through the module, as the playbook of the way back calls it."""

    def module(action: str) -> dict[str, Any]:
        about = {"evidence": str(moved.evidence), "ssh_config": str(moved.ssh_config)}
        return run_module("gov_data", action=action, spec=moved.spec, system=moved.system, **about)

    assert module("replicate")["changed"]
    assert moved.data("export_taken")[1] == {"taken_rows": 0, "taken_deleted": 0}
    assert moved.data("verify")[0] == []
    target = sqlite3.connect(path(moved, "target"))
    target.execute("INSERT INTO letter (title, raw) VALUES ('新来的', x'00ff')")
    target.execute("DELETE FROM letter WHERE id = 3")
    target.commit()
    target.close()
    assert module("export_taken")["gov"] == {"taken_rows": 1, "taken_deleted": 1}
    assert "Table letter" in said(module("verify"))
    text = (moved.evidence / "taken-0.jsonl").read_text()
    assert "\\u65b0\\u6765\\u7684" in text and '{"hex": "00ff"}' in text


def test_a_file_on_the_target_that_is_not_ours_is_left_alone(moved: Bench) -> None:
    make(Path(path(moved, "target")).parent / "x" / "y.db", wal=False)
    place = Path(path(moved, "target"))
    place.write_bytes(b"somebody's own")
    with pytest.raises(StreamError, match="no copy of ours"):
        moved.data("replicate")
    assert place.read_bytes() == b"somebody's own"


def test_a_stream_that_was_cut_off_or_damaged_never_gets_the_name(moved: Bench) -> None:
    (pair,) = build_pairs(moved.spec, moved.system, evidence=moved.evidence, ssh_config=moved.ssh_config)
    whole = subprocess.run(pair.source.argv("dump"), capture_output=True, check=True).stdout
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for wrong in (whole[: len(whole) // 2], whole[: -1 - 4096], bytes(flipped), b""):
        done = subprocess.run(pair.target.argv("restore"), input=wrong, capture_output=True, check=False)
        assert done.returncode == 1 and b"cut off" in done.stderr
    assert not Path(path(moved, "target")).exists()


def test_nothing_is_written_on_a_target_that_is_marked_for_somebody_else_or_not_at_all(moved: Bench) -> None:
    moved.system["run_id"] = "r2"
    with pytest.raises(StreamError, match="another run"):
        moved.data("replicate")
    Path(moved.end("target")["marker"]).unlink()
    with pytest.raises(StreamError, match="not prepared"):
        moved.data("replicate")
    assert not Path(path(moved, "target")).exists()
    # The way back of a preparation that never came to its marker has nothing to undo.
    assert moved.data("export_taken")[1] == {"taken_rows": 0, "taken_deleted": 0}
    assert not said(moved.host("stop", "target"))
