#!/usr/bin/python
"""HTTP checks from the controller through the entrance, repeated until they all hold or the time is up."""

from ansible.module_utils.basic import AnsibleModule
from govcloud.execution.http import await_checks


def main():
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "checks": {"type": "list", "elements": "dict", "required": True},
            "header": {"type": "str"},
            "served_by": {"type": "str", "required": True},
            "wait_s": {"type": "int", "default": 20},
        },
    )
    given = module.params
    problems, seen = await_checks(given["url"], given["checks"], given["header"], given["served_by"], given["wait_s"])
    gov = {"http_checks": len(given["checks"])}
    if problems:
        module.fail_json(msg=problems[0].en, problems=[{"zh": p.zh, "en": p.en} for p in problems], seen=seen, gov=gov)
    module.exit_json(changed=False, seen=seen, gov=gov)


if __name__ == "__main__":
    main()
