#!/usr/bin/python
"""The databases of one end: servers and accounts at the target, freeze and thaw at the source.

Actions: provision, check_provisioned, stop (target); freeze, thaw, check_frozen (source).
"""

import subprocess
import time

from ansible.module_utils import gov_mysql, gov_postgres, gov_redis, gov_sqlite
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.gov_db import Problem, noting, read_note
from ansible.module_utils.gov_marker_file import Refused, demand_owner, enter, read_marker

KINDS = {"postgresql": gov_postgres, "mysql": gov_mysql, "sqlite": gov_sqlite, "redis": gov_redis}
ACTIONS = {}


def action(function):
    ACTIONS[function.__name__] = function
    return function


@action
def provision(kind, end, system):
    return kind.provision(end), {}


@action
def check_provisioned(kind, end, system):
    kind.check_provisioned(end)
    return False, {}


@action
def stop(kind, end, system):
    return kind.stop(end), {}


@action
def freeze(kind, end, system):
    """Noted before anything changes: what to restore. Noted after it: the position from which nothing may move."""
    with noting(end, system, "source") as note:
        # A second attempt finds the database frozen: what it was like before only the first one saw.
        found = note.setdefault("freeze", {"before": kind.before_freeze(end)})
        found["position"] = None
    result = kind.freeze(end, found["before"])
    with noting(end, system, "source") as note:
        note["freeze"].update(position=kind.position(end), at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    facts = {"databases_frozen": 1, "sessions_closed": len(result["sessions"])}
    if result["left"]:
        facts["can_still_write"] = ", ".join(result["left"])
    return True, facts


@action
def check_frozen(kind, end, system):
    noted = read_note(end, system, "source").get("freeze")
    if not noted or noted["position"] is None:
        raise Problem("数据库 %s 没有冻结记录" % name(end), "There is no note that %s was frozen" % name(end))
    why = kind.check_frozen(end, noted["position"], noted["before"])
    if why:
        raise Problem(*why)
    return False, {"databases_frozen": 1}


@action
def thaw(kind, end, system):
    noted = read_note(end, system, "source").get("freeze") or {}
    kind.thaw(end, noted.get("before"), system["system_id"])
    with noting(end, system, "source") as note:
        note.pop("freeze", None)
    return True, {}


def name(end):
    return end.get("path") or end.get("name") or end["kind"]


def act(given):
    end, system, changed, gov, problems = given["end"], given["system"], False, {}, []
    if not end["databases"] or not end.get("exists", True):
        return False, {}, []
    if given["action"] == "stop" and read_marker(end["marker"]) is None:
        return False, {}, []  # nothing of ours was ever here
    if given["action"] in ("provision", "stop"):
        demand_owner(end["marker"], system)
    elif given["action"] != "check_provisioned":
        enter(end["state_dir"], system)
    for item in end["databases"]:
        try:
            did, facts = ACTIONS[given["action"]](
                KINDS[item["kind"]], dict(item, state_dir=end["state_dir"], marker=end["marker"]), system
            )
        except Problem as problem:
            problems.append({"zh": problem.zh, "en": problem.en})
            continue
        changed = changed or did
        for key, value in facts.items():
            if isinstance(value, int):
                gov[key] = gov.get(key, 0) + value
            else:
                gov[key] = "; ".join(filter(None, [gov.get(key), "%s: %s" % (name(item), value)]))
    return changed, gov, problems


def main():
    module = AnsibleModule(
        argument_spec={
            "action": {"choices": sorted(ACTIONS), "required": True},
            "end": {"type": "dict", "required": True},
            "system": {"type": "dict", "required": True},
        }
    )
    try:
        changed, gov, problems = act(module.params)
    except Refused as refusal:
        module.fail_json(msg=refusal.en, problems=refusal.problems)
    except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        en = "Databases, %s: %s" % (module.params["action"], error)
        problems = [{"zh": "数据库操作 %s 失败：%s" % (module.params["action"], error), "en": en}]
        module.fail_json(msg=en, problems=problems)
    if problems:
        module.fail_json(msg=problems[0]["en"], problems=problems, gov=gov)
    module.exit_json(changed=changed, gov=gov)


if __name__ == "__main__":
    main()
