"""What other platforms take away through /api, and what they bring: papers, requests, bundles, pins, analyses of the inventory."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_office import ApiOffice, api_office, bearer, give_token
from docx import Document
from openpyxl import load_workbook
from run_served import SYSTEM, serve_runs

from govcloud import resources
from govcloud.ledger import verify
from govcloud.model.answers import Query
from govcloud.safe_yaml import load_yaml
from govcloud.workflow.inventory import list_flows, list_undeclared, read_inventory
from govcloud.workflow.ledger_record import public_key
from govcloud.workflow.overlap import list_overlaps
from govcloud.workflow.paper_kind import KIND_IDS


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiOffice]:
    with api_office(tmp_path_factory.mktemp("work") / "w") as made:
        yield made


def ask(office: ApiOffice, login: str, path: str, **params: Any) -> Any:
    with office.by(login) as client:
        answer = client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def take(office: ApiOffice, login: str, path: str, body: Any = None, status: int = 200, **sent: Any) -> Any:
    with office.by(login) as client:
        answer = client.post(path, json=body, **sent) if not sent else client.post(path, **sent)
    assert answer.status_code == status, answer.text
    return answer


def test_a_paper_is_made_in_the_language_asked_for_and_opens_in_word(office: ApiOffice) -> None:
    kinds = {kind["kind_id"]: kind for kind in ask(office, "auditor", "/api/papers")}
    assert tuple(kinds) == KIND_IDS
    with office.by("auditor") as client:
        for lang, kind in (("zh", "networks"), ("en", "estate")):
            paper = client.post("/api/papers", json={"kind": kind}, headers={"Accept-Language": lang})
            assert paper.status_code == 200, paper.text
            assert f"{kind}.{lang}.docx" in paper.headers["content-disposition"]
            told = next(p.text for p in Document(BytesIO(paper.content)).paragraphs if p.text)
            assert told.isascii() is (lang == "en")
    newest = ask(office, "auditor", "/api/ledger/records", kind="report", limit=1)["items"]
    assert newest[0]["body"]["files"].keys() == {"estate.en.docx"}


def test_a_paper_that_is_about_one_thing_asks_which_one(office: ApiOffice) -> None:
    unsaid = take(office, "owner", "/api/papers", {"kind": "cutover"}, 409).json()
    assert "wave" in unsaid["error"]["en"]
    assert take(office, "owner", "/api/papers", {"kind": "poem"}, 409).json()["code"] == 2
    none_yet = take(office, "owner", "/api/papers", {"kind": "run-report", "run_id": "r1"}, 409).json()
    assert none_yet["error"]["zh"]


def _request() -> dict[str, Any]:
    """A department's request as a platform sends it."""
    folder = resources.folder("inventory") / "sample" / "requests"
    found: dict[str, Any] = load_yaml(sorted(folder.glob("*.yaml"))[0])
    return found


def test_a_request_is_checked_and_its_opinion_comes_as_word_or_json(office: ApiOffice) -> None:
    name, data = "示例申请.json", json.dumps(_request(), ensure_ascii=False, default=str).encode()
    checked = take(office, "owner", "/api/requests", files={"file": (name, data)}).json()
    assert checked["check"]["file"] == name
    assert checked["check"]["lines"]
    assert checked["conclusion"] in ("approve", "approve_with_changes", "reject")
    listed = ask(office, "auditor", "/api/requests")["items"]
    assert [c["check"]["sha256"] for c in listed] == [checked["check"]["sha256"]]
    word = take(office, "owner", "/api/requests/opinion", files={"file": (name, data)})
    assert Document(BytesIO(word.content)).paragraphs
    told = take(office, "owner", "/api/requests/opinion?form=json", files={"file": (name, data)}).json()
    assert told


def test_the_bundle_convinces_the_verifier_that_auditors_bring(office: ApiOffice, tmp_path: Path) -> None:
    packed = take(office, "auditor", "/api/ledger/bundles", {})
    subprocess.run(["tar", "-xf", "-", "-C", str(tmp_path)], input=packed.content, check=True)
    (bundle,) = tmp_path.iterdir()
    assert verify.main([str(bundle), "--key", public_key(office.served.session)]) == 0


