"""`python tests/execution/record_cases.py`: records tests/cases/execution anew, each a real run of ansible-playbook.

Two systems of two hosts each, as a step's playbook has them: everything delegated, loops over the machines.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import ansible_runner

from govcloud.execution.judge import read_events

CASES = Path(__file__).parents[1] / "cases" / "execution"
SYSTEMS = ("SL-OA-01", "SL-OA-02")
MODULE = """#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule({"gov": {"type": "dict"}, "problem": {"type": "str"}})
if module.params["problem"]:
    module.fail_json(msg=module.params["problem"], problems=[{"zh": "坏了", "en": module.params["problem"]}])
module.exit_json(changed=False, gov=module.params["gov"])
"""
LOOP = {"loop": "{{ target }}", "delegate_to": "{{ item.host }}"}
LOOK: dict[str, Any] = {"name": "Look", "say": {"gov": "{{ item.gov }}"}, **LOOP}
JUDGE: dict[str, Any] = {"name": "Judge", "say": {"gov": {"judged": 1, "level": "L2"}}, "delegate_to": "govcloud"}
BROKEN = {"name": "Look", "say": {"problem": "{{ 'broken' if inventory_hostname.endswith('1') else '' }}", "gov": {}}, "delegate_to": "govcloud"}  # fmt: skip
PLAYS: dict[str, dict[str, Any]] = {
    "done": {"tasks": [LOOK, JUDGE]},
    "no_host_matched": {"tasks": [LOOK, JUDGE], "hosts": "nobody"},
    "empty_inventory": {"tasks": [LOOK, JUDGE], "systems": ()},
    "skipped": {"tasks": [LOOK, {**JUDGE, "when": False}]},
    "skipped_item": {"tasks": [{**LOOK, "when": "item.host != 'new-1'"}, JUDGE]},
    "empty_loop": {"tasks": [{**LOOK, "loop": []}, JUDGE]},
    "check_mode": {"tasks": [LOOK, JUDGE], "cmdline": "--check"},
    "ignored": {"tasks": [{**BROKEN, "ignore_errors": True}, JUDGE]},
    "rescued": {
        "tasks": [
            {"name": "Try", "block": [BROKEN], "rescue": [{"name": "Rescue", "say": {}, "delegate_to": "govcloud"}]},
            JUDGE,
        ]
    },
    "one_limited_away": {"tasks": [LOOK, JUDGE], "limit": "SL-OA-02"},
    "failed": {"tasks": [BROKEN, JUDGE]},
    "failed_item": {
        "tasks": [
            {**LOOK, "say": {"problem": "{{ 'broken' if item.host == 'new-1' else '' }}", "gov": "{{ item.gov }}"}},
            JUDGE,
        ]
    },
    "unreachable": {"tasks": [LOOK, JUDGE], "dead": "new-1"},
    "wrong_inventory": {"tasks": [LOOK, JUDGE], "extra_system": "SL-XX-99"},
}


def record(name: str, play: dict[str, Any], folder: Path) -> dict[str, Any]:
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    dead = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_ssh_args": "-F none -o BatchMode=yes"}
    hosts = {
        host: dead if host == play.get("dead") else local for host in ("new-1", "db-1", "new-2", "db-2", "govcloud")
    }
    systems = {}
    for number, system in enumerate((*SYSTEMS, *filter(None, [play.get("extra_system")])), 1):
        ends = [{"host": f"{kind}-{min(number, 2)}", "gov": gov} for kind, gov in (
            ("new", {"files": 3, "version": "15.1", "level": "L1"}), ("db", {"files": 4, "version": "16.2", "level": "L2"}),
        )]  # fmt: skip
        systems[system] = {"target": ends}
    chosen = systems if "systems" not in play else {}
    (folder / "library").mkdir()
    (folder / "library" / "say.py").write_text(MODULE)
    (folder / "inventory.json").write_text(
        json.dumps({"all": {"hosts": hosts, "children": {"systems": {"hosts": chosen}}}})
    )
    book = [
        {
            "name": "Case",
            "hosts": play.get("hosts", "systems"),
            "gather_facts": False,
            "tasks": play["tasks"],
        }
    ]
    (folder / "play.json").write_text(json.dumps(book))
    done = ansible_runner.run(
        private_data_dir=str(folder), artifact_dir=str(folder / "artifacts"), ident="play", quiet=True,
        playbook=str(folder / "play.json"), inventory=str(folder / "inventory.json"), limit=play.get("limit"),
        cmdline=play.get("cmdline"), envvars={
            "ANSIBLE_LIBRARY": str(folder / "library"), "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"), "HOME": str(folder),
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        },
        settings={"suppress_ansible_output": True},
    )  # fmt: skip
    events, damage = read_events(folder / "artifacts" / "play" / "job_events")
    return {
        "tasks": ["Look", "Judge"], "systems": list(SYSTEMS), "status": done.status, "rc": done.rc, "damage": damage,
        "events": [trimmed(event, str(folder)) for event in events if event["event"].startswith(("runner_", "playbook_on_no"))],
    }  # fmt: skip


def trimmed(event: dict[str, Any], folder: str) -> dict[str, Any]:
    """Without what only this machine knows: the judge reads none of it."""
    left_out = {
        "play_uuid",
        "task_uuid",
        "uuid",
        "playbook_uuid",
        "start",
        "end",
        "task_path",
        "playbook",
        "invocation",
    }

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: without(v) for k, v in value.items() if k not in left_out}
        if isinstance(value, list):
            return [without(v) for v in value]
        return value.replace(folder, "/folder") if isinstance(value, str) else value

    kept = {k: event[k] for k in ("event", "counter", "created", "event_data") if k in event}
    found: dict[str, Any] = without(kept)
    return found


if __name__ == "__main__":
    for old in CASES.glob("*.json"):
        old.unlink()
    for name, play in PLAYS.items():
        with tempfile.TemporaryDirectory() as folder:
            case = record(name, play, Path(folder))
        (CASES / f"{name}.json").write_text(json.dumps(case, ensure_ascii=False, indent=1) + "\n", "utf-8")
        print(name, case["status"], case["rc"], len(case["events"]))
