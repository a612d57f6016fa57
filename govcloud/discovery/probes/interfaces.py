"""Network interfaces with their kind and addresses: `ip`, or `ifconfig` where there is none."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from govcloud.discovery.facts import render_interface
from govcloud.model.observation import Value
from govcloud.model.server import Interface

NAME = "interfaces"
FIELDS = ("interfaces", "addresses", "macs")
FILES = ()
COMMAND = "echo cards /sys/class/net/*/device; ip -d addr 2>/dev/null || ip addr 2>/dev/null || ifconfig -a"

_CARD = re.compile(r"/sys/class/net/([^/\s]{1,32})/device")
_HEAD = re.compile(r"\d+: ([^\s:@]{1,32})(?:@\S+)?: <")
_OLD_HEAD = re.compile(r"(\S{1,32}?):? +(?:Link encap:(\S+)|flags=)")
_LINK = re.compile(r"\s+link/(\S+)(?: ([0-9a-f:]{17})\b)?(?:.* permaddr ([0-9a-f:]{17}))?")
_OLD_MAC = re.compile(r"\b(?:HWaddr|ether) ([0-9A-Fa-f:]{17})\b")
_ADDRESS = re.compile(r"\s+inet6? (?:addr: ?)?([0-9A-Fa-f.:]{2,45})(?:/(\d{1,3}))?(?: peer \S+)?")
_OLD_MASK = re.compile(r"(?:Mask:|netmask )(\d+\.\d+\.\d+\.\d+)|prefixlen (\d{1,3})")
_DETAIL = re.compile(r"\s+(bond|vlan|bridge|tun|veth|vxlan|geneve|wireguard|ipip|sit|gre|gretap|ip6tnl|ip6gre|vti|ipvlan|macvlan|team|openvswitch)\b")  # fmt: skip
_KINDS = {
    "bond": "bond", "team": "bond", "vlan": "vlan", "macvlan": "vlan", "ipvlan": "vlan", "bridge": "bridge",
    "openvswitch": "bridge", "veth": "container", "loopback": "loopback", "ether": "ethernet", "Ethernet": "ethernet",
    "Local": "loopback", "infiniband": "ethernet",
}  # fmt: skip
"""By the kernel's name of the link; every other link is a tunnel (ppp, ipip, sit, gre, tun, vxlan, wireguard …)."""
_CONTAINER = re.compile(r"docker\d*|br-[0-9a-f]{12}|cni\d+|cbr\d+|cali\w+|flannel\S*|veth\w+|podman\d+|lxcbr\d+|kube-\w+|nodelocaldns|tunl0|weave")  # fmt: skip
_NAMED = (
    (re.compile(r"bond\d+|team\d+"), "bond"), (re.compile(r".+\.\d{1,4}|vlan\d+"), "vlan"),
    (re.compile(r"br\d*|virbr\d+|br[-_].+"), "bridge"), (re.compile(r"(?:tun|tap|ppp|wg|gre|sit|ipip|vti|vxlan|geneve)\d*"), "tunnel"),
    (re.compile(r"lo"), "loopback"),
)  # fmt: skip


def parse(text: str) -> Mapping[str, Value]:
    cards = set(_CARD.findall(text))
    found = {i.name: i for i in _interfaces(text)}
    if not found:
        return {}
    addresses = {
        a.partition("/")[0] for i in found.values() if i.kind not in ("container", "loopback") for a in i.addresses
    }
    usable = {
        str(ip)
        for ip in map(ipaddress.ip_address, addresses)
        if not (ip.is_loopback or ip.is_link_local or ip.is_unspecified)
    }
    macs = {i.mac for i in found.values() if i.mac and i.name in cards}
    fields: dict[str, Value] = {
        "interfaces": tuple(sorted(render_interface(i) for i in found.values())),
        "addresses": tuple(sorted(usable)),
    }
    if macs:
        fields["macs"] = tuple(sorted(macs))
    return fields


def _interfaces(text: str) -> Iterator[Interface]:
    current: Interface | None = None
    link = detail = ""
    for line in text.splitlines():
        if head := _HEAD.match(line) or _OLD_HEAD.match(line):
            if current:
                yield _of_kind(current, link, detail)
            link, detail = (head[2] or "" if head.re is _OLD_HEAD else ""), ""
            current = Interface(name=head[1], mac=_mac(line))
        elif current is None:
            continue
        elif found := _LINK.match(line):
            link = found[1]
            current = replace(current, mac=found[3] or found[2])
        elif address := _ADDRESS.match(line):
            if written := _address(address, line):
                current = replace(current, addresses=(*current.addresses, written))
        elif found := _DETAIL.match(line):
            detail = detail or found[1]
        elif mac := _mac(line):
            current = replace(current, mac=mac)
    if current:
        yield _of_kind(current, link, detail)


def _mac(line: str) -> str | None:
    found = _OLD_MAC.search(line)
    return found[1].lower() if found else None


def _address(found: re.Match[str], line: str) -> str | None:
    try:
        address = ipaddress.ip_address(found[1])
        mask = _OLD_MASK.search(line)
        length = found[2] or (mask and (mask[1] or mask[2])) or str(address.max_prefixlen)
        return f"{address}/{ipaddress.ip_network(f'{address}/{length}', strict=False).prefixlen}"
    except ValueError:
        return None


def _of_kind(interface: Interface, link: str, detail: str) -> Interface:
    if _CONTAINER.fullmatch(interface.name):
        kind = "container"
    elif detail and not (detail == "veth" and interface.name.startswith("eth")):
        kind = _KINDS.get(detail, "tunnel")
    else:
        # Inside a container its own leg is a veth, too: it is the network card there.
        named = next((kind for name, kind in _NAMED if name.fullmatch(interface.name)), None)
        kind = named or ("ethernet" if detail or interface.mac else _KINDS.get(link, "tunnel"))
    usable = interface.mac if interface.mac not in (None, "00:00:00:00:00:00") else None
    return replace(interface, kind=kind, mac=usable)
