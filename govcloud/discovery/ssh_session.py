"""One SSH connection, direct or through a bastion: key exchange, host-key check, login, scripts. The only user of paramiko here.

Host keys are always checked against those that a person approved: there is no way to switch that off.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from threading import Event, Lock

from govcloud.model.access import HostAccess, HostKey
from govcloud.model.collect import HostStatus
from govcloud.model.text import Text

# paramiko does without invoke where it is missing: it is for `Match exec` in ssh_config files, which we never read. With
# asyncio and unittest behind it, it is a third of what paramiko takes to load.
_unwanted = "invoke" not in sys.modules
if _unwanted:
    sys.modules["invoke"] = None  # type: ignore[assignment]
import paramiko  # noqa: E402

if _unwanted:
    del sys.modules["invoke"]

MAX_OUTPUT_BYTES = 8 * 2**20

# Everything that goes wrong is told by a result; paramiko's own tracebacks on stderr tell a user nothing.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

# 386 ms of our processor time a connection, measured; the other methods cost 5.
_SLOW_EXCHANGE = "diffie-hellman-group-exchange"
_PATIENCE_SECONDS = 2.0
LATE = Text("主机没有在时限内答完", "The host did not finish in time")


class Stop(Exception):
    """Ends the work on one host with its result; never leaves discovery over SSH."""

    def __init__(self, status: HostStatus, reason: Text) -> None:
        super().__init__(status)
        self.status, self.reason = status, reason


def fingerprint(key_base64: str) -> str:
    digest = hashlib.sha256(base64.b64decode(key_base64)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


class Bastion:
    """A host that connections are made through: one login, shared by all threads, made when the first one needs it."""

    def __init__(self, host: HostAccess, keys: Sequence[HostKey], seconds: float) -> None:
        self.host, self._keys, self._seconds = host, keys, seconds
        self._lock = Lock()
        self._remote: Remote | None = None
        self._failure: Stop | None = None

    def open(self, host: HostAccess, seconds: float) -> paramiko.Channel:
        """A channel to the host's SSH port. Raises Stop; a bastion that failed once is not tried for every host."""
        with self._lock:
            if self._failure is not None:
                raise self._failure
            if self._remote is None or not self._remote.transport.is_active():
                try:
                    self._remote = Remote(self.host, self._keys, self._seconds)
                    self._remote.check_key()
                    self._remote.log_in()
                except Stop as stop:
                    self.close()
                    self._failure = Stop("unreachable", Text("跳板机 {b}：{why}", "Bastion {b}: {why}").format(
                        b=self.host.name, why=stop.reason))  # fmt: skip
                    raise self._failure from None
            transport = self._remote.transport
        try:
            return transport.open_channel("direct-tcpip", (host.address, host.port), ("127.0.0.1", 0), timeout=seconds)
        except paramiko.ChannelException as error:
            raise self._refusal(host, error) from None
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise Stop("timed_out" if "imeout" in str(error) else "unreachable", Text(
                "跳板机 {b} 没有接通：{why}", "Bastion {b} gave no connection: {why}"
            ).format(b=self.host.name, why=_why(error))) from None  # fmt: skip

    def _refusal(self, host: HostAccess, error: paramiko.ChannelException) -> Stop:
        at = f"{host.address}:{host.port}"
        if error.code == 1:
            # SSH_OPEN_ADMINISTRATIVELY_PROHIBITED, RFC 4254 section 5.1.
            return Stop("unreachable", Text("跳板机 {b} 不允许转发到 {a}", "Bastion {b} does not allow forwarding to {a}").format(
                b=self.host.name, a=at))  # fmt: skip
        # paramiko keeps the code only: whether the port was closed or nobody was there, it does not tell.
        return Stop(
            "unreachable", Text("跳板机 {b} 连不上 {a}", "Bastion {b} can't reach {a}").format(b=self.host.name, a=at)
        )

    def close(self) -> None:
        if self._remote is not None:
            self._remote.close()
            self._remote = None


