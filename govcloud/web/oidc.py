"""Signing in by the office's own identity provider: authorization code with PKCE (OpenID Connect Core 1.0 §3.1, RFC 7636).

Needs the extra `oidc`. What the provider says is believed only after its ID token was checked; what it is for an account
is decided by workflow/sign_in.py.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import secrets
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from govcloud.access import load_secret
from govcloud.errors import InputError, OutsideError
from govcloud.model.text import Text
from govcloud.settings import FILE, Workspace

WITHIN = timedelta(minutes=10)
"""So long somebody may take at the provider."""
_LIMIT_S, _MOST_BYTES, _LEEWAY_S = 10, 2**18, 60
_MOST_FLOWS = 1000
# Signatures that only the provider can make: with an HMAC our own secret would be a key, and `none` is no signature.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")

_NAME = Text("统一身份认证登录", "Sign in with the office's account")


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    issuer: str
    """Address of the provider, as its own discovery document names it; https."""
    client_id: str
    """Under which the provider knows the dashboard."""
    client_secret_file: str
    """File with one line that only its owner can read (0600); relative to the workspace."""
    claim: str = "preferred_username"
    """Claim of the ID token that is the login of the account."""
    name: Text | None = None
    """On the button of the sign-in page."""


class Refused(Exception):
    """Not let in. The reason is for the server's log alone: no secret, no token, nothing for the stranger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flow:
    state: str
    nonce: str
    verifier: str
    back: str
    begun_at: datetime


def parse_oidc(web: Mapping[str, object], where: str = FILE) -> OidcSettings | None:
    """The `oidc` part of the settings' `web`. Raises InputError for unknown keys, wrong types and an unsafe issuer."""
    section = web.get("oidc")
    known = {f.name for f in fields(OidcSettings)}
    unknown = [f"web.{key}" for key in web if key != "oidc"]
    unknown += [f"web.oidc.{key}" for key in section if key not in known] if isinstance(section, dict) else []
    if unknown:
        raise _error(Text("不认识的项：{k}", "unknown keys: {k}").format(k=", ".join(sorted(unknown))), where)
    if "oidc" not in web:
        return None
    try:
        found = msgspec.convert(section, OidcSettings)
    except msgspec.ValidationError as error:
        raise _error(Text("oidc：{e}", "oidc: {e}").format(e=error), where) from None
    if not _is_safe(found.issuer) or urlsplit(found.issuer).query or urlsplit(found.issuer).fragment:
        raise _error(Text("oidc.issuer 须为 https 地址", "oidc.issuer must be an https address"), where)
    return found


def build_provider(workspace: Workspace, now: Callable[[], datetime]) -> Provider | None:
    """None where the settings name none. Raises InputError for the settings, OutsideError without the extra."""
    settings = parse_oidc(workspace.settings.web, str(workspace.path / FILE))
    if settings is None:
        return None
    if missing := [name for name in ("authlib", "joserfc", "httpx") if find_spec(name) is None]:
        raise OutsideError(
            Text("没有安装统一身份认证的组件", "The part for OpenID Connect is not installed"),
            where=", ".join(missing),
            next_step=Text("pip install 'govcloud[oidc]'", "pip install 'govcloud[oidc]'"),
        )
    return Provider(settings, load_secret(workspace.path / settings.client_secret_file), now)


