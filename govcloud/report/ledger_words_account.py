"""Records of accounts and of the ledger's own keys, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from govcloud.model.account import ACCOUNT_ROLE_NAMES
from govcloud.model.text import Text, same
from govcloud.report.ledger_words_value import Teller, Titles, because, cut

_ACTS: Mapping[str, Text] = {
    "add": Text("开立账号 {l}", "Opened the account {l}"),
    "change": Text("变更账号 {l}", "Changed the account {l}"),
    "disable": Text("停用账号 {l}", "Disabled the account {l}"),
    "enable": Text("启用账号 {l}", "Enabled the account {l}"),
    "password": Text("设置账号 {l} 的口令", "Set the password of {l}"),
    "token_new": Text("为账号 {l} 签发令牌", "Issued a token for {l}"),
    "token_revoke": Text("撤销账号 {l} 的令牌", "Revoked a token of {l}"),
}
_WHY: Mapping[str, Text] = {
    "identity": Text("身份不明", "not known"),
    "password": Text("口令由他人设置，须先更改", "the password was set by somebody else and has to be replaced first"),
    "role": Text("角色无此权限", "no role that may"),
}


def _account(record: Mapping[str, Any], _titles: Titles) -> Text:
    body = record["body"]
    told = _ACTS[body["what"]].format(l=cut(body.get("login")))
    roles = [ACCOUNT_ROLE_NAMES.get(role, same(role)) for role in body.get("roles") or ()]
    zh, en = ("、".join(r.zh for r in roles), ", ".join(r.en for r in roles))
    who = Text("（{n}；{r}）", " ({n}; {r})").format(n=cut(body.get("name")), r=Text(zh, en)) if roles else Text("", "")
    return Text("{t}{w}{r}", "{t}{w}{r}").format(t=told, w=who, r=because(body.get("reason") or body.get("label")))


def _refused(record: Mapping[str, Any], _titles: Titles) -> Text:
    body = record["body"]
    reason = body.get("reason")
    why = Text(reason["zh"], reason["en"]) if reason else _WHY.get(body.get("why")) or same(cut(body.get("why")))
    return Text("拒绝 {c}：{w}", "Refused {c}: {w}").format(c=cut(body.get("what")), w=why)


def _sign_in(record: Mapping[str, Any], _titles: Titles) -> Text:
    return Text("登录看板：{l}", "Signed in to the dashboard: {l}").format(l=cut(record["body"].get("login")))


def _rotation(_record: Mapping[str, Any], _titles: Titles) -> Text:
    return Text("更换台账签名密钥", "Changed the ledger's signing key")


ACCOUNT_WORDS: Mapping[str, Teller] = {
    "account": _account, "refused": _refused, "sign_in": _sign_in, "key_rotation": _rotation,
}  # fmt: skip
