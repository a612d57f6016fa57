"""How long a million connection lines take to become flows and dependencies in the database.

    python benchmarks/connections.py [--servers 10000] [--connections 1000000] [--samples 4] [--distinct] [--seed 1] [--json]

Servers in systems of four talk to each other, to databases, and on management, monitoring and high ports. The last line
is one JSON document: `seconds` for storing, merging and writing all of it, `merge_seconds` for the merge in memory alone,
`ratio` and `merge_ratio` of both against a bare loop that splits the same lines, `peak_mib` of the process.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from govcloud.discovery.merge import build_merged
from govcloud.model.observation import Statement
from govcloud.store import inventory as inventory_store
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import open_session
from govcloud.workflow.statements import collector_paused, store_statements

FIRST = datetime(2026, 3, 7, 14, tzinfo=UTC)
PORTS = (
    (5432, "postgres"), (3306, "mysqld"), (8080, "java"), (443, "nginx"), (6379, "redis-server"), (22, "sshd"),
    (10050, "zabbix_agentd"), (9100, "node_exporter"), (2049, "-"), (53, "named"), (18443, "java"),
)  # fmt: skip


def address(number: int) -> str:
    return f"10.{number // 65536 + 1}.{number // 256 % 256}.{number % 256}"


def build_talks(servers: int, each: int, distinct: bool, dice: random.Random) -> dict[int, list[str]]:
    """Server -> its lines in one look: `each` connections that it opened, and what the others opened to it."""
    found: dict[int, list[str]] = {number: [] for number in range(servers)}
    for client in range(servers):
        for _ in range(each):
            server = (client + dice.randrange(1, 200)) % servers
            port, program = (
                dice.choice(PORTS) if dice.random() < 0.95 and not distinct else (dice.randrange(32768, 61000), "-")
            )
            found[client].append(f"out {address(client)} 0 {address(server)} {port} java")
            found[server].append(f"in {address(server)} {port} {address(client)} 0 {program}")
    return found


def build_estate(servers: int, connections: int, samples: int, distinct: bool, seed: int) -> Iterator[Statement]:
    """Systems as a workbook declares them, then every look at every host: nine of ten connections are seen each time."""
    dice = random.Random(seed)
    for number in range(0, servers, 4):
        ids = tuple(f"V-{n:06d}" for n in range(number, min(number + 4, servers)))
        yield Statement(
            subject_kind="system", subject_id=f"S-{number:06d}", source="workbook", place="示例.xlsx!系统!", observed_at=FIRST,
            values={"name": f"示例系统{number}", "department": f"示例部门{number % 40}", "servers": ids},
        )  # fmt: skip
    each = round(connections / (servers * samples * 2) / (1 if distinct else 0.9))
    talks = build_talks(servers, each, distinct, dice)
    for look in range(samples):
        if distinct and look:
            talks = build_talks(servers, each, distinct, dice)
        for server in range(servers):
            seen = tuple(line for line in talks[server] if distinct or dice.random() < 0.9)
            yield Statement(
                subject_kind="server", subject_id=f"V-{server:06d}", source="ssh", place=f"ssh://host-{server}/",
                observed_at=FIRST + timedelta(days=look),
                values={"name": f"host-{server}", "addresses": (address(server),), "connections": seen},
            )  # fmt: skip


def bare_loop(statements: list[Statement]) -> float:
    """What splitting the lines alone takes, in seconds."""
    start = time.perf_counter()
    for statement in statements:
        found = statement.values.get("connections", ())
        for line in found if isinstance(found, (tuple, list)) else ():
            str(line).split(" ", 5)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=1_000_000)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--distinct", action="store_true", help="the worst case: no connection is ever seen again")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    asked = parser.parse_args()
    statements = list(build_estate(asked.servers, asked.connections, asked.samples, asked.distinct, asked.seed))
    total = sum(len(found) for s in statements if isinstance(found := s.values.get("connections"), tuple))
    bare = min(bare_loop(statements) for _ in range(3))
    with collector_paused():
        start = time.perf_counter()
        merged = build_merged(statements)
        merge_seconds = time.perf_counter() - start
    flows, dependencies = len(merged.flows), len(merged.inventory.dependencies)
    del merged
    with tempfile.TemporaryDirectory(prefix="govcloud-connections-") as folder:
        workspace = init_workspace(Path(folder) / "ws", "shanxi", actor="benchmark")
        with open_session(workspace, actor="benchmark") as session:
            start = time.perf_counter()
            store_statements(session, kind="discover", source="benchmark", statements=statements, body={})
            seconds = time.perf_counter() - start
            with session.store.read() as tx:
                stored = len(inventory_store.load_flows(tx))
    assert stored == flows  # noqa: S101
    result = {
        "seconds": round(seconds, 2), "connections": total, "servers": asked.servers, "flows": flows,
        "dependencies": dependencies, "merge_seconds": round(merge_seconds, 2), "bare_split_seconds": round(bare, 2),
        "ratio": round(seconds / bare, 1), "merge_ratio": round(merge_seconds / bare, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }  # fmt: skip
    if not asked.json:
        for name, value in result.items():
            print(f"{name:>20} {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
