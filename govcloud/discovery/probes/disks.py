"""Block devices: what has a device behind it in /sys/block, with the paths to one LUN counted once."""

from __future__ import annotations

import re
from collections.abc import Mapping

from govcloud.discovery.facts import render_disk
from govcloud.model.observation import Value
from govcloud.model.server import Disk

NAME = "disks"
FIELDS = ("disks", "disk_gib")
FILES = ("/sys/block/*/size", "/sys/block/*/removable", "/sys/block/dm-*/dm/uuid", "/sys/block/dm-*/dm/name")
COMMAND = "echo devices /sys/block/*/device; echo slaves /sys/block/dm-*/slaves/*"

_SECTOR_BYTES = 512
"""/sys/block/*/size counts these, whatever the disk's own sectors are (kernel: Documentation/ABI/stable/sysfs-block)."""
_FILE = re.compile(r"^/sys/block/([\w!.+-]{1,64})/(?:dm/)?(size|removable|uuid|name):(.*)$", re.M)
_DEVICE = re.compile(r"/sys/block/([\w!.+-]{1,64})/device")
_SLAVE = re.compile(r"/sys/block/(dm-\d+)/slaves/([\w!.+-]{1,64})")
# Optical drives, floppy disks, RAM disks and loops are not the server's storage.
_NO_STORAGE = re.compile(r"(?:sr|fd|ram|loop|zram|nbd|mtdblock)\d+")


def parse(text: str) -> Mapping[str, Value]:
    said: dict[str, dict[str, str]] = {}
    for name, what, value in _FILE.findall(text):
        said.setdefault(name, {})[what] = value.strip()
    devices = set(_DEVICE.findall(text))
    multipath = {name for name, facts in said.items() if facts.get("uuid", "").startswith("mpath-")}
    paths = {slave for name, slave in _SLAVE.findall(text) if name in multipath}
    disks = []
    for name, facts in said.items():
        size = facts.get("size", "")
        if not re.fullmatch(r"[1-9]\d{0,17}", size) or facts.get("removable") == "1" or _NO_STORAGE.fullmatch(name):
            continue
        if (name in devices and name not in paths) or name in multipath:
            shown = facts.get("name") or name
            disks.append(Disk(name=shown.replace("!", "/"), size_gib=round(int(size) * _SECTOR_BYTES / 2**30, 1)))
    if not disks and not devices:
        return {}
    lines = tuple(sorted(render_disk(d) for d in disks))
    return {"disks": lines, **({"disk_gib": round(sum(d.size_gib for d in disks), 1)} if disks else {})}
