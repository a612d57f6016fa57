"""Signing in by an identity provider: a small real one on loopback, and everything that it or a stranger may get wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from served import AT, PASSWORD, AccountRole, Served, serving

from govcloud.errors import InputError
from govcloud.settings import open_workspace
from govcloud.store import ledger as ledger_store
from govcloud.web.door import COOKIE
from govcloud.web.limits import Limiter
from govcloud.web.oidc import WITHIN, parse_oidc
from govcloud.workflow import account_changes
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import Session, open_session

ADMINISTRATOR: tuple[AccountRole, ...] = ("administrator",)
AUDITOR: tuple[AccountRole, ...] = ("auditor",)
SECRET, CLIENT = "示例密钥 :+/", "govcloud"
OUR_KEY, OTHER_KEY = (RSAKey.generate_key(2048, {"kid": "one"}) for _ in range(2))


@dataclass
class Identities:
    """An OpenID provider. `says`: claims that it puts in place of the right ones; None leaves one out."""

    login: str = "reader"
    says: dict[str, Any] = field(default_factory=dict)
    key: RSAKey | OctKey = field(default_factory=lambda: OUR_KEY)
    algorithm: str = "RS256"
    document: dict[str, Any] = field(default_factory=dict)
    elsewhere: str = ""
    """Token requests are redirected there."""
    padding: int = 0
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    redeemed: int = 0
    issuer: str = ""

    def discovery(self) -> dict[str, Any]:
        paths = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
        return {"issuer": self.issuer, **{k: self.issuer + v for k, v in paths.items()}, **self.document}

    def authorize(self, asked: dict[str, str]) -> str:
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT, "S256")
        assert "openid" in asked["scope"].split()
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, sent: dict[str, str], authorization: str) -> dict[str, Any] | None:
        asked = self.codes.get(sent["code"])
        name, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        known = dict(parse_qsl(f"n={name}&s={secret}")) == {"n": CLIENT, "s": SECRET}
        digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
        proven = asked is not None and base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]
        if asked is None or not known or not proven or sent["redirect_uri"] != asked["redirect_uri"]:
            return None
        self.redeemed += 1
        now = int(AT.timestamp())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": "1", "iat": now, "exp": now + 300, "nonce": asked["nonce"],
            "preferred_username": self.login,
        } | self.says  # fmt: skip
        claims = {k: v for k, v in claims.items() if v is not None}
        if self.algorithm == "none":
            parts = ({"alg": "none"}, claims)
            text = ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts) + "."
        else:
            text = jwt.encode({"alg": self.algorithm, "kid": "one"}, claims, self.key, algorithms=[self.algorithm])
        return {"access_token": "示例", "token_type": "Bearer", "id_token": text, "padding": "x" * self.padding}


class _Handler(BaseHTTPRequestHandler):
    identities: Identities

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/authorize":
            self._answer(302, location=self.identities.authorize(dict(parse_qsl(query))))
        elif path == "/keys":
            self._answer(200, {"keys": [OUR_KEY.as_dict(private=False)]})
        else:
            assert path == "/.well-known/openid-configuration"
            self._answer(200, self.identities.discovery())

    def do_POST(self) -> None:
        sent = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if self.identities.elsewhere:
            self._answer(307, location=self.identities.elsewhere)
            return
        given = self.identities.token(sent, self.headers["Authorization"])
        self._answer(200 if given else 400, given or {"error": "invalid_grant"})

    def _answer(self, status: int, body: object = None, location: str = "") -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def provider() -> Iterator[Identities]:
    identities = Identities()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"identities": identities}))
    identities.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield identities
    server.shutdown()
    thread.join(20)
    server.server_close()


@dataclass
class Clock:
    now: Any = AT

    def __call__(self) -> Any:
        return self.now


@pytest.fixture(scope="module")
def running(provider: Identities, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Clock]]:
    folder, clock = tmp_path_factory.mktemp("oidc") / "w", Clock()
    init_workspace(folder, "shanxi", actor="张示例")
    secret = folder / "oidc.secret"
    secret.write_text(SECRET + "\n", "utf-8")
    secret.chmod(0o600)
    with (folder / "govcloud.yaml").open("a", encoding="utf-8") as file:
        web = {"oidc": {"issuer": provider.issuer, "client_id": CLIENT, "client_secret_file": secret.name}}
        file.write(f"\nweb: {json.dumps(web)}\n")
    with open_session(open_workspace(folder), actor="张示例", now=clock) as session:
        people = (("admin", "钱示例", ADMINISTRATOR), ("reader", "孙示例", AUDITOR), ("gone", "周示例", AUDITOR))
        for login, name, roles in people:
            account_changes.add_account(session, login, name=name, unit="示例单位", roles=roles, here="nobody")
            account_changes.set_password(session, login, PASSWORD)
        account_changes.disable_account(session, "gone")
        with serving(session, attempts=Limiter(burst=1000, per_minute=1000)) as served:
            yield served, clock


@pytest.fixture
def served(running: tuple[Served, Clock], provider: Identities) -> Served:
    """With a provider that does everything right, until the test says otherwise."""
    right = Identities(issuer=provider.issuer, codes=provider.codes)
    vars(provider).update(vars(right))
    running[1].now = AT
    return running[0]


def go(client: httpx.Client) -> httpx.URL:
    """Over to the provider; the address that it leads back to."""
    away = client.get("/sign-in/oidc", follow_redirects=False)
    assert away.status_code == 303, away.text
    return httpx.URL(httpx.get(away.headers["location"]).headers["location"])


def is_in(client: httpx.Client) -> bool:
    return client.get("/systems", follow_redirects=False).status_code == 200


def refused(served: Served, caplog: pytest.LogCaptureFixture) -> str:
    """Signs in, is turned away as everybody is; what the server's log says of it."""
    with served.browser() as browser, caplog.at_level(logging.WARNING):
        _turned_away(browser, browser.get(go(browser)))
    return caplog.records[-1].getMessage()


