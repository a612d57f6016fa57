"""Who may do what: one table of roles and actions, for commands and pages alike.

The roles are the parties of the regulations (docs/design.md §Names): each jurisdiction's own words map to them. What the
table gives is the right to try; whose approval counts and who may sign is decided by person (nobody approves himself).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from govcloud.model.ids import normalize
from govcloud.model.text import Text

AccountRole = Literal["owner", "builder", "supervisor", "authority", "finance", "auditor", "administrator"]
ACCOUNT_ROLES: tuple[AccountRole, ...] = get_args(AccountRole)
ACCOUNT_ROLE_NAMES: Mapping[AccountRole, Text] = {
    "owner": Text("业主单位", "owner"),
    "builder": Text("建设单位", "builder"),
    "supervisor": Text("监理单位", "supervisor"),
    "authority": Text("主管部门", "authority"),
    "finance": Text("财政部门", "finance"),
    "auditor": Text("审计（只读）", "auditor (read-only)"),
    "administrator": Text("系统管理员（无项目权限）", "administrator (no project rights)"),
}

Action = Literal[
    "read", "collect", "check", "waive", "plan", "operate", "approve", "review", "give_papers", "receive_papers",
    "change_access", "sign", "checkpoint", "export", "administer",
]  # fmt: skip
ACTIONS: Mapping[Action, frozenset[AccountRole]] = {
    "read": frozenset({"owner", "builder", "supervisor", "authority", "finance", "auditor"}),
    "collect": frozenset({"owner", "builder", "authority"}),
    "check": frozenset({"owner", "builder", "supervisor", "authority", "finance"}),
    "waive": frozenset({"authority"}),
    "plan": frozenset({"builder"}),
    "operate": frozenset({"builder"}),
    "approve": frozenset({"owner", "authority"}),
    "review": frozenset({"owner", "supervisor", "authority"}),
    "give_papers": frozenset({"owner", "builder"}),
    "receive_papers": frozenset({"builder"}),
    "change_access": frozenset({"builder"}),
    "sign": frozenset({"owner", "builder", "supervisor", "authority"}),
    "checkpoint": frozenset({"owner", "builder", "authority", "auditor"}),
    "export": frozenset({"owner", "builder", "supervisor", "authority", "finance", "auditor"}),
    "administer": frozenset({"administrator"}),
}
"""What is not in the table is denied."""
ACTION_NAMES: Mapping[Action, Text] = {
    "read": Text("查看", "look"),
    "collect": Text("登记资产", "record the estate"),
    "check": Text("合规核对", "check against the rules"),
    "waive": Text("豁免", "waive findings"),
    "plan": Text("编制计划", "plan"),
    "operate": Text("执行迁移", "operate runs"),
    "approve": Text("批准", "approve"),
    "review": Text("复核紧急批准", "review an emergency"),
    "give_papers": Text("移交资料", "hand papers over"),
    "receive_papers": Text("接收或退回资料", "accept or refuse papers"),
    "change_access": Text("更换访问权限", "change access to hosts"),
    "sign": Text("签字", "sign"),
    "checkpoint": Text("签检查点", "sign checkpoints"),
    "export": Text("导出台账与报告", "export ledger and reports"),
    "administer": Text("管理账号与配置", "administer accounts and settings"),
}

Identity = Literal["os_user", "declared", "account", "token", "oidc"]
"""How it is known who acts: by the operating-system user; by nothing but a name given with --user; by an account's password;
by an account's token; by the office's identity provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person who may act. One account a person: separation of duties compares accounts."""

    login: str
    """Allow-listed like a host name (model.ids.is_host_name)."""
    name: str
    """Of the person, as records and signatures show it; unique without regard to case."""
    unit: str
    """Of the person's organisation."""
    roles: tuple[AccountRole, ...]
    os_users: tuple[str, ...] = ()
    """Operating-system users by which the person is known without a password."""
    password_hash: str | None = None
    """argon2id in its encoded form; None: no login by password."""
    password_set_by: str = ""
    """Login. A password that somebody else has set lets its owner in for nothing but to set his own."""
    tries: int = 0
    """Passwords tried since the last that was right, or since `tries_from` lay too long back; see workflow/accounts.py."""
    tries_from: datetime | None = None
    created_at: datetime
    created_by: str
    disabled_at: datetime | None = None

    @property
    def words(self) -> frozenset[str]:
        """All by which the person is or was recorded, without regard to case: no other account may have one of them."""
        return frozenset(word.casefold() for word in (self.login, self.name, *self.os_users))


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Lets a program act for an account. Only the digest is kept."""

    token_id: str
    login: str
    label: str
    sha256: str
    """Hex, of the whole token text."""
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """Who acts in a session, as its records name him."""

    name: str
    login: str = ""
    """Of the account; empty where no accounts are kept."""
    identity: Identity = "os_user"
    unit: str = ""
    role: str = ""
    """The role that lets him do what he is doing; empty where no accounts are kept."""
    roles: frozenset[AccountRole] | None = field(default=None)
    """None: the workspace keeps no accounts, and whoever uses the machine may do everything."""

    def may(self, action: Action) -> bool:
        return self.roles is None or allowed(self.roles, action)


ALONE: frozenset[AccountRole] = frozenset({"administrator", "auditor"})
"""Roles that go with no other: who keeps the accounts decides nothing in projects, and who audits changes nothing."""


def allowed(roles: Iterable[AccountRole], action: Action) -> bool:
    """By the table, and nothing else: an action without a line is nobody's."""
    return bool(set(roles) & ACTIONS.get(action, frozenset()))


def same_person(a: str, b: str) -> bool:
    """By the name that records hold; an account's is nobody else's."""
    return normalize(a) == normalize(b)


def roles_for(action: Action) -> Text:
    """The roles that may do it, for a sentence."""
    named = [ACCOUNT_ROLE_NAMES[role] for role in ACCOUNT_ROLES if role in ACTIONS[action]]
    return Text("、".join(n.zh for n in named), ", ".join(n.en for n in named))
