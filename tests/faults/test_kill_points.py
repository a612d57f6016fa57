"""F1: kill -9 at every boundary of every step, there and back, on both databases.

One system is carried to the check of its service, which fails, and so all the way back; the process dies once at each
boundary of each step and is started again. What the stand-in wrote down itself says what really ran.
"""

from __future__ import annotations

import json
import random
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from fork_server import ForkServer
from run_place import SYSTEM, Place, make_place
from scripted_operator import Operator

from govcloud.model.run import ENDED
from govcloud.settings import open_workspace
from govcloud.store import attempt as attempt_store
from govcloud.store import gate as gate_store
from govcloud.workflow import run as verbs
from govcloud.workflow.session import open_session

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

BOUNDARIES = {
    "before_claim", "after_claim", "before_intent", "after_intent", "after_spawn", "before_record", "after_record",
}  # fmt: skip
THERE = (
    "precheck",
    "prepare",
    "replicate",
    "rehearse",
    "freeze",
    "final_sync",
    "verify_data",
    "cutover",
    "verify_service",
)
BACK = ("rehearse", "cutover", "freeze", "prepare")


def test_a_controller_may_die_at_every_boundary_of_every_step(tmp_path: Path, wheel_postgres: str) -> None:
    """Both databases at once: most of the time is waiting for processes to start."""
    with psycopg.connect(host=wheel_postgres, user="tester", dbname="postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE kill_points")
    urls = {
        "sqlite": f"sqlite:///{tmp_path / 'govcloud.db'}",
        "postgresql": f"postgresql+psycopg://tester@/kill_points?host={wheel_postgres}",
    }
    runs = [begin(tmp_path / name, url) for name, url in urls.items()]
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda begun: die_everywhere(*begun), runs))
    assert len(told) == 2
    print("kill points:", *told)


def begin(path: Path, url: str) -> tuple[Place, str]:
    place = make_place(path, database=url, execution={"precheck_valid_min": 600})
    (place.path / "world").mkdir()
    fail = {"seed": "calm", "failing": 0, "dying": 0, "fail": ["verify_service/apply"]}
    (place.path / "dice.json").write_text(json.dumps(fail))
    with open_session(open_workspace(place.path), actor="zhang") as session:
        return place, verbs.register_run(session, [SYSTEM]).run_id


def die_everywhere(place: Place, run_id: str) -> str:
    died = 0
    with (
        ForkServer("kill_case", path=Path(__file__).parent) as forks,
        open_session(open_workspace(place.path), actor="li") as session,
    ):
        operator = Operator(session, run_id, random.Random(1), choices=("rerun",))  # noqa: S311
        while (row := operator.round()[0]).state not in ENDED:
            case = forks.run("kill_case:main", str(place.path), timeout=120)
            assert case.returncode in (0, -signal.SIGKILL), case.stderr
            died += case.returncode != 0
            assert died < 200
        with session.store.read() as tx:
            attempts = attempt_store.attempts(tx, run_id)
            orders = gate_store.orders(tx, run_id)
    assert row.state == "rolled_back"
    points = {tuple(line.split()) for line in (place.path / "killed").read_text().splitlines()}
    wanted = {f"{s}/apply" for s in THERE} | {f"{s}/rollback" for s in BACK}
    assert {(p, b) for p in wanted for b in BOUNDARIES} <= points and died == len(points)

    events = [line.split() for line in (place.path / "world.log").read_text().splitlines()]
    assert not [e for e in events if e[0] == "OVERLAP"]
    begun = Counter(e[2] for e in events if e[0] == "BEGIN")
    assert max(begun.values()) == 1, "no attempt began twice"
    cutovers = sum(number for name, number in begun.items() if name.startswith("cutover/apply#"))
    assert cutovers <= 1 + sum(o.kind == "rerun" and o.step == "cutover" for o in orders)
    assert (place.path / "world" / SYSTEM).read_text().split() == sorted(
        {"precheck", "replicate", "final_sync", "verify_data"}
    )
    assert all(a.result is not None for a in attempts)
    return f"{died} deaths, {len(attempts)} attempts, {len(orders)} decisions;"
