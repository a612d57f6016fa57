"""The host keys of a machine that nobody has met: as it answers on the network, and as its console showed them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import socket
import subprocess
import time
from collections.abc import Callable

_KEY = re.compile(r"(ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|ssh-rsa) (AAAA[A-Za-z0-9+/]+={0,3})")
_BEGIN, _END = "BEGIN SSH HOST KEY KEYS", "END SSH HOST KEY KEYS"
"""Around the keys that cloud-init prints on the console: https://cloudinit.readthedocs.io (Keys to Console)."""


def fingerprint(key_base64: str) -> str:
    digest = hashlib.sha256(base64.b64decode(key_base64)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def parse_console(text: str) -> dict[str, str]:
    """Key type -> fingerprint. The last block counts: a machine that booted again may have new keys."""
    begin = text.rfind(_BEGIN)
    end = text.find(_END, begin)
    return _fingerprints(text[begin:end]) if 0 <= begin < end else {}


def scan(address: str, port: int = 22, *, timeout_s: int = 10) -> dict[str, str]:
    """Key type -> fingerprint of what answers now; empty: nothing does."""
    try:
        done = subprocess.run(
            ["ssh-keyscan", "-T", str(timeout_s), "-p", str(port), "--", address],
            capture_output=True, text=True, timeout=timeout_s * 4, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return _fingerprints(done.stdout)


def await_ssh(
    address: str, *, port: int = 22, deadline_s: float, beat: Callable[[], None] = lambda: None
) -> dict[str, str]:
    """The keys as soon as an SSH server answers; empty when none does within the time."""
    deadline = time.monotonic() + deadline_s
    while True:
        beat()
        try:
            with socket.create_connection((address, port), timeout=5) as door:
                answered = door.recv(4) == b"SSH-"
        except OSError:
            answered = False
        if answered and (found := scan(address, port)):
            return found
        if time.monotonic() > deadline:
            return {}
        time.sleep(1)


def best(keys: dict[str, str]) -> str:
    """The one that a person compares."""
    order = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
    return next((keys[kind] for kind in order if kind in keys), "")


def _fingerprints(text: str) -> dict[str, str]:
    found = {}
    for kind, key in _KEY.findall(text):
        try:
            found[kind] = fingerprint(key)
        except (binascii.Error, ValueError):
            continue
    return found
