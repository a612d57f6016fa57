"""A machine that the cloud desk opens by hand: the ticket with all values is written, its answer imported."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from govcloud.errors import InputError
from govcloud.execution.drivers import CloudError, Found, Want
from govcloud.execution.drivers.offer import Size
from govcloud.model.migration import MachineSpec
from govcloud.model.resource import Resource, ResourceKind
from govcloud.model.text import Text
from govcloud.safe_yaml import load_located

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")
_ANSWER = ("ticket", "id", "address")


def open_cloud(cloud: str, folder: Path) -> Existing:
    return Existing(folder)


class Existing:
    """Implements drivers.Driver. Only people make and delete these machines."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._given_back: set[str] = set()

    def kinds(self, machine: MachineSpec, size: Size) -> tuple[ResourceKind, ...]:
        return ("ticket", "server")

    def find(self, want: Want) -> Found | None:
        return None

    def create(self, want: Want, made: Mapping[ResourceKind, Resource]) -> Found:
        if want.kind == "ticket":
            return Found(external_id=want.name)
        ticket = made["ticket"].name
        path = self._folder / f"{ticket}.txt"
        path.write_text(render_ticket(want, ticket), "utf-8")
        raise CloudError(
            Text("工单已写好，等云平台开通机器：{p}", "The ticket is written; the cloud desk has to open the machine: {p}").format(p=path),
            where=want.machine.target,
            next_step=Text("开通后填好末尾的回执，用 govcloud run answer 导入", "When it is open, fill in the form at its end and import it with govcloud run answer"),
            facts={"wait": "ticket", f"ticket.{want.machine.name}": str(path)},
        )  # fmt: skip

    def look(self, resource: Resource) -> Found | None:
        if resource.resource_id in self._given_back:
            return None
        return Found(external_id=str(resource.external_id), address=resource.address)

    def delete(self, resource: Resource) -> None:
        """The desk is told; the machine itself is theirs."""
        if resource.kind == "server":
            note = Text(
                "请云平台收回机器 {i}（地址 {a}）：迁移执行 {r} 不再使用。\n",
                "Please take machine {i} (address {a}) back: migration run {r} does not use it any more.\n",
            ).format(i=resource.external_id, a=resource.address, r=resource.run_id)
            (self._folder / f"return-{resource.name}.txt").write_text(note.zh + note.en, "utf-8")
        self._given_back.add(resource.resource_id)

    def upload(self, want: Want, image: Path, sha512: str, made: Resource | None, beat: Callable[[], None]) -> None:
        """The desk gets file and digest by another way; this note says which."""
        note = Text("镜像文件：{p}\nSHA-512：{s}\n", "Image file: {p}\nSHA-512: {s}\n").format(p=image, s=sha512)
        (self._folder / f"image-{want.machine.name}.txt").write_text(note.zh + note.en, "utf-8")

    def console(self, resource: Resource) -> str:
        return ""


def render_ticket(want: Want, ticket: str) -> str:
    """Both languages, then the form to fill in."""
    provision, image = want.provision, want.machine.image
    unset = Text("由云平台分配", "chosen by the cloud")
    lines = [
        Text("云主机开通工单 {v}", "Request for a machine {v}").format(v=ticket),
        Text("系统：{v}", "System: {v}").format(v=want.system_id),
        Text("机器：{v}", "Machine: {v}").format(v=want.machine.target),
        Text("目录编码：{v}", "Catalog offering: {v}").format(v=want.size.code),
        Text("vCPU：{v}", "vCPU: {v}").format(v=want.size.vcpu),
        Text("内存：{v} GiB", "Memory: {v} GiB").format(v=want.size.memory_gib),
        Text("架构：{v}", "Architecture: {v}").format(v=want.size.arch or Text("按镜像", "as the image")),
        Text("系统盘：{v} GiB", "Disk: {v} GiB").format(v=provision.disk_gib),
        Text("镜像：{v}", "Image: {v}").format(v=provision.image),
        Text("网络：{v}", "Network: {v}").format(v=provision.network),
        Text("地址：{v}", "Address: {v}").format(v=provision.address or unset),
        Text("安全组：{v}", "Security groups: {v}").format(v=", ".join(provision.security_groups) or unset),
        Text("安全区：{v}", "Zone: {v}").format(v=want.zone or unset),
        Text("登录用户：{v}", "User: {v}").format(v=provision.user),
    ]
    if image is not None:
        note = f"image-{want.machine.name}.txt"
        lines.append(
            Text(
                "镜像由源机器整盘转换，文件与校验值见 {n}",
                "The image is the source machine's whole disk: file and digest are in {n}",
            ).format(n=note)
        )
    if want.public_key:
        lines += [
            Text("登录公钥：{v}", "Public key: {v}").format(v=want.public_key),
            Text("公钥指纹：{v}", "Its fingerprint: {v}").format(v=_fingerprint(want.public_key)),
        ]
    form = [
        "# 回执 · answer: 填好后另存为文件 · fill in and save as a file", f"ticket: {ticket}",
        "id:        # 云平台的机器编号 · the machine's id in the cloud", "address:   # IP 地址 · IP address",
    ]  # fmt: skip
    return "\n".join([*(f"{t.zh}\n    {t.en}" for t in lines), "", *form, ""])


def load_answer(path: Path, tickets: Sequence[Resource], now: datetime) -> Resource:
    """The machine that the desk opened, from the filled-in form. `tickets`: open ones of the system.

    Raises InputError with the line: unknown keys, a ticket of another system, an id or an address that can't be one.
    """
    located = load_located(path)
    data = located.data if isinstance(located.data, dict) else {}
    if unknown := sorted(str(k) for k in data if k not in _ANSWER):
        raise InputError(
            Text("不认识的项：{k}", "Unknown keys: {k}").format(k=", ".join(unknown)[:200]),
            where=located.where(unknown[0]),
        )
    if missing := [k for k in _ANSWER if data.get(k) in (None, "")]:
        raise InputError(
            Text("没有填写：{k}", "Not filled in: {k}").format(k=", ".join(missing)), where=located.where(missing[0]),
            next_step=Text("三项都要填：ticket、id、address", "All three are needed: ticket, id, address"),
        )  # fmt: skip
    ticket = next(
        (t for t in tickets if t.kind == "ticket" and t.name == str(data["ticket"]) and t.deleted_at is None), None
    )
    if ticket is None:
        raise InputError(
            Text("这个系统没有这张工单", "The system has no such ticket"), where=located.where("ticket"),
            next_step=Text("待回执的工单：{t}", "Waiting for an answer: {t}").format(t=", ".join(t.name for t in tickets) or "—"),
        )  # fmt: skip
    if not _ID.fullmatch(str(data["id"])):
        raise InputError(Text("机器编号含不允许的字符", "Not an allowed machine id"), where=located.where("id"))
    try:
        address = ipaddress.ip_address(str(data["address"]))
    except ValueError:
        raise InputError(Text("不是 IP 地址", "Not an IP address"), where=located.where("address")) from None
    if address.is_unspecified or address.is_multicast or address.is_loopback:
        raise InputError(Text("机器不可能是这个地址", "No machine has this address"), where=located.where("address"))
    return replace(
        ticket, resource_id=ticket.resource_id.removesuffix("ticket") + "server", kind="server",
        name=ticket.name.replace("-ticket-", "-server-"), external_id=str(data["id"]), address=str(address), created_at=now,
    )  # fmt: skip


def _fingerprint(public_key: str) -> str:
    digest = hashlib.sha256(base64.b64decode(public_key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