class Provider:
    def __init__(self, settings: OidcSettings, secret: str, now: Callable[[], datetime]) -> None:
        self.settings = settings
        self.title = settings.name or _NAME
        self._secret, self._now = secret, now
        self._flows: OrderedDict[str, _Flow] = OrderedDict()
        self._lock = threading.Lock()

    def check(self) -> None:
        """Whether the provider answers as the settings say. Raises Refused."""
        self._discover()

    def start(self, back: str) -> tuple[str, str]:
        """What the browser keeps as a cookie, and where it goes. `back`: our address that the provider leads back to.

        Raises Refused.
        """
        from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]

        endpoint = self._discover()["authorization_endpoint"]
        browser, state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(4))
        asked = {
            "response_type": "code", "client_id": self.settings.client_id, "redirect_uri": back, "scope": "openid profile",
            "state": state, "nonce": nonce, "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }  # fmt: skip
        with self._lock:
            self._flows[browser] = _Flow(state=state, nonce=nonce, verifier=verifier, back=back, begun_at=self._now())
            if len(self._flows) > _MOST_FLOWS:
                self._flows.popitem(last=False)
        return browser, f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    def finish(self, browser: str, answer: Mapping[str, str]) -> str:
        """The claim of whoever came back with this cookie and this query. Each start is good for one return. Raises Refused."""
        with self._lock:
            flow = self._flows.pop(browser, None)
        if flow is None or not timedelta() <= self._now() - flow.begun_at < WITHIN:
            raise Refused("no sign-in of this browser is under way")
        if not hmac.compare_digest(answer.get("state", "").encode(), flow.state.encode()):
            raise Refused("state is another browser's")
        if answer.get("iss", self.settings.issuer) != self.settings.issuer:  # RFC 9207
            raise Refused("the answer is another issuer's")
        if "code" not in answer:
            raise Refused(f"the provider gave no code: {answer.get('error', '')[:100]!a}")
        claim = self._claims(answer["code"], flow).get(self.settings.claim)
        if not isinstance(claim, str) or not claim:
            raise Refused(f"the ID token has no claim {self.settings.claim!a}")
        return claim

    def _claims(self, code: str, flow: _Flow) -> Mapping[str, Any]:
        from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        document = self._discover()
        given = self._redeem(document, code, flow)
        keys = self._ask("GET", document["jwks_uri"])
        must = {"iss": self.settings.issuer, "aud": self.settings.client_id}
        try:
            token = jwt.decode(given["id_token"], KeySet.import_key_set(keys), algorithms=_ALGORITHMS)  # type: ignore[arg-type]
            claims = CodeIDToken(
                token.claims, token.header, options={k: {"essential": True, "value": v} for k, v in must.items()},
                params={"nonce": flow.nonce, "client_id": self.settings.client_id},
            )  # fmt: skip
            claims.validate(now=int(self._now().timestamp()), leeway=_LEEWAY_S)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise Refused(
                f"the ID token is not good: {type(error).__name__} {getattr(error, 'claim', None) or ''}"
            ) from None
        return dict(claims)

    def _redeem(self, document: Mapping[str, Any], code: str, flow: _Flow) -> dict[str, Any]:
        mine = {"client_id": self.settings.client_id, "client_secret": self._secret}
        sent = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": flow.back, "code_verifier": flow.verifier
        }  # fmt: skip
        ways = document.get("token_endpoint_auth_methods_supported")
        if not isinstance(ways, list) or "client_secret_basic" in ways:
            name, secret = (quote(text, safe="") for text in mine.values())  # RFC 6749 §2.3.1
            return self._ask("POST", document["token_endpoint"], data=sent, auth=(name, secret))
        return self._ask("POST", document["token_endpoint"], data=sent | mine)

    def _discover(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0 §4; read anew each time, so a provider's new keys and addresses need no restart."""
        document = self._ask("GET", self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if document.get("issuer") != self.settings.issuer:
            raise Refused("the discovery document is another issuer's")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            self._check_address(document.get(name))
        return document

    def _check_address(self, url: object) -> None:
        local = urlsplit(self.settings.issuer).scheme == "http"
        if not isinstance(url, str) or not _is_safe(url) or (not local and urlsplit(url).scheme != "https"):
            raise Refused("the provider names an address without https")

    def _ask(self, method: str, url: str, **sent: Any) -> dict[str, Any]:
        """An object of JSON. Redirects are not followed: the secret goes to the provider and nobody else."""
        import httpx

        until, body = time.monotonic() + _LIMIT_S, b""
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        try:
            # The machine's own certificates: an office's provider has one of the office's authority.
            with (
                httpx.Client(timeout=_LIMIT_S, verify=ssl.create_default_context(), follow_redirects=False) as client,
                client.stream(method, url, headers=headers, **sent) as answer,
            ):
                if answer.status_code != 200:
                    raise Refused(f"{url!a}: HTTP {answer.status_code}")
                for chunk in answer.iter_raw():
                    body += chunk
                    if len(body) > _MOST_BYTES or time.monotonic() > until:
                        raise Refused(f"{url!a}: too much, or too slow")
            found = json.loads(body)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RecursionError) as error:
            raise Refused(f"{url!a}: {type(error).__name__}") from None
        if not isinstance(found, dict):
            raise Refused(f"{url!a}: no JSON object")
        return found


def _is_safe(url: str) -> bool:
    """https; plain http only to this machine itself."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not host or not url.isascii() or not url.isprintable():
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _error(why: Text, where: str) -> InputError:
    return InputError(
        Text("web 部分不合要求：{why}", "The web section is not valid: {why}").format(why=why),
        where=where,
        next_step=Text("对照 docs/formats.md 改正", "Correct it after docs/formats.md"),
    )
