#!/usr/bin/python
"""Cancel an attempt on a host: what its modules started is ended, and nothing of it may begin any more.

Succeeds only when every noted process is seen gone.
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.gov_marker_file import stop


def main():
    module = AnsibleModule(
        argument_spec={"end": {"type": "dict", "required": True}, "system": {"type": "dict", "required": True}}
    )
    end, system = module.params["end"], module.params["system"]
    try:
        ended, left = stop(end["state_dir"], system)
    except OSError as error:
        zh, en = "无法终止进程：%s" % error, "Processes can't be ended: %s" % error
        module.fail_json(msg=en, problems=[{"zh": zh, "en": en}])
    if left:
        zh, en = "进程仍在运行：%s" % left, "Still running: %s" % left
        module.fail_json(msg=en, problems=[{"zh": zh, "en": en}])
    module.exit_json(changed=bool(ended), gov={"ended": ended})


if __name__ == "__main__":
    main()
