"""Views of accounts and tokens. Nothing here shows what opens one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from govcloud.model.account import ACCOUNT_ROLE_NAMES, ACTION_NAMES, Account, Action, Token, allowed, roles_for
from govcloud.model.text import Term, Text
from govcloud.report.view import Cell, Column, View

_STATES: Mapping[str, Text] = {
    "enabled": Text("启用", "enabled"),
    "disabled": Text("停用", "disabled"),
    "valid": Text("有效", "valid"),
    "expired": Text("已过期", "expired"),
    "revoked": Text("已撤销", "revoked"),
}
_PASSWORDS: Mapping[str, Text] = {
    "none": Text("无", "none"),
    "own": Text("本人设置", "set by its holder"),
    "first": Text("他人设置，待本人更改", "set by somebody else, to be replaced"),
}


def build_accounts_view(accounts: Sequence[Account], *, also_listed: bool = False) -> View:
    """`also_listed`: the settings list people, too, who do not count any more."""
    notes = [Text("共 {n} 个账号", "Accounts: {n}").format(n=len(accounts))]
    if not accounts:
        notes = [
            Text(
                "未建账号：由系统用户操作，不分权限，记录中注明。建第一个（系统管理员）：govcloud accounts add",
                "No accounts are kept: the operating-system user acts and may do everything, and records say so. Add the first, an administrator's: govcloud accounts add",
            )
        ]  # fmt: skip
    if accounts and also_listed:
        notes.append(
            Text(
                "已建账号，配置中的 execution.people 不再起作用",
                "There are accounts: execution.people of the settings does not count any more",
            )
        )
    columns = (
        Column("login", Text("登录名", "Login")),
        Column("name", Text("姓名", "Name")),
        Column("unit", Text("单位", "Unit")),
        Column("roles", Text("角色", "Roles")),
        Column("os_users", Text("系统用户", "System users")),
        Column("password", Text("口令", "Password")),
        Column("state", Text("状态", "State")),
        Column("created_at", Text("建立时间", "Since")),
        Column("created_by", Text("建立人", "Added by")),
        Column("disabled_at", Text("停用时间", "Disabled")),
    )
    return View(
        name="accounts", title=Text("账号", "Accounts"), columns=columns, rows=tuple(map(_account, accounts)), notes=tuple(notes)
    )  # fmt: skip


def build_rights_view(account: Account) -> View:
    """What the account's roles let it do, and who may do the rest."""
    columns = (
        Column("action", Text("权限", "Right")),
        Column("allowed", Text("有无", "Allowed")),
        Column("roles", Text("须有角色（之一）", "Takes one of the roles")),
    )
    rows = tuple(_right(account, action) for action in ACTION_NAMES)
    return View(name="rights", title=Text("权限", "Rights"), columns=columns, rows=rows)


def build_tokens_view(tokens: Sequence[Token], now: datetime, secret: str | None = None) -> View:
    """`secret`: the text of the only token, which is shown this once."""
    columns: tuple[Column, ...] = (
        Column("token_id", Text("令牌编号", "Token")),
        Column("login", Text("登录名", "Login")),
        Column("label", Text("用途", "Label")),
        Column("state", Text("状态", "State")),
        Column("created_at", Text("发放时间", "Given")),
        Column("expires_at", Text("到期时间", "Expires")),
    )
    rows: list[dict[str, Cell]] = [_token(token, now) for token in tokens]
    notes: tuple[Text, ...] = ()
    if secret is not None:
        columns = (*columns, Column("token", Text("令牌（只显示这一次）", "The token, shown this once")))
        rows[0]["token"] = secret
        notes = (
            Text(
                "写入只有本人可读的文件，并设置 GOVCLOUD_TOKEN_FILE",
                "Write it to a file that only you can read, and set GOVCLOUD_TOKEN_FILE",
            ),
        )
    return View(name="tokens", title=Text("令牌", "Tokens"), columns=columns, rows=tuple(rows), notes=notes)


def _account(account: Account) -> dict[str, Cell]:
    state = "enabled" if account.disabled_at is None else "disabled"
    own = account.password_set_by in ("", account.login)
    password = "none" if account.password_hash is None else "own" if own else "first"
    named = [ACCOUNT_ROLE_NAMES[role] for role in account.roles]
    return {
        "login": account.login, "name": account.name, "unit": account.unit,
        "roles": Term("、".join(n.zh for n in named), ", ".join(n.en for n in named), code=account.roles),
        "os_users": account.os_users, "password": _term(_PASSWORDS[password], password),
        "state": _term(_STATES[state], state), "created_at": account.created_at, "created_by": account.created_by,
        "disabled_at": account.disabled_at,
    }  # fmt: skip


def _right(account: Account, action: Action) -> dict[str, Cell]:
    may = account.disabled_at is None and allowed(account.roles, action)
    return {"action": _term(ACTION_NAMES[action], action), "allowed": may, "roles": roles_for(action)}


def _token(token: Token, now: datetime) -> dict[str, Cell]:
    state = "revoked" if token.revoked_at else "expired" if token.expires_at <= now else "valid"
    return {
        "token_id": token.token_id, "login": token.login, "label": token.label, "state": _term(_STATES[state], state),
        "created_at": token.created_at, "expires_at": token.expires_at,
    }  # fmt: skip


def _term(text: Text, code: str) -> Term:
    return Term(text.zh, text.en, code=code)
