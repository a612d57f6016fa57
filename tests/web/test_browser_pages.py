"""Each page in a real browser, in both languages, wide and narrow: for people who use a keyboard or a screen reader, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from chromium import NARROW, WIDE, chromium, page_routes, reachable, tab
from full_office import Office, make_office
from playwright.sync_api import Browser
from served import Served, serving

from govcloud.model.text import Lang
from govcloud.web.app import OPEN
from govcloud.web.limits import Limiter

pytestmark = pytest.mark.browser
REFLECTED = "/systems?find=%3Cimg+src%3Dx+onerror%3Dwindow.ran%3D1+data-planted%3E"
EVERYBODY = ("owner", "builder", "authority", "auditor", "admin")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with make_office(tmp_path_factory.mktemp("office") / "w") as made:
        yield made


@pytest.fixture(scope="module")
def served(office: Office) -> Iterator[Served]:
    with serving(office.session, attempts=Limiter(burst=1000, per_minute=1000)) as running:
        yield running


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    patient = Limiter(burst=1000, per_minute=1000)
    folder = tmp_path_factory.mktemp("hostile") / "w"
    with make_office(folder, hostile=True) as made, serving(made.session, attempts=patient) as running:
        yield running


@pytest.fixture(scope="module")
def pages(served: Served) -> dict[str, list[str]]:
    found, dead = reachable(served, *EVERYBODY)
    assert dead == [], "links that lead nowhere"
    return found


def test_links_lead_to_every_page(pages: dict[str, list[str]]) -> None:
    """What no link leads to nobody finds."""
    assert {r.path for r in page_routes()} - OPEN - set(pages) == set()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_keeps_anybody_from_a_page(
    browser: Browser, served: Served, pages: dict[str, list[str]], lang: Lang
) -> None:
    faults, left = {}, {route: paths[0] for route, paths in pages.items()}
    for login in ("builder", "authority", "admin"):
        with tab(browser, served, lang, login=login) as mine:
            for path in _mine(served, login, left.values()):
                mine.open(path)
                if found := mine.faults() + mine.barriers():
                    faults[f"{login} {path}"] = found
                left = {route: other for route, other in left.items() if other != path}
    assert faults == {}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_page_fits_a_narrow_window(browser: Browser, served: Served, pages: dict[str, list[str]], lang: Lang) -> None:
    """Wide tables scroll by themselves."""
    faults = {}
    with tab(browser, served, lang, size=NARROW) as mine:
        for path in _mine(served, "owner", (paths[0] for paths in pages.values())):
            mine.open(path)
            if found := mine.faults():
                faults[path] = found
    assert faults == {}


def test_the_sign_in_is_without_barriers(browser: Browser, served: Served) -> None:
    with tab(browser, served, login=None, size=WIDE) as stranger:
        stranger.open("/sign-in")
        assert stranger.faults() + stranger.barriers() == []


def test_what_departments_write_stays_text(browser: Browser, hostile: Served) -> None:
    """F37: names, units, log lines and file names of which each would run where it is not escaped."""
    found, dead = reachable(hostile, "owner", "authority", "admin")
    assert dead == []
    faults = {}
    shown = False
    for login in ("owner", "admin"):
        with tab(browser, hostile, login=login) as mine:
            for path in _mine(hostile, login, [REFLECTED, *(path for paths in found.values() for path in paths)]):
                mine.open(path)
                shown = shown or "window.ran=1" in mine.page.inner_text("body")
                if wrong := mine.faults():
                    faults[f"{login} {path}"] = wrong
    assert faults == {}
    assert shown, "what was planted is shown, as text"


def _mine(served: Served, login: str, paths: Iterable[str]) -> list[str]:
    """Of these addresses the pages that this person may open; what is for downloading is left out."""
    mine = []
    with served.signed_in(login) as client:
        for path in paths:
            answer = client.get(path, follow_redirects=False)
            if answer.status_code == 200 and answer.headers["content-type"].startswith("text/html"):
                mine.append(path)
    return mine
