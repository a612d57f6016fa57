"""Runs the takeover's playbooks with the execution engine's means: private folder, supervisor process, judged events."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
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

_GRACE_S = 90
_SHOWN = ("problems", "found", "msg")


class AnsiblePlaybooks:
    """Each run gets its own folder below `folder`; what is left in it afterwards is evidence.

    `hosts`: all of the workspace's, for the bastions among them.
    """

    def __init__(self, folder: Path, keys: HostKeys, lang: Lang, hosts: Mapping[str, HostAccess]) -> None:
        self._folder = folder
        self._keys = keys
        self._lang = lang
        self._hosts = hosts

    def run(
        self, step: str, name: str, host: HostAccess, variables: Mapping[str, Any], *, identity: Path | None = None,
        timeout_s: int = 180,
    ) -> PlaybookResult:  # fmt: skip
        """`identity` is named in the run's ssh_config by its path and read there by ssh; it is never copied."""
        mark = uuid4().hex
        folder = self._folder / "playbooks" / f"{step}-{name}-{host.name}-{mark[:8]}"
        folder.mkdir(mode=0o700, parents=True)
        reached = [replace(host, key_file=str(identity.resolve())) if identity is not None else host]
        reached += [self._hosts[host.via]] if host.via is not None else []
        control = write_private(folder, reached, self._keys, {"target": {host.name: variables}})
        kept = folder / "host"
        kept.mkdir(mode=0o700)
        job = Job(
            folder=folder, playbook=resources.folder("playbooks") / step / f"{name}.yml", control=control,
            folders={host.name: kept}, timeouts_s={host.name: timeout_s}, idle_s=timeout_s,
        )  # fmt: skip
        files.write_json(folder / "job.json", msgspec.to_builtins(job, enc_hook=str))
        try:
            self._supervise(folder, mark, timeout_s)
        finally:
            processes.end(mark, besides=(os.getpid(),))
        found = files.read_json(kept / "result.json")
        if found is None:
            return PlaybookResult(ok=False, detail="the playbook left no result")
        result = msgspec.convert(found, StepResult)
        reasons = "; ".join(reason.to(self._lang) for reason in result.reasons)
        return PlaybookResult(
            ok=result.status == "ok", detail="" if result.status == "ok" else reasons or result.status,
            reasons=result.reasons, facts=result.facts, outputs=_outputs(kept / "events.json"),
        )  # fmt: skip

    def _supervise(self, folder: Path, mark: str, timeout_s: int) -> None:
        with (folder / "supervisor.log").open("wb") as log:
            try:
                subprocess.run(
                    [*SUPERVISOR, str(folder)],
                    env=environment(folder, mark), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    timeout=timeout_s + _GRACE_S, check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                # No result.json says the same; the caller reads that.
                return


def _outputs(path: Path) -> tuple[dict[str, Any], ...]:
    """What each task reported, without the arguments that it was given; the supervisor has covered secrets in it."""
    told = []
    for event in files.read_json(path) or ():
        data = event.get("event_data") or {}
        if event.get("event") in ("runner_on_ok", "runner_on_failed", "runner_on_unreachable"):
            result = data.get("res") or {}
            told.append({"task": data.get("task"), **{key: result[key] for key in _SHOWN if key in result}})
    return tuple(told)
