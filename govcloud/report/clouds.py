"""What a cloud or an Ansible inventory brought, as Views."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from govcloud.model.clouds import AnsibleResult, CloudResult
from govcloud.model.collect import Change
from govcloud.model.text import Term, Text, same
from govcloud.report.view import Cell, Column, View

_KINDS = {
    "projects": Text("项目", "projects"), "servers": Text("云主机", "servers"), "instances": Text("云主机", "instances"),
    "flavors": Text("规格", "flavors"), "instance_types": Text("在用规格", "instance types in use"), "images": Text("镜像", "images"),
    "volumes": Text("云硬盘", "volumes"), "networks": Text("网络", "networks"), "vpcs": Text("VPC 网络", "VPCs"),
    "subnets": Text("子网", "subnets"), "ports": Text("端口", "ports"), "routers": Text("路由器", "routers"),
    "floating_ips": Text("浮动 IP", "floating IPs"), "addresses": Text("弹性 IP", "elastic IPs"),
    "security_groups": Text("安全组", "security groups"), "compute_quotas": Text("计算配额", "compute quotas"),
    "volume_quotas": Text("存储配额", "storage quotas"), "network_quotas": Text("网络配额", "network quotas"),
    "vpn_connections": Text("VPN 连接", "VPN connections"), "customer_gateways": Text("对端网关", "customer gateways"),
    "buckets": Text("存储桶", "buckets"),
}  # fmt: skip


def _term(kind: str) -> Term:
    text = _KINDS.get(kind, same(kind))
    return Term(text.zh, text.en, kind)


def build_cloud_views(result: CloudResult) -> tuple[View, ...]:
    """A row a kind of resource: how many were read, or why not."""
    reading = result.reading
    rows: list[Mapping[str, Cell]] = [{"kind": _term(k), "read": n} for k, n in reading.counts.items()]
    rows += [{"kind": _term(g.kind), "read": None, "reason": g.reason} for g in reading.gaps]
    notes = [_changes(result.changes)]
    if not reading.complete:
        notes.append(Text(
            "有的资源没有读到：本次结果只作补充，不据此认定云上已删除什么",
            "Something could not be read: this reading only adds, nothing is taken as deleted in the cloud"))  # fmt: skip
    return (
        View(
            name="cloud",
            title=Text("云 {c}，范围 {s}", "Cloud {c}, scope {s}").format(c=reading.cloud, s=reading.scope),
            columns=(
                Column("kind", Text("资源", "Resource")), Column("read", Text("读到", "Read"), "right"),
                Column("reason", Text("没有读到的原因", "Why it was not read")),
            ),
            rows=tuple(rows), notes=(*notes, *reading.notes),
            facts={
                "source": reading.source, "cloud": reading.cloud, "scope": reading.scope, "complete": reading.complete,
                "counts": dict(reading.counts), "gaps": [g.kind for g in reading.gaps], **_counts(result.changes),
            },
        ),
    )  # fmt: skip


def build_ansible_views(result: AnsibleResult) -> tuple[View, ...]:
    """Hosts with their groups, and what was refused."""
    hosts: list[Mapping[str, Cell]] = [
        {
            "file": r.file, "name": h.name, "address": h.address, "port": h.port, "user": h.user, "groups": list(h.groups),
        }
        for r in result.readings for h in r.hosts
    ]  # fmt: skip
    ignored = sorted({v for r in result.readings for v in r.ignored_variables})
    notes = [_changes(result.changes)]
    if ignored:
        notes.append(Text(
            "连接和命令类变量一律不采用：{v}", "Variables for connections and commands are never taken over: {v}"
        ).format(v=", ".join(ignored)))  # fmt: skip
    if skipped := sorted({n for r in result.readings for n in r.skipped}):
        notes.append(
            Text("控制机自身不计入：{n}", "The controller itself is left out: {n}").format(n=", ".join(skipped))
        )
    views = [View(
        name="ansible_hosts", title=Text("Ansible 清单中的主机", "Hosts of the Ansible inventory"),
        columns=(
            Column("file", Text("文件", "File")), Column("name", Text("主机", "Host")), Column("address", Text("地址", "Address")),
            Column("port", Text("端口", "Port"), "right"), Column("user", Text("用户", "User")),
            Column("groups", Text("组", "Groups")),
        ),
        rows=tuple(hosts), notes=tuple(notes),
        facts={"hosts": len(hosts), "ignored_variables": ignored, **_counts(result.changes)},
    )]  # fmt: skip
    refused: list[Mapping[str, Cell]] = [
        {"where": e.where, "read": e.read, "reason": e.reason} for r in result.readings for e in r.refused
    ]
    if refused:
        views.append(View(
            name="refused", title=Text("没有采用的", "What was not taken"),
            columns=(
                Column("where", Text("位置", "Where")), Column("read", Text("读到", "Read")),
                Column("reason", Text("原因", "Reason")),
            ),
            rows=tuple(refused),
        ))  # fmt: skip
    return tuple(views)


def _counts(changes: Sequence[Change]) -> dict[str, int]:
    counted = Counter(c.change for c in changes)
    return {word: counted[word] for word in ("added", "changed", "removed")}


def _changes(changes: Sequence[Change]) -> Text:
    c = _counts(changes)
    return Text(
        "清单：新增 {added}、变化 {changed}、去掉 {removed}", "Inventory: {added} added, {changed} changed, {removed} removed"
    ).format(**c)  # fmt: skip
