#!/usr/bin/python
"""Copies or compares the databases of a system between its hosts; runs on the controller.

Actions: replicate, compare, check_replicated, pause_replication, resume_replication (the source serves); final, verify
(it is frozen); end_replication, export_taken.
"""

import json
import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from govcloud.execution.databases.work import ACTIONS, CHANGING, work
from govcloud.execution.stream import StreamError


def main():
    module = AnsibleModule(
        argument_spec={
            "action": {"choices": sorted(ACTIONS), "required": True},
            "spec": {"type": "dict", "required": True},
            "system": {"type": "dict", "required": True},
            "evidence": {"type": "str", "required": True},
            "ssh_config": {"type": "str", "required": True},
        }
    )
    given = module.params
    try:
        problems, gov = work(
            given["action"], given["spec"], given["system"], evidence=Path(given["evidence"]),
            ssh_config=Path(given["ssh_config"]),
        )  # fmt: skip
    except StreamError as error:
        module.fail_json(msg=error.text.en, problems=[{"zh": error.text.zh, "en": error.text.en}])
    except (OSError, ValueError, json.JSONDecodeError, subprocess.SubprocessError) as error:
        en, zh = "Databases (%s): %s" % (given["action"], error), "数据库（%s）失败：%s" % (given["action"], error)
        module.fail_json(msg=en, problems=[{"zh": zh, "en": en}])
    if problems:
        module.fail_json(msg=problems[0].en, problems=[{"zh": p.zh, "en": p.en} for p in problems], gov=gov)
    module.exit_json(changed=bool(given["spec"]["databases"]) and given["action"] in CHANGING, gov=gov)


if __name__ == "__main__":
    main()