class Remote:
    """A connection whose key exchange is done; nobody is logged in, and the key is not checked yet. Raises Stop."""

    def __init__(
        self, host: HostAccess, keys: Sequence[HostKey], seconds: float, bastion: Bastion | None = None
    ) -> None:
        self.host, self._keys = host, keys
        sock = bastion.open(host, seconds) if bastion else _dial(host, seconds)
        self.own_address = "" if isinstance(sock, paramiko.Channel) else str(sock.getsockname()[0])
        """Ours, as a host that we reach directly sees it."""
        self._sock, self._seconds = sock, seconds
        self.overdue_at = float("inf")
        """time.monotonic() after which nobody waits for the host any more."""
        try:
            self.transport = _exchange(host, keys, sock, seconds)
        except BaseException:
            sock.close()
            raise
        key = self.transport.get_remote_server_key()
        self.key = (key.get_name(), key.get_base64())

    def close(self) -> None:
        """End the connection; may be called from another thread, whose waiting then ends with an error."""
        with suppress(OSError, EOFError, paramiko.SSHException):
            # Wakes the thread that reads; closing alone would let it sleep on.
            self._sock.shutdown(socket.SHUT_RDWR)
        self.transport.close()

    def check_key(self) -> None:
        if not self._keys:
            raise Stop("key_unknown", Text(
                "主机密钥 {f} 尚未认可，没有登录", "Its key {f} has not been approved; nobody logged in"
            ).format(f=fingerprint(self.key[1])))  # fmt: skip
        if self.key not in {(k.key_type, k.key_base64) for k in self._keys}:
            raise Stop("key_changed", Text(
                "主机密钥变了：认可的是 {old}，现在是 {new}，没有登录",
                "Its key has changed: approved {old}, shown {new}; nobody logged in",
            ).format(old=" ".join(fingerprint(k.key_base64) for k in self._keys), new=fingerprint(self.key[1])))  # fmt: skip

    def log_in(self) -> None:
        try:
            self._authenticate()
        except paramiko.AuthenticationException:
            raise Stop(
                "auth_failed", Text("{u} 登录被拒绝", "The login as {u} was refused").format(u=self.host.user)
            ) from None
        except (paramiko.SSHException, EOFError) as error:
            raise _lost(error) from None
        if not self.transport.is_authenticated():
            raise Stop("auth_failed", Text("{u} 登录还要别的凭据", "The login as {u} needs more than a key").format(
                u=self.host.user))  # fmt: skip

    def _authenticate(self) -> None:
        user, key_file = self.host.user, self.host.key_file
        if key_file is not None:
            self._offer(user, _load_key(key_file))
            return
        for key in paramiko.Agent().get_keys():
            try:
                self._offer(user, key)
            except paramiko.AuthenticationException:
                continue
            return
        raise Stop("auth_failed", Text(
            "没有写明私钥，ssh-agent 里的私钥都被拒绝", "No key is named, and those of ssh-agent were refused"))  # fmt: skip

    def _offer(self, user: str, key: paramiko.PKey) -> None:
        answered = Event()
        self.transport.auth_publickey(user, key, event=answered)
        if not answered.wait(self._seconds):
            raise Stop("timed_out", LATE)
        if not self.transport.is_authenticated() and self.transport.is_active():
            raise self.transport.get_exception() or paramiko.AuthenticationException("refused")
        if not self.transport.is_active():
            raise paramiko.SSHException(_why(self.transport.get_exception() or EOFError()))

    def run(self, script: str, deadline: float) -> str:
        """Feed the script to the host's shell; what it printed. Raises Stop when `deadline` (time.monotonic) is over."""
        chunks: list[bytes] = []
        size = 0
        try:
            channel = self.transport.open_session(timeout=_left(deadline))
            with channel:
                channel.settimeout(_left(deadline))
                # Login shells differ (csh, fish): they are only asked to start sh.
                channel.exec_command("exec /bin/sh -s")
                channel.sendall(script.encode())
                channel.shutdown_write()
                while chunk := channel.recv(65536):
                    chunks.append(chunk)
                    size += len(chunk)
                    if size > MAX_OUTPUT_BYTES:
                        raise Stop("connection_lost", Text("主机答得太多", "The host printed too much"))
                    channel.settimeout(_left(deadline))
        except TimeoutError:
            raise Stop("timed_out", LATE) from None
        except (paramiko.SSHException, EOFError, OSError) as error:
            if time.monotonic() >= deadline:
                raise Stop("timed_out", LATE) from None
            raise _lost(error) from None
        return b"".join(chunks).decode("utf-8", "replace")


