"""Sizes: what a migration file asks for, what the catalog offers and what the cloud has."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from govcloud.errors import InputError
from govcloud.model.catalog import Offering
from govcloud.model.ids import is_host_name
from govcloud.model.migration import MachineSpec
from govcloud.model.text import Text

_OFFERING = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63}):(\d{1,3})[Cc](\d{1,5})[Gg]")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64", "loong64": "loongarch64", "mips64le": "mips64el"}
"""Other names that clouds use -> the catalog's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    code: str
    """Of the catalog offering."""
    vcpu: int
    memory_gib: int
    arch: str | None = None
    """The offering's, where the migration file says it."""

    @property
    def text(self) -> str:
        return f"{self.vcpu}C{self.memory_gib}G"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavor:
    """What a cloud calls a flavor or an instance type."""

    name: str
    id: str
    vcpu: int
    memory_mib: int
    disk_gib: int = 0
    """0: none of its own."""
    archs: tuple[str, ...] = ()
    """Empty: the cloud does not say."""


def parse_offering(text: str, arch: str | None = None) -> Size:
    """`M-ECS-G2:4C8G`: the catalog's code, vCPU and GiB. Raises InputError."""
    found = _OFFERING.fullmatch(text.strip())
    if found is None or not int(found[2]) or not int(found[3]):
        raise InputError(
            Text("目录编码和规格写得不对", "This is not an offering and a size"), where=text[:80],
            next_step=Text("写成 编码:规格，例如 M-ECS-G2:4C8G（4 核 8 GiB）", "Write CODE:SIZE, for example M-ECS-G2:4C8G (4 vCPU, 8 GiB)"),
        )  # fmt: skip
    return Size(code=found[1], vcpu=int(found[2]), memory_gib=int(found[3]), arch=arch)


def verify_provision(machine: MachineSpec, offering: Offering | None) -> list[Text]:
    """What is wrong with how a target is to be made. `offering`: what the catalog in force has under its code; None: nothing."""
    provision = machine.provision
    if provision is None:
        if machine.image is None:
            return []
        return [
            Text(
                "整机镜像需要写明目标怎样创建（provision）",
                "A whole machine's image needs `provision`: how its target is made",
            )
        ]
    try:
        size = parse_offering(provision.offering, getattr(provision, "arch", None))
    except InputError as error:
        return [error.what.format()]
    problems = [*_against_catalog(size, offering)]
    if not _USER.fullmatch(provision.user):
        problems.append(Text("登录用户名不合要求：{u}", "Not an allowed user name: {u}").format(u=provision.user[:40]))
    if not is_host_name(machine.target):
        problems.append(Text("目标主机名不合要求：{t}", "Not an allowed host name: {t}").format(t=machine.target[:40]))
    if provision.driver != "existing":
        if not provision.key_file:
            problems.append(Text("没有写明登录新机器的密钥（key_file）", "No key for the new machine (key_file)"))
        if not provision.cloud:
            problems.append(Text("没有写明云（cloud）", "No cloud is named (cloud)"))
    if machine.image is not None and provision.driver == "ec2":
        problems.append(Text(
            "EC2 兼容云不支持整机镜像，请用 openstack 或 existing",
            "The image route is not there for EC2-compatible clouds: use openstack or existing",
        ))  # fmt: skip
    return problems


def _against_catalog(size: Size, offering: Offering | None) -> Iterable[Text]:
    if offering is None:
        yield Text("服务目录里没有 {c}", "The catalog has no {c}").format(c=size.code)
        return
    if offering.status != "active":
        yield Text("{c} 已停止受理", "{c} takes no new requests").format(c=size.code)
    if size.memory_gib not in offering.memory_per_vcpu.get(size.vcpu, ()):
        usual = ", ".join(f"{v}C{m}G" for v, sizes in sorted(offering.memory_per_vcpu.items()) for m in sizes)
        yield Text("{c} 没有规格 {s}，可选：{u}", "{c} has no size {s}; there are: {u}").format(
            c=size.code, s=size.text, u=usual or "—"
        )
    if size.arch is not None and not {size.arch, "any"} & set(offering.arch):
        yield Text("{c} 的架构是 {o}，不是 {a}", "{c} is {o}, not {a}").format(
            c=size.code, o="/".join(offering.arch), a=size.arch
        )


def choose_flavor(size: Size, disk_gib: int, flavors: Iterable[Flavor], image_arch: str | None) -> Flavor | None:
    """The smallest that is no smaller in anything; of equals the one whose own disk is enough.

    A flavor that says its architecture must have the one of the catalog's size and of the image.
    """
    asked = {a for a in (size.arch, image_arch) if a}
    fitting = [
        f for f in flavors
        if f.vcpu >= size.vcpu and f.memory_mib >= size.memory_gib * 1024 and (not f.archs or asked <= set(f.archs))
    ]  # fmt: skip
    return min(
        fitting, default=None,
        key=lambda f: (f.vcpu, f.memory_mib, f.disk_gib < disk_gib, f.disk_gib, len(f.name), f.name),
    )  # fmt: skip


def common_arch(name: str | None) -> str | None:
    """The catalog's word for an architecture."""
    return ARCHITECTURES.get(name.lower(), name.lower()) if name else None
