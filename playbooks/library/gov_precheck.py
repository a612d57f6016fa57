#!/usr/bin/python
"""Judges on the controller what gov_probe.py found on both hosts."""

import time

from ansible.module_utils.basic import AnsibleModule
from govcloud.execution.precheck import judge


def main():
    module = AnsibleModule(
        argument_spec={
            "spec": {"type": "dict", "required": True},
            "source": {"type": "dict", "required": True},
            "target": {"type": "dict", "required": True},
        },
    )
    given = module.params
    problems, gov = judge(given["spec"], given["source"], given["target"], time.time())
    if problems:
        module.fail_json(msg=problems[0].en, problems=[{"zh": p.zh, "en": p.en} for p in problems], gov=gov)
    module.exit_json(changed=False, gov=gov)


if __name__ == "__main__":
    main()
