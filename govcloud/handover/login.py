"""Real SSH logins from the controller (paramiko): the proof that a key opens an account or no longer does."""

from __future__ import annotations

import base64
import hashlib
import logging
import posixpath
import socket
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import paramiko

from govcloud.errors import InputError
from govcloud.model.access import HostAccess, HostKey
from govcloud.model.handover import LoginAttempt
from govcloud.model.text import Text

# A refused connection is a result here; paramiko would tell it on the terminal as well.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

_SECONDS = 15
PASSWORD = "password"  # noqa: S105 - what a login attempt names instead of a key's fingerprint
KEY_FILES = ("authorized_keys", "authorized_keys2")
"""What sshd reads by default (sshd_config: AuthorizedKeysFile)."""


def fingerprint(key_base64: str) -> str:
    """`SHA256:…` as ssh-keygen -l prints it."""
    digest = hashlib.sha256(base64.b64decode(key_base64)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def parse_public_key(text: str, where: str) -> str:
    """The one public key line of a .pub file, options not allowed. Raises InputError for anything else."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    words = lines[0].split() if len(lines) == 1 else []
    try:
        if len(words) < 2:
            raise ValueError("not one line of type and key")
        paramiko.PKey.from_type_string(words[0], base64.b64decode(words[1], validate=True))
    except (ValueError, paramiko.SSHException, IndexError):
        raise InputError(
            Text("不是一行 SSH 公钥", "Not one line with an SSH public key"),
            where=where,
            next_step=Text("给出 ssh-keygen 生成的 .pub 文件", "Give the .pub file that ssh-keygen made"),
        ) from None
    return " ".join((words[0], words[1], "".join(c for c in " ".join(words[2:]) if c.isprintable())[:100])).rstrip()


def load_identity(path: Path) -> paramiko.PKey:
    """A private key without a passphrase. Raises InputError."""
    try:
        return paramiko.PKey.from_path(path)
    except (OSError, ValueError, TypeError, paramiko.SSHException) as error:
        raise InputError(
            Text("私钥不能用：{why}", "The private key can't be used: {why}").format(
                why=getattr(error, "strerror", None) or error
            ),
            where=str(path),
            next_step=Text("须为无口令短语的 SSH 私钥文件", "It must be an SSH private key without a passphrase"),
        ) from None


class SessionError(Exception):
    """The held connection broke or the host refused a file operation."""


@contextmanager
def _session_errors() -> Iterator[None]:
    try:
        yield
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise SessionError(_one_line(error)) from error


class HeldSession:
    """An SSH connection that stays open while keys change: the rope back if a proof fails."""

    def __init__(self, transport: paramiko.Transport) -> None:
        self._transport = transport
        sftp = transport.open_sftp_client()
        if sftp is None:
            raise paramiko.SSHException("no SFTP on this host")
        self._sftp = sftp
        self.folder = posixpath.join(self._home(), ".ssh")

    def _home(self) -> str:
        # SFTP's own idea of the start folder may be a chroot; the shell's is the one that Ansible and sshd mean.
        channel = self._transport.open_session(timeout=_SECONDS)
        channel.settimeout(_SECONDS)
        channel.exec_command("printenv HOME")
        home = channel.makefile("rb").read().decode().strip()
        if channel.recv_exit_status() != 0 or not posixpath.isabs(home):
            raise paramiko.SSHException("the host does not name a home folder")
        return home

    def read(self) -> dict[str, bytes]:
        """Name -> content of the key files that are there."""
        with _session_errors():
            there = set(self._sftp.listdir(self.folder))
            found = {}
            for name in KEY_FILES:
                if name in there:
                    with self._sftp.open(posixpath.join(self.folder, name), "rb") as stream:
                        found[name] = bytes(stream.read())
            return found

    def write(self, files: dict[str, bytes]) -> None:
        """Put the key files back as they were, each atomically."""
        with _session_errors():
            for name, content in files.items():
                temporary = posixpath.join(self.folder, f"{name}.govcloud-restore")
                with self._sftp.open(temporary, "wb") as stream:
                    stream.chmod(0o600)
                    stream.write(content)
                self._sftp.posix_rename(temporary, posixpath.join(self.folder, name))

    def close(self) -> None:
        self._transport.close()


class Logins:
    """Tries logins; every host must show a host key that a person approved.

    `hosts`: by name, for the bastions that others are reached through; a bastion is opened with its own key file.
    """

    def __init__(
        self, approved: Mapping[tuple[str, int], tuple[HostKey, ...]], now: Callable[[], datetime],
        hosts: Mapping[str, HostAccess] | None = None,
    ) -> None:  # fmt: skip
        self._approved = approved
        self._now = now
        self._hosts = hosts or {}
        self._bastions: dict[str, paramiko.Transport] = {}

    def attempt(self, host: HostAccess, identity: Path) -> LoginAttempt:
        """One new login, closed again at once."""
        attempt, session = self.open(host, identity)
        if session is not None:
            session.close()
        return attempt

    def attempt_password(self, host: HostAccess, password: str) -> LoginAttempt:
        """One new login with a password, closed again at once. Neither it nor anything made of it is in the result."""
        accepted: bool | None = None
        transport: paramiko.Transport | None = None
        try:
            transport = self._connect(host)
            # A server that takes no passwords refuses this one, too. `fallback`: also by keyboard-interactive.
            more = transport.auth_password(host.user, password, fallback=True)
            # With a second factor still missing nobody is in, yet the password was right.
            accepted, answer = True, f"accepted, then asked for {', '.join(more)}" if more else "accepted"
        except paramiko.AuthenticationException as error:
            accepted, answer = False, _one_line(error)
        except (paramiko.SSHException, OSError, EOFError) as error:
            answer = _one_line(error)
        finally:
            if transport is not None:
                transport.close()
        return self._told(host, PASSWORD, accepted, answer)

    def knock(self, host: HostAccess) -> bool:
        """Whether an SSH server greets us at the host's own address, without its bastion."""
        try:
            with socket.create_connection((host.address, host.port), timeout=_SECONDS) as link:
                return link.recv(4) == b"SSH-"
        except OSError:
            return False

    def direct(self, host: HostAccess, identity: Path) -> LoginAttempt:
        """A login that leaves the bastion out: what the bastion is for is that this fails."""
        keys = self._approved.get((host.key_host, host.port), ())
        around = Logins({(host.address, host.port): keys}, self._now)
        return around.attempt(replace(host, via=None), identity)

    def open(self, host: HostAccess, identity: Path) -> tuple[LoginAttempt, HeldSession | None]:
        """A new login that stays open when it is accepted. Only this one key is offered, no agent and no others."""
        key = load_identity(identity)
        accepted: bool | None = None
        session: HeldSession | None = None
        transport: paramiko.Transport | None = None
        try:
            transport = self._connect(host)
            transport.auth_publickey(host.user, key)
            accepted, answer = True, "accepted"
            session = HeldSession(transport)
        except paramiko.AuthenticationException as error:
            accepted, answer = False, _one_line(error)
        except (paramiko.SSHException, OSError, EOFError) as error:
            answer = _one_line(error)
        if session is None and transport is not None:
            transport.close()
        return self._told(host, fingerprint(key.get_base64()), accepted, answer), session

    def _told(self, host: HostAccess, offered: str, accepted: bool | None, answer: str) -> LoginAttempt:
        return LoginAttempt(host=host.name, fingerprint=offered, accepted=accepted, answer=answer, at=self._now())

    def _connect(self, host: HostAccess) -> paramiko.Transport:
        transport = paramiko.Transport(self._link(host))
        transport.banner_timeout = transport.auth_timeout = _SECONDS
        try:
            known = self._approved.get((host.key_host, host.port), ())
            # Asking for a type that was approved: a server with several keys must not fail for showing another.
            transport.get_security_options().key_types = _algorithms(transport, {k.key_type for k in known})
            transport.start_client(timeout=_SECONDS)
            shown = transport.get_remote_server_key()
            if not any((k.key_type, k.key_base64) == (shown.get_name(), shown.get_base64()) for k in known):
                raise paramiko.SSHException(f"host key {fingerprint(shown.get_base64())} is not approved")
        except BaseException:
            transport.close()
            raise
        return transport

    def _link(self, host: HostAccess) -> socket.socket | paramiko.Channel:
        """A connection to the host's SSH port; through its bastion where it has one."""
        if host.via is None:
            return socket.create_connection((host.address, host.port), timeout=_SECONDS)
        bastion = self._bastions.get(host.via)
        if bastion is None or not bastion.is_authenticated():
            access = self._hosts[host.via]
            bastion = self._bastions[host.via] = self._connect(access)
            try:
                bastion.auth_publickey(access.user, load_identity(Path(str(access.key_file))))
            except paramiko.AuthenticationException as error:
                # Not the host's answer: nothing is known of the key that was to be tried there.
                raise paramiko.SSHException(f"the bastion {access.name} refuses us: {_one_line(error)}") from error
        return bastion.open_channel("direct-tcpip", (host.address, host.port), ("127.0.0.1", 0), timeout=_SECONDS)


def _algorithms(transport: paramiko.Transport, known: Collection[str]) -> tuple[str, ...]:
    """Signature algorithms for the approved key types; all of them where none is approved (it is refused later)."""
    offered = tuple(transport.get_security_options().key_types)
    rsa = ("rsa-sha2-512", "rsa-sha2-256") if "ssh-rsa" in known else ()
    return tuple(name for name in offered if name in known or name in rsa) or offered


def _one_line(error: BaseException) -> str:
    allowed = getattr(error, "allowed_types", None)
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return " ".join((text + (f" (allowed: {', '.join(allowed)})" if allowed else "")).split())[:300]
