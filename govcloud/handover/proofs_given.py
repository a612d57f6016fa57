"""What each proof is told about a host, and what its answer means: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec

from govcloud.handover.proofs_needs import HostNeeds, SiteNeeds, SystemNeeds
from govcloud.handover.rotation import PlaybookResult
from govcloud.model.access import HostAccess
from govcloud.model.handover import Handover, LoginAttempt, Proof, ProofKind
from govcloud.model.text import Text

_SHOWN = 8
_SILENT = Text("主机没有应答，或剧本没有执行完", "The host did not answer, or the playbook did not come to its end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One host of a takeover, with all that is known of what should be proved there."""

    handover: Handover
    host: HostAccess
    site: SiteNeeds
    system: SystemNeeds
    since: date
    """First day of the takeover, in UTC."""
    bastion: HostAccess | None = None
    tools: Sequence[Mapping[str, str]] = ()
    """Names of remote-control programs."""

    @property
    def needs(self) -> HostNeeds:
        return self.system.of(self.host.name)


def build_given(kind: ProofKind, target: Target) -> dict[str, Any]:
    """The variable `given` of the kind's playbook."""
    needs, site, system = target.needs, target.site, target.system
    vendor = list(system.vendor_accounts)
    if kind == "keys":
        return {"builder_key": target.handover.builder_key, "accepted_keys": list(system.accepted_keys)}
    if kind == "passwords":
        databases = msgspec.to_builtins(needs.databases)
        return {"since": str(target.since), "vendor_accounts": vendor, "databases": databases}
    if kind == "vendor_access":
        tools = {"tools": list(target.tools), "accepted_tools": list(needs.accepted_tools)}
        return {"vendor_accounts": vendor, **tools}
    if kind == "bastion":
        return {"bastion": [target.bastion.address] if target.bastion else []}
    if kind == "monitoring":
        told = msgspec.to_builtins(needs.monitoring)
        return {
            "address": target.host.address,
            "monitoring": told | {"receiver": needs.monitoring.receiver or site.receiver},
        }
    if kind == "restore":
        return {"backups": msgspec.to_builtins(needs.backups), "scratch": needs.scratch}
    if kind == "clock_dns":
        return {"ntp": list(site.ntp), "dns": list(site.dns), "resolve": site.resolve}
    until = needs.support_until
    return {"support_until": str(until) if until else None, "lists_max_days": site.lists_max_days}


def verify_target(kind: ProofKind, target: Target) -> list[Text]:
    """Why this can't be proved on this host as the workspace describes it; empty when it can be tried."""
    if kind == "keys" and not target.handover.builder_key:
        return [Text("接管没有登记建设单位的公钥", "The takeover names no key of the builder's")]
    if kind == "bastion" and target.bastion is None:
        return [
            Text(
                "hosts.yaml 中没有给这台主机写 via，未登记堡垒机",
                "hosts.yaml names no `via` for this host: no bastion is registered",
            )
        ]
    if kind == "restore" and not target.needs.backups:
        return [Text("没有写明这台主机的备份", "No backup is named for this host")]
    return []


def judge_host(result: PlaybookResult) -> tuple[bool | None, tuple[Text, ...]]:
    """Green is what the judge of the playbook's events found proven; red is what our module says it saw; the rest is unknown."""
    if result.ok:
        return True, ()
    reasons = result.reasons or (_SILENT,)
    return (False if result.facts.get("verdict") == "red" else None), reasons


def judge_logins(attempts: Sequence[LoginAttempt]) -> tuple[bool | None, tuple[Text, ...]]:
    """Every attempt with what the old vendor had must be refused by the server itself."""
    let_in = tuple(
        Text("{h}：原有凭据仍能登录（{w}）", "{h}: what the old vendor had still logs in ({w})").format(
            h=a.host, w=a.fingerprint
        )
        for a in attempts
        if a.accepted
    )
    silent = tuple(
        Text("{h}：登录尝试没有结论：{why}", "{h}: a login gave no answer: {why}").format(h=a.host, why=a.answer)
        for a in attempts
        if a.accepted is None
    )
    return (False if let_in else None if silent else True), let_in + silent


def judge_direct(attempts: Sequence[LoginAttempt]) -> tuple[bool | None, tuple[Text, ...]]:
    """A login that left the bastion out; none was tried where no SSH server greeted us there."""
    if any(a.accepted for a in attempts):
        return False, (Text("不经堡垒机也能登录", "A login without the bastion is let in"),)
    silent = [a.answer for a in attempts if a.accepted is None]
    why = Text("直连登录没有结论：{why}", "The direct login gave no answer: {why}")
    return (None, (why.format(why=silent[0]),)) if silent else (True, ())


def together(*verdicts: tuple[bool | None, tuple[Text, ...]]) -> tuple[bool | None, tuple[Text, ...]]:
    """Red where one is red, else unknown where one is, else green."""
    answers = [answer for answer, _ in verdicts]
    return (False if False in answers else None if None in answers else True), tuple(
        r for _, said in verdicts for r in said
    )


def build_proof(
    kind: ProofKind, host: str, verdict: tuple[bool | None, Sequence[Text]], facts: Mapping[str, int | str],
    evidence: Sequence[str], *, actor: str, at: datetime,
) -> Proof:  # fmt: skip
    ok, reasons = verdict
    shown = reasons[:_SHOWN]
    more = len(reasons) - len(shown)
    detail = Text("；".join(r.zh for r in shown), "; ".join(r.en for r in shown)) if shown else GREEN[kind]
    if more > 0:
        detail = Text(f"{detail.zh} 等 {len(reasons)} 项", f"{detail.en} and {more} more")
    kept = {key: str(value) for key, value in sorted(facts.items()) if key != "verdict"}
    return Proof(
        kind=kind, hosts=(host,), ok=ok, detail=detail, facts=kept, evidence=tuple(evidence), actor=actor, at=at
    )


GREEN: Mapping[ProofKind, Text] = {
    "keys": Text("所有账户只剩建设单位的公钥", "Only the builder's keys are left, on all accounts"),
    "passwords": Text("接管开始后口令均已更换", "All passwords were changed since the takeover began"),
    "vendor_access": Text(
        "原运维方登录被拒绝，主机上没有其他入口", "The old vendor is refused, no other way in was found"
    ),
    "bastion": Text("只能经堡垒机登录", "SSH lets in from the bastion only"),
    "monitoring": Text("监控代理有应答，是这台主机的数据", "The agent answers, and speaks of this host"),
    "restore": Text("最新备份可恢复，内容已比对", "The newest backup was restored and compared"),
    "clock_dns": Text("时间已同步，域名服务器有应答", "The clock is synchronised, the name servers answer"),
    "patches": Text("没有未装的安全更新", "No security update is missing"),
}
