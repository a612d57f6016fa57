"""Nova virt driver of the bed: an instance on the bed's own network is a host in a network namespace with a real sshd.

It extends Nova's own fake driver, so that scheduling, states and quotas stay Nova's; instances on other networks are only
its records. The host has the address and the MAC that Neutron gave, the name that its cloud-config gives, the files of the image's file
system above the bed's base, and lets in whom the cloud-config names. It shows its host keys on the console as cloud-init does.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from nova.virt import fake, images

FOLDER = Path(os.environ["BED_MACHINES"])
BRIDGE, PREFIX = os.environ["BED_BRIDGE"], ipaddress.ip_network(os.environ["BED_PREFIX"])
BASE, START = os.environ["BED_BASE"], os.environ["BED_HOST_PROGRAM"]
BOOT = """#!/bin/sh
set -eu
for kind in ed25519 ecdsa; do
  [ -f /etc/ssh/ssh_host_${kind}_key ] || ssh-keygen -q -t $kind -N "" -f /etc/ssh/ssh_host_${kind}_key
done
for user in $(ls /etc/bed-users); do
  id "$user" > /dev/null 2>&1 || useradd -m -s /bin/bash "$user"
  home=$(getent passwd "$user" | cut -d: -f6)
  install -d -m 700 -o "$user" "$home/.ssh"
  install -m 600 -o "$user" "/etc/bed-users/$user" "$home/.ssh/authorized_keys"
done
echo "-----BEGIN SSH HOST KEY KEYS-----"
cut -d" " -f1,2 /etc/ssh/ssh_host_*_key.pub
echo "-----END SSH HOST KEY KEYS-----"
"""


def run(*argv: str) -> None:
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)


class Machine:
    """A host: its namespace, its writable files, the process that is its first one."""

    def __init__(self, uuid: str) -> None:
        self.id = uuid.replace("-", "")[:10]
        self.space, self.folder = f"gc-{self.id}", FOLDER / self.id

    @property
    def exists(self) -> bool:
        return self.folder.exists()

    def create(self, name: str, port: dict[str, str], people: dict[str, list[str]], image: Path | None) -> None:
        for part in ("upper/etc/bed-users", "work", "root", "image"):
            (self.folder / part).mkdir(parents=True)
        if image is not None:
            # Whatever has no file system in it leaves the folder empty.
            subprocess.run(
                ["debugfs", "-R", f"rdump / {self.folder}/image", str(image)],
                check=False,
                capture_output=True,
                timeout=120,
            )
        for user, keys in people.items():
            (self.folder / "upper/etc/bed-users" / user).write_text("".join(f"{key}\n" for key in keys))
        boot = self.folder / "upper/etc/boot"
        boot.write_text(BOOT)
        boot.chmod(0o755)
        (self.folder / "name").write_text(name)
        outer = f"v{self.id}"
        run("ip", "netns", "add", self.space)
        run("ip", "link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", self.space)
        run("ip", "link", "set", outer, "master", BRIDGE, "up")
        inside = ("ip", "-n", self.space)
        run(*inside, "link", "set", "eth0", "address", port["mac"])
        run(*inside, "addr", "add", f"{port['address']}/{PREFIX.prefixlen}", "dev", "eth0")
        run(*inside, "link", "set", "lo", "up")
        run(*inside, "link", "set", "eth0", "up")
        run(*inside, "route", "add", "default", "via", str(PREFIX[1]))
        self.start()

    def start(self) -> None:
        argv = ["ip", "netns", "exec", self.space, "unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child",
                "--propagation", "private", "sh", START, (self.folder / "name").read_text(), str(self.folder),
                f"{self.folder}/image:{BASE}"]  # fmt: skip
        with (self.folder / "console.log").open("ab") as log:
            child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        (self.folder / "pid").write_text(str(child.pid))

    def stop(self) -> None:
        """`unshare --fork` does not heed SIGTERM; with --kill-child everything in the host dies with it."""
        pid = self.folder / "pid"
        if pid.exists():
            subprocess.run(["kill", "-9", pid.read_text()], check=False, capture_output=True)
            pid.unlink()

    def destroy(self) -> None:
        self.stop()
        subprocess.run(["ip", "netns", "del", self.space], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def console(self) -> str:
        logs = (self.folder / "upper/var/log/boot.log", self.folder / "console.log")
        return "".join(log.read_text("utf-8", "replace") for log in logs if log.exists())


def first_start(instance: Any) -> tuple[str, dict[str, list[str]]]:
    """Host name, and user -> keys, of the cloud-config; Nova's name, and root with its key pair, where there is none."""
    if not instance.user_data:
        return instance.hostname, {"root": [instance.key_data]} if instance.key_data else {}
    first, _, text = base64.b64decode(instance.user_data).decode().partition("\n")
    assert first == "#cloud-config", first
    config = json.loads(text)
    users = [user for user in config["users"] if isinstance(user, dict)]
    return config["hostname"], {user["name"]: user["ssh_authorized_keys"] for user in users}


class NamespaceDriver(fake.FakeDriverWithoutFakeNodes):  # type: ignore[misc]
    def spawn(self, context: Any, instance: Any, image_meta: Any, *more: Any, **given: Any) -> None:
        super().spawn(context, instance, image_meta, *more, **given)
        network_info = given.get("network_info") or more[3]
        ports = [
            {"mac": vif["address"], "address": ip["address"]}
            for vif in network_info for ip in vif.fixed_ips() if ipaddress.ip_address(ip["address"]) in PREFIX
        ]  # fmt: skip
        if not ports:
            return
        machine, raw = Machine(instance.uuid), FOLDER / f"{instance.uuid}.raw"
        try:
            name, people = first_start(instance)
            machine.create(name, ports[0], people, self.image(context, instance, raw))
        except Exception:
            machine.destroy()
            raise
        finally:
            raw.unlink(missing_ok=True)

    def image(self, context: Any, instance: Any, raw: Path) -> Path | None:
        """The disk that the instance boots from, as the hypervisor would write it out."""
        if not instance.image_ref:
            return None
        fetched = raw.with_suffix(".fetched")
        try:
            images.fetch(context, instance.image_ref, str(fetched))
            run("qemu-img", "convert", "-O", "raw", str(fetched), str(raw))
        finally:
            fetched.unlink(missing_ok=True)
        return raw

    def destroy(self, context: Any, instance: Any, *more: Any, **given: Any) -> None:
        Machine(instance.uuid).destroy()
        super().destroy(context, instance, *more, **given)

    def power_off(self, instance: Any, *more: Any, **given: Any) -> None:
        Machine(instance.uuid).stop()
        super().power_off(instance, *more, **given)

    def power_on(self, context: Any, instance: Any, *more: Any, **given: Any) -> None:
        machine = Machine(instance.uuid)
        if machine.exists:
            machine.start()
        super().power_on(context, instance, *more, **given)

    def get_console_output(self, context: Any, instance: Any) -> str:
        machine = Machine(instance.uuid)
        return machine.console() if machine.exists else str(super().get_console_output(context, instance))
