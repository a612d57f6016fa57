"""One system with its databases, as the modules see it: actions are called as a playbook's tasks call them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from module_run import SYSTEM, load_util, run_module

from govcloud.execution.databases.work import Done, work


class Bench:
    def __init__(self, folder: Path, ssh_config: Path) -> None:
        self.folder, self.ssh_config = folder, ssh_config
        self.state = {side: folder / side for side in ("source", "target")}
        self.evidence = folder / "evidence"
        self.evidence.mkdir(mode=0o700)
        self.system: dict[str, Any] = dict(SYSTEM)
        self.databases: list[dict[str, Any]] = []

    def add(self, kind: str, source: dict[str, Any], target: dict[str, Any], method: str = "dump") -> None:
        self.databases.append({"kind": kind, "machine": "main", "method": method, "source": source, "target": target})

    @property
    def spec(self) -> dict[str, Any]:
        machine = {"name": "main", "source": "old-1", "target": "new-1", "state_dir": str(self.state["target"])}
        return {
            "system_id": self.system["system_id"], "machines": [machine], "databases": self.databases,
            "limits": {"bandwidth_mbps": None},
        }  # fmt: skip

    def end(self, side: str) -> dict[str, Any]:
        """What a host's module gets. Both hosts are this machine, so both have one state_dir."""
        state_dir = str(self.state["target"])
        items = [
            {"index": index, "kind": d["kind"], "method": d["method"], **d[side]}
            for index, d in enumerate(self.databases)
        ]
        return {
            "host": {"source": "old-1", "target": "new-1"}[side], "machine": "main", "side": side, "exists": True,
            "marker": f"{state_dir}/{self.system['system_id']}.json", "state_dir": state_dir, "databases": items,
            "files": [], "services": [],
        }  # fmt: skip

    def mark(self, state: str = "preparing", takes_over: bool = True) -> None:
        load_util("gov_marker_file").write_marker(
            self.end("target")["marker"], self.system, state, ["none", "preparing", "rolled_back", "cutover_started"], takes_over
        )  # fmt: skip

    def host(self, action: str, side: str) -> dict[str, Any]:
        """gov_database on one host."""
        return run_module("gov_database", action=action, end=self.end(side), system=self.system)

    def data(self, action: str) -> Done:
        """gov_data's work, in this process."""
        return work(action, self.spec, self.system, evidence=self.evidence, ssh_config=self.ssh_config)

    def digest(self, side: str, index: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.evidence / f"database-{index}-{side}.json").read_text())
        return found

    def note(self) -> dict[str, Any]:
        path = self.state["target"] / f"{self.system['system_id']}.databases.json"
        found: dict[str, Any] = json.loads(path.read_text())
        return found
