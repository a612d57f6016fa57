"""Records of maintenance takeovers, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from govcloud.model.text import Text, same
from govcloud.report.handover_proofs import KINDS, OUTCOMES
from govcloud.report.ledger_words_value import Teller, Titles, because, cut, listed

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
    "prove": Text("验证{proof}", "Proof of {proof}"),
    "package": Text("导出接管归档包", "Wrote the takeover's package"),
}
"""Step of a `handover` record -> what was done; fields are taken from its body."""


def _handover(record: Mapping[str, Any], titles: Titles) -> Text:
    body = record["body"]
    act = ACTS.get(record["step"]) or same(cut(record["step"]))
    names: dict[str, Text] = dict(titles)
    names.update({str(kind): text for kind, text in KINDS.items()})
    known = {name: _named(body.get(name), names) for name in ("builder", "item", "items", "proof")}
    told = act.format(**known) if record["step"] in ACTS else act
    if record["phase"] == "intent":
        told = Text("即将执行：{t}", "About to: {t}").format(t=told)
    if body.get("not_applicable") is True:
        return Text("{t}（不适用）{r}", "{t} (does not apply){r}").format(t=told, r=because(body.get("note")))
    if record["phase"] == "result" and isinstance(body.get("hosts"), list):
        hosts = [Text("{h} {o}", "{h} {o}").format(h=h["host"], o=OUTCOMES[h.get("ok")]) for h in body["hosts"]]
        return Text("{t}：{h}", "{t}: {h}").format(t=told, h=_both(hosts))
    return Text("{t}{r}", "{t}{r}").format(
        t=told, r=because(body.get("reason") or body.get("file") or body.get("note"))
    )


def _named(value: object, titles: Titles) -> Text:
    """One id or several, by their titles."""
    if isinstance(value, list | dict):
        found = [titles.get(one, same(one)) if isinstance(one, str) else same(cut(one)) for one in value]
        return _both(found)
    return titles.get(value, same(value)) if isinstance(value, str) else same(cut(value))


def _both(texts: Sequence[Text]) -> Text:
    return Text(listed([t.zh for t in texts]).zh, listed([t.en for t in texts]).en)


def _signoff(record: Mapping[str, Any], _titles: Titles) -> Text:
    body = record["body"]
    return Text("{p}签字，所签内容摘要 {d}", "Signed for {p}, digest of what was signed {d}").format(
        p=PARTIES.get(body.get("role", ""), same(cut(body.get("role")))), d=str(body.get("package_sha256"))[:12]
    )


TAKEOVER_WORDS: Mapping[str, Teller] = {"handover": _handover, "signoff": _signoff}
