#!/usr/bin/python
"""The marker on a target: whose copy lies here and how far it is. Every change of a copy asks it first."""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.gov_marker_file import Refused, demand_owner, write_marker

STATES = ["preparing", "cutover_started", "serving", "rolled_back"]


def main():
    module = AnsibleModule(
        argument_spec={
            "end": {"type": "dict", "required": True},
            "system": {"type": "dict", "required": True},
            "action": {"choices": ["write", "check"], "required": True},
            "state": {"choices": STATES},
            "follows": {"type": "list", "elements": "str", "required": True},
            "takes_over": {"type": "bool", "default": False},
        },
        required_if=[("action", "write", ["state"])],
    )
    given = module.params
    path, system = given["end"]["marker"], given["system"]
    try:
        if given["action"] == "check":
            module.exit_json(changed=False, marker=demand_owner(path, system, given["follows"]))
        before, now = write_marker(path, system, given["state"], given["follows"], given["takes_over"])
        module.exit_json(changed=True, before=before, marker=now)
    except Refused as refusal:
        module.fail_json(msg=refusal.en, problems=refusal.problems)
    except OSError as error:
        zh, en = "目标标记 %s 无法使用：%s" % (path, error), "The target's marker %s can't be used: %s" % (path, error)
        module.fail_json(msg=en, problems=[{"zh": zh, "en": en}])


if __name__ == "__main__":
    main()
