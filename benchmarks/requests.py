"""How long departments' requests take from their files to their stored checks.

    python benchmarks/requests.py [--requests 1000] [--lines 20] [--seed 1] [--growth] [--json]

YAML files are written, then read, matched, stored and recorded by the verb itself. The last line is one JSON document:
`seconds`, `cpu_seconds` (what other work on the machine does not lengthen as much), `requests_per_second`, `yaml_seconds`
for reading the same files as YAML alone, `ratio` of the two, `peak_mib` of the process; with `--growth` also `growth`:
requests -> seconds a thousand requests, for 100, 1,000 and 10,000.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
from pathlib import Path

from govcloud.safe_yaml import load_yaml
from govcloud.settings import open_workspace
from govcloud.workflow.init import init_workspace
from govcloud.workflow.request import check_request
from govcloud.workflow.session import open_session

LINES = (
    "class: virtual_machine, quantity: {n}, spec: {{vcpu: 4, memory_gib: 16, arch: x86_64, zone: gov_extranet}}",
    "code: P-VM-ARM, quantity: {n}, spec: {{vcpu: 6, memory_gib: 16, arch: aarch64}}",
    "class: relational_database, quantity: {n}",
    "code: P-BS-STD, quantity: {n}5",
    "class: machine_room, quantity: 1, supply: self_built",
    "class: sms, quantity: {n}, supply: self_built",
    "code: NO-SUCH, class: virtual_machine, quantity: {n}",
    "class: security_package, quantity: 1, spec: {{mlps_level: 3}}",
)


def write_requests(folder: Path, requests: int, lines: int, seed: int) -> list[Path]:
    """Files of many departments; about half of the lines conform."""
    dice = random.Random(seed)
    files = []
    for number in range(requests):
        rows = [
            f"department: 示例第{number % 40 + 1}厅",
            f"system_id: SL-{number:05d}",
            f"applied_on: 2026-03-{number % 28 + 1:02d}",
            "lines:",
        ]
        for line in range(1, lines + 1):
            body = dice.choice(LINES).format(n=dice.randrange(1, 30))
            rows.append(f"  - {{line: {line}, what: 第{line}项, {body}}}")
        path = folder / f"申请-{number:05d}.yaml"
        path.write_text("\n".join(rows) + "\n", "utf-8")
        files.append(path)
    return files


def measure(requests: int, lines: int, seed: int) -> tuple[float, float, float]:
    """(seconds of the verb, its CPU seconds, seconds of reading the same files as YAML)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        init_workspace(folder / "ws", "shanxi", actor="bench")
        (folder / "in").mkdir()
        files = write_requests(folder / "in", requests, lines, seed)
        with open_session(open_workspace(folder / "ws"), actor="bench") as session:
            start, cpu = time.perf_counter(), time.process_time()
            run = check_request(session, [folder / "in"])
            seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        assert len(run.checks) == requests and not run.faulty, run.faulty[:1]  # noqa: S101
        start = time.perf_counter()
        for path in files:
            load_yaml(path)
        return seconds, cpu, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--lines", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--json", action="store_true", help="only the last line")
    wanted = parser.parse_args()
    seconds, cpu, yaml_seconds = measure(wanted.requests, wanted.lines, wanted.seed)
    found: dict[str, object] = {
        "requests": wanted.requests,
        "lines": wanted.lines,
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu, 3),
        "requests_per_second": round(wanted.requests / seconds),
        "yaml_seconds": round(yaml_seconds, 3),
        "ratio": round(seconds / yaml_seconds, 2),
    }
    if wanted.growth:
        found["growth"] = {
            str(n): round(measure(n, wanted.lines, wanted.seed)[0] / n * 1000, 3) for n in (100, 1_000, 10_000)
        }
    found["peak_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    if not wanted.json:
        print(
            f"{wanted.requests} requests of {wanted.lines} lines: {seconds:.2f} s, of which YAML {yaml_seconds:.2f} s"
        )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