def _turned_away(browser: httpx.Client, answer: httpx.Response) -> None:
    assert answer.status_code == 401
    assert "统一身份认证登录未成功" in answer.text
    assert COOKIE not in browser.cookies
    assert not is_in(browser)


def records(served: Served) -> list[dict[str, Any]]:
    with served.session.store.read() as tx:
        return [json.loads(record.canonical) for record in ledger_store.iterate(tx)]


def test_who_is_known_there_and_here_comes_in(served: Served) -> None:
    with served.browser() as browser:
        assert 'href="/sign-in/oidc"' in browser.get("/sign-in").text
        back = go(browser)
        assert str(back).startswith(f"{served.address}/sign-in/oidc/back?")
        answer = browser.get(back)
        assert (answer.status_code, answer.headers["refresh"]) == (200, "0; url=/")
        assert (
            "samesite=strict"
            in next(c for c in answer.headers.get_list("set-cookie") if c.startswith(f"{COOKIE}=")).lower()
        )
        assert is_in(browser)
        told = records(served)[-1]
        assert (told["kind"], told["actor"], told["unit"], told["identity"]) == (
            "sign_in",
            "孙示例",
            "示例单位",
            "oidc",
        )
        assert browser.post("/ledger/export").status_code == 403, "forms are guarded all the same"


def test_what_he_then_does_is_recorded_as_his_who_came_by_the_provider(served: Served, provider: Identities) -> None:
    with served.browser() as browser:
        browser.get(go(browser))
        assert browser.get("/runs/new").status_code == 403
    assert [r["actor"] for r in records(served) if r["kind"] == "refused"][-1] == "孙示例"
    provider.login = "admin"
    with served.browser() as browser:
        assert browser.get(go(browser)).headers["refresh"] == "0; url=/accounts"


def test_the_cookie_of_the_way_is_kept_from_scripts_and_other_pages(served: Served) -> None:
    with served.browser() as browser:
        cookie = browser.get("/sign-in/oidc", follow_redirects=False).headers["set-cookie"].lower()
    for part in ("httponly", "samesite=lax", "path=/sign-in/oidc", "max-age=600"):
        assert part in cookie


def test_local_passwords_go_on_working(served: Served) -> None:
    with served.signed_in("admin") as browser:
        assert browser.get("/me").status_code == 200
    assert records(served)[-1]["identity"] == "account"


@pytest.mark.parametrize("login", ["nobody", "gone", "READER", "reader ", "reader\0", ""])
def test_nobody_comes_in_without_an_enabled_account_of_that_very_login(
    served: Served, provider: Identities, caplog: pytest.LogCaptureFixture, login: str
) -> None:
    provider.login = login
    accounts = len(_account_records(served))
    assert refused(served, caplog)
    assert len(_account_records(served)) == accounts, "none is made"


def _account_records(served: Served) -> list[dict[str, Any]]:
    return [r for r in records(served) if r["kind"] == "account"]


NOW = int(AT.timestamp())


@pytest.mark.parametrize(
    "says",
    [
        {"nonce": "another"}, {"nonce": None}, {"aud": "another"}, {"aud": None}, {"aud": [CLIENT, "another"], "azp": "another"},
        {"iss": "https://elsewhere.example"}, {"iss": None}, {"exp": NOW - 61}, {"exp": None}, {"exp": "tomorrow"},
        {"nbf": NOW + 3600}, {"iat": NOW + 3600}, {"preferred_username": None}, {"preferred_username": ["reader"]},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_that_was_not_made_for_this_sign_in_opens_nothing(
    served: Served, provider: Identities, caplog: pytest.LogCaptureFixture, says: dict[str, Any]
) -> None:
    provider.says = says
    assert "ID token" in refused(served, caplog)
    assert provider.redeemed == 1


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(OTHER_KEY, "RS256"), (OUR_KEY, "none"), (OctKey.import_key(SECRET), "HS256"),
     (OctKey.import_key(OUR_KEY.as_pem(private=False).replace(b"-----", b"")), "HS256")],
    ids=["another key", "none", "our secret as a key", "the public key as a secret"],
)  # fmt: skip
def test_a_token_that_the_provider_did_not_sign_opens_nothing(
    served: Served, provider: Identities, caplog: pytest.LogCaptureFixture, key: RSAKey | OctKey, algorithm: str
) -> None:
    provider.key, provider.algorithm = key, algorithm
    said = refused(served, caplog)
    assert "ID token" in said
    assert SECRET not in said


