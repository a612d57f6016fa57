"""Pages as a person sees them: a real Chromium, and what went wrong in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from axe_playwright_python.sync_playwright import Axe
from fastapi.routing import APIRoute
from playwright.sync_api import Browser, Page, sync_playwright
from served import PASSWORD, Served

from govcloud.model.text import Lang
from govcloud.web.app import routes

_LINK = re.compile(r'(?:href|method="get" action)="(/[^"#]*)')
DEEP = 4
"""So many pages of one kind are looked into for links."""
LOCALES = {"zh": "zh-CN", "en": "en-US"}
WIDE, NARROW = (1280, 900), (400, 800)
_PLANTED = """
window.ran = 0; window.refused = [];
document.addEventListener("securitypolicyviolation", e => window.refused.push(e.violatedDirective + " " + e.blockedURI));
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    # Started by root in CI, where its own sandbox can't be had; the pages are ours.
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=options)
        yield browser
        browser.close()


@dataclass(kw_only=True)
class Tab:
    page: Page
    address: str
    wrong: list[str] = field(default_factory=list)
    """What console, dialogs and failed loads told."""

    def open(self, path: str) -> None:
        answer = self.page.goto(self.address + path, wait_until="load")
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"

    def faults(self) -> list[str]:
        """Everything that a page must not have, beside what axe finds."""
        found: dict[str, Any] = self.page.evaluate(
            """() => ({
              ran: window.ran, refused: window.refused, planted: document.querySelectorAll("[data-planted]").length,
              headings: document.querySelectorAll("h1").length,
              sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
              script: [...document.querySelectorAll("a")].filter(a => a.hasAttribute("href")
                && !/^https?:$/.test(new URL(a.getAttribute("href"), location).protocol)).length,
            })"""
        )
        told = [*self.wrong, *(f"CSP refused {one}" for one in found["refused"])]
        if found["ran"] or found["planted"]:
            told.append("data became markup")
        if found["headings"] != 1:
            told.append(f"{found['headings']} headings of the first order")
        if found["sideways"] > 0:
            told.append(f"{found['sideways']} px wider than the window")
        if found["script"]:
            told.append("a link that is no address")
        self.wrong.clear()
        return told

    def barriers(self) -> list[str]:
        """What axe finds: rule, and where."""
        found = Axe().run(
            self.page,
            options={
                "resultTypes": ["violations"],
                "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
            },
        )
        return [f"{v['id']}: {[n['target'] for n in v['nodes']][:3]}" for v in found.response["violations"]]  # fmt: skip


@contextmanager
def tab(
    browser: Browser, served: Served, lang: Lang = "zh", *, size: tuple[int, int] = WIDE, login: str | None = "owner"
) -> Iterator[Tab]:
    """`login`: who is signed in by the form; None: nobody yet."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, locale=LOCALES[lang], accept_downloads=True
    )
    context.add_init_script(_PLANTED)
    context.set_default_timeout(10_000)
    page = context.new_page()
    found = Tab(page=page, address=served.address)
    page.on("console", lambda m: found.wrong.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: found.wrong.append(str(e)))
    page.on("dialog", lambda d: (found.wrong.append(f"dialog {d.message}"), d.dismiss()))
    page.on(
        "requestfailed", lambda r: None if r.failure == "net::ERR_ABORTED" else found.wrong.append(f"failed {r.url}")
    )
    page.on(
        "request",
        lambda r: None if r.url.startswith((served.address, "data:")) else found.wrong.append(f"asked {r.url}"),
    )
    if login is not None:
        found.open("/sign-in")
        page.fill('input[name="login"]', login)
        page.fill('input[name="password"]', PASSWORD)
        page.click('main button[type="submit"]')
        page.wait_for_selector('header form[action="/sign-out"]')
    try:
        yield found
    finally:
        context.close()


def page_routes() -> list[APIRoute]:
    """What a browser may open: neither the interface for programs nor live parts."""
    return [
        r
        for r in routes()
        if "GET" in (r.methods or ()) and not r.path.startswith("/api") and not r.path.endswith("/live")
    ]


def reachable(served: Served, *logins: str) -> tuple[dict[str, list[str]], list[str]]:
    """Each page route -> up to two addresses of it that links lead to, beginning at the overview, for any of these people.
    Files to download are not pages. Second: links that lead nowhere."""
    dead: list[str] = []
    seen: dict[str, set[str]]
    found: dict[str, list[str]] = {}
    known = page_routes()
    for login in logins:
        with served.signed_in(login) as client:
            todo, seen = ["/"], {}
            while todo:
                path = todo.pop(0)
                route = next((r for r in known if r.path_regex.fullmatch(urlsplit(path).path)), None)
                mine = seen.setdefault(route.path, set()) if route is not None else {path}
                if route is None or path in mine or len(mine) >= DEEP:
                    continue
                mine.add(path)
                answer = client.get(path)
                if answer.status_code != 200:
                    dead.append(f"{path} for {login}: {answer.status_code}")
                    continue
                if path not in found.setdefault(route.path, []):
                    found[route.path] = [*found[route.path], path][:2]
                if _is_page(answer):
                    todo += [link.replace("&amp;", "&") for link in _LINK.findall(answer.text)]
    return found, dead


def _is_page(answer: httpx.Response) -> bool:
    return answer.headers["content-type"].startswith("text/html")


__all__ = ["LOCALES", "NARROW", "WIDE", "Tab", "chromium", "page_routes", "reachable", "tab"]
