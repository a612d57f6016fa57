"""Every role, alone and with others, at every state of a run that matters, against a model that is written out here by hand.

Without it an auditor could write, a starter approve himself, or somebody go on deciding after he has left.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import get_args

import click
import pytest
from office import ADMIN, Office
from run_desk import SYSTEM, Desk, make_desk

from govcloud.cli._door import os_user
from govcloud.cli.main import cli
from govcloud.errors import NotAllowed, UsageError
from govcloud.execution.gates import standing
from govcloud.model.account import ACCOUNT_ROLES, AccountRole, Acting, Action, allowed
from govcloud.settings import open_workspace
from govcloud.store import attempt as attempt_store
from govcloud.store import gate as gate_store
from govcloud.store import ledger as ledger_store
from govcloud.workflow import account_changes, accounts, run_gates, run_orders
from govcloud.workflow.account_changes import Change
from govcloud.workflow.people import holders
from govcloud.workflow.run_status import run_overview
from govcloud.workflow.session import Session, open_session

RIGHTS: dict[str, str] = {
    "owner": "read collect check approve review give_papers sign checkpoint export",
    "builder": "read collect check plan operate give_papers receive_papers change_access sign checkpoint export",
    "supervisor": "read check review sign export",
    "authority": "read collect check waive approve review sign checkpoint export",
    "finance": "read check export",
    "auditor": "read checkpoint export",
    "administrator": "administer",
}
WRITES = {
    "collect", "check", "waive", "plan", "operate", "approve", "review", "give_papers", "receive_papers", "change_access",
    "sign", "administer",
}  # fmt: skip


def model(roles: tuple[AccountRole, ...], action: str) -> bool:
    return any(action in RIGHTS[role].split() for role in roles)


def test_any_mix_of_roles_may_what_one_of_them_may_and_nothing_else() -> None:
    assert set(RIGHTS) == set(ACCOUNT_ROLES)
    for number in range(len(ACCOUNT_ROLES) + 1):
        for roles in itertools.combinations(ACCOUNT_ROLES, number):
            for action in get_args(Action):
                assert allowed(roles, action) == model(roles, action), (roles, action)
                acting = Acting(name="x", roles=frozenset(roles))
                assert acting.may(action) == model(roles, action)
    assert not any(model(("auditor",), action) for action in WRITES), "who audits changes nothing"
    assert not any(model(("administrator",), action) for action in get_args(Action) if action != "administer")
    assert not allowed(ACCOUNT_ROLES, "something new"), "deny by default"  # type: ignore[arg-type]


def test_the_door_lets_in_by_the_table_and_records_who_was_turned_away(office: Office) -> None:
    office.found()
    people: dict[str, tuple[AccountRole, ...]] = {
        **{role: (role,) for role in ACCOUNT_ROLES if role != "administrator"}, "two": ("finance", "supervisor"),
    }  # fmt: skip
    for login, roles in people.items():
        office.join(login, *roles)
    people[ADMIN] = ("administrator",)
    with office.session() as session:
        for action, (login, roles) in itertools.product(get_args(Action), people.items()):
            office.later(1)  # a refusal like the one before is recorded once in ten minutes
            before = len(office.records("refused"))
            account = accounts.enabled_account(session, login)
            try:
                acting = accounts.admit(session, account, action, "token", f"{action} by {login}")
            except NotAllowed as error:
                assert not model(roles, action), (login, action)
                assert all(word in error.message("en") for word in (action, "accounts change"))
                assert len(office.records("refused")) == before + 1
            else:
                assert model((acting.role,), action) and acting.role in roles  # type: ignore[arg-type]
                assert (acting.login, acting.unit, acting.identity) == (login, office.account(login).unit, "token")
                assert len(office.records("refused")) == before


PEOPLE: dict[str, tuple[AccountRole, ...]] = {
    "zhang": ("owner", "builder"), "both": ("owner", "builder"), "li": ("owner", "authority"), "chen": ("authority",),
    **{f"only-{role}": (role,) for role in ACCOUNT_ROLES}, "gone": ("owner", "builder", "authority"),
}  # fmt: skip
"""zhang has started the run, li and chen have declared its emergency; gone is disabled."""


def keep_accounts(desk: Desk, people: dict[str, tuple[AccountRole, ...]], *gone: str) -> None:
    with desk.open(os_user()) as session:
        account_changes.add_account(
            session, "keeper", name="管理员甲", unit="示例单位", roles=("administrator",), here=os_user()
        )
        for login, roles in people.items():
            account_changes.add_account(session, login, name=f"示例{login}", unit="示例单位", roles=roles, here="")
        for login in gone:
            account_changes.disable_account(session, login)


def at_gate(desk: Desk) -> str:
    return desk.start()


def passed_in_an_emergency(desk: Desk) -> str:
    run_id = desk.start()
    say(desk, "li", lambda s: run_gates.answer_gates(s, run_id))
    desk.work(run_id)
    for person in ("li", "chen"):
        say(desk, person, lambda s: run_gates.answer_gates(s, run_id, emergency=True, reason="示例"))
    desk.work(run_id)
    return run_id


def ended(desk: Desk) -> str:
    run_id = desk.start()
    say(desk, "li", lambda s: run_gates.answer_gates(s, run_id, granted=False))
    return run_id


def in_question(desk: Desk) -> str:
    """A step failed that must not be repeated by itself: its repetition is an approval."""
    answers = {"apply": "unknown", "verify": "failed"}
    desk.results = lambda _system, step, phase, _number: answers.get(phase, "ok") if step == "cutover" else "ok"
    return passed_in_an_emergency(desk)


def say(desk: Desk, person: str, deed: Callable[[Session], object]) -> None:
    with desk.open(person) as session:
        deed(session)


VERBS: dict[str, Callable[[Session, str], object]] = {
    "run approve": lambda s, r: run_gates.answer_gates(s, r),
    "run approve --refuse": lambda s, r: run_gates.answer_gates(s, r, granted=False),
    "run approve --emergency": lambda s, r: run_gates.answer_gates(s, r, emergency=True, reason="示例"),
    "run hold": lambda s, r: run_orders.hold(s, r),
    "run resume": lambda s, r: run_orders.resume(s, r),
    "run accept": lambda s, r: run_orders.accept(s, r),
    "run review": lambda s, r: run_orders.review(s, r, reason="属实"),
    "run rollback": lambda s, r: run_orders.roll_back(s, r, SYSTEM),
    "run decide rerun": lambda s, r: run_orders.decide(s, r, SYSTEM, "cutover", "rerun"),
    "run decide done": lambda s, r: run_orders.decide(s, r, SYSTEM, "cutover", "done"),
}
APPROVERS, OPERATORS = (
    {"zhang", "both", "li", "chen", "only-owner", "only-authority"},
    {"zhang", "both", "only-builder"},
)
EXPECTED: dict[str, dict[str, set[str]]] = {
    "at_gate": {
        "run approve": APPROVERS - {"zhang"}, "run approve --refuse": APPROVERS, "run approve --emergency": APPROVERS,
        "run hold": OPERATORS,
    },
    "passed_in_an_emergency": {
        "run accept": APPROVERS, "run rollback": OPERATORS,
        "run review": {"both", "only-owner", "only-authority", "only-supervisor"},
    },
    "ended": {},
    "in_question": {
        "run decide rerun": APPROVERS - {"zhang"}, "run decide done": OPERATORS, "run hold": OPERATORS,
        "run review": {"both", "only-owner", "only-authority", "only-supervisor"}, "run rollback": OPERATORS,
    },
}  # fmt: skip
"""State -> verb -> who gets through. Whoever is not named, and every verb that is not, comes to nothing and leaves no trace
but the record of the refusal. `run resume` is left out where it has no effect."""


def action_of(verb: str) -> tuple[Action, ...]:
    found: click.Command | None = cli
    context = click.Context(cli)
    for word in verb.partition(" --")[0].split()[:2]:
        assert isinstance(found, click.Group)
        found = found.get_command(context, word)
    if "decide" in verb:
        return ("operate", "approve")
    return (found.action,)  # type: ignore[union-attr]


@contextmanager
def through_the_door(desk: Desk, login: str | None, verb: str) -> Iterator[Session]:
    def admit(session: Session) -> Acting:
        account = accounts.enabled_account(session, login) if login else None
        return accounts.admit(session, account, action_of(verb), "token", verb)

    with open_session(open_workspace(desk.place.path), actor=os_user(), admit=admit, now=desk._clock) as session:
        yield session


def trace(desk: Desk, run_id: str) -> object:
    """All that a deed could have changed."""
    with desk.open() as session, session.store.read() as tx:
        size = sum('"kind":"refused"' not in r.canonical for r in ledger_store.records(tx))
        return size, gate_store.answers(tx, run_id), gate_store.orders(tx, run_id), attempt_store.attempts(tx, run_id)


@pytest.mark.parametrize("state", [at_gate, passed_in_an_emergency, ended, in_question], ids=lambda s: s.__name__)
def test_who_gets_through_with_what(tmp_path: Path, state: Callable[[Desk], str]) -> None:
    ready = make_desk(tmp_path / "ready")
    run_id = state(ready)
    keep_accounts(ready, PEOPLE, "gone")
    desk = replace(ready, place=replace(ready.place, path=tmp_path / "w"))
    spoiled = True
    for verb, person in itertools.product(VERBS, (*PEOPLE, None)):
        if spoiled:
            shutil.rmtree(desk.place.path, ignore_errors=True)
            shutil.copytree(ready.place.path, desk.place.path)
            before = trace(desk, run_id)
        try:
            with through_the_door(desk, person, verb) as session:
                spoiled = bool(VERBS[verb](session, run_id))
        except UsageError:
            spoiled = False
        assert spoiled == (person in EXPECTED[state.__name__].get(verb, set())), (verb, person)
        assert spoiled or trace(desk, run_id) == before, (verb, person)


def test_who_has_left_or_lost_his_role_has_lost_the_word_that_was_not_used(tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "w")
    run_id = desk.start()
    keep_accounts(desk, {"worker": ("builder",), "li": ("owner",), "chen": ("authority",), "wu": ("owner",)})

    def change(deed: Callable[[Session], object]) -> None:
        say(desk, os_user(), deed)

    def approve(login: str, **more: object) -> None:
        with through_the_door(desk, login, "run approve") as session:
            run_gates.answer_gates(session, run_id, **more)  # type: ignore[arg-type]

    approve("li")
    change(lambda s: account_changes.disable_account(s, "li"))
    desk.work(run_id)
    assert desk.state(run_id) == ("waiting", "approval") and not any("prepare" in d for d in desk.did)
    approve("chen")
    change(lambda s: account_changes.change_account(s, "chen", Change(roles=("finance",))))
    desk.work(run_id)
    assert desk.state(run_id) == ("waiting", "approval")
    approve("wu")
    desk.work(run_id)
    assert any("prepare" in d for d in desk.did), "the word of one who stays is enough"
    change(lambda s: account_changes.enable_account(s, "li"))
    change(lambda s: account_changes.change_account(s, "chen", Change(roles=("authority",))))
    for login in ("li", "chen"):
        approve(login, emergency=True, reason="示例")
    change(lambda s: account_changes.disable_account(s, "chen"))
    with desk.open() as session, session.store.read() as tx:
        gate = gate_store.gates(tx, run_id)[-1]
        journal = run_overview(session, run_id)
        kept = run_gates.StoreJournal(session, "").rules.with_people(holders(tx))
        found = standing(gate_store.answers(tx, run_id)[gate.gate_id], journal.run, kept, desk.now)
    assert not found.emergency and not found.granted, "an emergency takes two who are still there"
    assert not journal.self_declared


def test_a_worker_whose_account_was_disabled_begins_nothing_more(tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "w")
    run_id = desk.start()
    keep_accounts(desk, {"worker": ("builder",), "li": ("owner",)})
    with through_the_door(desk, "li", "run approve") as session:
        run_gates.answer_gates(session, run_id)
    done = list(desk.did)
    say(desk, os_user(), lambda s: account_changes.disable_account(s, "worker"))
    with pytest.raises((UsageError, AssertionError)):
        desk.work(run_id)
    assert desk.did == done
    say(desk, os_user(), lambda s: account_changes.enable_account(s, "worker"))
    desk.work(run_id)
    assert len(desk.did) > len(done)


def test_settings_name_fewer_approvers_but_never_more(tmp_path: Path) -> None:
    people = [{"name": "示例only-builder", "roles": ["owner"]}]
    desk = make_desk(tmp_path / "w", people=people, approver_roles=["authority", "builder"])
    with desk.open("示例only-builder") as session:
        assert session.workspace.settings.execution["people"]
    keep_accounts(
        desk, {"zhang": ("builder",), "only-owner": ("owner",), "only-builder": ("builder",), "chen": ("authority",)}
    )
    with through_the_door(desk, "zhang", "run start") as session:
        from govcloud.workflow.run import register_run

        run_id = register_run(session, [SYSTEM]).run_id
    say(
        desk,
        os_user(),
        lambda s: account_changes.add_account(s, "worker", name="worker", unit="示例", roles=("builder",), here=""),
    )
    desk.work(run_id)
    with pytest.raises(NotAllowed), through_the_door(desk, "only-builder", "run approve"):
        pass
    with pytest.raises(UsageError, match="authority"), through_the_door(desk, "only-owner", "run approve") as session:
        run_gates.answer_gates(session, run_id)
    with through_the_door(desk, "chen", "run approve") as session:
        (made,) = run_gates.answer_gates(session, run_id)
    assert (made.answer.actor, made.answer.unit, made.answer.role) == ("示例chen", "示例单位", "authority")


def test_where_the_settings_name_roles_that_no_account_has_nobody_approves(tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "w", approver_roles=["change_manager"])
    run_id = desk.start()
    keep_accounts(desk, PEOPLE, "gone")
    for person in PEOPLE:
        with pytest.raises(UsageError), through_the_door(desk, person, "run approve") as session:
            run_gates.answer_gates(session, run_id)
