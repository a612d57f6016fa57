"""The dashboard's part of the doctor: the certificate that its service is started with, and the identity provider."""

from __future__ import annotations

import shlex
import ssl
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from govcloud.access import check_private
from govcloud.errors import GovcloudError
from govcloud.model.health import HealthLine, HealthState
from govcloud.model.text import Text, same
from govcloud.settings import Workspace
from govcloud.web.oidc import Refused, build_provider

SERVICE = Path("/etc/govcloud/serve.env")
"""Options of the service, as docs/admin.md has them."""
_RENEW = timedelta(days=30)


def examine_web(workspace: Workspace, now: Callable[[], datetime], service: Path = SERVICE) -> Iterator[HealthLine]:
    """Nothing where the dashboard has neither a certificate of its own nor a provider."""
    yield from _certificate(service, now())
    yield from _provider(workspace, now)


def _line(key: str, title: Text, state: HealthState, found: Text, to_do: Text | None = None) -> HealthLine:
    return HealthLine(area="workspace", key=key, title=title, state=state, found=found, to_do=to_do)


def _certificate(service: Path, now: datetime) -> Iterator[HealthLine]:
    title = Text("看板证书", "Certificate of the dashboard")
    try:
        options = _options(service)
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        why = Text("看不了 {f}：{e}", "{f} can't be read: {e}").format(
            f=service, e=getattr(error, "strerror", None) or error
        )
        yield _line(
            "tls",
            title,
            "note",
            why,
            Text("以 root 或服务的用户再运行一次", "Run it once more as root or as the service's user"),
        )
        return
    cert, key = options.get("--tls-cert"), options.get("--tls-key")
    if cert is None or key is None:
        return
    try:
        check_private(Path(key))
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key)
        ends = x509.load_pem_x509_certificate(Path(cert).read_bytes()).not_valid_after_utc
    except GovcloudError as error:
        yield _line("tls", title, "act", Text("{w}：{k}", "{w}: {k}").format(w=error.what, k=key), error.next_step)
        return
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        why = Text("证书与私钥不能用：{e}", "Certificate and key can't be used: {e}").format(e=error)
        yield _line(
            "tls", title, "act", why, Text("检查 {f} 所写的文件", "Look at the files that {f} names").format(f=service)
        )
        return
    until = Text("有效至 {t:%Y-%m-%d}", "valid until {t:%Y-%m-%d}").format(t=ends)
    late = ends - now < _RENEW
    yield _line(
        "tls", title, "act" if ends <= now else "note" if late else "good", until,
        Text("更换证书并重启 govcloud-serve", "Renew it and restart govcloud-serve") if late else None,
    )  # fmt: skip


def _options(service: Path) -> dict[str, str]:
    """Of the OPTIONS in a file of systemd's `EnvironmentFile=`: each option with the word after it."""
    words: list[str] = []
    for entry in shlex.split(service.read_text("utf-8"), comments=True):
        name, _, value = entry.partition("=")
        if name == "OPTIONS":
            words = shlex.split(value)
    pairs = [w.partition("=")[::2] if "=" in w else (w, n) for w, n in zip(words, [*words[1:], ""], strict=True)]
    return dict(pairs)


def _provider(workspace: Workspace, now: Callable[[], datetime]) -> Iterator[HealthLine]:
    title = Text("统一身份认证", "Identity provider")
    try:
        provider = build_provider(workspace, now)
        if provider is None:
            return
        provider.check()
    except GovcloudError as error:
        where = Text("{what}（{where}）", "{what} ({where})").format(what=error.what, where=error.where or "—")
        yield _line("oidc", title, "act", where, error.next_step)
    except Refused as error:
        yield _line(
            "oidc", title, "act", Text("没有可用的应答：{e}", "no usable answer: {e}").format(e=error),
            Text("检查 web.oidc.issuer、网络和本机信任的证书；期间用本地口令登录", "Look at web.oidc.issuer, the network and the certificates that this machine trusts; local passwords work meanwhile"),
        )  # fmt: skip
    else:
        yield _line("oidc", title, "good", same(provider.settings.issuer))
