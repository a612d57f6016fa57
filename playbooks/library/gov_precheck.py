#!/usr/bin/python
"""Before a migration, on the controller: can Ansible work on every host at all (action reach), and what does everything
that gov_probe.py, gov_entrance.py and gov_http.py found mean (action judge).

`reach` asks with nothing but a shell: a host without Python, with one that is too old or broken (F42), or with a wrong
clock is named in words, all of them at once. A host that can't be reached is left to Ansible, which says so in the next task.
"""

import io
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from govcloud.execution.precheck import LOOK, NEEDED_PYTHON, Reach, judge, judge_reach
from govcloud.execution.stream import Remote, StreamError, capture
from govcloud.model.text import Text

CONTROLLER = "govcloud"


def ask(remote, host, needed):
    """What the host says; None when it can't be reached."""
    asked_at, said = time.time(), io.BytesIO()
    try:
        capture(remote.argv(host, ["sh", "-c", LOOK]), said, stall_s=60)
    except (OSError, StreamError):
        return None
    return Reach(host=host, said=said.getvalue().decode("utf-8", "replace"), asked_at=asked_at, answered_at=time.time(), needed=needed)


def reach(given):
    ends = [*given["source"], *given["target"], *given["entrance"]]
    hosts = {end["host"]: NEEDED_PYTHON for end in ends if end.get("exists", True)}
    if given["spec"].get("network"):
        # Never by Ansible: our own program goes there.
        hosts.setdefault(given["spec"]["network"]["router"], (3, 6))
    hosts.pop(CONTROLLER, None)
    remote = Remote(Path(given["ssh_config"]))
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = [answer for answer in pool.map(lambda item: ask(remote, *item), sorted(hosts.items())) if answer]
    return judge_reach(found), {"hosts": len(hosts)}


def main():
    module = AnsibleModule(
        argument_spec={
            "action": {"choices": ["reach", "judge"], "required": True},
            "spec": {"type": "dict", "required": True},
            "system": {"type": "dict", "required": True},
            "source": {"type": "list", "elements": "dict", "required": True},
            "target": {"type": "list", "elements": "dict", "required": True},
            "entrance": {"type": "list", "elements": "dict", "default": []},
            "told": {"type": "list", "elements": "dict", "default": []},
            "ssh_config": {"type": "str"},
        },
        required_if=[("action", "reach", ["ssh_config"])],
    )
    given = module.params
    if given["action"] == "reach":
        problems, gov = reach(given)
    else:
        # Results of the probes' loops: one a machine.
        problems, gov = judge(given["spec"], *([r["facts"] for r in given[side]] for side in ("source", "target")))
        problems += [Text(p["zh"], p["en"]) for result in given["told"] for p in result["told"]]
    if problems:
        module.fail_json(msg=problems[0].en, problems=[{"zh": p.zh, "en": p.en} for p in problems], gov=gov)
    module.exit_json(changed=False, gov=gov)


if __name__ == "__main__":
    main()
