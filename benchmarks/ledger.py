"""The ledger: appending, signing, proving, exporting and verifying, each beside what cannot be avoided, in the same run.

    python benchmarks/ledger.py [--records 50000] [--appends 1000] [--hash sha256|sm3] [--place FOLDER]

Appends are single records, each committed (SQLite, synchronous=FULL); beside them stand bare transactions that insert one row of
the same length into a table of their own, alternating. Verifying is the standalone script in a process of its own, in CPU seconds;
beside it stands a process that only reads and hashes the same lines. The records are put into the database by hand, or else
building a million of them would be most of the run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from govcloud.model.ledger import HashName, HashProfile, LedgerEntry
from govcloud.settings import open_workspace
from govcloud.store import ledger as ledger_store
from govcloud.workflow import audit
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import Session, open_session

T = TypeVar("T")
CHECKPOINTS = 200
RECORD = (
    '{{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{{"evidence_sha256":"{digest}","status":"ok",'
    '"说明":"切换完成"}},"concerns":["SL-OA-{system:04}"],"evidence":["{digest}"],"identity":"account","kind":"step",'
    '"phase":"result","plan_hash":"{digest}","project_id":null,"role":"builder","run_id":"r-2026-001","seq":{seq},'
    '"step":"cutover","subject_id":"SL-OA-{system:04}","tool_version":"0.1.0","unit":"示例软件公司"}}'
)
BOUND = """
import hashlib, sys
with open(sys.argv[1], "rb") as lines:
    for line in lines:
        hashlib.new(sys.argv[2], b"\\x00" + line[:-1]).digest()
"""


def fill(database: Path, hashes: HashProfile, start: int, end: int) -> None:
    rows = []
    for seq in range(start, end):
        text = RECORD.format(seq=seq, system=seq % 9973, digest=f"{seq:064x}")
        rows.append((seq, text, hashes.leaf(text.encode()).hex()))
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.executemany("INSERT INTO ledger VALUES (?, ?, ?)", rows)


def appends(session: Session, folder: Path, count: int) -> dict[str, float]:
    """Milliseconds of one append and of one bare commit, the median of each."""
    bare = sqlite3.connect(folder / "bare.db", isolation_level=None)
    for statement in (
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "CREATE TABLE row (n INTEGER PRIMARY KEY, text TEXT)",
    ):
        bare.execute(statement)
    text = RECORD.format(seq=0, system=0, digest="0" * 64)
    ours, theirs = [], []
    for number in range(count):
        begun = time.perf_counter()
        with session.store.begin() as tx:
            ledger_store.append(
                tx,
                LedgerEntry(
                    kind="step",
                    actor="张示例",
                    at=datetime.now(UTC),
                    phase="result",
                    step="cutover",
                    body={"n": number, "text": "切换完成"},
                ),
            )
        ours.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        bare.execute("BEGIN IMMEDIATE")
        bare.execute("INSERT INTO row (text) VALUES (?)", (text,))
        bare.execute("COMMIT")
        theirs.append(time.perf_counter() - begun)
    bare.close()
    append, commit = (sorted(times)[count // 2] * 1000 for times in (ours, theirs))
    return {
        "append_ms": round(append, 3), "bare_commit_ms": round(commit, 3), "append_ratio": round(append / commit, 2),
        "appends_per_s": round(count / sum(ours)), "bare_commits_per_s": round(count / sum(theirs)),
    }  # fmt: skip


def child(*argv: str) -> dict[str, float]:
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-I", *argv], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2)}


def timed(function: Callable[[], T]) -> tuple[T, float]:
    begun = time.perf_counter()
    return function(), round(time.perf_counter() - begun, 3)


def measure(folder: Path, records: int, count: int, hash_name: HashName) -> dict[str, object]:
    init_workspace(folder / "w", "shanxi", actor="张示例", ledger=hash_name)
    with open_session(open_workspace(folder / "w"), actor="张示例") as session:
        database, hashes = folder / "w" / "govcloud.db", session.store.ledger
        audit.checkpoint(session)
        done, portion = 1, max(1, records // CHECKPOINTS)
        building = time.perf_counter()
        while done < records:
            fill(database, hashes, done, min(done + portion, records))
            done = min(done + portion, records)
            audit.checkpoint(session)
        built = time.perf_counter() - building
        found: dict[str, object] = {"records": records, "hash": hash_name, "build_s": round(built, 1)}
        found |= appends(session, folder, count)
        _, found["checkpoint_after_appends_s"] = timed(lambda: audit.checkpoint(session))
        _, found["prove_one_s"] = timed(lambda: audit.prove(session, [records // 3]))
        made, found["export_s"] = timed(lambda: audit.export_bundle(session, folder / "bundle"))
        report, found["verify_store_s"] = timed(lambda: audit.verify_ledger(session).report)
        if report.problems:
            raise SystemExit(report.problems)
    bundle = made.folder
    verified = child(str(bundle / "verify.py"), str(bundle), "--key", made.vkey)
    bound = child("-c", BOUND, str(bundle / "records.jsonl"), hash_name)
    total = made.checkpoint.size
    found |= {f"verify_{key}": value for key, value in verified.items()}
    found |= {
        "records_per_cpu_s": round(total / verified["cpu_s"]), "cpu_s_per_million": round(verified["cpu_s"] / total * 1e6, 1),
        "hashing_alone_cpu_s": bound["cpu_s"], "verify_to_hashing": round(verified["cpu_s"] / bound["cpu_s"], 1),
        "bundle_mib": round(sum(p.stat().st_size for p in bundle.rglob("*") if p.is_file()) / 2**20),
    }  # fmt: skip
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--appends", type=int, default=1000)
    parser.add_argument("--hash", choices=["sha256", "sm3"], default="sha256")
    parser.add_argument("--place", type=Path, help="a folder on the disk to measure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.place) as name:
        found = measure(Path(name), options.records, options.appends, options.hash)
    found["load"] = round(os.getloadavg()[0], 1)
    for key, value in found.items():
        print(f"{key:28} {value}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
