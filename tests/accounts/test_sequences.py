"""Whatever an administrator does in whatever order: somebody can still administer, who is out stays out, nobody approves his own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from govcloud.errors import UsageError
from govcloud.execution.gates import standing
from govcloud.execution.rules import ExecutionRules
from govcloud.model.account import ACCOUNT_ROLES, AccountRole, Acting
from govcloud.model.gate import Answer
from govcloud.model.run import Run
from govcloud.settings import open_workspace
from govcloud.store import account as account_store
from govcloud.workflow import account_changes, accounts
from govcloud.workflow.account_changes import Change
from govcloud.workflow.init import init_workspace
from govcloud.workflow.people import holders
from govcloud.workflow.session import Session, open_session

AT = datetime(2026, 11, 23, tzinfo=UTC)
LOGINS = ("keeper", "zhang", "li", "chen")
ROLES = st.sets(st.sampled_from(ACCOUNT_ROLES), min_size=0, max_size=3).map(
    lambda s: tuple(r for r in ACCOUNT_ROLES if r in s)
)


@cache
def template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="gc-accounts-"))
    init_workspace(folder / "w", "shanxi", actor="seed")
    return folder / "w"


class Accounts(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="gc-accounts-"))
        shutil.copytree(template(), self.folder / "w")
        self.opened = open_session(open_workspace(self.folder / "w"), actor="seed", now=lambda: AT)
        self.session: Session = self.opened.__enter__()
        # login -> (name, roles, system users, enabled): what ought to be there.
        self.model: dict[str, tuple[str, tuple[AccountRole, ...], tuple[str, ...], bool]] = {}
        self.tokens: dict[str, list[str]] = {login: [] for login in LOGINS}
        self.approvals: list[Answer] = []

    def teardown(self) -> None:
        self.opened.__exit__(None, None, None)
        shutil.rmtree(self.folder)

    def attempt(self, deed: Callable[[Session], object]) -> bool:
        try:
            deed(self.session)
        except UsageError:
            return False
        return True

    def sound(self, login: str, name: str, roles: tuple[AccountRole, ...], users: tuple[str, ...]) -> bool:
        if not roles or (len(roles) > 1 and {"administrator", "auditor"} & set(roles)):
            return False
        taken = {word for other, (n, _, u, _) in self.model.items() if other != login for word in (other, n, *u)}
        return not taken & {login, name, *users}

    def somebody_administers(
        self, changed: dict[str, tuple[str, tuple[AccountRole, ...], tuple[str, ...], bool]]
    ) -> bool:
        return any("administrator" in roles and users and on for _, roles, users, on in (self.model | changed).values())

    @rule(
        login=st.sampled_from(LOGINS),
        name=st.sampled_from(["甲", "乙", "丙", "丁"]),
        roles=ROLES,
        user=st.sampled_from(["", "u1", "u2"]),
    )
    def add(self, login: str, name: str, roles: tuple[AccountRole, ...], user: str) -> None:
        users = (user,) if user else ()
        done = self.attempt(
            lambda s: account_changes.add_account(
                s, login, name=name, unit="示例", roles=roles, os_users=users, here="u1"
            )
        )
        if not self.model:
            users = users or ("u1",)
            expected = roles == ("administrator",) and users == ("u1",)
        else:
            expected = login not in self.model and self.sound(login, name, roles, users)
        assert done == expected
        if done:
            self.model[login] = (name, roles, users, True)

    @precondition(lambda self: self.model)
    @rule(login=st.sampled_from(LOGINS), roles=ROLES, user=st.sampled_from(["", "u1", "u2", "u3"]))
    def change(self, login: str, roles: tuple[AccountRole, ...], user: str) -> None:
        users = (user,) if user else ()
        done = self.attempt(lambda s: account_changes.change_account(s, login, Change(roles=roles, os_users=users)))
        known = self.model.get(login)
        made = {login: (known[0], roles, users, known[3])} if known else {}
        assert done == bool(
            known
            and (roles, users) != known[1:3]
            and self.sound(login, known[0], roles, users)
            and self.somebody_administers(made)
        )
        if done:
            self.model |= made

    @precondition(lambda self: self.model)
    @rule(login=st.sampled_from(LOGINS), on=st.booleans())
    def turn(self, login: str, on: bool) -> None:
        deed = account_changes.enable_account if on else account_changes.disable_account
        done = self.attempt(lambda s: deed(s, login))
        known = self.model.get(login)
        made = {login: (*known[:3], on)} if known else {}
        assert done == bool(known and known[3] != on and self.somebody_administers(made))
        if done:
            self.model |= made
            if not on:
                self.tokens[login] = []

    @precondition(lambda self: self.model)
    @rule(login=st.sampled_from(LOGINS))
    def give_token(self, login: str) -> None:
        account = accounts.enabled_account(self.session, login)
        if account is not None:
            acting = Acting(name=account.name, login=login, roles=frozenset(account.roles))
            self.tokens[login].append(account_changes.new_token(self.session.written_for(acting), login, "示例", 9)[1])

    @precondition(lambda self: self.model)
    @rule(login=st.sampled_from(LOGINS), emergency=st.booleans())
    def approve(self, login: str, emergency: bool) -> None:
        """As if it had been given while he could: whether it counts is asked when it is used."""
        if login in self.model:
            self.approvals.append(
                Answer(gate_id="g", actor=self.model[login][0], at=AT, granted=True, emergency=emergency, expires_at=AT + timedelta(hours=1))
            )  # fmt: skip

    @invariant()
    def somebody_can_administer(self) -> None:
        assert not self.model or self.somebody_administers({})

    @invariant()
    def they_are_as_they_ought_to_be_and_the_disabled_do_nothing(self) -> None:
        with self.session.store.read() as tx:
            kept = {a.login: (a.name, a.roles, a.os_users, a.disabled_at is None) for a in account_store.accounts(tx)}
        assert kept == self.model
        for login, tokens in self.tokens.items():
            for token in tokens:
                found = accounts.by_token(self.session, token)
                assert found is not None and found.login == login
        for user in ("u1", "u2", "u3"):
            holder = [login for login, (_, _, users, on) in self.model.items() if user in users and on]
            found = accounts.by_os_user(self.session, user)
            assert [found.login] == holder if found else not holder

    @invariant()
    def nobody_approves_his_own_and_only_those_who_may_still_count(self) -> None:
        with self.session.store.read() as tx:
            kept = holders(tx)
        if kept is None:
            return
        rules = ExecutionRules().with_people(kept)
        may = {name for name, roles, _, on in self.model.values() if on and {"owner", "authority"} & set(roles)}
        # By name, and under the login or system user as which a record from before the accounts may hold him.
        for login, (name, _, users, on) in self.model.items():
            for called in (name, *((login, *users) if on else ())):
                run = Run(run_id="r", scope={}, scope_hash="h", created_at=AT, created_by=called, systems=("S",))
                found = standing(self.approvals, run, rules, AT)
                urgent = {a.actor for a in self.approvals if a.emergency} & may
                plain = {a.actor for a in self.approvals if not a.emergency} & may - {name}
                assert found.emergency == (len(urgent) > 1)
                assert {a.actor for a in found.granted} == (urgent if found.emergency else plain)


Accounts.TestCase.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
TestAccounts = Accounts.TestCase
