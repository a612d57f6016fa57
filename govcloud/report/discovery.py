"""What hosts said when they were asked, and the keys they show, as Views."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from govcloud.model.collect import DiscoveryResult, HostResult, HostTrust
from govcloud.model.text import Text, same
from govcloud.report import words
from govcloud.report.view import Cell, Column, View

_HOST_STATES = {
    "ok": Text("正常", "ok"), "unreachable": Text("连不上", "unreachable"), "refused": Text("拒绝连接", "refused"),
    "timed_out": Text("超时", "timed out"), "auth_failed": Text("登录被拒", "login refused"),
    "key_unknown": Text("密钥未认可", "key not approved"), "key_changed": Text("密钥变了", "key changed"),
    "connection_lost": Text("连接中断", "connection lost"),
}  # fmt: skip
_TRUST_STATES = {
    "trusted": Text("已认可", "approved before"), "new": Text("待认可", "to be approved"), "approved": Text("现予认可", "approved now"),
    "changed": Text("密钥变了", "key changed"), "replaced": Text("已换成新密钥", "replaced now"),
    "not_expected": Text("与预期不符", "not the expected key"), "failed": Text("取不到", "no answer"),
}  # fmt: skip
_PROBES = {
    "sockets": Text("端口和连接", "Sockets and connections"), "connections": Text("连接样本", "Samples of connections"),
    "scheduled": Text("定时任务", "Scheduled jobs"),
}  # fmt: skip
_NEXT = {
    "key_unknown": Text("有主机密钥尚未认可：运行 govcloud discover trust",
                        "Some host keys have not been approved: run govcloud discover trust"),
    "key_changed": Text("有主机密钥变了：查明原因之前不要登录",
                        "Some host keys have changed: find out why before anybody logs in"),
}  # fmt: skip
_NAMED = 5
"""Hosts that a line names; of the others it tells the number."""


def _column(key: str, zh: str, en: str, align: str = "left") -> Column:
    return Column(key, Text(zh, en), "right" if align == "right" else "left")


def build_discovery_views(result: DiscoveryResult, left_out: Sequence[str] = ()) -> tuple[View, ...]:
    """A row a host, and what was left unknown on the hosts that answered. `left_out`: hosts that --resume passed over."""
    counted = Counter(c.change for c in result.changes)
    states = Counter[str](h.status for h in result.hosts)
    notes = [
        Text("{ok} 台正常，{bad} 台没有结果；清单新增 {a}、变化 {c}", "{ok} ok, {bad} without a result; inventory: {a} added, {c} changed")
        .format(ok=states["ok"], bad=len(result.failed), a=counted["added"], c=counted["changed"]),
        *(text for state, text in _NEXT.items() if states[state]),
    ]  # fmt: skip
    if left_out:
        notes.append(Text("{n} 台在最近 12 小时内答过，没有再问", "{n} answered within the last 12 hours and were not asked again").format(
            n=len(left_out)))  # fmt: skip
    hosts = View(
        name="hosts", title=Text("登录核实", "Hosts"),
        columns=(
            _column("host", "主机", "Host"), _column("address", "地址", "Address"), _column("status", "结果", "Result"),
            _column("os", "操作系统", "Operating system"), _column("facts", "事实", "Facts", "right"),
            _column("seconds", "秒", "Seconds", "right"), _column("reason", "说明", "Reason"),
        ),
        rows=tuple(_host_row(h) for h in result.hosts), notes=tuple(notes),
        facts={
            "ok": states["ok"], "failed": len(result.failed), "left_out": list(left_out),
            "statuses": {h.host.name: h.status for h in result.hosts},
            "unknown": {h.host.name: sorted({f for s in h.statements for f in s.unknown}) for h in result.hosts if h.statements},
        },
    )  # fmt: skip
    gaps = _gaps(result)
    return (hosts, gaps) if gaps.rows else (hosts,)


def _host_row(result: HostResult) -> Mapping[str, Cell]:
    facts = {name: value for s in result.statements for name, value in s.values.items()}
    system = " ".join(str(facts[f]) for f in ("os_name", "os_version") if f in facts)
    via = f"{result.host.via} → " if result.host.via else ""
    return {
        "host": result.host.name, "address": f"{via}{result.host.address}:{result.host.port}",
        "status": _HOST_STATES[result.status], "os": system or None, "facts": len(facts) or None,
        "seconds": round(result.seconds, 1), "reason": result.reason,
    }  # fmt: skip


def _gaps(result: DiscoveryResult) -> View:
    """What stayed unknown, on which hosts: a line a reason, because forty servers lack the same things."""
    lines: dict[tuple[tuple[str, ...], Text], list[str]] = {}
    titles: dict[tuple[str, ...], Text] = {}
    for host in result.hosts:
        for gap in host.gaps:
            titles[(gap.probe,)] = _PROBES.get(gap.probe, same(gap.probe))
            lines.setdefault(((gap.probe,), gap.reason), []).append(host.host.name)
        reasons: dict[Text, list[str]] = {}
        for statement in host.statements:
            for name, why in statement.unknown.items():
                reasons.setdefault(why, []).append(name)
        for why, names in reasons.items():
            fields = tuple(sorted(names))
            titles[fields] = _labels(fields)
            lines.setdefault((fields, why), []).append(host.host.name)
    return View(
        name="gaps", title=Text("没有问到的", "What stayed unknown"),
        columns=(
            _column("what", "内容", "What"), _column("reason", "原因", "Reason"),
            _column("count", "台数", "Hosts", "right"), _column("hosts", "主机", "Which"),
        ),
        rows=tuple(
            {"what": titles[what], "reason": why, "count": len(hosts), "hosts": _named(hosts)}
            for (what, why), hosts in sorted(lines.items(), key=lambda line: (-len(line[1]), line[0][0], line[0][1].en))
        ),
    )  # fmt: skip


def _labels(fields: Sequence[str]) -> Text:
    labels = [words.FIELDS.get(f, same(f)) for f in fields]
    return Text("、".join(t.zh for t in labels), ", ".join(t.en for t in labels))


def _named(hosts: Sequence[str]) -> Text:
    shown = hosts[:_NAMED]
    more = len(hosts) - len(shown)
    zh, en = "、".join(shown), ", ".join(shown)
    return Text(f"{zh} 等", f"{en} and {more} more") if more else Text(zh, en)


def build_trust_view(trusts: Sequence[HostTrust]) -> View:
    waiting = sum(1 for t in trusts if t.state == "new")
    changed = [t.host.name for t in trusts if t.state == "changed"]
    notes = []
    if waiting:
        notes.append(Text(
            "{n} 台待认可：用另一条途径核对指纹后，加 --approve 再运行一次",
            "{n} to be approved: check the fingerprints by another way, then run it again with --approve").format(n=waiting))  # fmt: skip
    if changed:
        notes.append(Text(
            "{h} 的密钥变了：查明原因之前不要登录；确属换机或重装，再用 --approve --replace 主机名",
            "The key of {h} has changed: find out why before anybody logs in; --approve --replace HOST accepts the new one"
        ).format(h=", ".join(changed)))  # fmt: skip
    return View(
        name="host_keys", title=Text("主机密钥", "Host keys"),
        columns=(
            _column("host", "主机", "Host"), _column("address", "地址", "Address"), _column("state", "情况", "State"),
            _column("key_type", "类型", "Type"), _column("fingerprint", "现在的指纹", "Fingerprint shown"),
            _column("approved", "先前认可的指纹", "Approved before"), _column("approved_by", "认可人", "Approved by"),
            _column("reason", "说明", "Reason"),
        ),
        rows=tuple(
            {
                "host": t.host.name, "address": f"{t.host.via + ' → ' if t.host.via else ''}{t.host.address}:{t.host.port}",
                "state": _TRUST_STATES[t.state], "key_type": t.key_type, "fingerprint": t.shown,
                "approved": [f for f in t.approved if f != t.shown], "approved_by": list(t.approved_by), "reason": t.reason,
            }
            for t in trusts
        ),
        notes=tuple(notes),
        facts={"states": {t.host.name: t.state for t in trusts}},
    )  # fmt: skip
