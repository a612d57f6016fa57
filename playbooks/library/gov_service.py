#!/usr/bin/python
"""The services of one end on one machine: start in order, stop in reverse, look, keep from starting at boot, let again.

A target's services are only touched when the marker says that the copy is ours. What a source's boot settings were is
kept in `<state_dir>/<system_id>.services.json` on that host until `enable` has restored them. start: with_cron releases
their cron tables, at_boot lets them start at boot as well (on a target, at the cutover).
"""

import json
import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.gov_marker_file import Refused, demand_owner, enter, read_marker
from ansible.module_utils.gov_service_unit import ServiceError, disable, enable, look, name_of, start, stop, why_not_stopped

STARTERS = (".socket", ".timer", ".path")
CHANGES = ("start", "stop", "disable", "enable")


class Boot(object):
    """What the boot settings of a source were, by service."""

    def __init__(self, end, system):
        self.path = os.path.join(end["state_dir"], system["system_id"] + ".services.json")
        self.kept = end["side"] == "source"
        self.known = {}
        if self.kept and os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as stream:
                self.known = json.load(stream)

    def keep(self, name, setting):
        if self.kept and setting and name not in self.known:
            self.known[name] = setting
            self._write()

    def forget(self, name):
        if self.kept and self.known.pop(name, None) is not None:
            self._write()

    def _write(self):
        with open(self.path + ".new", "w", encoding="utf-8") as stream:
            json.dump(self.known, stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(self.path + ".new", self.path)


def may_change(end, system, action):
    """False: nothing here is ours, so there is nothing to stop. Raises Refused when it is somebody else's."""
    if end["side"] == "target":
        if action in ("stop", "disable") and read_marker(end["marker"]) is None:
            return False
        demand_owner(end["marker"], system)
    else:
        enter(end["state_dir"], system)
    return True


def in_order(services, action):
    """As listed, or in reverse. Units that start others are stopped first, lest one of them undo it; a socket is started
    first, since systemd refuses it while its service runs."""
    if action in ("stop", "disable"):
        return sorted(reversed(services), key=lambda service: not (service.get("systemd") or "").endswith(STARTERS))
    return sorted(services, key=lambda service: not (service.get("systemd") or "").endswith(".socket"))


def act(given, services, boot):
    """(changed, problems, facts)"""
    action, wait, changed, facts = given["action"], given["wait_s"], False, {"services": len(services)}
    for service in in_order(services, action):
        if action == "start":
            changed = start(service, wait, given["with_cron"]) or changed
            if given["at_boot"]:
                changed = enable(service, wait) or changed
        elif action == "stop":
            changed = stop(service, wait) or changed
        elif action == "disable":
            # Before the change: a crash in between must not lose what it was.
            boot.keep(name_of(service), look(service, wait)["boot"])
            changed = disable(service, wait)[0] or changed
        elif action == "enable":
            # A source's service of which nothing is noted was not kept from starting by us.
            before = boot.known.get(name_of(service), "disabled" if boot.kept else "enabled")
            changed = enable(service, wait, before) or changed
            boot.forget(name_of(service))
        if service.get("script") and action in ("disable", "enable"):
            # Whoever started it at boot still does: only its owner knows where that is written.
            facts["boot " + service["script"]] = "script: boot setting not changed"
    found = [look(service, wait) for service in services]
    facts["running"] = sum(about["state"] == "running" for about in found)
    return changed, problems_of(found, given, boot.kept), facts


def problems_of(found, given, on_source):
    problems = []
    expect = {"stop": "stopped", "disable": "disabled"}.get(given["action"], given["expect"])
    for about in found:
        why = None
        if expect in ("stopped", "disabled"):
            why = why_not_stopped(about)
            if not why and expect == "disabled" and about["boot"] in ("enabled", "enabled-runtime"):
                why = "服务 %s 仍会开机启动" % about["name"], "Service %s would still start at boot" % about["name"]
            if on_source and about["state"] == "absent":
                # Something that can't be asked is not proven to be stopped.
                why = "没有服务 %s，无从确认已停止" % about["name"], "There is no service %s: it can't be proven to be stopped" % about["name"]
        elif expect == "running" and about["state"] != "running":
            why = "服务 %s 没有运行（%s）" % (about["name"], about["state"]), "Service %s is not running (%s)" % (about["name"], about["state"])
        if why:
            problems.append({"zh": why[0], "en": why[1]})
    return problems


def main():
    module = AnsibleModule(
        argument_spec={
            "end": {"type": "dict", "required": True},
            "system": {"type": "dict", "required": True},
            "action": {"choices": ["start", "stop", "status", "disable", "enable"], "required": True},
            "expect": {"choices": ["any", "running", "stopped", "disabled"], "default": "any"},
            "with_cron": {"type": "bool", "default": True},
            "at_boot": {"type": "bool", "default": False},
            "wait_s": {"type": "int", "default": 120},
        }
    )
    given = module.params
    end, system = given["end"], given["system"]
    services = end["services"]
    try:
        if not services or (given["action"] in CHANGES and not may_change(end, system, given["action"])):
            module.exit_json(changed=False, gov={"services": 0})
        changed, problems, facts = act(given, services, Boot(end, system))
        if problems:
            module.fail_json(msg=problems[0]["en"], problems=problems, gov=facts)
        module.exit_json(changed=changed, gov=facts)
    except Refused as refusal:
        module.fail_json(msg=refusal.en, problems=refusal.problems)
    except ServiceError as error:
        module.fail_json(msg=error.en, problems=[{"zh": error.zh, "en": error.en}])
    except (OSError, ValueError) as error:
        zh, en = "服务无法操作：%s" % error, "The services can't be worked: %s" % error
        module.fail_json(msg=en, problems=[{"zh": zh, "en": en}])


if __name__ == "__main__":
    main()
