"""Takes the place of `python -m govcloud.execution.supervise PLAY`: same locks, same results, no Ansible.

`standin.json` in the workspace says what it does: key -> {"sleep": seconds, "status": …}, the most exact key wins:
`SYSTEM/step/phase#n`, `SYSTEM/step/phase`, `SYSTEM`, `step/phase#n`, `step/phase`, `step#n`, `step`. Each system that it begins
is a line `SYSTEM step/phase#n` in `standin.log`. It ends early, as `stopped`, when it is asked to.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

play = Path(sys.argv[1])
job = json.loads((play / "job.json").read_text())
locks = json.loads((play / "locks.json").read_text())
workspace = play.parents[3]
told = workspace / "standin.json"
script: dict[str, dict[str, Any]] = json.loads(told.read_text()) if told.exists() else {}


def wanted(system: str, step: str, phase: str, number: str) -> dict[str, Any]:
    keys = (f"{system}/{step}/{phase}#{number}", f"{system}/{step}/{phase}", system, f"{step}/{phase}#{number}",
            f"{step}/{phase}", f"{step}#{number}", step)  # fmt: skip
    return next((script[key] for key in keys if key in script), {})


begun = []
for system, name in sorted(job["folders"].items()):
    folder = Path(name)
    step, phase, number = folder.parts[-3:]
    with (workspace / "standin.log").open("a") as log:
        log.write(f"{system} {step}/{phase}#{number}\n")
    (folder / "standin.pid").write_text(str(os.getpid()))
    what = wanted(system, step, phase, number)
    begun.append((time.monotonic() + what.get("sleep", 0), system, folder, what))
for until, system, folder, what in sorted(begun, key=lambda entry: entry[:2]):
    while time.monotonic() < until and not (folder / "cancel").exists():
        time.sleep(min(0.05, max(0.0, until - time.monotonic())))
    status = "stopped" if (folder / "cancel").exists() else what.get("status", "ok")
    now = datetime.now(UTC).isoformat()
    reasons = [] if status == "ok" else [{"zh": "替身的结果", "en": "as the stand-in was told"}]
    result = {"status": status, "reasons": reasons, "unreachable": what.get("unreachable", False), "started_at": now,
              "finished_at": now, "evidence_sha256": "e" * 64, "facts": what.get("facts", {})}  # fmt: skip
    (folder / "result.new").write_text(json.dumps(result))
    (folder / "result.new").replace(folder / "result.json")
    os.close(locks[system])
