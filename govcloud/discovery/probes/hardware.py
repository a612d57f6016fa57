"""Processors, memory, disks, and whether it is a virtual machine: from /proc and /sys, which need no rights."""

from __future__ import annotations

import re
from collections.abc import Mapping

from govcloud.model.inventory import Value

NAME = "hardware"
COMMAND = (
    'echo "cpus $(getconf _NPROCESSORS_ONLN 2>/dev/null || grep -c ^processor /proc/cpuinfo)"; '
    "grep ^MemTotal: /proc/meminfo; "
    'for d in /sys/block/*; do [ -r "$d/size" ] && [ -e "$d/device" ] && '
    'echo "disk ${d##*/} $(cat "$d/size") $(cat "$d/removable" 2>/dev/null)"; done; '
    "grep -q '^flags.* hypervisor' /proc/cpuinfo && echo hypervisor; "
    'for f in sys_vendor product_name; do [ -r "/sys/class/dmi/id/$f" ] && echo "dmi $(cat "/sys/class/dmi/id/$f")"; done; true'
)

_SECTOR_BYTES = 512
"""/sys/block/*/size counts these, whatever the disk's own sectors are (kernel: Documentation/ABI/stable/sysfs-block)."""
_VIRTUAL = re.compile(
    r"KVM|QEMU|VMware|VirtualBox|Xen|Hyper-V|Virtual Machine|OpenStack|Bochs|FusionSphere|Sangfor", re.I
)


def parse(text: str) -> Mapping[str, Value]:
    fields: dict[str, Value] = {}
    if (cpus := re.search(r"^cpus (\d+)$", text, re.M)) and int(cpus[1]) > 0:
        fields["cpu_count"] = int(cpus[1])
    if memory := re.search(r"^MemTotal:\s+(\d+) kB", text, re.M):
        fields["memory_gib"] = round(int(memory[1]) / 2**20, 1)
    disks = re.findall(r"^disk (\S+) (\d+) (\d?)", text, re.M)
    # Optical drives, floppy disks and sticks are not the server's storage.
    sectors = sum(
        int(size) for name, size, removable in disks if removable != "1" and not name.startswith(("sr", "fd"))
    )
    if sectors:
        fields["disk_gib"] = round(sectors * _SECTOR_BYTES / 2**30, 1)
    makers = re.findall(r"^dmi (.+)$", text, re.M)
    if re.search(r"^hypervisor$", text, re.M) or any(_VIRTUAL.search(m) for m in makers):
        fields["virtual"] = True
    elif makers:
        fields["virtual"] = False
    return fields
