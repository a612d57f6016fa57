#!/usr/bin/python
"""Looks at one machine of a migration and changes nothing; gov_precheck.py judges what it found on all of them."""

import os
import shutil
import sys

from ansible.module_utils import gov_facts as facts_of
from ansible.module_utils import gov_tls
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.gov_marker_file import Refused, demand_writable, read_marker

# Our programs at the far end of an SSH connection are started as `python3`, whatever Ansible found for itself.
TOOLS = ("python3", "sh")
REUSABLE = ("preparing", "rolled_back")


def database_facts(item, side, ours):
    """What the kind's own module says of it; never raises."""
    try:
        if item["kind"] == "postgresql":
            from ansible.module_utils import gov_postgres as kind
        elif item["kind"] == "mysql":
            from ansible.module_utils import gov_mysql as kind
        elif item["kind"] == "sqlite":
            from ansible.module_utils import gov_sqlite as kind
        else:
            from ansible.module_utils import gov_redis as kind
        facts = kind.probe(item, side, ours)
    except Exception as error:
        why = "%s: %s" % (type(error).__name__, error)
        facts = {"problems": [{"zh": "数据库无法检查：%s" % why, "en": "The database can't be examined: %s" % why}]}
    return dict(facts, index=item["index"], kind=item["kind"])


def marker_of(end, system):
    """(marker, whether the copy on the target may be used again by this system, problems)"""
    try:
        marker = read_marker(end["marker"])
    except Refused as refusal:
        return None, False, refusal.problems
    ours = marker is not None and marker["system_id"] == system["system_id"] and marker["state"] in REUSABLE
    return marker, ours, []


def examine(end, side, system):
    target = side == "target"
    marker, ours, problems = marker_of(end, system) if target else (None, False, [])
    try:
        demand_writable(end["state_dir"])
    except Refused as refusal:
        problems += refusal.problems
    facts = {
        "host": end["host"], "machine": end["machine"], "python": list(sys.version_info[:3]), "problems": problems,
        "missing_tools": [tool for tool in TOOLS if shutil.which(tool) is None],
        "files": [dict(facts_of.tree(item["path"]), index=item["index"]) for item in end["files"]],
        "services": [facts_of.service(item) for item in end["services"]],
        "databases": [database_facts(item, side, ours) for item in end["databases"]],
        "carry": [facts_of.carried(path) for item in end["services"] for path in item.get("carry") or []],
        "marker": marker, "ours": ours,
    }  # fmt: skip
    if target:
        places = [item["path"] for item in end["files"]] + [d["space_at"] for d in facts["databases"] if d.get("space_at")]
        facts["space"] = {path: facts_of.space(path) for path in places}
        facts["users"], facts["groups"] = facts_of.people()
        tls = [path for item in end["services"] for path in item.get("tls") or []]
        faulty, facts["tls"] = gov_tls.look(tls) if tls else ([], {})
        problems += faulty
    return facts


def main():
    module = AnsibleModule(
        argument_spec={
            "end": {"type": "dict", "required": True},
            "system": {"type": "dict", "required": True},
            "side": {"choices": ["source", "target"], "required": True},
        },
    )
    given = module.params
    end = given["end"]
    os.environ["LC_ALL"] = "C.UTF-8"
    if not end.get("exists", True):
        module.exit_json(changed=False, facts=None)
    try:
        module.exit_json(changed=False, facts=examine(end, given["side"], given["system"]))
    except (OSError, ValueError) as error:
        en, zh = "The host can't be examined: %s" % error, "主机无法检查：%s" % error
        module.fail_json(msg=en, problems=[{"zh": zh, "en": en}])


if __name__ == "__main__":
    main()
