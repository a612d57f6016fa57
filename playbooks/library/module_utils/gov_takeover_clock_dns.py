"""Where this host gets its time and its names from: whether the clock is really synchronised, and each resolver really answers."""

import os
import random
import socket
import struct

from ansible.module_utils.gov_takeover_host import few, processes, read_lines, run

_SECONDS = 5


def look(given, answer):
    """given: ntp and dns (what the site wants, may be empty), resolve (a name that must be found)."""
    _clock(set(given.get("ntp") or []), answer)
    _names(set(given.get("dns") or []), given["resolve"], answer)


def _clock(wanted, answer):
    running = {name for _, name, _ in processes()}
    if "chronyd" in running:
        found = chrony(run(["chronyc", "-c", "tracking"])[1], run(["chronyc", "-c", "-N", "sources"])[1] or run(["chronyc", "-c", "sources"])[1])
        found["addresses"] = [words[2] for words in _rows(run(["chronyc", "-c", "-n", "sources"])[1]) if words[1] == "*"]
    elif "systemd-timesyn" in running:
        found = timesyncd(run(["timedatectl", "show-timesync", "--all"])[1], run(["timedatectl", "show", "-p", "NTPSynchronized"])[1])
    elif "ntpd" in running:
        found = ntpd(run(["ntpq", "-pn"])[1])
    else:
        answer.red("没有运行中的时间同步服务", "No time service runs")
        return
    answer.found["clock"] = found
    answer.facts.update(time_service=found["service"], time_sources=few(found["sources"]) or "-", time_source=found["used"] or "-", offset_ms=found["offset_ms"])
    if not found["synchronised"]:
        answer.red("时间没有同步（%s）" % found["service"], "The clock is not synchronised (%s)" % found["service"])
        return
    strange = [name for name in found["sources"] if wanted and name not in wanted and not wanted & set(found.get("addresses", []))]
    if strange:
        answer.red("时间源不是规定的：%s" % few(strange), "Time comes from sources that the site does not name: %s" % few(strange))


def _rows(text):
    return [line.split(",") for line in text.splitlines() if line.count(",") >= 7]


def chrony(tracking, sources):
    """Of `chronyc -c tracking` and `chronyc -c sources` (chronyc(1), comma-separated)."""
    fields = tracking.strip().split(",")
    rows = _rows(sources)
    known = len(fields) >= 14
    return {
        "service": "chrony", "synchronised": known and fields[13] == "Normal" and fields[0] not in ("00000000", "7F7F0101"),
        "sources": [row[2] for row in rows], "used": next((row[2] for row in rows if row[1] == "*"), None),
        "offset_ms": "%.3f" % (float(fields[4]) * 1000) if known else "?",
    }  # fmt: skip


def timesyncd(shown, synchronised):
    """Of `timedatectl show-timesync --all` and `timedatectl show -p NTPSynchronized`."""
    told = dict(line.partition("=")[::2] for line in shown.splitlines())
    listed = (told.get("SystemNTPServers", "") + " " + told.get("LinkNTPServers", "")).split() or told.get("FallbackNTPServers", "").split()
    return {
        "service": "systemd-timesyncd", "synchronised": "NTPSynchronized=yes" in synchronised and bool(told.get("ServerAddress")),
        "sources": listed, "used": told.get("ServerName") or None, "addresses": [told["ServerAddress"]] if told.get("ServerAddress") else [],
        "offset_ms": "?",
    }  # fmt: skip


def ntpd(peers):
    """Of `ntpq -pn`: the peer in use has a `*` before it; offsets are in milliseconds."""
    rows = [line for line in peers.splitlines() if line[:1] in " *+-#ox." and len(line.split()) == 10 and not line.lstrip().startswith("remote")]
    used = next((line for line in rows if line.startswith("*")), None)
    return {
        "service": "ntpd", "synchronised": used is not None, "sources": [line[1:].split()[0] for line in rows],
        "used": used[1:].split()[0] if used else None, "offset_ms": used.split()[8] if used else "?",
    }  # fmt: skip


def _names(wanted, name, answer):
    servers = resolvers(read_lines("/etc/resolv.conf") or [])
    if servers and all(server.startswith("127.") for server in servers) and os.path.exists("/run/systemd/resolve/resolv.conf"):
        servers = resolvers(read_lines("/run/systemd/resolve/resolv.conf"))
    answer.facts["resolvers"] = few(servers) or "-"
    if not servers:
        answer.red("没有配置域名服务器", "No name server is set")
        return
    strange = sorted(set(servers) - wanted) if wanted else []
    if strange:
        answer.red("域名服务器不是规定的：%s" % few(strange), "Names come from servers that the site does not name: %s" % few(strange))
    if not name:
        answer.unknown("没有给出用于验证解析的名称", "No name is given to try the resolvers with")
        return
    answers = {server: ask(server, name) for server in servers}
    answer.found["resolvers"] = answers
    for server, said in sorted(answers.items()):
        if not said:
            answer.red("域名服务器 %s 解析不了 %s" % (server, name), "The name server %s does not resolve %s" % (server, name))


def resolvers(lines):
    return [words[1] for words in (line.split() for line in lines) if words[:1] == ["nameserver"] and len(words) > 1]


def ask(server, name):
    """Addresses that this server gives for the name (RFC 1035 over UDP); empty when it gives none or does not answer."""
    number = random.randrange(1 << 16)
    question = b"".join(bytes([len(part)]) + part for part in name.rstrip(".").encode("idna").split(b".")) + b"\0"
    kind = socket.AF_INET6 if ":" in server else socket.AF_INET
    for _ in range(2):
        with socket.socket(kind, socket.SOCK_DGRAM) as link:
            link.settimeout(_SECONDS)
            try:
                link.connect((server.partition("%")[0], 53))
                link.send(struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + question + struct.pack(">HH", 1, 1))
                said = link.recv(4096)
            except OSError:
                continue
        if len(said) >= 12 and said[:2] == struct.pack(">H", number) and said[2] & 0x80:
            return _addresses(said)
    return []


def _addresses(said):
    count, found = struct.unpack(">H", said[6:8])[0], []
    place = _after_name(said, 12) + 4
    for _ in range(count):
        place = _after_name(said, place)
        kind, _, _, length = struct.unpack(">HHIH", said[place : place + 10])
        place += 10
        if kind == 1 and length == 4:
            found.append(socket.inet_ntoa(said[place : place + 4]))
        place += length
    return found


def _after_name(said, place):
    while said[place]:
        if said[place] >= 0xC0:
            return place + 2
        place += said[place] + 1
    return place + 1
