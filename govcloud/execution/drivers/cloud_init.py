"""What a new machine is told at its first start: who may log in, and that it shows its host keys on the console."""

from __future__ import annotations

import json
import re
from pathlib import Path

from govcloud.errors import InputError
from govcloud.execution.drivers import Want
from govcloud.model.migration import MachineSpec
from govcloud.model.text import Text

_PUBLIC_KEY = re.compile(r"((?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+) ([A-Za-z0-9+/]+={0,3})(?:\s.*)?")


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


def load_public_key(machine: MachineSpec, base: Path) -> str:
    """`type base64` of the key that will open the machine, empty where it is nobody's business. `base`: the workspace.

    Raises InputError when it can't be read.
    """
    if machine.provision is None or not machine.provision.key_file:
        return ""
    path = base / f"{machine.provision.key_file}.pub"
    try:
        found = _PUBLIC_KEY.fullmatch(path.read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError):
        found = None
    if found is None:
        raise InputError(
            Text("新机器密钥的公钥读不出来", "The public half of the new machine's key can't be read"), where=str(path),
            next_step=Text("用 ssh-keygen 生成密钥，公钥放在旁边（.pub）", "Make the key with ssh-keygen; its public half lies beside it (.pub)"),
        )  # fmt: skip
    return f"{found[1]} {found[2]}"
