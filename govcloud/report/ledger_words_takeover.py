"""Records of maintenance takeovers, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from govcloud.model.text import Text, same
from govcloud.report.ledger_words_value import Steps, Teller, because, cut, listed

PARTIES: Mapping[str, Text] = {
    "owner": Text("业主单位", "the owner"), "builder": Text("建设单位", "the builder"),
    "supervisor": Text("监理单位", "the supervisor"), "authority": Text("主管部门", "the authority"),
}  # fmt: skip
ACTS: Mapping[str, Text] = {
    "plan": Text("列入接管计划", "Planned the takeover"),
    "defer": Text("暂缓接管", "Deferred the takeover"),
    "exclude": Text("不纳入接管", "Left out of the takeovers"),
    "resume": Text("恢复接管", "Resumed the takeover"),
    "start": Text("开始接管，接管单位 {builder}", "Opened the takeover by {builder}"),
    "evidence": Text("移交资料 {item}", "Handed over {item}"),
    "papers": Text("移交资料 {items}", "Handed over {items}"),
    "accept": Text("接收 {items}", "Accepted {items}"),
    "refuse": Text("退回 {items}", "Sent back {items}"),
    "rotate": Text("更换登录密钥", "Changed the login keys"),
    "check": Text("复查登录", "Tried the logins again"),
    "prove": Text("核验 {kind}", "Proof of {kind}"),
    "package": Text("导出接管归档包", "Wrote the takeover's package"),
}
"""Step of a `handover` record -> what was done; fields are taken from its body."""


def _handover(record: Mapping[str, Any], _steps: Steps) -> Text:
    body = record["body"]
    act = ACTS.get(record["step"]) or same(cut(record["step"]))
    fields = {k: listed(list(v)) if isinstance(v, list | dict) else cut(v) for k, v in body.items()}
    known = {name: fields.get(name, "—") for name in ("builder", "item", "items", "kind")}
    told = act.format(**known) if record["step"] in ACTS else act
    if record["phase"] == "intent":
        told = Text("即将执行：{t}", "About to: {t}").format(t=told)
    if body.get("not_applicable") is True:
        return Text("{t}（不适用）{r}", "{t} (does not apply){r}").format(t=told, r=because(body.get("note")))
    if isinstance(body.get("ok"), bool):
        good = Text("符合", "as it should be") if body["ok"] else Text("不符合", "not as it should be")
        return Text("{t}：{g}", "{t}: {g}").format(t=told, g=good)
    return Text("{t}{r}", "{t}{r}").format(
        t=told, r=because(body.get("reason") or body.get("file") or body.get("note"))
    )


def _signoff(record: Mapping[str, Any], _steps: Steps) -> Text:
    body = record["body"]
    return Text("{p}签字，所签内容摘要 {d}", "Signed for {p}, digest of what was signed {d}").format(
        p=PARTIES.get(body.get("role", ""), same(cut(body.get("role")))), d=str(body.get("package_sha256"))[:12]
    )


TAKEOVER_WORDS: Mapping[str, Teller] = {"handover": _handover, "signoff": _signoff}
