"""The detached process of one attempt: `python -m govcloud.execution.supervise FOLDER`.

It outlives the command that started it. As long as it lives it holds the attempt's lock, which it was given as an open
file; its last act is result.json. No result and no lock mean: nobody knows.
"""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from govcloud.execution import files, processes
from govcloud.execution.ansible import run_playbook
from govcloud.execution.scene import Job
from govcloud.model.run import StepResult
from govcloud.model.text import Text

_GRACE_S = 60


def supervise(folder: Path) -> None:
    """Run the job of `job.json` and write `result.json`. The watchdog ends everything if the runner hangs (full disk)."""
    job = msgspec.convert(files.read_json(folder / "job.json"), Job, dec_hook=lambda kind, value: kind(value))
    started = datetime.now(UTC)
    watchdog = threading.Timer(job.timeout_s + _GRACE_S, _give_up, (folder, started))
    watchdog.daemon = True
    watchdog.start()
    try:
        result = run_playbook(job)
    except Exception as error:
        result = StepResult(
            status="unknown",
            reasons=(Text("执行程序出错：{e}", "The runner failed: {e}").format(e=f"{type(error).__name__}: {error}"),),
        )
    watchdog.cancel()
    _finish(folder, result, started)


def _give_up(folder: Path, started: datetime) -> None:
    processes.end(os.environ.get(processes.MARK, ""), besides=(os.getpid(),))
    why = Text("超过期限，已终止", "Over the deadline, ended")
    try:
        _finish(folder, StepResult(status="unknown", reasons=(why,)), started)
    finally:
        os._exit(1)


def _finish(folder: Path, result: StepResult, started: datetime) -> None:
    evidence = files.seal(folder)
    done = replace(result, started_at=started, finished_at=datetime.now(UTC), evidence_sha256=evidence)
    files.write_json(folder / "result.json", msgspec.to_builtins(done))


if __name__ == "__main__":
    supervise(Path(sys.argv[1]))
