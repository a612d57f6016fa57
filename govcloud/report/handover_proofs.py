"""View of a takeover's proofs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from govcloud.model.handover import Proof, ProofKind
from govcloud.model.text import Text
from govcloud.report.view import Cell, Column, View

KINDS: Mapping[ProofKind, Text] = {
    "keys": Text("登录密钥", "SSH keys"),
    "passwords": Text("口令", "Passwords"),
    "vendor_access": Text("原运维方访问", "The old vendor's access"),
    "bastion": Text("堡垒机", "Bastion"),
    "monitoring": Text("监控", "Monitoring"),
    "restore": Text("备份恢复", "Restore of the backup"),
    "clock_dns": Text("时间与域名", "Clock and names"),
    "patches": Text("补丁", "Patches"),
}
OUTCOMES: Mapping[bool | None, Text] = {
    True: Text("已证实", "proved"),
    False: Text("不符合", "disproved"),
    None: Text("未能查看", "not looked at"),
}
FACTS: Mapping[str, Text] = {
    "accounts": Text("账户", "accounts"),
    "keys": Text("公钥", "keys"),
    "host_keys": Text("主机公钥", "host keys"),
    "changed": Text("已更换", "changed"),
    "unchanged": Text("未更换", "not changed"),
    "vendor_accounts": Text("原运维方账户", "old vendor's accounts"),
    "logins_tried": Text("登录尝试", "logins tried"),
    "logins_refused": Text("被拒绝", "refused"),
    "tools": Text("远程工具", "remote tools"),
    "tunnels": Text("隧道网卡", "tunnel interfaces"),
    "sessions": Text("在线会话", "sessions"),
    "sudo": Text("sudo 规则", "sudo rules"),
    "jobs": Text("定时任务", "timed jobs"),
    "came_from": Text("登录来源", "came from"),
    "rule": Text("限制规则", "rule"),
    "port": Text("端口", "port"),
    "agent": Text("代理", "agent"),
    "host_name": Text("主机名", "host name"),
    "told_name": Text("应答主机名", "told name"),
    "receiver": Text("告警接收人", "alarms go to"),
    "backups": Text("备份", "backups"),
    "tables": Text("恢复的表/来源的表", "tables restored/of the source"),
    "rows": Text("恢复的行/来源的行", "rows restored/of the source"),
    "files": Text("归档文件", "files archived"),
    "equal": Text("内容相同", "equal"),
    "changed_since": Text("备份后改动", "changed since"),
    "database_refused": Text("数据库旧口令被拒绝", "old database passwords refused"),
    "time_service": Text("时间服务", "time service"),
    "time_sources": Text("时间源", "time sources"),
    "time_source": Text("当前时间源", "time source in use"),
    "offset_ms": Text("偏差（毫秒）", "offset (ms)"),
    "resolvers": Text("域名服务器", "name servers"),
    "system": Text("操作系统", "system"),
    "updates": Text("待装更新", "updates pending"),
    "security": Text("安全更新", "security updates"),
    "lists_days": Text("清单天数", "lists, days old"),
    "kernel": Text("运行内核", "kernel running"),
    "kernel_installed": Text("已装内核", "kernel installed"),
    "support_until": Text("维护截止", "supported until"),
}
_SHOWN_DIGEST = 12


def build_proofs_view(proofs: Sequence[Proof]) -> View:
    """One row a proof, in the order given."""
    rows: list[dict[str, Cell]] = [
        {
            "host": ", ".join(proof.hosts), "kind": KINDS[proof.kind], "outcome": OUTCOMES[proof.ok],
            "detail": proof.detail, "evidence": tuple(digest[:_SHOWN_DIGEST] for digest in proof.evidence),
            "at": proof.at, "actor": proof.actor,
        }
        for proof in proofs
    ]  # fmt: skip
    return View(
        name="proofs",
        title=Text("接管验证", "Proofs of the takeover"),
        columns=(
            Column("host", Text("主机", "Host")),
            Column("kind", Text("验证内容", "What")),
            Column("outcome", Text("结果", "Outcome")),
            Column("detail", Text("说明", "Detail")),
            Column("evidence", Text("证据", "Evidence")),
            Column("at", Text("时间", "Time")),
            Column("actor", Text("操作人", "By")),
        ),
        rows=tuple(rows),
        facts={
            "results": [
                {"kind": p.kind, "host": p.hosts[0], "ok": p.ok, "facts": dict(p.facts), "evidence": list(p.evidence)}
                for p in proofs
            ]
        },
    )  # fmt: skip


def build_proof_facts_view(proofs: Sequence[Proof]) -> View:
    """What was found, one row a fact."""
    rows: list[dict[str, Cell]] = [
        {"host": ", ".join(p.hosts), "kind": KINDS[p.kind], "fact": _named(key), "value": value}
        for p in proofs
        for key, value in p.facts.items()
    ]
    return View(
        name="proof_facts",
        title=Text("所见", "What was found"),
        columns=(
            Column("host", Text("主机", "Host")),
            Column("kind", Text("验证内容", "What")),
            Column("fact", Text("事项", "Fact")),
            Column("value", Text("内容", "Value")),
        ),
        rows=tuple(rows),
    )


def _named(key: str) -> Text:
    """`backup_1`, `backup_1_rows`, `database postgresql records@records` carry names of their own."""
    head, _, rest = key.partition("_")
    if head == "backup" and rest[:1].isdigit():
        number, _, fact = rest.partition("_")
        about = FACTS[fact] if fact else Text("文件与时长", "file and age")
        return Text("备份 {n} {about}", "backup {n}, {about}").format(n=number, about=about)
    if key.startswith("database "):
        return Text("数据库口令更换日 {d}", "database password changed on, {d}").format(d=key.partition(" ")[2])
    return FACTS.get(key, Text(key, key))
