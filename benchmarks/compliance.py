"""`check estate` at size: a jurisdiction's whole rule packs against 10,000 systems, 100,000 servers, 2,000 networks, 5,000 projects.

`python benchmarks/compliance.py [--systems N,N,…] [--site SITE,…] [--json]`

The first site is measured at every size, the others at 10,000 systems. A size of N systems has 10 N servers, N/5 networks and N/2
projects. `check` is what the command does (workflow.check.check_estate in a workspace): read the packs and the inventory from SQLite,
judge, look up who says so, record the findings and the ledger entry; `again` the same on the next day; `judge` the rules alone on an
inventory in memory. Every number comes from a process of its own; memory is its peak. The bound is plain loading of the same
inventory (store.load_inventory) in the same run. 100,000 systems take 3 GB of disk and of memory, and ten minutes. With --json the
last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from govcloud.model.inventory import Network, Project, ProjectChange, System
from govcloud.model.observation import Statement
from govcloud.model.server import Server
from govcloud.settings import open_workspace
from govcloud.store import inventory as inventory_store
from govcloud.store import schema
from govcloud.store.codec import encode
from govcloud.store.inventory import KINDS
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import Session, open_session

Entity = System | Server | Network | Project
TODAY = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
MAIN = 10_000
SECONDS, MIB = 10, 1024
"""The bounds at MAIN systems on two quiet cores."""

CHECK = """
import json, resource, sys, time
from datetime import datetime
from pathlib import Path
from typing import Any
from govcloud.settings import open_workspace
from govcloud.workflow import check
from govcloud.workflow.session import open_session
now = datetime.fromisoformat(sys.argv[2])
with open_session(open_workspace(Path(sys.argv[1])), actor="bench", now=lambda: now) as session:
    began = time.perf_counter()
    checked = check.check_estate(session)
    seconds = time.perf_counter() - began
print(json.dumps({
    "seconds": round(seconds, 2), "findings": len(checked.findings), "rules": len(checked.tallies),
    "new": sum(f.state == "new" for f in checked.findings),
    "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
}))
"""
EVALUATE = """
import gc, json, sys, time
from datetime import datetime
from pathlib import Path
from typing import Any
from govcloud.compliance.evaluate import evaluate
from govcloud.compliance.zombies import build_zombies
from govcloud.model.zombie import ZombieRules
from govcloud.settings import open_workspace
from govcloud.workflow.office import load_estate, office_rulebook
from govcloud.workflow.session import open_session
day = datetime.fromisoformat(sys.argv[2]).date()
with open_session(open_workspace(Path(sys.argv[1])), actor="bench") as session:
    rulebook = office_rulebook(session)
    inventory = load_estate(session, ("system", "network", "project", "server"))
    gc.disable()
    began = time.perf_counter()
    zombies = {z.system_id: z for z in build_zombies(inventory, ZombieRules(), {}, day)}
    evaluate(inventory, rulebook.packs, rulebook.topics, rulebook.calendar, day, zombies)
    print(json.dumps({"seconds": round(time.perf_counter() - began, 2)}))
"""
LOAD = """
import json, sys, time
from pathlib import Path
from typing import Any
from govcloud.settings import open_workspace
from govcloud.store import open_store, inventory
store = open_store(open_workspace(Path(sys.argv[1])).database_url)
began = time.perf_counter()
with store.read() as tx:
    inventory.load_inventory(tx)
print(json.dumps({"seconds": round(time.perf_counter() - began, 3)}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", default="1000,10000,100000")
    parser.add_argument("--site", default="shanxi,jiaocheng,jincheng,shandong")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sizes, (site, *others) = [int(n) for n in options.systems.split(",")], options.site.split(",")
    print(
        f"{'site':10} {'systems':>8} {'rules':>6} {'findings':>9} {'load':>7} {'judge':>7} {'check':>7} {'again':>7} {'× load':>7} {'MiB':>5}"
    )
    result: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="govcloud-bench-") as folder:
        for size in sizes:
            made = make_workspace(Path(folder) / f"{size}", site, size)
            found = {site: measure(made, site, size)}
            for other in others if size == MAIN else ():
                found[other] = measure(as_site(made, Path(folder) / other, other), other, size)
            result[str(size)] = found[site] | ({"sites": found} if len(found) > 1 else {})
            shutil.rmtree(made)
    if options.json:
        print(json.dumps(result))


def measure(workspace: Path, site: str, size: int) -> dict[str, float]:
    load = child(LOAD, workspace)["seconds"]
    alone = child(EVALUATE, workspace, TODAY.isoformat())["seconds"]
    first = child(CHECK, workspace, TODAY.isoformat())
    again = child(CHECK, workspace, (TODAY + timedelta(days=1)).isoformat())
    ratio = first["seconds"] / load
    print(
        f"{site:10} {size:8} {first['rules']:6} {first['findings']:9} {load:7.2f} {alone:7.2f} "
        f"{first['seconds']:7.2f} {again['seconds']:7.2f} {ratio:7.1f} {first['peak_mib']:5}"
        + (f"   (bounds: {SECONDS} s, {MIB} MiB)" if size == MAIN else "")
    )
    return {
        **first, "evaluate_seconds": alone, "again_seconds": again["seconds"], "again_peak_mib": again["peak_mib"], "again_new": again["new"],
        "load_seconds": load, "ratio_vs_load": round(ratio, 2),
    }  # fmt: skip


def child(program: str, *arguments: object) -> dict[str, float]:
    found = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True, timeout=1800, check=False
    )
    if found.returncode:
        sys.exit(found.stderr[-3000:])
    answer: dict[str, float] = json.loads(found.stdout)
    return answer


