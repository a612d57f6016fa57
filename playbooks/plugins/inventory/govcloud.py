"""Ansible inventory plugin: what govcloud knows, as hosts and groups. It asks the program, and evaluates nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.utils.unsafe_proxy import wrap_var

DOCUMENTATION = """
name: govcloud
short_description: Servers of a govcloud workspace
description:
  - Hosts with their address, and with the user and port of the workspace's hosts.yaml.
  - Groups by department (department_*), system (system_*), wave of the newest plan (wave_*), zone (zone_*) and
    operating system (os_*).
  - Facts are named govcloud_*. They are imported text, and never evaluated as templates.
options:
  plugin:
    description: Always govcloud.
    required: true
    choices: [govcloud]
  workspace:
    description: Folder of the workspace; relative to the inventory file.
    required: true
    type: str
  executable:
    description: The govcloud program. By default the one beside Ansible's own Python, then the one in PATH.
    type: str
  timeout:
    description: Seconds to wait for it.
    type: int
    default: 60
"""

EXAMPLES = """
# shili.govcloud.yml
plugin: govcloud
workspace: /srv/govcloud/shili
"""


class InventoryModule(BaseInventoryPlugin):
    NAME = "govcloud"

    def verify_file(self, path):
        return super().verify_file(path) and path.endswith(("govcloud.yml", "govcloud.yaml"))

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        workspace = Path(path).resolve().parent / self.get_option("workspace")
        listing = self._ask(workspace)
        for name, variables in listing.pop("_meta")["hostvars"].items():
            inventory.add_host(name)
            for key, value in variables.items():
                inventory.set_variable(name, key, _literal(value))
        for group, body in listing.items():
            inventory.add_group(group)
            for name in body.get("hosts", ()):
                inventory.add_host(name, group)
        for group, body in listing.items():
            for child in body.get("children", ()):
                inventory.add_child(group, child)

    def _ask(self, workspace):
        argv = [self._executable(), "-w", str(workspace), "inventory", "ansible", "--list"]
        try:
            done = subprocess.run(
                argv, capture_output=True, timeout=self.get_option("timeout"), check=False, stdin=subprocess.DEVNULL
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise AnsibleParserError(f"govcloud did not answer: {error}") from error
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise AnsibleParserError(f"govcloud ended with exit code {done.returncode}: {said}")
        try:
            return json.loads(done.stdout)
        except ValueError as error:
            raise AnsibleParserError("govcloud's answer is not JSON") from error

    def _executable(self):
        if named := self.get_option("executable"):
            return named
        beside = Path(sys.executable).with_name("govcloud")
        found = str(beside) if beside.is_file() else shutil.which("govcloud")
        if found is None:
            raise AnsibleParserError("No govcloud program was found: name it with `executable`")
        return found


def _literal(value):
    """Strings as govcloud marks them become plain text that Ansible does not take for a template."""
    if isinstance(value, dict):
        return wrap_var(value["__ansible_unsafe"])
    if isinstance(value, list):
        return [_literal(item) for item in value]
    return value
