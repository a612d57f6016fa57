"""What a new machine is told at its first start: who may log in, and that it shows its host keys on the console."""

from __future__ import annotations

import json

from govcloud.execution.drivers import Want


def user_data(want: Want) -> str:
    """Cloud-config. JSON is YAML, and quotes every value: nothing in it can become a directive.

    https://cloudinit.readthedocs.io/en/latest/reference/modules.html
    """
    user = want.provision.user
    config: dict[str, object] = {
        "preserve_hostname": False, "hostname": want.machine.target.partition(".")[0], "ssh_pwauth": False,
        "ssh": {"emit_keys_to_console": True},
    }  # fmt: skip
    if user == "root":
        config |= {"disable_root": False, "users": [{"name": "root", "ssh_authorized_keys": [want.public_key]}]}
    else:
        person = {"name": user, "ssh_authorized_keys": [want.public_key], "shell": "/bin/bash", "lock_passwd": True}
        config |= {"users": ["default", person]}
    return "#cloud-config\n" + json.dumps(config, ensure_ascii=True) + "\n"
