"""Takes the supervisor's place and keeps a world of its own, which tells afterwards what really happened.

`world.log` has one synced line an event: `BEGIN system step/phase#number token`, `END … ok|failed`, and `OVERLAP …` when two of
them worked on one system at once. What has taken effect is `world/<system>`: the names of the steps whose effect is there. A
probe (phase verify) reads nothing but that. `dice.json` says how often, by the seed, a step fails or this process dies in the
middle, of a thousand each, and which `step/phase` always fail.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

play = Path(sys.argv[1])
job = json.loads((play / "job.json").read_text())
locks = json.loads((play / "locks.json").read_text())
workspace = play.parents[3]
world = workspace / "world"
dice = json.loads((workspace / "dice.json").read_text())


def note(line: str) -> None:
    descriptor = os.open(workspace / "world.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{line}\n".encode())
    os.fsync(descriptor)
    os.close(descriptor)


def chance(*words: object) -> int:
    return int(hashlib.sha256(repr((dice["seed"], *words)).encode()).hexdigest(), 16) % 1000


def effects(system: str) -> set[str]:
    file = world / system
    return set(file.read_text().split()) if file.exists() else set()


def set_effects(system: str, there: set[str]) -> None:
    new = world / f".{system}"
    new.write_text(" ".join(sorted(there)))
    new.rename(world / system)


def carry_out(system: str, step: str, phase: str, number: str) -> str:
    if phase == "verify":
        return "ok" if step in effects(system) else "failed"
    draw = chance(system, step, phase, number)
    time.sleep(draw / 20_000)
    if f"{step}/{phase}" in dice["fail"]:
        return "failed"
    if draw < dice["dying"] and step != "precheck":
        if draw % 2:
            set_effects(system, effects(system) | {step} if phase == "apply" else effects(system) - {step})
        os.kill(os.getpid(), signal.SIGKILL)
    if phase == "rollback":
        set_effects(system, effects(system) - {step})
        return "ok"
    if draw >= 1000 - dice["failing"] and step != "precheck":
        return "failed"
    set_effects(system, effects(system) | {step})
    return "ok"


for system, name in sorted(job["folders"].items()):
    folder = Path(name)
    step, phase, number = folder.parts[-3:]
    token = json.loads((folder / "intent.json").read_text())["token"]
    about = f"{system} {step}/{phase}#{number} {token}"
    with (world / f"{system}.lock").open("w") as alone:
        try:
            fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note(f"OVERLAP {about}")
        note(f"BEGIN {about}")
        status = carry_out(system, step, phase, number)
        note(f"END {about} {status}")
    now = datetime.now(UTC).isoformat()
    reasons = [] if status == "ok" else [{"zh": "替身的结果", "en": "so the dice fell"}]
    result = {"status": status, "reasons": reasons, "started_at": now, "finished_at": now, "evidence_sha256": "e" * 64}
    (folder / "result.new").write_text(json.dumps(result))
    (folder / "result.new").replace(folder / "result.json")
    os.close(locks[system])