def test_pins_are_made_listed_and_withdrawn_and_the_plan_goes_out_and_comes_back(office: ApiOffice) -> None:
    plan = take(office, "builder", "/api/plans", {"limit_s": 2, "starts_on": "2026-12-01"}).json()
    (first, *_), last = plan["waves"][0]["moves"], plan["waves"][-1]["window"]["opens_on"]
    with office.by("builder") as client:
        sheet = client.get(f"/api/plans/{plan['plan_id']}/files/xlsx")
    edited = ("计划.xlsx", _moved(sheet.content, first["system_id"], last))
    read = take(office, "builder", "/api/plans/latest/edits", files={"file": edited}).json()
    assert [(e["system_id"], e["opens_on"]) for e in read["edits"]] == [(first["system_id"], last)]
    (pin,) = take(office, "builder", "/api/plan-pins", {"pins": read["edits"], "reason": "示例理由"}).json()
    assert pin["opens_on"] == last
    assert [p["pin_id"] for p in ask(office, "auditor", "/api/plan-pins")["items"]] == [pin["pin_id"]]
    take(office, "builder", "/api/plan-pins/withdrawal", {"systems": [first["system_id"]], "reason": "示例"})
    assert ask(office, "auditor", "/api/plan-pins")["items"] == []
    assert ask(office, "auditor", "/api/plan-pins", withdrawn=True)["total"] == 1


def _moved(sheet: bytes, system_id: str, day: str) -> bytes:
    """The exported workbook with another day in the system's row."""
    book = load_workbook(BytesIO(sheet))
    rows = [row for page in book.worksheets for row in page.iter_rows()]
    at = next(i for i, row in enumerate(rows) if "窗口日期" in [cell.value for cell in row])
    column = [cell.value for cell in rows[at]].index("窗口日期")
    row = next(row for row in rows[at:] if system_id in [cell.value for cell in row])
    row[column].value = day
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def test_the_analyses_are_those_of_the_commands(office: ApiOffice) -> None:
    inventory = read_inventory(office.served.session)
    assert ask(office, "auditor", "/api/zombies", limit=1)["total"] == len(inventory.systems)
    sized = {s["server_id"] for s in ask(office, "auditor", "/api/sizing")["servers"]}
    assert sized
    assert sized <= {s.server_id for s in inventory.servers}
    scores = [c["score"] for c in ask(office, "auditor", "/api/confidence", limit=1000)["items"]]
    assert scores == sorted(scores)
    assert len(scores) == len(inventory.systems)
    session = office.served.session
    assert ask(office, "auditor", "/api/overlaps")["total"] == len(list_overlaps(session).found) > 0
    assert ask(office, "auditor", "/api/undeclared", limit=1)["total"] == list_undeclared(session, Query()).page.total
    assert ask(office, "auditor", "/api/connections", limit=1)["total"] == list_flows(session, None, None, None).total
    ledger = ask(office, "auditor", "/api/network-ledger")
    assert ledger["total"]["networks"] == len(ledger["rows"]) > 0


def test_a_fact_is_settled_with_a_reason_and_set_free_again(office: ApiOffice) -> None:
    system = read_inventory(office.served.session).systems[0].system_id
    said = {"subject": system, "field": "users", "value": "321", "reason": "现场核对", "document": "示例〔2026〕纪要"}
    assert take(office, "builder", "/api/confirmations", said).json()["confirmed"][0]["value"] == 321
    assert ask(office, "auditor", f"/api/systems/{system}")["entity"]["users"] == 321
    assert ask(office, "auditor", "/api/confirmations")["total"] == 1
    gone = {"subject": system, "field": "users", "reason": "示例"}
    assert len(take(office, "builder", "/api/confirmations/withdrawal", gone).json()["withdrawn"]) == 1
    take(office, "builder", "/api/confirmations", {**said, "field": "same_as", "value": "nothing"}, 409)


def test_two_states_of_the_inventory_are_compared(office: ApiOffice) -> None:
    label = take(office, "builder", "/api/snapshots", {"label": "示例季末"}).json()["label"]
    assert [s["label"] for s in ask(office, "auditor", "/api/snapshots")] == [label]
    assert ask(office, "auditor", "/api/differences", before=label)["changes"] == []
    since_ever = ask(office, "auditor", "/api/differences", before="2000-01-01")
    assert {c["change"] for c in since_ever["changes"]} == {"added"}


def test_a_gate_that_has_changed_since_it_was_seen_is_not_answered(tmp_path: Path) -> None:
    with serve_runs(tmp_path / "w") as running:
        run_id, token = running.desk.start(SYSTEM), give_token(running.served.session, "li")
        with httpx.Client(base_url=running.served.address, headers=bearer(token), timeout=60) as client:
            seen = [gate["gate_id"] for gate in client.get(f"/api/runs/{run_id}").json()["gates"]]
            word = {"granted": True, "systems": [SYSTEM]}
            path = f"/api/runs/{run_id}/answers"
            assert client.post(path, json={**word, "gates": ["another"]}).status_code == 409
            (answered,) = client.post(path, json={**word, "gates": seen}).json()
    assert answered["gate"]["gate_id"] in seen
