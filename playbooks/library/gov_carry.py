#!/usr/bin/python
"""Files that belong to a service (units, drop-ins, environment files, cron tables) go from source to target unchanged,
through the controller's memory: never a disk of it, an argument, a result or a log. TLS material is only looked at, on the
target. Actions: carry, check (looks only), undo. Facts: carried, tls, tls_days_left, tls_keys_not_compared.
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from govcloud.execution.far_call import call
from govcloud.execution.stream import Remote, StreamError

FAR = ("gov_marker_file", "gov_service_unit", "gov_tls", "gov_carried")


class Faulty(Exception):
    def __init__(self, host, problems):
        super().__init__(host)
        self.problems = [{"zh": f"{host}：{p['zh']}", "en": f"{host}: {p['en']}"} for p in problems]


def ask(remote, host, **request):
    answer = call(remote, host, FAR, request)
    if answer.get("problems"):
        raise Faulty(host, answer["problems"])
    return answer


def on_machine(remote, machine, services, system, action):
    """(files changed, facts) of one machine."""
    paths = list(dict.fromkeys(path for service in services for path in service["carry"]))
    tls = list(dict.fromkeys(path for service in services for path in service["tls"]))
    own = {"marker": f"{machine['state_dir']}/{system['system_id']}.json", "system": system}
    if action == "undo":
        answer = ask(remote, machine["target"], do="undo", **own) if paths else {"undone": 0, "left": []}
        return answer["undone"], {"carried_back": answer["undone"], "left_changed": len(answer["left"])}
    facts, changed = {"carried": 0}, 0
    if paths:
        files = ask(remote, machine["source"], do="read", paths=paths, content=action == "carry")["files"]
        do = "place" if action == "carry" else "check"
        changed = ask(remote, machine["target"], do=do, files=files, **own)["placed"]
        facts["carried"] = len(files)
    if tls:
        facts.update(ask(remote, machine["target"], do="tls", paths=tls)["facts"])
    return changed, facts


def main():
    module = AnsibleModule(
        argument_spec={
            "spec": {"type": "dict", "required": True},
            "system": {"type": "dict", "required": True},
            "action": {"choices": ["carry", "check", "undo"], "required": True},
            "evidence": {"type": "str", "required": True},
            "ssh_config": {"type": "str", "required": True},
        }
    )
    given = module.params
    spec, remote, changed, gov, problems = given["spec"], Remote(Path(given["ssh_config"])), 0, {}, []
    for machine in spec["machines"]:
        services = [service for service in spec["services"] if service["machine"] == machine["name"]]
        try:
            count, facts = on_machine(remote, machine, services, given["system"], given["action"])
        except Faulty as faulty:
            problems += faulty.problems
        except (OSError, StreamError) as error:
            problems.append({"zh": f"服务文件无法带到目标：{error}", "en": f"The services' files can't be carried: {error}"})
        else:
            changed += count
            for key, value in facts.items():
                gov[key] = min(gov.get(key, value), value) if key == "tls_days_left" else gov.get(key, 0) + value
    if problems:
        module.fail_json(msg=problems[0]["en"], problems=problems, gov=gov)
    module.exit_json(changed=changed > 0, gov=gov)


if __name__ == "__main__":
    main()
