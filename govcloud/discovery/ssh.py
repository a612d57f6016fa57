"""Discovery over SSH: one connection and one POSIX-sh script a host, a bounded number of hosts at a time.

Nothing is needed on the host but a shell; what the account may not read stays unknown. Host keys are always checked
against those that a person approved: there is no way to switch that off. A host that can't be read is a result.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import logging
import re
import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import paramiko

from govcloud.discovery import facts
from govcloud.discovery.identity import identifies
from govcloud.discovery.probes import PROBES, Probe
from govcloud.model.access import HostAccess, HostKey
from govcloud.model.collect import HostResult, HostStatus, ProbeGap
from govcloud.model.ids import build_id
from govcloud.model.inventory import Observation, Value
from govcloud.model.text import Text

R = TypeVar("R")

SOURCE = "ssh"
WORKERS = 16
CONNECT_SECONDS = 10.0
DEADLINE_SECONDS = 60.0
MAX_OUTPUT_BYTES = 8 * 2**20

Approved = Mapping[tuple[str, int], Sequence[HostKey]]

# Everything that goes wrong is told by a result; paramiko's own tracebacks on stderr tell a user nothing.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

# 386 ms of our processor time a connection, measured; the other methods cost 5.
_SLOW_EXCHANGE = "diffie-hellman-group-exchange"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownKey:
    """What a host shows before anybody has logged in."""

    host: HostAccess
    key: tuple[str, str] | None = None
    """(type, base64)."""
    status: HostStatus = "ok"
    reason: Text | None = None


class _Stop(Exception):
    """Ends the work on one host with its result; never leaves this module."""

    def __init__(self, status: HostStatus, reason: Text) -> None:
        super().__init__(status)
        self.status, self.reason = status, reason


def fingerprint(key_base64: str) -> str:
    digest = hashlib.sha256(base64.b64decode(key_base64)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def discover_hosts(
    hosts: Sequence[HostAccess],
    approved: Approved,
    *,
    now: Callable[[], datetime],
    on_done: Callable[[HostResult], None] = lambda result: None,
    probes: Sequence[Probe] = PROBES,
    workers: int = WORKERS,
    connect_seconds: float = CONNECT_SECONDS,
    deadline_seconds: float = DEADLINE_SECONDS,
) -> list[HostResult]:
    """Results in the order of `hosts`; `on_done` is called as they come, from the calling thread."""

    def work(host: HostAccess) -> HostResult:
        keys = approved.get((host.address, host.port), ())
        return _discover(host, keys, now, probes, connect_seconds, deadline_seconds)

    return _each(hosts, work, on_done, workers)


def show_keys(
    hosts: Sequence[HostAccess],
    approved: Approved,
    *,
    on_done: Callable[[ShownKey], None] = lambda result: None,
    workers: int = WORKERS,
) -> list[ShownKey]:
    """The key that each host shows now, of an approved type where it has one. Nobody logs in."""

    def work(host: HostAccess) -> ShownKey:
        try:
            transport = _connect(host, approved.get((host.address, host.port), ()), CONNECT_SECONDS)
        except _Stop as stop:
            return ShownKey(host=host, status=stop.status, reason=stop.reason)
        with transport:
            key = transport.get_remote_server_key()
            return ShownKey(host=host, key=(key.get_name(), key.get_base64()))

    return _each(hosts, work, on_done, workers)


def _each(
    hosts: Sequence[HostAccess], work: Callable[[HostAccess], R], on_done: Callable[[R], None], workers: int
) -> list[R]:
    found: dict[str, R] = {}
    with ThreadPoolExecutor(max_workers=max(1, min(workers, len(hosts))), thread_name_prefix="ssh") as pool:
        waiting = {pool.submit(work, host): host.name for host in hosts}
        try:
            for future in as_completed(waiting):
                found[waiting[future]] = future.result()
                on_done(future.result())
        except BaseException:
            # Ctrl-C must not wait for hosts that have not been begun.
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [found[host.name] for host in hosts]


def _discover(
    host: HostAccess,
    keys: Sequence[HostKey],
    now: Callable[[], datetime],
    probes: Sequence[Probe],
    connect_seconds: float,
    deadline_seconds: float,
) -> HostResult:
    started = time.monotonic()
    shown: tuple[str, str] | None = None
    known = tuple(fingerprint(k.key_base64) for k in keys)

    def result(status: HostStatus, reason: Text | None = None, **more: object) -> HostResult:
        return HostResult(
            host=host, status=status, reason=reason, key_type=shown[0] if shown else None,
            fingerprint=fingerprint(shown[1]) if shown else None, approved_fingerprints=known,
            seconds=time.monotonic() - started, **more,  # type: ignore[arg-type]
        )  # fmt: skip

    try:
        with _connect(host, keys, connect_seconds) as transport:
            key = transport.get_remote_server_key()
            shown = (key.get_name(), key.get_base64())
            _check_key(shown, keys)
            _log_in(transport, host)
            own_address = _own_address(transport)
            marker = secrets.token_hex(16)
            output = _run(transport, build_script(probes, marker), started + deadline_seconds)
    except _Stop as stop:
        return result(stop.status, stop.reason)
    except (paramiko.SSHException, EOFError, OSError) as error:
        return result("connection_lost", _lost(error))
    sections = parse_sections(output, marker)
    if sections is None:
        return result("connection_lost", Text("主机没有运行完探测脚本", "The host did not run the script to its end"))
    values, gaps = parse_facts(sections, probes)
    observations = build_observations(host, values, now(), own_address)
    return result("ok", observations=tuple(observations), gaps=tuple(gaps))


def _own_address(transport: paramiko.Transport) -> str:
    sock = transport.sock
    return str(sock.getsockname()[0]) if isinstance(sock, socket.socket) else ""


def _lost(error: Exception) -> Text:
    return Text("连接中断：{why}", "The connection was lost: {why}").format(why=str(error) or type(error).__name__)


def _connect(host: HostAccess, keys: Sequence[HostKey], seconds: float) -> paramiko.Transport:
    """A transport whose key exchange is done; nobody is logged in, and the key is not checked yet."""
    address = f"{host.address}:{host.port}"
    try:
        sock = socket.create_connection((host.address, host.port), timeout=seconds)
    except TimeoutError:
        raise _Stop("timed_out", Text("{a} 在 {s:.0f} 秒内没有应答", "No answer from {a} within {s:.0f} s").format(
            a=address, s=seconds)) from None  # fmt: skip
    except ConnectionRefusedError:
        raise _Stop("refused", Text("{a} 拒绝连接", "{a} refuses connections").format(a=address)) from None
    except OSError as error:
        raise _Stop("unreachable", Text("连不上 {a}：{why}", "{a} can't be reached: {why}").format(
            a=address, why=error.strerror or error)) from None  # fmt: skip
    transport = paramiko.Transport(sock)
    slow = Text("{a} 没有按时完成 SSH 握手", "{a} did not finish the SSH handshake in time").format(a=address)
    transport.auth_timeout = seconds
    # Longer than ours: otherwise a slow host could not be told from one that talks nonsense.
    transport.banner_timeout = transport.handshake_timeout = seconds + 5
    options = transport.get_security_options()
    options.kex = [k for k in options.kex if not k.startswith(_SLOW_EXCHANGE)]
    # The server shows one key: ask first for a type that was approved.
    wanted = [t for t in options.key_types if _same_type(t, keys)]
    options.key_types = [*wanted, *(t for t in options.key_types if t not in wanted)]
    try:
        transport.start_client(timeout=seconds)
    except (paramiko.SSHException, EOFError, OSError) as error:
        transport.close()
        reason = Text("{a} 不是可用的 SSH 服务：{why}", "{a} is no usable SSH service: {why}").format(
            a=address, why=str(error) or type(error).__name__
        )
        raise _Stop("refused", reason) from None
    # paramiko returns without a word when the time is up.
    if not (transport.is_active() and transport.initial_kex_done):
        transport.close()
        raise _Stop("timed_out", slow)
    return transport


def _same_type(offered: str, keys: Sequence[HostKey]) -> bool:
    # rsa-sha2-512 is a signature over an ssh-rsa key.
    return any(k.key_type == ("ssh-rsa" if offered.startswith("rsa-sha2") else offered) for k in keys)


def _check_key(shown: tuple[str, str], keys: Sequence[HostKey]) -> None:
    if not keys:
        raise _Stop("key_unknown", Text(
            "主机密钥 {f} 尚未认可，没有登录", "Its key {f} has not been approved; nobody logged in"
        ).format(f=fingerprint(shown[1])))  # fmt: skip
    if shown not in {(k.key_type, k.key_base64) for k in keys}:
        raise _Stop("key_changed", Text(
            "主机密钥变了：认可的是 {old}，现在是 {new}，没有登录",
            "Its key has changed: approved {old}, shown {new}; nobody logged in",
        ).format(old=" ".join(fingerprint(k.key_base64) for k in keys), new=fingerprint(shown[1])))  # fmt: skip


def _log_in(transport: paramiko.Transport, host: HostAccess) -> None:
    refused = Text("{u} 登录被拒绝", "The login as {u} was refused").format(u=host.user)
    try:
        if host.key_file is not None:
            transport.auth_publickey(host.user, paramiko.PKey.from_path(host.key_file))
            return
        for key in paramiko.Agent().get_keys():
            try:
                transport.auth_publickey(host.user, key)
            except paramiko.AuthenticationException:
                continue
            return
    except paramiko.PasswordRequiredException:
        raise _Stop("auth_failed", Text(
            "私钥 {k} 有口令，请加入 ssh-agent", "The key {k} has a passphrase: add it to ssh-agent"
        ).format(k=host.key_file)) from None  # fmt: skip
    except paramiko.AuthenticationException:
        raise _Stop("auth_failed", refused) from None
    except (paramiko.pkey.UnknownKeyType, ValueError) as error:
        raise _Stop("auth_failed", Text("私钥 {k} 用不了：{why}", "The key {k} can't be used: {why}").format(
            k=host.key_file, why=error)) from None  # fmt: skip
    raise _Stop("auth_failed", Text(
        "没有写明私钥，ssh-agent 里的私钥都被拒绝", "No key is named, and those of ssh-agent were refused"))  # fmt: skip


def _run(transport: paramiko.Transport, script: str, deadline: float) -> str:
    """Feed the script to the host's shell; what it printed. Raises _Stop when time is up."""
    late = Text("主机没有在时限内答完", "The host did not finish in time")

    def left() -> float:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise _Stop("timed_out", late)
        return remaining

    chunks: list[bytes] = []
    size = 0
    try:
        channel = transport.open_session(timeout=left())
        channel.settimeout(left())
        # Login shells differ (csh, fish): they are only asked to start sh.
        channel.exec_command("exec /bin/sh -s")
        channel.sendall(script.encode())
        channel.shutdown_write()
        while chunk := channel.recv(65536):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_OUTPUT_BYTES:
                raise _Stop("connection_lost", Text("主机答得太多", "The host printed too much"))
            channel.settimeout(left())
    except TimeoutError:
        raise _Stop("timed_out", late) from None
    return b"".join(chunks).decode("utf-8", "replace")


