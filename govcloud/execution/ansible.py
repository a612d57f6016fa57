"""The only caller of ansible-runner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ansible_runner

from govcloud.execution.scene import Job

IDENT = "play"


def run_playbook(
    job: Job, playbook: Path, *, ident: str = IDENT, limit: str | None = None, timeout_s: int,
    on_event: Callable[[Mapping[str, Any]], None] = lambda _: None, cancelled: Callable[[], bool] = lambda: False,
) -> tuple[str, int | None]:  # fmt: skip
    """Run it to its end, its deadline or until `cancelled` says so; ansible-runner's status and ansible-playbook's exit code.

    `on_event` gets each event as it comes, from the calling thread. Records go to `<folder>/artifacts/<ident>`.
    """
    private = job.folder / "private"

    def take(event: Mapping[str, Any]) -> bool:
        on_event(event)
        return True  # keep the file

    runner = ansible_runner.run(
        private_data_dir=str(private), artifact_dir=str(job.folder / "artifacts"), ident=ident, limit=limit,
        playbook=str(playbook), inventory=str(private / "inventory"), quiet=True, rotate_artifacts=0,
        event_handler=take, cancel_callback=cancelled,
        # How often cancel_callback is asked, in seconds.
        settings={"job_timeout": timeout_s, "suppress_ansible_output": True, "pexpect_timeout": 1},
    )  # fmt: skip
    return str(runner.status), runner.rc
