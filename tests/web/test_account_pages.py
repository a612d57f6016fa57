"""Accounts in the browser: whoever gets one sets his own password first; nothing opens any more once it was taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from desk import PASSWORD, Desk, open_desk, text_of
from served import csrf, serving

from govcloud.store import ledger as ledger_store
from govcloud.workflow.session import Session

NEW = "另一句足够长的示例口令 2027"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path / "w", estate=False) as opened:
        yield opened


def enter(browser: httpx.Client, login: str, password: str) -> httpx.Response:
    return browser.post("/sign-in", data={"login": login, "password": password})


def set_own(browser: httpx.Client, current: str, new: str, again: str | None = None) -> httpx.Response:
    sent = {"csrf": csrf(browser.get("/me")), "current": current, "password": new, "again": again or new}
    return browser.post("/me/password", data=sent)


def add_person(desk: Desk) -> None:
    new = {"login": "new", "name": "新示例", "unit": "示例单位", "roles": ["finance"]}
    assert "已增加账号 new" in text_of(desk.post("admin", "/accounts", new))
    first = {"password": PASSWORD, "again": PASSWORD}
    assert "初始口令已设" in text_of(desk.post("admin", "/accounts/new/password", first))


def test_a_new_person_sets_his_own_password_before_anything_else(desk: Desk) -> None:
    add_person(desk)
    with desk.served.browser() as browser:
        assert enter(browser, "new", PASSWORD).url.path == "/me"
        assert browser.get("/systems").url.path == "/me"
        token = csrf(browser.get("/me"))
        assert browser.post("/me/tokens", data={"csrf": token, "label": "x", "days": "9"}).status_code == 403
        page = set_own(browser, PASSWORD, NEW)
        assert "口令已改" in text_of(page)
        assert browser.get("/systems").url.path == "/systems"


def test_a_changed_password_signs_every_other_browser_out(desk: Desk) -> None:
    mine = desk.browsers["owner"]
    with desk.served.signed_in("owner") as elsewhere:
        old_cookie = dict(mine.cookies)
        assert set_own(mine, PASSWORD, NEW).status_code == 200
        assert elsewhere.get("/systems", follow_redirects=False).status_code == 303
        assert mine.get("/systems", follow_redirects=False).status_code == 200
        with desk.served.browser() as thief:
            thief.cookies.update(old_cookie)
            assert thief.get("/systems", follow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    ("current", "new", "again"),
    [("falsch falsch falsch", NEW, NEW), (PASSWORD, NEW, NEW + "x"), (PASSWORD, "kurz", "kurz")],
    ids=["wrong present one", "typed differently", "too short"],
)
def test_a_password_that_was_not_changed_still_opens(desk: Desk, current: str, new: str, again: str) -> None:
    page = set_own(desk.browsers["owner"], current, new, again)
    assert page.status_code == 400
    assert new not in page.text
    with desk.served.signed_in("owner"):
        pass


def test_disabling_ends_the_session_and_enabling_does_not_revive_it(desk: Desk) -> None:
    assert "已停用" in text_of(desk.post("admin", "/accounts/builder/disable", {"reason": "离职"}))
    assert desk.browsers["builder"].get("/systems", follow_redirects=False).status_code == 303
    assert "已启用" in text_of(desk.post("admin", "/accounts/builder/enable"))
    assert desk.browsers["builder"].get("/systems", follow_redirects=False).status_code == 303


def test_a_token_is_shown_once_works_and_is_taken_back(desk: Desk) -> None:
    page = desk.post("owner", "/me/tokens", {"label": "项目管理平台", "days": "30"})
    (token,) = re.findall(r"govcloud_[\w-]+", page.text)
    assert token not in desk.get("owner", "/me").text
    bearer = {"Authorization": f"Bearer {token}"}
    with desk.served.browser() as program:
        assert program.get("/systems", headers=bearer).status_code == 200
        sent = {"password": NEW, "again": NEW, "current": PASSWORD}
        assert program.post("/me/password", headers=bearer, data=sent).status_code == 403
        (revoke,) = set(re.findall(r'formaction="(/me/tokens/T-\w+/revoke)"', page.text))
        assert "令牌已撤销" in text_of(desk.post("owner", revoke))
        assert program.get("/systems", headers=bearer, follow_redirects=False).status_code == 303


def test_roles_work_from_the_next_page_on(desk: Desk) -> None:
    assert (
        desk.post("builder", "/accounts/owner/change", {"name": "x", "unit": "y", "roles": ["owner"]}).status_code
        == 403
    )
    same = {"name": "示例owner", "unit": "示例单位owner"}
    assert "已更正" in text_of(desk.post("admin", "/accounts/owner/change", {**same, "roles": ["finance"]}))
    assert 'action="/takeovers' not in desk.get("owner", "/takeovers").text
    assert desk.post("admin", "/accounts/owner/change", {**same, "roles": ["emperor"]}).status_code == 400
    assert desk.post("admin", "/accounts/owner/change", {**same, "roles": ["owner", "auditor"]}).status_code == 400


def test_the_last_administrator_stays(desk: Desk) -> None:
    assert desk.post("admin", "/accounts/admin/disable").status_code == 400
    assert desk.get("admin", "/accounts").status_code == 200


def test_an_administrator_comes_in_at_the_accounts_and_sees_no_project(desk: Desk) -> None:
    with desk.served.browser() as browser:
        page = enter(browser, "admin", PASSWORD)
        assert page.url.path == "/accounts"
        assert browser.get("/takeovers").status_code == 403
        assert 'href="/takeovers"' not in page.text


def test_no_password_and_no_token_is_in_the_ledger(desk: Desk) -> None:
    add_person(desk)
    page = desk.post("owner", "/me/tokens", {"label": "平台", "days": "30"})
    (token,) = re.findall(r"govcloud_[\w-]+", page.text)
    with desk.session.store.read() as tx:
        told = "\n".join(record.canonical for record in ledger_store.records(tx))
    assert "新示例" in told
    assert not [secret for secret in (PASSWORD, NEW, token, "argon2") if secret in told]


def test_the_first_account_is_not_made_in_a_browser(session: Session) -> None:
    with serving(session) as served, served.local() as mine:
        page = mine.get("/accounts")
        assert 'action="/accounts"' not in page.text
        new = {"csrf": csrf(page), "login": "a", "name": "甲", "unit": "乙", "roles": "administrator"}
        assert mine.post("/accounts", data=new).status_code == 400
        assert mine.get("/me").status_code == 200
