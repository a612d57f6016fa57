"""Every page and operation, with every role and none, in a new office and in one at work, against a table written by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from api_office import ADMIN, as_account, bearer, give_token, join
from full_office import make_office
from served import AT, PASSWORD, Served, serving

from govcloud.model.account import ACCOUNT_ROLES, AccountRole
from govcloud.settings import open_workspace
from govcloud.store import ledger as ledger_store
from govcloud.web.app import routes
from govcloud.workflow import account_changes
from govcloud.workflow.accounts import enabled_account
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import Session, open_session
from govcloud.workflow.sign_in import begin

W, B, S, A, F, U, K = "owner", "builder", "supervisor", "authority", "finance", "auditor", "administrator"
READ = {W, B, S, A, F, U}
ALL = READ | {K}
LOOK = ALL
"""Accounts: whoever may look, and the administrator."""

MAY: dict[str, set[str]] = {}
"""`METHOD /path` -> roles that come in."""


def _may(who: set[str], *listed: str) -> None:
    for line in listed:
        method, *paths = line.split()
        for path in paths:
            assert f"{method} {path}" not in MAY
            MAY[f"{method} {path}"] = who


_may(
    ALL,
    "GET / /me /api /api/me /api/openapi.json",
    "POST /sign-out /me/password /me/tokens /me/tokens/{token_id}/revoke",
)
_may(LOOK, "GET /accounts /accounts/{login} /api/accounts /api/accounts/{login} /api/tokens",
     "POST /api/tokens /api/tokens/{token_id}/revoke")  # fmt: skip
_may({K}, "POST /accounts /accounts/{login}/change /accounts/{login}/password /accounts/{login}/disable /accounts/{login}/enable",
     "POST /accounts/{login}/tokens/{token_id}/revoke /api/accounts /api/accounts/{login}/disable /api/accounts/{login}/enable",
     "PATCH /api/accounts/{login}")  # fmt: skip
_may(READ,
     "GET /systems /systems/{system_id} /servers /servers/{server_id} /departments /departments/{name:path} /conflicts",
     "GET /networks /networks/{network_id} /findings /findings/{finding_id} /waivers /catalog /catalog/{code} /requests",
     "GET /plan /plan/graph /plan/load /plan/work /plan/left /plan/verification /plan/waves/{number} /plan/versions",
     "GET /plan/systems/{subject_id} /plan/changes /plan/pins",
     "GET /runs/{run_id}/systems/{system_id}/machines",
     "GET /approvals /runs /runs/{run_id} /runs/{run_id}/live /runs/{run_id}/systems/{system_id} /runs/{run_id}/systems/{system_id}/live",
     "GET /runs/{run_id}/systems/{system_id}/log",
     "GET /takeovers /takeovers/progress /takeovers/history /takeovers/{handover_id} /takeovers/systems/{system_id}",
     "GET /projects /projects/{project_id} /projects/{project_id}/calendar /deadlines /deadlines/calendar",
     "GET /ledger /ledger/{seq} /ledger/verification /ledger/evidence/{sha256} /ledger/evidence/{sha256}/file",
     "GET /api/departments /api/systems /api/systems/{system_id} /api/servers /api/servers/{server_id} /api/networks",
     "GET /api/networks/{network_id} /api/dependencies /api/tenants /api/conflicts /api/projects /api/projects/{project_id}",
     "GET /api/projects/{project_id}/deadlines /api/deadlines /api/clauses /api/offerings /api/offerings/{code}",
     "GET /api/findings /api/findings/{finding_id} /api/waivers /api/plans /api/plans/{plan_id}",
     "GET /api/plans/{plan_id}/violations /api/plans/{plan_id}/changes /api/plans/{plan_id}/systems/{system_id}",
     "GET /api/runs /api/runs/{run_id} /api/runs/{run_id}/systems/{system_id}/attempts",
     "GET /api/runs/{run_id}/systems/{system_id}/logs/{step}",
     "GET /api/takeovers /api/takeovers/{handover_id} /api/takeover-progress",
     "GET /api/ledger/records /api/ledger/verification /api/ledger/evidence/{sha256} /api/ledger/evidence/{sha256}/file",
     "GET /api/papers /api/requests /api/undeclared /api/zombies /api/sizing /api/overlaps /api/confidence /api/network-ledger",
     "GET /api/maintenance /api/snapshots /api/differences /api/plan-pins /api/runs/{run_id}/resources /api/confirmations",
     "GET /api/connections /api/takeovers/{handover_id}/data")  # fmt: skip
_may({W, B, A}, "POST /api/imports /api/snapshots /api/confirmations /api/confirmations/withdrawal")
_may({W, B, S, A, F}, "POST /requests /api/checks /api/requests /api/requests/opinion")
_may({A}, "POST /findings/{finding_id}/waivers /findings/{finding_id}/waivers/{waiver_id}/withdrawal",
     "POST /api/findings/{finding_id}/waivers /api/waivers/{waiver_id}/withdrawal")  # fmt: skip
_may(
    {B},
    "POST /plan/pins /plan/pins/withdraw /plan/again /plan/edits /plan/edits/take",
    "POST /api/plans /api/plans/{plan_id}/edits /api/plan-pins /api/plan-pins/withdrawal",
)
_may({B}, "GET /runs/new",
     "POST /runs /runs/{run_id}/hold /runs/{run_id}/resume /runs/{run_id}/cancel /runs/{run_id}/switch-off",
     "POST /runs/{run_id}/rollback /runs/{run_id}/systems/{system_id}/machines/answer",
     "POST /runs/{run_id}/systems/{system_id}/machines/keys /runs/{run_id}/systems/{system_id}/machines/trust",
     "POST /api/runs /api/runs/{run_id}/hold /api/runs/{run_id}/resume /api/runs/{run_id}/cancel /api/runs/{run_id}/switch-off",
     "POST /api/runs/{run_id}/systems/{system_id}/rollback /api/runs/{run_id}/systems/{system_id}/ticket",
     "POST /api/runs/{run_id}/systems/{system_id}/host-keys")  # fmt: skip
_may(
    {W, A},
    "POST /runs/{run_id}/answer /runs/{run_id}/accept /api/runs/{run_id}/answers /api/runs/{run_id}/accept",
)
_may({W, B, A}, "POST /runs/{run_id}/decide /api/runs/{run_id}/systems/{system_id}/decision")
_may({W, S, A}, "POST /runs/{run_id}/review /api/runs/{run_id}/review")
_may({W, B},
     "POST /takeovers/systems/{system_id}/plan /takeovers/systems/{system_id}/start /takeovers/systems/{system_id}/defer",
     "POST /takeovers/systems/{system_id}/exclude /takeovers/systems/{system_id}/resume /takeovers/{handover_id}/evidence",
     "POST /api/systems/{system_id}/takeover/plan /api/systems/{system_id}/takeover/start /api/systems/{system_id}/takeover/defer",
     "POST /api/systems/{system_id}/takeover/exclude /api/systems/{system_id}/takeover/resume",
     "POST /api/takeovers/{handover_id}/items/{item_id}/paper /api/takeovers/{handover_id}/items/{item_id}/note")  # fmt: skip
_may({B}, "POST /takeovers/{handover_id}/accept /takeovers/{handover_id}/refuse",
     "POST /api/takeovers/{handover_id}/accept /api/takeovers/{handover_id}/refuse")  # fmt: skip
_may({W, B, S, A}, "POST /takeovers/{handover_id}/sign /api/takeovers/{handover_id}/sign")
_may({W, B, A, U}, "POST /ledger/checkpoint /api/ledger/checkpoints")
_may(READ, "GET /plan/files/{form} /papers", "POST /papers /plan/papers /takeovers/{handover_id}/package /ledger/{seq}/proof /ledger/export",
     "GET /api/plans/{plan_id}/files/{form}",
     "POST /api/ledger/records/{record}/proof /api/ledger/bundles /api/takeovers/{handover_id}/package /api/papers")  # fmt: skip

OPEN = {"GET /sign-in", "POST /sign-in", "GET /sign-in/oidc", "GET /sign-in/oidc/back", "GET /local", "POST /language"}
OWN_PASSWORD = {"GET /me", "POST /me/password", "POST /sign-out"}
"""What somebody may do whose password an administrator has set."""
STATES = ("new", "at_work")


@dataclass(frozen=True, slots=True)
class Guarded:
    served: Served
    tokens: dict[str, str]
    values: dict[str, str]
    """Parameter of a path -> something that is there, where the office has it."""

    def client(self, token: str | None = None) -> httpx.Client:
        return httpx.Client(base_url=self.served.address, headers=bearer(token) if token else {}, timeout=60)

    def ask(self, client: httpx.Client, operation: str) -> httpx.Response:
        method, path = operation.split()
        with client.stream(method, re.sub(r"{(\w+)(:\w+)?}", lambda m: self.values.get(m[1], "1"), path)) as answer:
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                answer.read()
            return answer

    def kinds(self) -> list[str]:
        with self.served.session.store.read() as tx:
            return [json.loads(record.canonical)["kind"] for record in ledger_store.iterate(tx)]


@contextmanager
def _new(folder: Path) -> Iterator[tuple[Session, dict[str, str]]]:
    init_workspace(folder, "shanxi", actor="张示例")
    with open_session(open_workspace(folder), actor="张示例", now=lambda: AT) as session:
        yield session, {}


@contextmanager
def _at_work(folder: Path) -> Iterator[tuple[Session, dict[str, str]]]:
    with make_office(folder) as office:
        values = {"run_id": office.run_id, "handover_id": office.handover_id, "system_id": office.system_id,
                  "subject_id": office.system_id, "step": "freeze", "login": "owner"}  # fmt: skip
        yield office.session, values


@pytest.fixture(scope="module", params=STATES)
def guarded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("roles") / "w"
    with (_new if request.param == "new" else _at_work)(folder) as (session, values):
        if enabled_account(session, ADMIN) is None:
            join(session, ADMIN, "administrator")
        for role in ACCOUNT_ROLES:
            if role != "administrator" and enabled_account(session, role) is None:
                join(session, role, role)
        tokens = {role: give_token(session, ADMIN if role == K else role) for role in ACCOUNT_ROLES}
        with serving(session) as served:
            yield Guarded(served, tokens, values)


def _operations() -> set[str]:
    return {f"{m} {r.path}" for r in routes() for m in r.methods - {"HEAD"}}


def _listed() -> list[str]:
    return sorted(MAY.keys() & _operations())


def test_the_table_names_every_operation() -> None:
    assert _operations() == MAY.keys() | OPEN


@pytest.mark.parametrize("role", ACCOUNT_ROLES)
def test_a_role_is_kept_from_all_that_is_not_its_own(guarded: Guarded, role: AccountRole) -> None:
    before = guarded.kinds()
    with guarded.client(guarded.tokens[role]) as client:
        answers = {o: guarded.ask(client, o) for o in _listed() if role not in MAY[o]}
    assert {o: a.status_code for o, a in answers.items()} == dict.fromkeys(answers, 403)
    assert not any("示例交通厅" in a.text for a in answers.values())
    assert set(guarded.kinds()[len(before) :]) <= {"refused"}


@pytest.mark.parametrize("role", ACCOUNT_ROLES)
def test_a_role_comes_in_wherever_it_may(guarded: Guarded, role: AccountRole) -> None:
    with guarded.client(guarded.tokens[role]) as client:
        answers = {o: guarded.ask(client, o) for o in _listed() if role in MAY[o]}
    assert {o: (a.status_code, a.text[-300:]) for o, a in answers.items() if a.status_code in (401, 403, 500)} == {}
    assert {o for o, a in answers.items() if a.headers.get("location") == "/sign-in"} <= {"POST /sign-out"}


def _nobody(_: Session) -> httpx.Headers:
    return httpx.Headers()


def _unknown(_: Session) -> httpx.Headers:
    return httpx.Headers(bearer("govcloud_" + "x" * 43))


def _revoked(session: Session) -> httpx.Headers:
    by = as_account(session, "owner")
    token, text = account_changes.new_token(by, "owner", "示例", 1)
    account_changes.revoke_token(by, token.token_id)
    return httpx.Headers(bearer(text))


def _expired(session: Session) -> httpx.Headers:
    by = as_account(session, "owner")
    earlier = session.now() - timedelta(days=2)
    return httpx.Headers(bearer(account_changes.new_token(replace(by, now=lambda: earlier), "owner", "示例", 1)[1]))


def _disabled(session: Session) -> httpx.Headers:
    join(session, "gone", "owner")
    text = give_token(session, "gone")
    account_changes.disable_account(as_account(session, ADMIN), "gone")
    return httpx.Headers(bearer(text))


def _other_cookie(_: Session) -> httpx.Headers:
    return httpx.Headers({"Cookie": "govcloud=" + "x" * 43})


@pytest.mark.parametrize(
    "who", [_nobody, _unknown, _revoked, _expired, _disabled, _other_cookie], ids=lambda w: w.__name__[1:]
)
def test_who_is_not_known_comes_in_nowhere(guarded: Guarded, who: object) -> None:
    assert callable(who)
    headers = who(guarded.served.session)
    before = guarded.kinds()
    with httpx.Client(base_url=guarded.served.address, headers=headers, timeout=60) as client:
        found = {
            o: (a := guarded.ask(client, o)).status_code * (a.headers.get("location") in (None, "/sign-in"))
            for o in _listed()
        }
    assert found == {o: 401 if " /api" in o else 303 for o in found}
    assert set(guarded.kinds()[len(before) :]) <= {"refused"}


def test_a_password_that_another_has_set_is_good_for_setting_ones_own_only(guarded: Guarded) -> None:
    session = guarded.served.session
    if enabled_account(session, "fresh") is None:
        join(session, "fresh", "builder")
        account_changes.set_password(as_account(session, ADMIN), "fresh", PASSWORD)
    begun = begin(session, enabled_account(session, "fresh"))
    with httpx.Client(
        base_url=guarded.served.address, headers={"x-csrf-token": begun.session.csrf}, timeout=60
    ) as client:
        client.cookies.set("govcloud", begun.cookie)
        for operation in [o for o in _listed() if o not in OWN_PASSWORD]:
            answer = guarded.ask(client, operation)
            led = answer.status_code == 303 and answer.headers["location"] == "/me"
            assert led or answer.status_code == 403, operation
        assert guarded.ask(client, "GET /me").status_code == 200
