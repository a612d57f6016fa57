"""A workspace as an office keeps it; each of its people types commands with a token of his own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from govcloud.cli._door import os_user
from govcloud.cli.main import run
from govcloud.model.account import Account, AccountRole
from govcloud.settings import open_workspace
from govcloud.store import account as account_store
from govcloud.store import ledger as ledger_store
from govcloud.workflow import account_changes, accounts
from govcloud.workflow.session import Session, open_session

ADMIN = "admin"
GIVEN_FIRST = "correct horse battery staple"
OWN = "一二三四五六七八九十甲乙丙"


@dataclass
class Office:
    path: Path
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    tokens: dict[str, Path] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def init(self) -> Office:
        assert run(["init", str(self.path), "--site", "shanxi"]) == 0
        return self

    def say(
        self, *words: str, user: str | None = None, lang: str = "en", output: str = "table", **env: str
    ) -> tuple[int, str, str]:
        """As typed by whoever runs the tests; `env`: TOKEN=…, PASSWORD_FILE=…."""
        self.capsys.readouterr()
        named = ["--user", user] if user else []
        with self.monkeypatch.context() as patch:
            for name, value in env.items():
                patch.setenv(f"GOVCLOUD_{name}", value)
            code = run(["-w", str(self.path), "--lang", lang, "--format", output, *named, *words])
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def by(self, login: str, *words: str, **more: Any) -> tuple[int, str, str]:
        """As typed by one of the people."""
        return self.say(*words, TOKEN_FILE=str(self.tokens[login]), **more)

    def ask(self, login: str, *words: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.by(login, *words, output="json")[1])
        return found

    def found(self) -> None:
        """The first account: from now on nobody acts without one."""
        assert (
            self.say(
                "accounts", "add", ADMIN, "--name", "管理员甲", "--unit", "示例信息中心", "--role", "administrator"
            )[0]
            == 0
        )

    def join(self, login: str, *roles: AccountRole, name: str | None = None) -> Account:
        """A new account with a token of its own."""
        with self.session(ADMIN) as session:
            made = account_changes.add_account(
                session, login, name=name or f"示例{login}", unit=f"示例单位{login}", roles=roles, here=os_user()
            )
        self.give_token(login)
        return made

    def give_token(self, login: str) -> str:
        with self.session(login) as session:
            token, text = account_changes.new_token(session, login, "示例", 30)
        file = self.folder / f"{login}.token"
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(text + "\n")
        self.tokens[login] = file
        return token.token_id

    @contextmanager
    def session(self, login: str | None = None) -> Iterator[Session]:
        """In the name of an account, past the door; None: of the operating-system user, before it."""

        def as_account(session: Session) -> Any:
            account = accounts.enabled_account(session, login or "")
            assert account is not None
            acting = accounts.acting_for(account, ("read", "administer"), "os_user")
            assert acting is not None
            return acting

        with open_session(
            open_workspace(self.path), actor=os_user(), admit=as_account if login else None, now=lambda: self.now
        ) as session:
            yield session

    def password(self, text: str, name: str = "password") -> str:
        file = self.folder / name
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(text + "\n")
        return str(file)

    def account(self, login: str) -> Account:
        with self.session() as session, session.store.read() as tx:
            found = account_store.load_account(tx, login)
        assert found is not None
        return found

    def records(self, kind: str | None = None) -> list[dict[str, Any]]:
        with self.session() as session, session.store.read() as tx:
            told = [json.loads(record.canonical) for record in ledger_store.records(tx)]
        return [t for t in told if kind in (None, t["kind"])]

    def later(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)


__all__ = ["ADMIN", "GIVEN_FIRST", "OWN", "Office"]
