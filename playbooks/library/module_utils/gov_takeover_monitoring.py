"""Whether the monitoring agent of this host answers, and speaks of this host: `look` on the host, `ask` from the controller.

An agent of another machine, or one whose machine has started again since, is found by host name and start time.
"""

import os
import re
import socket
import struct
import time
import urllib.request

from ansible.module_utils.gov_takeover_host import read_lines

AGENTS = {9100: "node_exporter", 10050: "zabbix"}
_SECONDS = 10
_BYTES = 16 << 20


def look(given, answer):
    """What the host itself says: name, start, clock, and the ports on which something listens."""
    started = next((int(line.split()[1]) for line in read_lines("/proc/stat") or [] if line.startswith("btime ")), 0)
    ports = sorted(listening())
    answer.found.update(host=os.uname()[1], started=started, clock=int(time.time()), ports=ports)
    answer.facts["host_name"] = os.uname()[1]


def listening():
    for name in ("tcp", "tcp6"):
        for line in (read_lines("/proc/net/" + name) or [])[1:]:
            words = line.split()
            if words[3] == "0A":
                yield int(words[1].rpartition(":")[2], 16)


def ask(given, answer):
    """given: address, monitoring ({agent, port, receiver}), seen (what `look` registered)."""
    wanted, seen = given.get("monitoring") or {}, given["seen"].get("found") or {}
    known = [port for port in AGENTS if port in seen.get("ports", [])]
    port = wanted.get("port") or (known[0] if known else None)
    if port is None:
        answer.red("主机上没有已知的监控代理在监听", "No known monitoring agent listens on the host")
        return
    agent = wanted.get("agent") or AGENTS.get(port, "tcp")
    answer.facts.update(agent=agent, port=port)
    try:
        said = _ASK[agent](given["address"], port)
    except (OSError, ValueError) as error:
        why = type(error).__name__
        answer.red("监控代理没有应答：%s 端口 %d（%s）" % (agent, port, why), "The agent does not answer: %s, port %d (%s)" % (agent, port, why))
        return
    answer.found["said"] = said
    _compare(said, seen, answer)
    answer.facts["receiver"] = wanted.get("receiver") or "-"
    if not wanted.get("receiver"):
        answer.unknown("没有登记告警接收人", "Who receives the alarms is not recorded")


def _compare(said, seen, answer):
    answer.facts["told_name"] = said.get("host", "-")
    if said.get("host") is None:
        answer.unknown("端口有应答，但说不清是哪台主机", "The port answers, but does not say for which host")
    elif said["host"].split(".")[0].lower() != seen["host"].split(".")[0].lower():
        answer.red("应答的是另一台主机：%s" % said["host"], "Another host answers: %s" % said["host"])
    if said.get("started") is not None and abs(said["started"] - seen["started"]) > 60:
        answer.red("监控数据的开机时间与主机不符", "The agent tells another start time than the host")
    if said.get("clock") is not None and abs(said["clock"] - seen["clock"]) > 300:
        answer.red("监控数据不是现在的", "What the agent tells is not from now")


def _node_exporter(address, port):
    host = "[%s]" % address if ":" in address else address
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open("http://%s:%d/metrics" % (host, port), timeout=_SECONDS) as stream:
        return parse_metrics(stream.read(_BYTES).decode("utf-8", "replace"))


def parse_metrics(text):
    """Of Prometheus' text format: name, start and clock of the machine. Raises ValueError where it is none."""
    found, metrics = {}, 0
    for line in text.splitlines():
        if line.startswith("node_uname_info{"):
            name = re.search(r'nodename="((?:[^"\\]|\\.)*)"', line)
            found["host"] = name.group(1) if name else None
        for metric, key in (("node_boot_time_seconds ", "started"), ("node_time_seconds ", "clock")):
            if line.startswith(metric):
                found[key] = int(float(line.split()[1]))
        metrics += bool(line) and not line.startswith("#")
    if "host" not in found and not any(line.startswith("# TYPE ") for line in text.splitlines()):
        raise ValueError("no metrics")
    return dict(found, metrics=metrics)


def _zabbix(address, port):
    """Passive checks of a Zabbix agent (protocol: ZBXD, flags 1, length, data)."""
    name = _zabbix_item(address, port, "system.hostname")
    started, clock = (_zabbix_item(address, port, item) for item in ("system.boottime", "system.localtime"))
    return {"host": name, "started": int(started), "clock": int(clock)}


def _zabbix_item(address, port, key):
    data = key.encode()
    with socket.create_connection((address, port), _SECONDS) as link:
        link.sendall(b"ZBXD\x01" + struct.pack("<II", len(data), 0) + data)
        said = b""
        while len(said) < 4096:
            part = link.recv(4096)
            if not part:
                break
            said += part
    text = said[13:].decode("utf-8", "replace").strip()
    if not said.startswith(b"ZBXD\x01") or not text or text.startswith("ZBX_"):
        raise ValueError("not an answer")
    return text


def _tcp(address, port):
    socket.create_connection((address, port), _SECONDS).close()
    return {}


_ASK = {"node_exporter": _node_exporter, "zabbix": _zabbix, "tcp": _tcp}
