"""Accounts on both databases, and what two administrators do at the same moment."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from office import GIVEN_FIRST, OWN
from run_desk import SYSTEM, make_desk

from govcloud.errors import NotAllowed, UsageError
from govcloud.model.account import Acting
from govcloud.store import account as account_store
from govcloud.store import ledger as ledger_store
from govcloud.workflow import account_changes, accounts, run_gates
from govcloud.workflow.account_changes import Change
from govcloud.workflow.run import register_run
from govcloud.workflow.session import Session

_found = spec_from_file_location("store_conftest", Path(__file__).parents[1] / "store" / "conftest.py")
assert _found is not None and _found.loader is not None
_store = module_from_spec(_found)
sys.modules["store_conftest"] = _store
_found.loader.exec_module(_store)
wheel_postgres, debian_postgres, url = _store.wheel_postgres, _store.debian_postgres, _store.url


@pytest.fixture
def session(tmp_path: Path, url: str) -> Iterator[Session]:
    with make_desk(tmp_path / "w", database=url).open("seed") as opened:
        account_changes.add_account(
            opened, "admin", name="管理员甲", unit="示例", roles=("administrator",), os_users=("u1",), here="u1"
        )
        yield opened


def add(session: Session, login: str, **more: Any) -> None:
    account_changes.add_account(session, login, **{"name": f"示例{login}", "unit": "示例", "here": ""} | more)


def as_account(session: Session, login: str) -> Session:
    account = accounts.enabled_account(session, login)
    assert account is not None
    acting = accounts.acting_for(account, ("read", "administer"), "os_user")
    assert acting is not None
    return session.written_for(acting)


def test_from_the_first_account_to_the_last_token(session: Session) -> None:
    add(session, "li", roles=("builder", "owner"))
    for taken in ({"name": "示例LI"}, {"name": "u1"}, {"os_users": ("u1",)}, {"os_users": ("Admin",)}):
        with pytest.raises(UsageError, match="Another account"):
            add(session, "wu", **{"roles": ("owner",), **taken})
    mine = as_account(session, "li")
    account_changes.set_password(as_account(session, "admin"), "li", GIVEN_FIRST)
    assert accounts.authenticate(session, "li", GIVEN_FIRST) is not None
    account_changes.set_password(mine, "li", OWN)
    assert accounts.authenticate(session, "li", GIVEN_FIRST) is None
    token, text = account_changes.new_token(mine, "li", "示例", 1)
    assert accounts.by_token(session, text) == accounts.enabled_account(session, "li")
    with pytest.raises(NotAllowed):
        account_changes.new_token(as_account(session, "admin"), "li", "为他人", 1)
    account_changes.disable_account(session, "li", "调离")
    assert accounts.by_token(session, text) is None and accounts.authenticate(session, "li", OWN) is None
    account_changes.enable_account(session, "li")
    assert accounts.by_token(session, text) is None, "a revoked token does not come back"
    with session.store.read() as tx:
        told = [r.canonical for r in ledger_store.records(tx) if '"kind":"account"' in r.canonical]
        assert account_store.tokens(tx, "li")[0].token_id == token.token_id
    kinds = [
        what for r in told for what in ("add", "password", "token_new", "disable", "enable") if f'"what":"{what}"' in r
    ]
    assert kinds == ["add", "add", "password", "password", "token_new", "disable", "enable"]


def test_a_name_is_corrected_until_somebody_has_acted_under_it(session: Session) -> None:
    add(session, "li", name="示例%李_\"'\\", roles=("builder",))
    add(session, "wu", name="示例吴", roles=("owner",))
    account_changes.change_account(session, "li", Change(name="示例黎"))
    with session.store.begin() as tx:
        ledger_store.append(
            tx, account_changes.LedgerEntry(kind="note", actor="示例黎", at=datetime(2026, 1, 1, tzinfo=UTC))
        )
    with pytest.raises(UsageError, match="the name stays"):
        account_changes.change_account(session, "li", Change(name="示例李"))
    account_changes.change_account(session, "wu", Change(name="示例武"))
    account_changes.change_account(session, "li", Change(unit="另一示例单位"))


def test_two_administrators_cannot_disable_each_other_at_once(session: Session) -> None:
    add(session, "second", roles=("administrator",), os_users=("u2",))
    for _ in range(5):
        outcome: list[str] = []

        def disable(login: str, outcome: list[str] = outcome) -> None:
            try:
                account_changes.disable_account(session, login)
                outcome.append(login)
            except UsageError:
                pass

        threads = [threading.Thread(target=disable, args=(login,)) for login in ("admin", "second")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(outcome) == 1
        account_changes.enable_account(session, outcome[0])


def test_no_number_of_guesses_at_once_is_more_than_allowed(session: Session) -> None:
    add(session, "li", roles=("builder",))
    account_changes.set_password(as_account(session, "admin"), "li", GIVEN_FIRST)
    threads = [threading.Thread(target=accounts.authenticate, args=(session, "li", f"guess {n}")) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with session.store.read() as tx:
        found = account_store.load_account(tx, "li")
    assert found is not None and found.tries == accounts.MAX_TRIES
    assert accounts.authenticate(session, "li", GIVEN_FIRST) is None


def test_who_tries_to_approve_his_own_stands_in_the_ledger_and_nothing_else_does(tmp_path: Path, url: str) -> None:
    desk = make_desk(tmp_path / "w2", database=url)
    with desk.open("seed") as session:
        account_changes.add_account(session, "admin", name="管理员甲", unit="示例", roles=("administrator",), here="u1")
        add(session, "zhang", roles=("builder", "owner"))
        add(session, "worker", name="worker", roles=("builder",))
        mine = as_account(session, "zhang")
        run_id = register_run(mine, [SYSTEM]).run_id
    desk.work(run_id)
    with desk.open("seed") as session:
        mine = as_account(session, "zhang")
        for _ in range(3):
            with pytest.raises(NotAllowed, match="of his own"):
                run_gates.answer_gates(mine, run_id)
        with session.store.read() as tx:
            (record,) = [r.canonical for r in ledger_store.records(tx) if '"kind":"refused"' in r.canonical]
    assert f'"run_id":"{run_id}"' in record and '"actor":"示例zhang"' in record and '"why":"person"' in record


def test_a_stranger_with_a_known_name_is_still_a_stranger(session: Session) -> None:
    """A session that was opened past the door does not make its name an account."""
    add(session, "li", roles=("owner",))
    assert accounts.by_os_user(session, "li") is None
    with pytest.raises(NotAllowed):
        accounts.admit(session.written_for(Acting(name="示例li")), None, "read", "os_user", "page")
    late = session.now() + timedelta(days=1)
    assert accounts.by_token(session, "govcloud_" + str(late)) is None
