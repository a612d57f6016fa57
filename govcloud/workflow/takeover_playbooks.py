"""Runs the takeover's playbooks with the execution engine's means: private folder, supervisor process, judged events."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import msgspec

from govcloud import resources
from govcloud.execution import files, processes
from govcloud.execution.attempt import SUPERVISOR
from govcloud.execution.scene import HostKeys, Job, environment, write_private
from govcloud.handover.rotation import PlaybookResult
from govcloud.model.access import HostAccess
from govcloud.model.attempt import StepResult
from govcloud.model.text import Lang

_TIMEOUT_S = 180
_GRACE_S = 90


class AnsiblePlaybooks:
    """Each run gets its own folder below `folder`; what is left in it afterwards is evidence."""

    def __init__(self, folder: Path, keys: HostKeys, lang: Lang) -> None:
        self._folder = folder
        self._keys = keys
        self._lang = lang

    def run(
        self, step: str, name: str, host: HostAccess, variables: dict[str, str], *, identity: Path | None = None
    ) -> PlaybookResult:
        """`identity` is named in the run's ssh_config by its path and read there by ssh; it is never copied."""
        mark = uuid4().hex
        folder = self._folder / "playbooks" / f"{step}-{name}-{host.name}-{mark[:8]}"
        folder.mkdir(mode=0o700, parents=True)
        reached = replace(host, key_file=str(identity.resolve())) if identity is not None else host
        control = write_private(folder, [reached], self._keys, {"target": {host.name: variables}})
        kept = folder / "host"
        kept.mkdir(mode=0o700)
        job = Job(
            folder=folder, playbook=resources.folder("playbooks") / step / f"{name}.yml", control=control,
            folders={host.name: kept}, timeouts_s={host.name: _TIMEOUT_S},
        )  # fmt: skip
        files.write_json(folder / "job.json", msgspec.to_builtins(job, enc_hook=str))
        try:
            self._supervise(folder, mark)
        finally:
            processes.end(mark, besides=(os.getpid(),))
        found = files.read_json(kept / "result.json")
        if found is None:
            return PlaybookResult(ok=False, detail="the playbook left no result")
        result = msgspec.convert(found, StepResult)
        reasons = "; ".join(reason.to(self._lang) for reason in result.reasons)
        return PlaybookResult(
            ok=result.status == "ok", detail="" if result.status == "ok" else reasons or result.status
        )

    def _supervise(self, folder: Path, mark: str) -> None:
        with (folder / "supervisor.log").open("wb") as log:
            try:
                subprocess.run(
                    [*SUPERVISOR, str(folder)],
                    env=environment(folder, mark), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    timeout=_TIMEOUT_S + _GRACE_S, check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                # No result.json says the same; the caller reads that.
                return
