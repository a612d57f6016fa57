#!/usr/bin/python
"""Start, stop or look at a service: a script called with one word, or a systemd unit. Waits until it is so."""

import os
import subprocess
import tempfile
import time

from ansible.module_utils.basic import AnsibleModule


def call(service, action, timeout):
    if service.get("script"):
        argv = [service["script"], action]
    else:
        argv = ["systemctl", "--no-pager", "is-active" if action == "status" else action, service["systemd"]]
    # A file, not a pipe: a daemon that keeps the script's output open would hold us for ever.
    with tempfile.TemporaryFile() as output:
        code = subprocess.call(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=timeout)
        output.seek(0)
        return code, output.read(2000).decode("utf-8", "replace").strip()


def main():
    module = AnsibleModule(
        argument_spec={
            "service": {"type": "dict", "required": True},
            "action": {"choices": ["start", "stop", "status"], "required": True},
            "expect": {"choices": ["any", "running", "stopped"], "default": "any"},
            "wait_s": {"type": "int", "default": 60},
        }
    )
    service, action, wait = module.params["service"], module.params["action"], module.params["wait_s"]
    name = service.get("script") or service.get("systemd")

    def fail(zh, en, **values):
        module.fail_json(msg=en, problems=[{"zh": zh, "en": en}], **values)

    if action == "stop" and service.get("script") and not os.path.exists(service["script"]):
        module.exit_json(changed=False, running=False)
    try:
        before = call(service, "status", wait)[0] == 0
        if action == "status":
            expect = module.params["expect"]
            if expect != "any" and before != (expect == "running"):
                fail("服务 %s %s" % (name, "仍在运行" if before else "没有运行"),
                     "Service %s is %s" % (name, "running" if before else "not running"))  # fmt: skip
            module.exit_json(changed=False, running=before)
        wanted = action == "start"
        if before == wanted:
            module.exit_json(changed=False, running=wanted)
        code, output = call(service, action, wait)
        if code != 0:
            fail("服务 %s 未能%s：%s" % (name, "启动" if wanted else "停止", output),
                 "Service %s did not %s: %s" % (name, action, output))  # fmt: skip
        deadline = time.monotonic() + wait
        while (call(service, "status", wait)[0] == 0) != wanted:
            if time.monotonic() > deadline:
                fail("服务 %s 在 %d 秒内未%s" % (name, wait, "启动" if wanted else "停止"),
                     "Service %s did not %s within %d s" % (name, action, wait))  # fmt: skip
            time.sleep(0.3)
        module.exit_json(changed=True, running=wanted, output=output)
    except (OSError, subprocess.TimeoutExpired) as error:
        fail("服务 %s 无法操作：%s" % (name, error), "Service %s can't be worked: %s" % (name, error))


if __name__ == "__main__":
    main()