def _left(deadline: float) -> float:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise Stop("timed_out", LATE)
    return remaining


def _why(error: Exception) -> str:
    return _printable(str(error)) or type(error).__name__


def _printable(text: object) -> str:
    """What a foreign server wrote, as one line that can't steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in str(text))[:200].strip()


def _lost(error: Exception) -> Stop:
    return Stop("connection_lost", Text("连接中断：{why}", "The connection was lost: {why}").format(why=_why(error)))


def _dial(host: HostAccess, seconds: float) -> socket.socket:
    at = f"{host.address}:{host.port}"
    try:
        return socket.create_connection((host.address, host.port), timeout=seconds)
    except TimeoutError:
        raise Stop("timed_out", Text("{a} 在 {s:.0f} 秒内没有应答", "No answer from {a} within {s:.0f} s").format(
            a=at, s=seconds)) from None  # fmt: skip
    except ConnectionRefusedError:
        raise Stop("refused", Text("{a} 拒绝连接", "{a} refuses connections").format(a=at)) from None
    except OSError as error:
        raise Stop("unreachable", Text("连不上 {a}：{why}", "{a} can't be reached: {why}").format(
            a=at, why=error.strerror or error)) from None  # fmt: skip


def _exchange(
    host: HostAccess, keys: Sequence[HostKey], sock: socket.socket | paramiko.Channel, seconds: float
) -> paramiko.Transport:
    at = f"{host.address}:{host.port}"
    slow = Text("{a} 没有按时完成 SSH 握手", "{a} did not finish the SSH handshake in time").format(a=at)
    try:
        transport = paramiko.Transport(sock)
        transport.auth_timeout = seconds
        # Longer than ours: otherwise a slow host could not be told from one that talks nonsense.
        transport.banner_timeout = transport.handshake_timeout = seconds + 5
        options = transport.get_security_options()
        options.kex = [k for k in options.kex if not k.startswith(_SLOW_EXCHANGE)]
        # The server shows one key: ask first for a type that was approved.
        wanted = [t for t in options.key_types if _same_type(t, keys)]
        options.key_types = [*wanted, *(t for t in options.key_types if t not in wanted)]
        # paramiko wakes ten times a second to see whether it is still wanted; we tell it when it is not.
        sock.settimeout(_PATIENCE_SECONDS)
        negotiated = Event()
        transport.start_client(event=negotiated)
        negotiated.wait(seconds)
        if error := transport.get_exception():
            raise paramiko.SSHException(_why(error))
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise Stop("refused", Text("{a} 不是可用的 SSH 服务：{why}", "{a} is no usable SSH service: {why}").format(
            a=at, why=_why(error))) from None  # fmt: skip
    if not (transport.is_active() and transport.initial_kex_done):
        transport.close()
        raise Stop("timed_out", slow)
    return transport


def _same_type(offered: str, keys: Sequence[HostKey]) -> bool:
    # rsa-sha2-512 is a signature over an ssh-rsa key.
    return any(k.key_type == ("ssh-rsa" if offered.startswith("rsa-sha2") else offered) for k in keys)


def _load_key(path: str) -> paramiko.PKey:
    try:
        return _parse_key(path, Path(path).stat().st_mtime_ns)
    except paramiko.PasswordRequiredException:
        why = Text("私钥 {k} 有口令，请加入 ssh-agent", "The key {k} has a passphrase: add it to ssh-agent").format(
            k=path
        )
    except (OSError, paramiko.SSHException, paramiko.pkey.UnknownKeyType, ValueError, TypeError) as error:
        why = Text("私钥 {k} 用不了：{why}", "The key {k} can't be used: {why}").format(k=path, why=_why(error))
    raise Stop("auth_failed", why)


@lru_cache(maxsize=64)
def _parse_key(path: str, changed_at: int) -> paramiko.PKey:
    # A thousand hosts share one key file.
    return paramiko.PKey.from_path(path)
