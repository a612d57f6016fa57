"""Knocks at addresses and ports from this host, all at once. Standard library, Python 3.6 or newer; ICMP needs root.

What comes back: open (answered), refused (the address itself said no: the way is free), prohibited (a filter said no),
silent (nothing came), unreachable (no route), unknown (can't be asked from here).
"""

import errno
import os
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor

_WAIT_S = 2
_AT_ONCE = 64
_SAID = {
    errno.ECONNREFUSED: "refused", errno.EHOSTUNREACH: "prohibited", errno.EACCES: "prohibited", errno.EPERM: "prohibited",
    errno.ENETUNREACH: "unreachable", errno.ETIMEDOUT: "silent",
    # This host does not have the address that it should ask from.
    errno.EADDRNOTAVAIL: "unknown",
}  # fmt: skip


def answer(request):
    """{"probes": [[protocol, address from, address to, port or null]]} -> {"found": [what came back, in order]}"""
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return {"found": list(pool.map(_knock, request["probes"]))}


def _knock(probe):
    protocol, source, destination, port = probe
    if protocol == "icmp":
        return _echo(source, destination)
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    try:
        with socket.socket(socket.AF_INET6 if ":" in destination else socket.AF_INET, kind) as link:
            link.settimeout(_WAIT_S)
            link.bind((source, 0))
            link.connect((destination, port))
            if protocol == "udp":
                link.send(b"\0")
                link.recv(1)
        return "open"
    except socket.timeout:
        return "silent"
    except OSError as error:
        return _SAID.get(error.errno, "silent")


def _echo(source, destination):
    """One echo request (RFC 792, RFC 4443): not every host has a `ping`."""
    six = ":" in destination
    request, reply, refusal = (128, 129, 1) if six else (8, 0, 3)
    mine = struct.pack(">HH", os.getpid() & 0xFFFF, 1)
    body = struct.pack(">BBH", request, 0, 0 if six else _checksum(struct.pack(">BBH", request, 0, 0) + mine)) + mine
    kind = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if six else (socket.AF_INET, socket.IPPROTO_ICMP)
    try:
        with socket.socket(kind[0], socket.SOCK_RAW, kind[1]) as link:
            link.bind((source, 0))
            link.sendto(body, (destination, 0))
            deadline = time.monotonic() + _WAIT_S
            while time.monotonic() < deadline:
                link.settimeout(max(0.01, deadline - time.monotonic()))
                packet, sender = link.recvfrom(2048)
                packet = packet if six else packet[(packet[0] & 15) * 4 :]
                if packet[0] == reply and packet[4:8] == mine and sender[0].split("%")[0] == destination:
                    return "open"
                if packet[0] == refusal and packet[-4:] == mine:
                    return "prohibited"
        return "silent"
    except socket.timeout:
        return "silent"
    except OSError as error:
        return "unknown" if error.errno in (errno.EPERM, errno.EACCES) else _SAID.get(error.errno, "silent")


def _checksum(data):
    """RFC 1071."""
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
