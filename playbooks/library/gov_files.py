#!/usr/bin/python
"""Copies or compares the directories of a system; runs on the controller.

Facts: files (entries of the source), sent, removed, bytes (sync: that went over the network; verify: of content), cuts (broken
connections that were mended), way (direct or relay), attributes_left (files whose ACLs or other extended attributes stay
behind), `sha256 <directory>`, level.
action sync: the targets' directories become equal to the sources' (`live`: the source still serves). action verify: every byte
of both sides is compared, nothing is changed.
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from govcloud.execution.replicate import build_ends, sync_files, verify_files
from govcloud.execution.stream import StreamError

ACTIONS = {"sync": ("复制", "Copying"), "verify": ("核对", "Comparing")}


def act(given):
    """(problems, facts) over all pairs of directories."""
    spec, system = given["spec"], given["system"]
    limits = spec.get("limits") or {}
    gov, problems = {}, []
    for index, pair in enumerate(spec["files"]):
        ends = build_ends(
            spec, system, pair.get("machine", "main"), evidence=Path(given["evidence"]), ssh_config=Path(given["ssh_config"])
        )
        try:
            if given["action"] == "sync":
                counts = sync_files(
                    ends, pair, live=given["live"], bandwidth_mbps=limits.get("bandwidth_mbps"),
                    deadline_min=limits.get("deadline_min") or 240,
                )  # fmt: skip
                way = counts.pop("way")
                if counts["sent"]:
                    gov["way"] = way
            else:
                found, counts = verify_files(ends, dict(pair, index=index))
                problems += found
                gov["sha256 " + pair["source"]] = counts.pop("sha256")
        except (OSError, ValueError, StreamError) as error:
            text = getattr(error, "text", None)
            zh, en = ACTIONS[given["action"]]
            raise Failed(
                "%s %s 失败：%s" % (zh, pair["source"], text.zh if text else error),
                "%s %s failed: %s" % (en, pair["source"], text.en if text else error),
            ) from error
        for key, value in counts.items():
            gov[key] = gov.get(key, 0) + value
    if spec["files"] and given["action"] == "verify" and not problems:
        gov["level"] = "L2"
    return problems, gov


class Failed(Exception):
    def __init__(self, zh, en):
        Exception.__init__(self, en)
        self.problem = {"zh": zh, "en": en}


def main():
    module = AnsibleModule(
        argument_spec={
            "action": {"choices": list(ACTIONS), "required": True},
            "spec": {"type": "dict", "required": True},
            "system": {"type": "dict", "required": True},
            "evidence": {"type": "str", "required": True},
            "ssh_config": {"type": "str", "required": True},
            "live": {"type": "bool", "default": False},
        }
    )
    try:
        problems, gov = act(module.params)
    except Failed as failure:
        module.fail_json(msg=str(failure), problems=[failure.problem])
    if problems:
        module.fail_json(msg=problems[0].en, problems=[{"zh": p.zh, "en": p.en} for p in problems], gov=gov)
    changed = bool(gov.get("sent") or gov.get("removed"))
    module.exit_json(changed=changed, gov=gov)


if __name__ == "__main__":
    main()
