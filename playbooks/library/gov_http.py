#!/usr/bin/python
"""Asks the system over HTTP, from the controller, until `side` gives the right answers or the time is up.

tell_only: what is wrong is told (`told`) for gov_precheck.py to judge with everything else.
Facts: http_checks (how many were asked), direct (of these past the entrance), level L3 when there were any.
"""

from ansible.module_utils.basic import AnsibleModule
from govcloud.execution.http import await_answers, build_questions, stale_s


def main():
    module = AnsibleModule(
        argument_spec={
            "spec": {"type": "dict", "required": True},
            "system": {"type": "dict", "required": True},
            "side": {"choices": ["source", "target"], "required": True},
            "direct_only": {"type": "bool", "default": False},
            "wait_s": {"type": "int", "default": 20},
            "tell_only": {"type": "bool", "default": False},
        },
    )
    given = module.params
    spec, direct_only = given["spec"], given["direct_only"]
    questions = build_questions(spec, given["side"], direct_only=direct_only)
    through_entrance = not direct_only and not given["tell_only"]
    problems, seen = await_answers(questions, given["wait_s"], stale_s(spec) if through_entrance else 0)
    gov = {"http_checks": len(questions), "direct": sum(question.direct for question in questions)}
    told = [{"zh": p.zh, "en": p.en} for p in problems]
    if given["tell_only"]:
        module.exit_json(changed=False, seen=seen, gov=gov, told=told)
    if problems:
        module.fail_json(msg=problems[0].en, problems=told, seen=seen, gov=gov)
    if questions and given["side"] == "target":
        gov["level"] = "L3"
    module.exit_json(changed=False, seen=seen, gov=gov)


if __name__ == "__main__":
    main()
