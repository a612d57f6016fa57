#!/usr/bin/python
"""Looks at one host for a maintenance takeover and says whether what should be so is so. Reads only, but for `restore`, which
works in a scratch folder of its own and removes it.

Red (`verdict: red`) is what was found to be wrong; anything that could not be looked at is `verdict: unknown`, never green.
"""

from ansible.module_utils import (
    gov_takeover_bastion, gov_takeover_clock_dns, gov_takeover_keys, gov_takeover_monitoring, gov_takeover_passwords,
    gov_takeover_patches, gov_takeover_restore, gov_takeover_vendor_access,
)
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.gov_takeover_host import Answer

KINDS = {
    "keys": gov_takeover_keys.look, "passwords": gov_takeover_passwords.look, "vendor_access": gov_takeover_vendor_access.look,
    "bastion": gov_takeover_bastion.look, "monitoring": gov_takeover_monitoring.look,
    "monitoring_answer": gov_takeover_monitoring.ask, "restore": gov_takeover_restore.look,
    "restore_left": gov_takeover_restore.look_for_scratch, "clock_dns": gov_takeover_clock_dns.look,
    "patches": gov_takeover_patches.look,
}  # fmt: skip


def main():
    module = AnsibleModule(
        argument_spec={
            "kind": {"choices": sorted(KINDS), "required": True},
            "given": {"type": "dict", "required": True},
            "seen": {"type": "dict", "default": {}},
        }
    )
    answer = Answer()
    try:
        KINDS[module.params["kind"]](dict(module.params["given"], seen=module.params["seen"]), answer)
    except Exception as error:
        # Its words may quote what was read; the type says enough for a person to look.
        what = type(error).__name__
        answer.unknown("无法查看：%s" % what, "It can't be looked at: %s" % what)
    if answer.problems:
        module.fail_json(msg=answer.problems[0]["en"], problems=answer.problems, gov=answer.gov(), found=answer.found)
    module.exit_json(changed=False, gov=answer.gov(), found=answer.found)


if __name__ == "__main__":
    main()