def test_the_way_back_is_good_once_in_the_same_browser_with_its_state_and_in_time(
    running: tuple[Served, Clock], served: Served, provider: Identities
) -> None:
    with served.browser() as browser, served.browser() as other:
        cookies = httpx.Cookies()
        back = go(browser)
        cookies.update(browser.cookies)
        _turned_away(other, other.get(back))
        assert browser.get(back).status_code == 200
        other.cookies.update(cookies)
        _turned_away(other, other.get(back))
        forged = go(other)
        _turned_away(other, other.get(forged.copy_set_param("state", "x" * 64)))
        _turned_away(other, other.get(forged))
        _turned_away(other, other.get(go(other).copy_set_param("iss", "https://elsewhere.example")))
        _turned_away(other, other.get(go(other).copy_remove_param("code").copy_set_param("error", "access_denied\n")))
        late = go(other)
        running[1].now = AT + WITHIN
        _turned_away(other, other.get(late))
    assert provider.redeemed == 1


def test_a_code_that_was_used_elsewhere_opens_nothing(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    with served.browser() as victim, served.browser() as thief, caplog.at_level(logging.WARNING):
        stolen = go(victim).params["code"]
        _turned_away(thief, thief.get(go(thief).copy_set_param("code", stolen)))
    assert "HTTP 400" in caplog.records[-1].getMessage(), "the verifier is the victim's"


def test_the_secret_follows_no_redirect(served: Served, provider: Identities, caplog: pytest.LogCaptureFixture) -> None:
    provider.elsewhere = provider.issuer + "/elsewhere"
    assert "HTTP 307" in refused(served, caplog)
    assert provider.redeemed == 0


def test_an_answer_without_end_is_not_read_to_its_end(
    served: Served, provider: Identities, caplog: pytest.LogCaptureFixture
) -> None:
    provider.padding = 2**19
    assert "too much" in refused(served, caplog)


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://elsewhere.example"}, {"token_endpoint": "http://elsewhere.example/token"}, {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
    ids=str,
)  # fmt: skip
def test_a_provider_that_names_unsafe_addresses_is_not_used(
    served: Served, provider: Identities, document: dict[str, Any]
) -> None:
    provider.document = document
    with served.browser() as browser:
        _turned_away(browser, browser.get("/sign-in/oidc"))


def test_while_the_provider_is_down_the_page_says_so_little_and_passwords_work(
    served: Served, provider: Identities, caplog: pytest.LogCaptureFixture
) -> None:
    oidc = served.place.oidc
    assert oidc is not None
    settings = oidc.settings
    oidc.settings = replace(settings, issuer="http://127.0.0.1:1")
    try:
        with served.browser() as browser, caplog.at_level(logging.WARNING):
            _turned_away(browser, browser.get("/sign-in/oidc"))
    finally:
        oidc.settings = settings
    assert "ConnectError" in caplog.records[-1].getMessage()
    with served.signed_in("reader") as browser:
        assert is_in(browser)


RIGHT = {"issuer": "https://login.example", "client_id": CLIENT, "client_secret_file": "oidc.secret"}


@pytest.mark.parametrize(
    ("web", "said"),
    [
        ({"odic": {}}, "web.odic"), ({"oidc": RIGHT | {"secret": "x"}}, "web.oidc.secret"), ({"oidc": {}}, "issuer"),
        ({"oidc": None}, "oidc"), ({"oidc": RIGHT | {"claim": 1}}, "claim"), ({"oidc": RIGHT | {"issuer": "http://login.example"}}, "https"),
        ({"oidc": RIGHT | {"issuer": "https://login.example/?a"}}, "https"), ({"oidc": RIGHT | {"issuer": "https://[x"}}, "https"),
    ],
    ids=str,
)  # fmt: skip
def test_settings_that_can_not_be_meant_are_refused_by_name(web: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_oidc(web)
    assert said in caught.value.what.zh
    assert said in caught.value.what.en


def test_a_secret_that_others_can_read_stops_the_server(served: Served) -> None:
    secret: Path = served.session.workspace.path / "oidc.secret"
    secret.chmod(0o644)
    try:
        with pytest.raises(InputError, match="chmod 600"), serving(served.session):
            raise AssertionError
    finally:
        secret.chmod(0o600)


def test_without_settings_there_is_no_such_sign_in(session: Session) -> None:
    assert parse_oidc({}) is None
    with serving(session) as plain, plain.browser() as browser:
        assert "oidc" not in browser.get("/sign-in").text
        assert [browser.get(f"/sign-in/oidc{end}").status_code for end in ("", "/back")] == [404, 404]
