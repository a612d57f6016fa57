#!/usr/bin/python
"""The marker on a target: whose copy lies here and how far it is. Every change of a copy asks it first."""

import json
import os
import time

from ansible.module_utils.basic import AnsibleModule

STATES = ["preparing", "cutover_started", "serving", "rolled_back"]


def read(path):
    try:
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)
    except FileNotFoundError:
        return None


def write(path, document):
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as stream:
        json.dump(document, stream, ensure_ascii=False)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(path + ".new", path)


def main():
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "str", "required": True},
            "system_id": {"type": "str", "required": True},
            "run_id": {"type": "str", "required": True},
            "attempt": {"type": "int", "required": True},
            "state": {"choices": STATES, "required": True},
            "follows": {"type": "list", "elements": "str", "required": True},
            "takes_over": {"type": "bool", "default": False},
        }
    )
    given = module.params

    def fail(zh, en):
        module.fail_json(msg=en, problems=[{"zh": zh, "en": en}])

    try:
        found = read(given["path"])
        state = found["state"] if found else "none"
        if found and found["system_id"] != given["system_id"]:
            fail("目标上是另一系统的副本：%s" % found["system_id"], "The target holds another system: %s" % found["system_id"])
        # A copy left behind by an earlier run may be taken over; one in use by another run may not be touched.
        if found and found["run_id"] != given["run_id"] and not (given["takes_over"] and state in ("preparing", "rolled_back")):
            fail("目标上的副本属于另一次执行：%s（%s）" % (found["run_id"], state),
                 "The copy on the target belongs to another run: %s (%s)" % (found["run_id"], state))  # fmt: skip
        if state not in given["follows"]:
            fail("目标标记为 %s，不能转为 %s" % (state, given["state"]), "The target's marker is %s, it can't become %s" % (state, given["state"]))
        document = {
            "system_id": given["system_id"],
            "run_id": given["run_id"],
            "attempt": given["attempt"],
            "state": given["state"],
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        write(given["path"], document)
        module.exit_json(changed=True, before=found, marker=document)
    except (OSError, ValueError, KeyError) as error:
        fail("目标标记 %s 无法使用：%s" % (given["path"], error), "The target's marker %s can't be used: %s" % (given["path"], error))


if __name__ == "__main__":
    main()