def build_script(probes: Sequence[Probe], marker: str) -> str:
    """All probes as one script; each section is closed by a marker that its output can't know beforehand."""
    lines = ["LC_ALL=C; export LC_ALL", "PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin; export PATH"]
    for probe in probes:
        lines.append(f"echo '{marker} begin {probe.name}'")
        lines.append(f"( {probe.command} ) </dev/null 2>/dev/null")
        lines.append(f'echo; echo "{marker} end {probe.name} $?"')
    lines.append(f"echo '{marker} done'")
    return "\n".join(lines) + "\n"


def parse_sections(output: str, marker: str) -> dict[str, tuple[str, int]] | None:
    """Probe -> (output, exit code); None when the script did not reach its end."""
    line_of_ours = re.compile(re.escape(marker) + r" (?:begin (\w+)|end (\w+) (\d+)|(done))")
    sections: dict[str, tuple[str, int]] = {}
    name, lines = "", list[str]()
    for line in output.split("\n"):
        found = line_of_ours.fullmatch(line)
        if found is None:
            lines.append(line)
        elif found[4]:
            return sections
        elif found[1]:
            name, lines = found[1], []
        elif found[2] == name:
            sections[name] = ("\n".join(lines).rstrip("\n"), int(found[3]))
    return None


def parse_facts(
    sections: Mapping[str, tuple[str, int]], probes: Sequence[Probe]
) -> tuple[dict[str, Mapping[str, Value]], list[ProbeGap]]:
    """Probe -> its facts, and the probes that said nothing."""
    values: dict[str, Mapping[str, Value]] = {}
    gaps = []
    for probe in probes:
        text, code = sections.get(probe.name, ("", -1))
        try:
            found = probe.parse(text)
        except ValueError:
            # What one host prints must never end the discovery of the others.
            reason = Text("输出看不懂", "What it printed could not be understood")
            gaps.append(ProbeGap(probe=probe.name, reason=reason))
            continue
        if found:
            values[probe.name] = found
        else:
            reason = Text(
                "没有输出可用的内容（退出码 {c}）：缺少命令或权限",
                "Nothing usable was printed (exit code {c}): a command or a right is missing",
            )
            gaps.append(ProbeGap(probe=probe.name, reason=reason.format(c=code)))
    return values, gaps


def build_observations(
    host: HostAccess, values: Mapping[str, Mapping[str, Value]], at: datetime, own_address: str
) -> list[Observation]:
    """Facts as observations of the server. Our own connection is left out of its connections."""
    usable = identifies(host.address)
    server_id = build_id("V", host.name, host.address if usable else str(host.port))

    def say(field: str, value: Value, place: str) -> Observation:
        return Observation(
            subject_kind="server", subject_id=server_id, field=field, value=value, source=SOURCE,
            locator=f"ssh://{host.name}/{place}", observed_at=at,
        )  # fmt: skip

    found = [say("name", host.name, "access")]
    if usable:
        found.append(say("addresses", (str(ipaddress.ip_address(host.address)),), "access"))
    for probe, fields in values.items():
        for field, value in fields.items():
            kept = _without_us(value, host.port, own_address) if field == "connections" else value
            found.append(say(field, kept, f"probe/{probe}"))
    return found


def _without_us(lines: Value, port: int, own_address: str) -> Value:
    if not isinstance(lines, tuple):
        return lines
    parsed = [facts.parse_connection(str(line)) for line in lines]
    return tuple(
        facts.render_connection(c)
        for c in parsed
        if not (c.inbound and c.local_port == port and c.remote_address == own_address)
    )
