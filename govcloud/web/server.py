"""Opens the port and serves until it is told to stop."""

from __future__ import annotations

import ipaddress
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn

from govcloud.access import check_private
from govcloud.errors import InputError, OutsideError, UsageError
from govcloud.model.ids import is_host_name
from govcloud.model.text import Text
from govcloud.web.app import create_app
from govcloud.web.oidc import build_provider
from govcloud.web.place import LOOPBACK_NAMES, Place
from govcloud.workflow.accounts import has_accounts
from govcloud.workflow.session import Session
from govcloud.workflow.sign_in import LocalKey

_STOP_S = 5
"""So long a page that is being sent may take to end."""
_MOST_CONNECTIONS = 500
"""Below the number of files that a process may have open; more are answered 503."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    host: str
    port: int
    """0: one that is free."""
    names: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    proxy: bool = False
    """A reverse proxy of this machine does TLS and says who asks."""

    @property
    def secure(self) -> bool:
        """Browsers come over TLS."""
        return self.proxy or self.tls_cert is not None


class _Server(uvicorn.Server):
    """Ends the live parts of pages first: a tab that stays open must not hold up the stop."""

    def __init__(self, config: uvicorn.Config, place: Place) -> None:
        super().__init__(config)
        self._place = place

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._place.stopping.set()
        await super().shutdown(sockets)


def run(session: Session, where: Address, say: Callable[[Text], None]) -> None:
    """Serve the session's workspace; ends with Ctrl-C or SIGTERM.

    Raises UsageError for an address that other machines reach without accounts or without TLS, InputError for certificate or
    key, OutsideError where the port can't be opened.
    """
    _check(session, where)
    with _listen(where) as listening:
        place = build_place(session, where)
        server = build_server(place, where)
        _load_tls(server.config, where)
        say(_ready(place, where, listening.getsockname()[1]))
        before = signal.signal(signal.SIGTERM, _interrupt)
        try:
            server.run(sockets=[listening])
        except KeyboardInterrupt:
            pass  # the signal that stopped the server, handed on once it has ended in order
        finally:
            signal.signal(signal.SIGTERM, before)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def build_server(place: Place, where: Address) -> uvicorn.Server:
    # Who asks is believed of the reverse proxy alone: any other could give itself a new address for each guess.
    config = uvicorn.Config(
        create_app(place), port=where.port, log_level="warning", access_log=False, server_header=False, lifespan="off",
        timeout_graceful_shutdown=_STOP_S, limit_concurrency=_MOST_CONNECTIONS, ssl_certfile=where.tls_cert,
        ssl_keyfile=where.tls_key, proxy_headers=where.proxy, forwarded_allow_ips=["127.0.0.1", "::1"],
    )  # fmt: skip
    return _Server(config, place)


def build_place(session: Session, where: Address) -> Place:
    return Place(
        session=session,
        hosts=LOOPBACK_NAMES | {_bracketed(where.host)} | {name.lower() for name in where.names},
        secure=where.secure,
        local_key=None if has_accounts(session) else LocalKey(),
        oidc=build_provider(session.workspace, session.now),
    )


def _check(session: Session, where: Address) -> None:
    for name in where.names:
        if not is_host_name(name.lower()):
            raise UsageError(Text("不是主机名", "Not a host name"), where=f"--name {name}")
    if (where.tls_cert is None) != (where.tls_key is None):
        raise UsageError(
            Text("证书和私钥要一起给出", "Certificate and key belong together"), where="--tls-cert, --tls-key"
        )
    if where.tls_key is not None:
        check_private(where.tls_key)
    if where.proxy:
        _check_proxy(where)
    if _is_loopback(where.host) and not where.proxy:
        return
    if not has_accounts(session):
        raise UsageError(
            Text("没有账号时只能在本机上使用", "Without accounts only this machine may use it"),
            where="--proxy" if where.proxy else f"--host {where.host}",
            next_step=Text("先建立账号：govcloud accounts add", "Make accounts first: govcloud accounts add"),
        )
    if not where.secure:
        raise UsageError(
            Text("对外服务须用 TLS，否则口令明文传输", "Other machines need TLS: passwords would travel in the clear"),
            where=f"--host {where.host}",
            next_step=Text(
                "给出 --tls-cert 和 --tls-key，或只监听 127.0.0.1 并由本机的反向代理提供 TLS（--proxy）",
                "Give --tls-cert and --tls-key, or listen on 127.0.0.1 behind a reverse proxy of this machine that does TLS (--proxy)",
            ),
        )
    if _is_any(where.host) and not where.names:
        raise _no_name(where)


def _check_proxy(where: Address) -> None:
    if not _is_loopback(where.host) or where.tls_cert is not None:
        raise UsageError(
            Text("由反向代理提供 TLS 时只监听本机，不另给证书", "Behind a reverse proxy it listens on this machine only, without TLS of its own"),
            where="--proxy",
        )  # fmt: skip
    if not where.names:
        raise _no_name(where)


def _no_name(where: Address) -> UsageError:
    return UsageError(
        Text("没有写明浏览器用什么主机名访问", "It is not said by which host name browsers come"),
        where="--proxy" if where.proxy else f"--host {where.host}",
        next_step=Text("加上 --name 主机名", "Add --name HOST"),
    )


def _is_any(host: str) -> bool:
    return host in ("", "0.0.0.0", "::")  # noqa: S104 - compared, not listened on


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(where: Address) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
        listening = socket.create_server((where.host, where.port), family=family)
        # Each connection inherits it. asyncio sets it only for sockets that were made with a protocol number, which this one
        # was not; without it an answer's body waits some 40 ms for the client's acknowledgement of its head.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        raise OutsideError(
            Text("端口打不开：{why}", "The port can't be opened: {why}").format(why=error.strerror or error),
            where=f"{where.host}:{where.port}",
            next_step=Text(
                "换一个 --port，或停掉占用它的程序", "Choose another --port, or stop the program that has it"
            ),
        ) from None


def _load_tls(config: uvicorn.Config, where: Address) -> None:
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one
        raise InputError(
            Text("证书或私钥不能用：{why}", "Certificate or key can't be used: {why}").format(
                why=error.strerror or error
            ),
            where=f"{where.tls_cert}, {where.tls_key}",
        ) from None


def _ready(place: Place, where: Address, port: int) -> Text:
    name = where.names[0] if where.names else _bracketed(where.host)
    scheme = "https" if where.secure else "http"
    address = f"{scheme}://{name}" if where.proxy else f"{scheme}://{name}:{port}"
    if place.local_key is not None:
        return Text(
            "看板已启动。用浏览器打开（只能用一次）：{a}/local?key={k}\n停止：Ctrl-C",
            "The dashboard is up. Open it with a browser (good once): {a}/local?key={k}\nStop it with Ctrl-C",
        ).format(a=address, k=place.local_key.text)
    return Text("看板已启动：{a}\n停止：Ctrl-C", "The dashboard is up: {a}\nStop it with Ctrl-C").format(a=address)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
