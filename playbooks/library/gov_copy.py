#!/usr/bin/python
"""Copies or compares directories and databases between source and target; runs on the controller.

Actions: sync_files (live or frozen), verify_files, compare_database, send_database, verify_database.
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from govcloud.execution import digest
from govcloud.execution.replicate import Copy, database_digests, send_database, sync_files, verify_files
from govcloud.execution.stream import Remote, StreamError


def act(given):
    spec, action = given["spec"], given["action"]
    copy = Copy(
        system_id=spec["system_id"],
        run_id=given["run_id"],
        attempt=given["attempt"],
        source_host=spec["source"]["host"],
        target_host=spec["target"]["host"],
        marker=given["marker"],
        evidence=Path(given["evidence"]),
        remote=Remote(Path(given["ssh_config"])),
    )
    if action.endswith("_files"):
        return on_files(copy, spec["files"], action, given["live"])
    return on_database(copy, spec["source"]["database"], spec["target"]["database"], action, given)


def on_files(copy, pairs, action, live):
    gov, problems = {}, []
    for pair in pairs:
        if action == "sync_files":
            counts = sync_files(copy, pair, live=live)
        else:
            found, counts = verify_files(copy, pair)
            problems += found
            gov["sha256 " + pair["source"]] = counts.pop("sha256")
        for key, value in counts.items():
            gov[key] = gov.get(key, 0) + value
    return problems, {"gov": gov}


def on_database(copy, source, target, action, given):
    if not source or given["skip"]:
        return [], {"equal": True}
    if action == "send_database":
        passed = send_database(copy, source, target, given["into"])
        return [], {"gov": {"database_bytes": passed.bytes}}
    a, b = database_digests(copy, source, target)
    problems = digest.verify_databases(a, b)
    if action == "compare_database":
        return [], {"equal": not problems}
    gov = {
        "tables": len(a["tables"]),
        "rows": sum(t["rows"] for t in a["tables"].values()),
        "database_sha256": digest.database_digest(a),
    }
    return problems, {"gov": gov}


def main():
    actions = ["sync_files", "verify_files", "compare_database", "send_database", "verify_database"]
    module = AnsibleModule(
        argument_spec={
            "action": {"choices": actions, "required": True},
            "spec": {"type": "dict", "required": True},
            "run_id": {"type": "str", "required": True},
            "attempt": {"type": "int", "required": True},
            "marker": {"type": "str", "required": True},
            "evidence": {"type": "str", "required": True},
            "ssh_config": {"type": "str", "required": True},
            "live": {"type": "bool", "default": False},
            "into": {"type": "str"},
            "skip": {"type": "bool", "default": False},
        }
    )
    try:
        problems, result = act(module.params)
    except (OSError, ValueError, StreamError) as error:
        en = "Copying (%s): %s" % (module.params["action"], error)
        module.fail_json(msg=en, problems=[{"zh": "复制（%s）失败：%s" % (module.params["action"], error), "en": en}])
    if problems:
        module.fail_json(msg=problems[0].en, problems=[{"zh": p.zh, "en": p.en} for p in problems], **result)
    module.exit_json(changed=module.params["action"] in ("sync_files", "send_database"), **result)


if __name__ == "__main__":
    main()
