"""What the machine is: maker, model, serial number, UUID, and on what it runs when it is a virtual one.

SMBIOS (/sys/class/dmi/id; the two numbers are for root only), the device tree where there is none, and the traces that
hypervisors leave for everybody: the kernel's clock sources, buses, the processor flag. systemd-detect-virt knows the
same and costs the host 7 ms.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from govcloud.model.observation import Value

NAME = "machine"
FIELDS = ("maker", "model", "uuid", "serial", "virtual", "virtualisation")
FILES = (
    "/sys/class/dmi/id/sys_vendor", "/sys/class/dmi/id/product_name", "/sys/class/dmi/id/product_uuid",
    "/sys/class/dmi/id/product_serial", "/sys/devices/system/clocksource/clocksource0/available_clocksource",
    "/sys/hypervisor/type", "/run/systemd/container", "/var/lib/cloud/data/instance-id",
)  # fmt: skip
COMMAND = (
    'd=/sys/class/dmi/id; for f in uuid serial; do if [ ! -e $d/product_$f ]; then echo "? absent $f"; '
    'elif [ ! -r $d/product_$f ]; then echo "? right $f"; fi; done; '
    "for f in /.dockerenv /run/.containerenv /proc/vz /proc/xen /sys/bus/vmbus /sys/bus/virtio/devices/virtio0 "
    '/sys/module/vmw_balloon; do [ -e $f ] && echo "there $f"; done; '
    'l=; [ -r /proc/device-tree/model ] && read -r l </proc/device-tree/model; [ -n "$l" ] && echo "tree $l"; '
    "while read -r l; do case $l in flags*) case $l in *' hypervisor'*) echo hypervisor;; *) echo 'no hypervisor';; esac; break;; "
    "'CPU part'*) break;; esac; done </proc/cpuinfo"
)

_FILE = re.compile(r"^/(?:[\w.-]+/)+([\w.-]+):(.+)$", re.M)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
# What makers write who write nothing.
_EMPTY = re.compile(
    r"(?:not (?:specified|applicable|available)|none|n/?a|default string|system (?:serial number|manufacturer|product name)"
    r"|to be filled by o\.?e\.?m\.?|unknown|o\.?e\.?m\.?|0+|[x.\s-]*|123456789|chassis serial number)",
    re.I,
)
_NOBODY = {"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
           "03000200-0400-0500-0006-000700080009"}  # fmt: skip
"""UUIDs that boards share: never set, and the default of a widespread firmware."""
_MAKERS: tuple[tuple[str, str], ...] = (
    ("vmware", "vmware"), ("virtualbox", "virtualbox"), ("innotek", "virtualbox"), ("xen", "xen"),
    ("microsoft corporation virtual machine", "hyperv"), ("hyper-v", "hyperv"), ("parallels", "parallels"),
    ("kvm", "kvm"), ("qemu", "kvm"), ("openstack", "kvm"), ("bochs", "kvm"), ("fusionsphere", "kvm"), ("fusioncompute", "kvm"),
    ("sangfor", "kvm"), ("alibaba cloud", "kvm"), ("tencent cloud", "kvm"), ("zstack", "kvm"), ("ovirt", "kvm"),
    ("rhev", "kvm"), ("amazon ec2", "kvm"), ("google compute engine", "kvm"), ("h3c cas", "kvm"), ("cloudhypervisor", "kvm"),
    ("nutanix", "kvm"), ("virtual machine", "kvm"), ("dummy-virt", "kvm"),
)  # fmt: skip


def parse(text: str) -> Mapping[str, Value]:
    files = {name: " ".join(value.split()) for name, value in reversed(_FILE.findall(text))}
    there = set(re.findall(r"^there (\S+)$", text, re.M))
    maker, model = _said(files.get("sys_vendor")), _said(files.get("product_name"))
    tree = re.search(r"^tree (.+)$", text, re.M)
    fields: dict[str, Value] = {}
    board = _said(tree[1].replace("\0", "")) if tree else None
    kind = _virtualisation(text, files, there, f"{maker or ''} {model or board or ''}")
    if kind is not None:
        fields["virtualisation"] = kind
    if kind is not None or re.search(r"^hypervisor$", text, re.M):
        fields["virtual"] = kind != "none"
    if kind == "container":
        # Firmware is the host's there: two containers must not become one server, or their host.
        return fields
    model = model or board
    fields.update({k: v for k, v in (("maker", maker), ("model", model)) if v})
    uuid = next(
        (u for u in (files.get(f, "").lower() for f in ("product_uuid", "instance-id")) if _UUID.fullmatch(u)), ""
    )
    if uuid and uuid not in _NOBODY:
        fields["uuid"] = uuid
    if serial := _said(files.get("product_serial")):
        fields["serial"] = serial
    return fields


def _said(text: str | None) -> str | None:
    return None if text is None or _EMPTY.fullmatch(text.strip()) else text.strip()


def _virtualisation(text: str, files: Mapping[str, str], there: set[str], product: str) -> str | None:
    if "container" in files or there & {"/.dockerenv", "/run/.containerenv", "/proc/vz"}:
        return "container"
    if kind := next((kind for word, kind in _MAKERS if word in product.lower()), None):
        return kind
    clocks = files.get("available_clocksource", "")
    for trace, kind in (("kvm-clock", "kvm"), ("hyperv", "hyperv"), ("xen", "xen")):
        if trace in clocks or files.get("type") == trace:
            return kind
    if "/sys/bus/vmbus" in there:
        return "hyperv"
    if re.search(r"^hypervisor$", text, re.M):
        return "kvm" if "/sys/bus/virtio/devices/virtio0" in there else None
    if "/sys/bus/virtio/devices/virtio0" in there:
        return "kvm"
    # Without a flag to read (not an x86) only a maker who is no hypervisor's shows that the machine is real.
    return "none" if product.strip() or re.search(r"^no hypervisor$", text, re.M) else None
