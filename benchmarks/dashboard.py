"""The dashboard at size: 10,000 systems, 100,000 servers, 2,000 networks, 5,000 projects and what the rules find in them.

`python benchmarks/dashboard.py [--systems N] [--requests N] [--json]`

A workspace is made through the store's own functions (compliance.make_workspace), checked once, and served by `govcloud serve` in a
process of its own. Two clients ask for each page at the same time, each time with other words, filters and page numbers, so
that nothing is answered from the question before. `first` is the first look at a page after the server's start, when what is
worked out over everything is not there yet; `cpu` is the server's own time a request, which other work on the machine does not
stretch. The bound is the bare query of fifty rows in the same run, on the same database:
ratio_vs_query is the median page against it. With --json the last line is JSON.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
from compliance import TODAY, make_workspace

from govcloud.model.ledger import LedgerEntry
from govcloud.settings import open_workspace
from govcloud.store import ledger
from govcloud.workflow.check import check_estate
from govcloud.workflow.session import open_session

BOUND_MS = 200
"""For the 95th percentile of lists on two quiet cores."""
CLIENTS = 2
_WORDS = ("业务系统1", "示例公司3", "联系人5", "处", "sys99", "数据库")
_HOSTING = ("own_room", "gov_cloud", "hosted_room", "unknown")
_SEVERITIES = ("high", "medium", "low")


def pages(systems: int) -> dict[str, Callable[[int], str]]:
    """Name -> address of its n-th request."""

    def pick(values: tuple[str, ...], n: int) -> str:
        return values[n % len(values)]

    return {
        "systems": lambda n: f"/systems?page={n * 37 % (systems // 50) + 1}",
        "systems_filtered": lambda n: (
            f"/systems?hosting={pick(_HOSTING, n)}&level={n % 3 + 1}&order=users&page={n % 4 + 1}"
        ),
        "systems_found": lambda n: f"/systems?find={pick(_WORDS, n)}{n % 10}&department=示例部门{n % 40:02}",
        "servers": lambda n: f"/servers?page={n * 37 % (systems // 5) + 1}",
        "servers_found": lambda n: f"/servers?find=10.{n % 2}.{n * 7 % 256}.",
        "servers_filtered": lambda n: f"/servers?department=示例部门{n % 40:02}&order=os&page={n % 9 + 1}",
        "findings": lambda n: f"/findings?page={n * 11 % 200 + 1}",
        "findings_filtered": lambda n: (
            f"/findings?severity={pick(_SEVERITIES, n)}&department=示例部门{n % 40:02}&order=due"
        ),
        "findings_undetermined": lambda n: f"/findings?kind=undetermined&department=示例部门{n % 40:02}",
        "conflicts": lambda n: f"/conflicts?page={n % 3 + 1}",
        "departments": lambda n: "/departments",
        "department": lambda n: f"/departments/示例部门{n % 40:02}",
        "overview": lambda n: "/",
        "one_system": lambda n: f"/systems/SL-{n * 97 % systems:06}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--workspace", type=Path, help="one that an earlier run kept, instead of a new one")
    parser.add_argument("--keep", type=Path, help="keep the new workspace there")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="govcloud-bench-") as folder:
        made = options.workspace or make(options.keep or Path(folder) / "w", options.systems)
        result = measure(made, options.systems, options.requests)
    if options.json:
        print(json.dumps(result))


def make(folder: Path, systems: int) -> Path:
    make_workspace(folder, "shanxi", systems)
    with open_session(open_workspace(folder), actor="bench", now=lambda: TODAY) as session:
        with session.store.begin() as tx:
            # The record that the statements belong to: make_workspace stores them without one.
            body = {"files": [{"sha256": "0" * 64}]}
            ledger.append(tx, LedgerEntry(kind="import", actor="bench", at=TODAY, body=body))
        print(f"{len(check_estate(session).findings)} findings")
    return folder


def measure(workspace: Path, systems: int, requests: int) -> dict[str, object]:
    query = query_ms(workspace / "govcloud.db", systems)
    print(f"bare query of 50 rows: {query:.2f} ms")
    print(
        f"{'page':22} {'first ms':>9} {'p50 ms':>8} {'p95 ms':>8} {'cpu ms':>7} {'× query':>8}   (bound of lists: p95 {BOUND_MS} ms)"
    )
    found: dict[str, object] = {}
    with served(workspace) as (address, cookies, pid):
        for number, (name, of) in enumerate(pages(systems).items()):
            first, times, cpu = ask(address, cookies, of, requests, number, pid)
            p50, p95 = statistics.median(times), sorted(times)[round(0.95 * (len(times) - 1))]
            print(f"{name:22} {first:9.0f} {p50:8.1f} {p95:8.1f} {cpu:7.1f} {p50 / query:8.1f}", flush=True)
            found[name] = {
                "first_ms": round(first), "p50_ms": round(p50, 1), "p95_ms": round(p95, 1), "cpu_ms": round(cpu, 1), "ratio_vs_query": round(p50 / query, 1),
            }  # fmt: skip
    return {"systems": systems, "clients": CLIENTS, "query_ms": round(query, 2), "pages": found}


def query_ms(database: Path, systems: int) -> float:
    """Median of the query without which no page of servers can be shown."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        times = []
        for n in range(50):
            began = time.perf_counter()
            connection.execute(
                "SELECT body FROM entity WHERE kind = 'server' ORDER BY entity_id LIMIT 50 OFFSET ?",
                (n * 37 % (systems // 5) * 50,),
            ).fetchall()
            times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


@contextmanager
def served(workspace: Path) -> Iterator[tuple[str, httpx.Cookies, int]]:
    command = [sys.executable, "-m", "govcloud", "-w", str(workspace), "serve", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        lines = itertools.islice(server.stdout or (), 5)
        found = next(m for line in lines if (m := re.search(r"(http://\S+)/local\?key=(\S+)", line)))
        with httpx.Client(base_url=found[1], follow_redirects=False, timeout=300) as first:
            first.get("/local", params={"key": found[2]})
            yield found[1], first.cookies, server.pid
    finally:
        server.terminate()
        server.wait(30)


def ask(
    address: str, cookies: httpx.Cookies, of: Callable[[int], str], requests: int, number: int, pid: int
) -> tuple[float, list[float], float]:
    """Milliseconds of the first look, of all that follow by two clients at once, and of the server's processor for each."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        # An address of its own for each client and page: the server's limit is of requests a minute and address.
        clients = [
            httpx.Client(
                base_url=address, cookies=cookies, timeout=300,
                transport=httpx.HTTPTransport(local_address=f"127.0.{number + 1}.{k + 1}"),
            )
            for k in range(CLIENTS)
        ]  # fmt: skip
        first = timed(clients[0], of(0))
        before = cpu_s(pid)
        parts = [range(1 + k, requests + 1, CLIENTS) for k in range(CLIENTS)]
        jobs = [
            pool.submit(lambda c, r: [timed(c, of(n)) for n in r], c, r) for c, r in zip(clients, parts, strict=True)
        ]
        times = [t for job in jobs for t in job.result()]
        cpu = (cpu_s(pid) - before) * 1000 / len(times)
        for client in clients:
            client.close()
    return first, times, cpu


def cpu_s(pid: int) -> float:
    """proc(5): fields 14 and 15 of stat, in ticks; the name in brackets may hold blanks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(client: httpx.Client, path: str) -> float:
    began = time.perf_counter()
    answer = client.get(path)
    taken = (time.perf_counter() - began) * 1000
    if answer.status_code != 200:
        sys.exit(f"{path}: {answer.status_code}")
    return taken


if __name__ == "__main__":
    main()