def as_site(made: Path, folder: Path, site: str) -> Path:
    """The same inventory in a workspace of another site, where nothing was checked yet."""
    init_workspace(folder, site, actor="bench")
    for path in made.glob("govcloud.db*"):
        shutil.copy(path, folder / path.name)
    with open_session(open_workspace(folder), actor="bench") as session, session.store.begin() as tx:
        tx.exec_driver_sql("DELETE FROM finding")
    return folder


def make_workspace(folder: Path, site: str, size: int) -> Path:
    init_workspace(folder, site, actor="bench")
    with open_session(open_workspace(folder), actor="bench", now=lambda: TODAY) as session:
        parts: dict[str, tuple[str, Iterator[Entity]]] = {
            "system": ("普查表.xlsx!系统!", (system(n) for n in range(size))),
            "network": ("业务专网调查表.xlsx!网络!", (network(n) for n in range(size // 5))),
            "project": ("项目台账.xlsx!项目!", (project(n, size) for n in range(size // 2))),
            "server": ("服务器清单.xlsx!清单!", (server(n) for n in range(size * 10))),
        }
        for kind, (place, every) in parts.items():
            store(session, kind, place, every)
    return folder


def store(session: Session, kind: str, place: str, every: Iterator[Entity]) -> None:
    """A statement a row of a workbook, and the entity that was merged from it; rows as the import writes them."""
    id_field = KINDS[kind][1]
    with session.store.begin() as tx:
        batch = inventory_store.add_batch(
            tx, batch_id=f"B-{kind}", kind="import", source=place, sha256="0" * 64, at=TODAY, actor="bench", body={}
        )
        row = 1
        while portion := [e for _, e in zip(range(5_000), every, strict=False)]:
            told = []
            for entity in portion:
                row += 1
                values = {f: v for f, v in said(entity).items() if f != id_field}
                told.append(Statement(
                    subject_kind=kind, subject_id=getattr(entity, id_field), source="workbook", place=place,  # type: ignore[arg-type]
                    observed_at=TODAY - timedelta(days=row % 500), values=values,
                    cells={f: f"{chr(66 + i % 24)}{row}" for i, f in enumerate(values)},
                ))  # fmt: skip
            first = inventory_store.add_statements(tx, batch, told)
            inventory_store.insert_rows(tx, schema.entity, [
                (
                    kind, s.subject_id, entity.department, entity.name, encode(entity),
                    encode(dict.fromkeys(s.values, first + i)), "[]",
                )
                for i, (s, entity) in enumerate(zip(told, portion, strict=True))
            ])  # fmt: skip


def said(entity: Entity) -> dict[str, Any]:
    found = {name: getattr(entity, name) for name in entity.__dataclass_fields__}
    plain = {n: v.isoformat() if isinstance(v, date) else v for n, v in found.items() if v is not None and v != ()}
    return {n: tuple(map(str, v)) if isinstance(v, tuple) else v for n, v in plain.items()}


def some(values: Sequence[object], n: int) -> object:
    """One of the values, spread as by a throw of dice but always the same."""
    return values[n * 2654435761 % 2**32 * len(values) >> 32]


def day(n: int, first: int = 2012, years: int = 14) -> date:
    return date(first + n * 40503 % 65536 * years // 65536, n % 12 + 1, n % 28 + 1)


def system(n: int) -> System:
    return System(
        system_id=f"SL-{n:06}", name=f"示例业务系统{n}", department=f"示例部门{n % 40:02}", office=f"{n % 9 + 1}处",
        lifecycle=some(("operating",) * 8 + ("trial", "idle", "stopped", "building"), n),  # type: ignore[arg-type]
        classified=some((False,) * 18 + (True, None), n + 1),  # type: ignore[arg-type]
        mlps_level=some((1, 2, 2, 2, 3, 3, None), n + 2), mlps_filing_no=f"示例-{n:06}" if n % 3 else None,  # type: ignore[arg-type]
        hosting=some(("own_room",) * 4 + ("gov_cloud",) * 5 + ("industry_cloud", "hosted_room", None), n + 3),  # type: ignore[arg-type]
        servers=tuple(f"ZC-{n * 10 + i:08}" for i in range(10)), networks=(f"N-{n % 7 * 13:05}",), url=f"http://sys{n}.example",
        in_directory=some((True,) * 8 + (False, None), n + 4), shares_data=some((True,) * 6 + (False, False, None), n + 5),  # type: ignore[arg-type]
        users=n % 900, monthly_users=n % 300 if n % 4 else None, visits_per_year=n * 7 % 90_000 if n % 5 else None,
        go_live_on=day(n), approved_on=day(n + 7), builder=f"示例公司{n % 60}", maintained_by=f"示例公司{(n + n % 4 // 3) % 60}",
        database="示例数据库", data_gib=float(n % 400), contact=f"联系人{n % 800}",
        last_changed_on=day(n + 3, 2020, 6) if n % 2 else None, detached_from_process=some((False,) * 9 + (True, None), n + 6),  # type: ignore[arg-type]
        replaceable=some((False,) * 9 + (True, None), n + 8), data_catalogued=some((True, True, False, None), n + 9),  # type: ignore[arg-type]
        controllable=some((True, True, None), n + 10), risk_assessed_on=day(n, 2022, 4) if n % 2 else None,  # type: ignore[arg-type]
        emergency_plan_on=day(n, 2022, 4) if n % 3 else None, drilled_on=day(n + 1, 2022, 4) if n % 3 == 1 else None,
        crypto_evaluated_on=day(n, 2023, 3) if n % 5 == 0 else None,
    )  # fmt: skip


def server(n: int) -> Server:
    measured = n % 3 == 0
    return Server(
        server_id=f"ZC-{n:08}", name=f"srv-{n}", department=f"示例部门{n % 40:02}", addresses=(f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}",),
        os_name=str(some(("CentOS", "银河麒麟", "Windows Server", "openEuler"), n)), os_version="7.6", cpu_count=4 << n % 3,
        memory_gib=float(8 << n % 4), disk_gib=float(100 + n % 900), location=f"{n % 7 + 1}号机房", serial=f"SN{n:09}", maker="示例甲",
        declared=True, cpu_p95_pct=float(n * 7 % 90) if measured else None, memory_p95_pct=float(n * 11 % 90) if measured else None,
        utilisation_days=60.0 if measured else None, utilisation_samples=1440 if measured else None,
    )  # fmt: skip


def network(n: int) -> Network:
    return Network(
        network_id=f"N-{n:05}", name=f"示例业务专网{n}", kind=some(("dedicated",) * 3 + ("extranet", "internet"), n),  # type: ignore[arg-type]
        department=f"示例部门{n % 40:02}", prefixes=(f"172.{16 + n % 16}.{n >> 4 & 255}.0/24",), carrier="示例运营商",
        bandwidth_mbps=float(n % 100 + 1), yearly_cost_yuan=float(n % 90) * 1000, built_on=day(n) if n % 6 else None,
        legal_basis="示例依据" if n % 4 == 0 else None, consent_document=f"示例发〔2021〕{n}号" if n % 5 == 0 else None,
        utilisation_pct=float(n % 90) if n % 3 else None, closed_on=day(n, 2023, 3) if n % 9 == 0 else None,
    )  # fmt: skip


def project(n: int, systems: int) -> Project:
    signed = day(n, 2018, 8)
    done = signed + timedelta(days=200) if n % 3 else None
    accepted = done + timedelta(days=60) if done and n % 4 else None
    return Project(
        project_id=f"P-{n:05}", name=f"示例项目{n}", number=f"示例-{n}", department=f"示例部门{n % 40:02}",
        systems=(f"SL-{n * 2 % systems:06}", f"SL-{(n * 2 + 1 if n % 20 else n + 10**6) % 10**6:06}"), networks=(f"N-{n % 97:05}",),
        lead=f"负责人{n % 300}" if n % 5 else None, planned=some((True, True, False, None), n), opinion_on=signed - timedelta(days=90),  # type: ignore[arg-type]
        approved_on=signed - timedelta(days=60) if n % 6 else None, data_directory=some((True, False, None), n + 1),  # type: ignore[arg-type]
        builder=f"示例公司{n % 60}", budget_yuan=float(n % 90 + 1) * 100_000, final_yuan=float(n % 95 + 1) * 100_000 if accepted else None,
        contract_number=f"HT-{n}", contract_signed_on=signed, contract_filed_on=signed + timedelta(days=n % 20) if n % 7 else None,
        contract_filed_with=("示例主管部门", "示例财政局")[: n % 3], supervisor="示例监理公司",
        supervisor_filed_on=signed + timedelta(days=5) if n % 4 else None, construction_completed_on=done,
        changes=(ProjectChange(what="示例变更", changed_on=signed + timedelta(days=30)),) if n % 10 == 0 else (),
        acceptance_applied_on=done + timedelta(days=40) if done and n % 5 else None, acceptance_completed_on=accepted,
        acceptance_filed_on=accepted + timedelta(days=n % 70) if accepted and n % 8 else None,
        in_use_on=accepted, self_evaluated_on=accepted + timedelta(days=500) if accepted and n % 2 else None,
        archives=(f"示例档-{n}",) if n % 3 else (),
    )  # fmt: skip


if __name__ == "__main__":
    main()
