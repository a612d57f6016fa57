"""Other platforms ask and act through /api: the same operations as the commands, in the name of the token's account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import httpx
import pytest
from api_office import ApiOffice, api_office, bearer, give_token, join
from openpyxl import load_workbook
from served import serving

from govcloud import resources
from govcloud.model.account import ACTIONS
from govcloud.store import ledger as ledger_store
from govcloud.web.limits import Limiter
from govcloud.workflow.accounts import enabled_account
from govcloud.workflow.check import open_findings
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.sign_in import begin
from govcloud.workflow.takeover import checklist_of


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiOffice]:
    with api_office(tmp_path_factory.mktemp("api") / "w") as made:
        yield made


def ask(office: ApiOffice, login: str, path: str, **params: Any) -> Any:
    with office.by(login) as client:
        answer = client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def say(office: ApiOffice, login: str, path: str, body: dict[str, Any], status: int = 200, method: str = "POST") -> Any:
    with office.by(login) as client:
        answer = client.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def last_record(office: ApiOffice) -> dict[str, Any]:
    with office.served.session.store.read() as tx:
        record = next(iter(ledger_store.iterate(tx, newest_first=True)))
    found: dict[str, Any] = json.loads(record.canonical)
    return found


def test_a_list_comes_in_parts_that_make_the_whole(office: ApiOffice) -> None:
    inventory = read_inventory(office.served.session)
    for noun, wanted in (("systems", inventory.systems), ("servers", inventory.servers), ("projects", inventory.projects),
                         ("networks", inventory.networks), ("dependencies", inventory.dependencies)):  # fmt: skip
        key = noun.replace("ies", "y").rstrip("s") + "_id"
        got: list[str] = []
        while True:
            page = ask(office, "auditor", f"/api/{noun}", limit=7, offset=len(got))
            assert page["total"] == len(wanted) > 0
            got += [item[key] for item in page["items"]]
            if len(page["items"]) < 7:
                break
        assert got == [getattr(item, key) for item in wanted]


def test_parts_are_right_with_a_department_too(office: ApiOffice) -> None:
    departments = {s.department for s in read_inventory(office.served.session).systems if s.department}
    for department in sorted(departments):
        for noun in ("systems", "dependencies", "conflicts"):
            whole = ask(office, "auditor", f"/api/{noun}", limit=1000, department=department)
            assert len(whole["items"]) == whole["total"]
            some = ask(office, "auditor", f"/api/{noun}", limit=1, offset=1, department=department)
            assert some["items"] == whole["items"][1:2]
            assert some["total"] == whole["total"]


def test_a_system_comes_with_the_source_of_each_value(office: ApiOffice) -> None:
    (system, *_) = read_inventory(office.served.session).systems
    found = ask(office, "owner", f"/api/systems/{system.system_id}")
    assert found["entity"]["name"] == system.name
    (name,) = [f for f in found["fields"] if f["field"] == "name"]
    assert name["witness"]["source"] == "workbook"
    assert name["witness"]["locator"]


def test_a_finding_is_waived_and_the_waiver_withdrawn_in_the_name_of_the_account(office: ApiOffice) -> None:
    finding = next(f for f in open_findings(office.served.session) if f.verdict == "fail" and f.standing == "binding")
    order = {
        "reason": "示例理由", "role": "authority", "approver": "李示例", "document": "示例文件",
        "approved_on": "2026-11-20", "valid_until": "2027-03-01",
    }  # fmt: skip
    waiver = say(office, "authority", f"/api/findings/{finding.finding_id}/waivers", order)
    assert waiver["finding_id"] == finding.finding_id
    told = last_record(office)
    assert (told["kind"], told["actor"], told["unit"], told["role"], told["identity"]) == (
        "waiver", "示例authority", "示例单位authority", "authority", "token",
    )  # fmt: skip
    assert [w["waiver_id"] for w in ask(office, "auditor", "/api/waivers")["items"]] == [waiver["waiver_id"]]
    assert ask(office, "auditor", f"/api/findings/{finding.finding_id}")["finding"]["waived"] is True

    again = say(office, "authority", f"/api/findings/{finding.finding_id}/waivers", order, status=409)
    assert again["code"] == 2
    say(office, "authority", f"/api/waivers/{waiver['waiver_id']}/withdrawal", {"reason": "示例"})
    assert ask(office, "auditor", "/api/waivers")["items"] == []


def test_a_check_ordered_by_another_platform_is_one_of_the_commands(office: ApiOffice) -> None:
    found = say(office, "finance", "/api/checks", {})
    assert found["tracked"] is True
    assert found["findings"] >= ask(office, "finance", "/api/findings")["total"] > 0
    assert last_record(office)["kind"] == "check"


def test_a_plan_is_made_read_verified_and_explained(office: ApiOffice) -> None:
    assert say(office, "builder", "/api/runs", {"wave": 1}, status=409)["code"] == 2
    plan = say(office, "builder", "/api/plans", {"limit_s": 2, "starts_on": "2026-12-01"})
    assert ask(office, "owner", "/api/plans/latest")["plan_hash"] == plan["plan_hash"]
    assert ask(office, "owner", f"/api/plans/{plan['plan_id']}/violations")["violations"] == []
    move = plan["waves"][0]["moves"][0]
    why = ask(office, "owner", f"/api/plans/{plan['plan_id']}/systems/{move['system_id']}")
    assert why["move"] == move
    assert why["text"]["zh"] != why["text"]["en"]


def test_a_takeover_is_planned_and_what_keeps_it_from_being_signed_is_said(office: ApiOffice) -> None:
    (system, *_) = read_inventory(office.served.session).systems
    path = f"/api/systems/{system.system_id}/takeover"
    plan = {"level": "register", "builder": "示例建设单位", "until": "2027-03-01"}
    made = say(office, "owner", f"{path}/plan", plan)
    assert (made["code"], made["status"]) == (0, "planned")
    begun = say(office, "owner", f"{path}/start", {})
    handover_id = begun["handover"]["handover_id"]
    refused = say(office, "owner", f"/api/takeovers/{handover_id}/sign", {"role": "owner"})
    assert refused["code"] == 1
    assert refused["obstacles"]
    assert refused["handover"]["sign_offs"] == []
    listed = ask(office, "auditor", "/api/takeovers", state=begun["status"])["items"]
    assert [t["system_id"] for t in listed] == [system.system_id]


def test_a_paper_is_handed_over_and_accepted_by_somebody_else(office: ApiOffice) -> None:
    system = read_inventory(office.served.session).systems[1]
    path = f"/api/systems/{system.system_id}/takeover"
    started = say(office, "owner", f"{path}/start", {"level": "register", "builder": "示例建设单位"})
    handover_id = started["handover"]["handover_id"]
    groups = checklist_of(office.served.session).groups
    item = next(i.item_id for group in groups for i in group.items if i.source == "file" and i.item_id != "accounts")
    items = f"/api/takeovers/{handover_id}/items"
    with office.by("owner") as client:
        given = client.post(f"{items}/{item}/paper", files={"file": ("../../示例.txt", b"\xe7\xa4\xba\xe4\xbe\x8b")})
    assert given.status_code == 200, given.text
    assert given.json()["handover"]["evidence"][0]["file_name"] == "示例.txt"
    accepted = say(office, "builder", f"/api/takeovers/{handover_id}/accept", {"items": [item]})
    assert accepted["standings"][item]["state"] == "accepted"
    back = say(office, "builder", f"/api/takeovers/{handover_id}/refuse", {"items": [item], "reason": "示例：缺页"})
    assert back["standings"][item]["state"] == "refused"


def test_a_newer_workbook_of_the_same_name_replaces_what_the_older_said(office: ApiOffice) -> None:
    book = (resources.folder("inventory") / "sample" / "workbooks" / "业务专网与网络调查表.xlsx").read_bytes()
    states = []
    with office.by("builder") as client:
        for text in ("示例甲", "示例甲", "示例乙"):
            sent = client.post("/api/imports", files={"file": ("示例上报.xlsx", _with(book, text))})
            states.append(sent.json()["state"])
        bad = client.post("/api/imports", files={"file": ("示例.xlsx", b"no workbook")})
    assert states == ["new", "unchanged", "newer"]
    known = {network.name for network in read_inventory(office.served.session).networks}
    assert "示例乙" in known
    assert "示例甲" not in known
    assert bad.status_code == 422
    assert bad.json()["code"] == 3
    assert str(office.served.session.workspace.path) not in bad.text


def _with(book: bytes, text: str) -> bytes:
    found = load_workbook(BytesIO(book))
    sheet = found.worksheets[0]
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            if cell.value == "民政业务专网":
                cell.value = text
    out = BytesIO()
    found.save(out)
    return out.getvalue()


def test_the_ledger_can_be_read_verified_signed_and_proved(office: ApiOffice) -> None:
    signed = say(office, "auditor", "/api/ledger/checkpoints", {})
    verified = ask(office, "auditor", "/api/ledger/verification")
    assert (verified["code"], verified["problems"], verified["signed"]) == (0, [], signed["size"])
    newest = ask(office, "auditor", "/api/ledger/records", limit=1)
    assert newest["earlier"] is True
    (record,) = newest["items"]
    proof = say(office, "auditor", f"/api/ledger/records/{record['leaf_hash']}/proof", {})
    assert proof["seq"] == record["seq"]
    assert record["actor"] in proof["text"]


def test_a_problem_says_what_where_and_what_next_in_both_languages(office: ApiOffice) -> None:
    with office.by("auditor") as client:
        missing = client.get("/api/plans/nothing-of-the-kind")
        unknown = client.get("/api/systems/nothing-of-the-kind")
        invalid = client.get("/api/systems", params={"limit": 0})
        denied = client.post("/api/checks", json={})
        no_route = client.get("/api/nothing")
    assert missing.status_code == 404
    assert missing.json()["code"] == 2
    assert set(missing.json()["next"]) == {"zh", "en"}
    assert [a.status_code for a in (unknown, invalid, denied, no_route)] == [404, 422, 403, 404]
    for answer in (unknown, invalid, denied, no_route):
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json()) == {"status", "title", "detail", "code", "error", "where", "next"}
        assert answer.json()["status"] == answer.status_code
    assert "limit" in invalid.json()["error"]["en"]


def test_a_field_that_is_not_known_is_refused_rather_than_left_out(office: ApiOffice) -> None:
    say(office, "builder", "/api/checks", {"as_off": "2026-01-01"}, status=422)
    say(office, "builder", "/api/checks", {"as_of": 20260101}, status=422)


def test_no_answer_holds_a_hash_or_a_token(office: ApiOffice) -> None:
    with office.by("administrator") as client:
        said = (
            client.get("/api/accounts").text + client.get("/api/tokens").text + client.get("/api/accounts/owner").text
        )
    assert "argon2" not in said
    assert "sha256" not in said
    assert not any(token in said for token in office.tokens.values())


def test_an_administrator_keeps_the_accounts(office: ApiOffice) -> None:
    made = say(
        office, "administrator", "/api/accounts",
        {"login": "second", "name": "示例二", "unit": "示例单位", "roles": ["owner"]},
    )  # fmt: skip
    assert made["roles"] == ["owner"]
    changed = say(office, "administrator", "/api/accounts/second", {"unit": "示例新单位"}, method="PATCH")
    assert changed["unit"] == "示例新单位"
    token = give_token(office.served.session, "second")
    with httpx.Client(base_url=office.served.address, headers=bearer(token), timeout=60) as second:
        assert second.get("/api/me").json()["actions"] == [a for a, roles in ACTIONS.items() if "owner" in roles]
        say(office, "administrator", "/api/accounts/second/disable", {"reason": "示例"})
        assert second.get("/api/me").status_code == 401
        say(office, "administrator", "/api/accounts/second/enable", {})
        assert second.get("/api/me").status_code == 401, "revoked for good"


def test_a_token_makes_no_other_way_in(office: ApiOffice) -> None:
    """A stolen token ends when it is revoked."""
    said = say(office, "owner", "/api/tokens", {"label": "示例"}, status=403)
    assert said["code"] == 2


def test_a_token_ends_at_its_time_and_when_it_is_revoked(office: ApiOffice) -> None:
    session = office.served.session
    join(session, "third", "owner")
    token = give_token(session, "third")
    with httpx.Client(base_url=office.served.address, headers=bearer(token), timeout=60) as client:
        (listed,) = client.get("/api/tokens").json()["items"]
        assert client.post(f"/api/tokens/{listed['token_id']}/revoke").json()["revoked_at"]
        ended = client.get("/api/systems")
    assert ended.status_code == 401


@pytest.mark.parametrize("path", ["/api", "/api/systems", "/api/openapi.json"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_who_has_no_good_token_is_told_so_in_his_language(office: ApiOffice, path: str, lang: str) -> None:
    said = {"": "There is no token", "x": "The token is unknown, has expired or was revoked"}
    for token, what in said.items():
        with office.served.browser(lang) as client:
            answer = client.get(path, headers=bearer(token) if token else {})
        problem = answer.json()
        assert (answer.status_code, answer.headers["content-language"]) == (401, lang)
        assert ('error="invalid_token"' in answer.headers["www-authenticate"]) is bool(token)
        assert problem["error"]["en"] == what
        assert (problem["title"], problem["detail"]) == (
            ("Not signed in", what) if lang == "en" else ("未登录", problem["error"]["zh"])
        )


def test_who_asks_too_often_is_told_when_to_come_again(office: ApiOffice) -> None:
    limiter, owner = Limiter(burst=1, per_minute=30), bearer(office.tokens["owner"])
    with serving(office.served.session, requests=limiter) as hurried, hurried.browser("en") as client:
        _, answer = (client.get("/api/me", headers=owner) for _ in range(2))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Too many requests"


def test_the_description_is_behind_the_door_and_names_every_operation(office: ApiOffice) -> None:
    with office.served.browser() as stranger:
        assert stranger.get("/api/openapi.json").status_code == 401
    described = ask(office, "administrator", "/api/openapi.json")
    assert all(path.startswith("/api/") for path in described["paths"])
    ids = [op["operationId"] for path in described["paths"].values() for op in path.values()]
    assert len(ids) == len(set(ids)) > 90
    for path in described["paths"].values():
        for operation in path.values():
            assert operation["security"] == [{"token": []}]
            assert operation["responses"]["200"]["content"]
            assert operation["responses"]["403"]["content"].keys() == {"application/problem+json"}


def test_nothing_is_done_by_a_cookie_without_the_forms_word(office: ApiOffice) -> None:
    """A page of another site could otherwise send JSON in the name of whoever is signed in."""
    account = enabled_account(office.served.session, "authority")
    begun = begin(office.served.session, account)
    with office.served.browser() as client:
        client.cookies.set("govcloud", begun.cookie)
        assert client.get("/api/me").json()["login"] == "authority"
        assert client.post("/api/checks", json={}).status_code == 403
