#!/usr/bin/python
"""The entrances of a system on one host: where they point, whether they could be switched, and the switch.

All are switched or none: when one fails, those before it are pointed back. An entrance that points neither to the
system's source nor to its target is somebody else's work and is never touched. tell_only (with check): what is wrong is
told (`told`) for gov_precheck.py to judge with everything else.
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.gov_dns import DnsEntrance
from ansible.module_utils.gov_entrance_file import EntranceError, JsonEntrance
from ansible.module_utils.gov_hosts_file import HostsEntrance
from ansible.module_utils.gov_marker_file import Refused, demand_writable, enter
from ansible.module_utils.gov_nginx import NginxEntrance

# So long gov_http.py is patient with old answers of resolvers.
LONG_TTL_S = 300
KINDS = {"json": JsonEntrance, "nginx": NginxEntrance, "hosts": HostsEntrance, "dns": DnsEntrance}


def look(spec, to):
    """The entrance and where it points: its source or its target. Raises EntranceError for anything else."""
    entrance = KINDS[spec["kind"]](spec)
    now = entrance.points_to()
    if now not in (spec["source"], spec["target"]):
        raise EntranceError("入口 %s 现指向 %s，既不是源也不是目标" % (spec["name"], now or "—"),
                            "Entrance %s points to %s, neither source nor target" % (spec["name"], now or "—"))  # fmt: skip
    return entrance, now


def check(specs, to):
    problems, facts = [], {}
    for spec in specs:
        try:
            entrance, now = look(spec, to)
            if now != spec[to]:
                raise EntranceError("入口 %s 指向 %s，应为 %s" % (spec["name"], now, spec[to]),
                                    "Entrance %s points to %s, not to %s" % (spec["name"], now, spec[to]))  # fmt: skip
            merge(facts, entrance)
            ttl = entrance.facts().get("ttl_s", 0)
            if to == "source" and ttl > max(spec["ttl"], LONG_TTL_S):
                raise EntranceError("%s 的 TTL 为 %d 秒，切换后旧地址还会用这么久；请提前改为 %d 秒" % (spec["name"], ttl, spec["ttl"]),
                                    "The TTL of %s is %d s, so long the old address stays in use after the switch: lower it to %d s some time before" % (spec["name"], ttl, spec["ttl"]))  # fmt: skip
        except EntranceError as error:
            problems.append({"zh": error.zh, "en": error.en})
    return problems, facts


def unwritable(end):
    try:
        demand_writable(end["state_dir"])
    except Refused as refusal:
        return [{lang: "%s: %s" % (end["host"], text) for lang, text in problem.items()} for problem in refusal.problems]
    return []


def rehearse(specs):
    problems, facts = [], {}
    for spec in specs:
        try:
            entrance, _ = look(spec, "target")
            for to in ("target", "source"):
                entrance.rehearse(spec[to])
            merge(facts, entrance)
        except EntranceError as error:
            problems.append({"zh": error.zh, "en": error.en})
    return problems, facts


def switch(specs, to):
    """Whether anything changed. Raises EntranceError after what was switched has been pointed back."""
    # Looked at before the first change: what can be known to fail must not begin.
    found = [look(spec, to) for spec in specs]
    done = []
    try:
        for spec, (entrance, now) in zip(specs, found):
            done.append((spec, entrance, now))
            entrance.switch(spec[to])
    except EntranceError as error:
        zh, en = error.zh, error.en
        for spec, entrance, now in reversed(done):
            try:
                # The one that failed has undone itself, or never came to its change.
                if entrance.points_to() != now:
                    entrance.switch(now)
            except EntranceError as second:
                zh += "；入口 %s 未能指回：%s" % (spec["name"], second.zh)
                en += "; entrance %s could not be pointed back: %s" % (spec["name"], second.en)
        raise EntranceError(zh, en)
    return any(now != spec[to] for spec, _, now in done)


def merge(facts, entrance):
    for key, value in entrance.facts().items():
        facts[key] = max(facts.get(key, 0), value)


def main():
    module = AnsibleModule(
        argument_spec={
            "end": {"type": "dict", "required": True},
            "system": {"type": "dict", "required": True},
            "action": {"choices": ["check", "rehearse", "switch"], "required": True},
            "to": {"choices": ["source", "target"], "required": True},
            "tell_only": {"type": "bool", "default": False},
        }
    )
    given = module.params
    end, specs, to = given["end"], given["end"]["entrances"], given["to"]
    changed, problems, facts = False, [], {}
    os.environ["LC_ALL"] = "C.UTF-8"
    try:
        if given["action"] == "check":
            problems, facts = check(specs, to)
            problems += unwritable(end) if specs else []
        elif given["action"] == "rehearse":
            problems, facts = rehearse(specs)
        elif specs:
            enter(end["state_dir"], given["system"])
            changed = switch(specs, to)
    except Refused as refusal:
        problems = refusal.problems
    except EntranceError as error:
        problems = [{"zh": error.zh, "en": error.en}]
    facts["entrances"] = len(specs)
    if given["tell_only"]:
        module.exit_json(changed=False, gov=facts, told=problems)
    if problems:
        module.fail_json(msg=problems[0]["en"], problems=problems, gov=facts)
    module.exit_json(changed=changed, gov=facts)


if __name__ == "__main__":
    main()
