"""The router's part of a network's move: what was there is recorded, then rules, routes and tunnels change, and back.

Standard library, `nft` and `ip`; Python 3.6 or newer. Run by gov_network.py through govcloud/execution/far_call.py.
`<state_dir>/<system_id>.network.json` holds {"run_id", "network_id", "table", "before": {"routes", "tunnels"}, "matrix",
"applied", "listing"}; undo needs nothing else. Only the table
named in it is ever written: other rules of the router are not ours.
"""

import ipaddress
import json
import os
import subprocess
import tempfile

from ansible.module_utils.gov_marker_file import Refused, demand_writable, enter

# Words of `ip route show` that tell a state and that `ip route add` does not take.
_STATE_WORDS = {"linkdown", "dead", "offload", "trap", "rt_trap", "rt_offload", "offload_failed"}


class Fault(Exception):
    def __init__(self, zh, en):
        Exception.__init__(self, en)
        self.problems = [{"zh": zh, "en": en}]


def answer(request):
    try:
        return {"look": look, "measure": measure, "apply": apply, "check": check, "undo": undo, "recall": recall}[request["do"]](request)
    except (Fault, Refused) as fault:
        return {"problems": fault.problems}
    except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        return {"problems": [{"zh": "路由器上的操作失败：%s" % error, "en": "The router can't be worked: %s" % error}]}


def recall(request):
    """What was recorded before the move, and whether the router knows a way to these addresses."""
    state = _load(request)
    return {"matrix": state["matrix"] if state else None, "applied": bool(state and state["applied"]),
            "no_way": [address for address in request.get("ways", ()) if _run(_ip(address) + ["route", "get", address], None)[0] != 0]}  # fmt: skip


def look(request):
    """What would keep the move from working, as far as that can be told before."""
    demand_writable(request["state_dir"])
    state = _load(request)
    if state is None or not state["applied"]:
        _demand_ready(request)
    _demand_way_home(request["network"])
    _nft(request["rules"], only_test=True)
    return {}


def measure(request):
    """Record what will be changed. Once the change has begun, the record from before it stands."""
    enter(request["state_dir"], request["system"])
    state = _load(request)
    if state is not None and state["applied"]:
        return {"matrix": state["matrix"]}
    network = request["network"]
    _demand_ready(request)
    _save(request, {
        "run_id": request["system"]["run_id"], "network_id": network["network_id"], "table": request["table"],
        "before": {"routes": [line for prefix in network["routes"] for line in _routes(prefix)],
                   "tunnels": {name: _tunnel(name) for name in network["tunnels"]}},
        "matrix": request["matrix"], "applied": False, "listing": None,
    })  # fmt: skip
    return {"matrix": request["matrix"]}


def apply(request):
    enter(request["state_dir"], request["system"])
    state, network = _load(request), request["network"]
    if state is None:
        raise Fault("尚未记录原状，不能改动", "What was there has not been recorded, so nothing is changed")
    _demand_way_home(network)
    # Written down first: from here on there is something to undo.
    _save(request, dict(state, applied=True))
    _nft(request["rules"])
    changed = _listing(state["table"]) != state["listing"]
    for line in state["before"]["routes"]:
        changed = _delete(line) or changed
    for name, tunnel in sorted(state["before"]["tunnels"].items()):
        if _is_up(name):
            for line in tunnel["routes"]:
                _delete(line)
            _must(["ip", "link", "set", "dev", name, "down"])
            changed = True
    _save(request, dict(state, applied=True, listing=_listing(state["table"])))
    # Nothing of this outlives a reboot of the router: its keeper takes the file into what is loaded at boot.
    with open(_rules_file(request), "w", encoding="utf-8") as stream:
        stream.write(request["rules"])
    return {"changed": changed, "rules_file": _rules_file(request), "routes": len(state["before"]["routes"]), "tunnels": len(state["before"]["tunnels"])}


def check(request):
    """That the router is as `apply` (side target) or `undo` (side source) leaves it."""
    state, problems = _load(request), []
    if state is None and request["side"] == "source":
        return {"matrix": []}  # nothing was recorded, so nothing was changed
    if state is None:
        raise Fault("路由器上没有本次执行的记录", "The router has no record of this run")
    moved, before = request["side"] == "target", state["before"]
    listing = _listing(state["table"])
    if moved and (listing is None or listing != state["listing"]):
        problems.append(("表 %s 不在，或已被改动" % state["table"], "Table %s is missing or was changed" % state["table"]))
    if not moved and listing is not None:
        problems.append(("表 %s 仍在" % state["table"], "Table %s is still there" % state["table"]))
    for line in before["routes"]:
        if _has(line) == moved:
            problems.append(("路由%s：%s" % ("仍在" if moved else "缺失", " ".join(line)),
                             "Route %s: %s" % ("still there" if moved else "missing", " ".join(line))))  # fmt: skip
    for name, tunnel in sorted(before["tunnels"].items()):
        if _is_up(name) != (tunnel["up"] and not moved):
            problems.append(("隧道 %s 的状态不符" % name, "Tunnel %s is not in the state that it should be in" % name))
    if problems:
        return {"problems": [{"zh": zh, "en": en} for zh, en in problems]}
    return {"matrix": state["matrix"]}


def undo(request):
    enter(request["state_dir"], request["system"])
    state = _load(request)
    if state is None or not state["applied"]:
        return {"changed": False, "matrix": state["matrix"] if state else None}
    for name, tunnel in sorted(state["before"]["tunnels"].items()):
        if tunnel["up"]:
            _must(["ip", "link", "set", "dev", name, "up"])
            for address in tunnel["addresses"]:
                _add(_ip(address) + ["address", "add", address, "dev", name])
            for line in tunnel["routes"]:
                _add(_ip(" ".join(line)) + ["route", "add"] + line)
    for line in state["before"]["routes"]:
        _add(_ip(" ".join(line)) + ["route", "add"] + line)
    # The rules last: until the old ways are there again, nothing undeclared gets through on a new one.
    if _listing(state["table"]) is not None:
        _nft("delete table inet %s\n" % state["table"])
    if os.path.exists(_rules_file(request)):
        os.unlink(_rules_file(request))
    _save(request, dict(state, applied=False, listing=None))
    return {"changed": True, "matrix": state["matrix"]}


def _demand_ready(request):
    if _listing(request["table"]) is not None:
        raise Fault("路由器上已有表 %s，不是本次执行所建" % request["table"], "The router has a table %s already, not of this run" % request["table"])
    missing = [name for name in request["network"]["tunnels"] if not os.path.isdir("/sys/class/net/" + name)]
    if missing:
        raise Fault("路由器上没有接口：%s" % ", ".join(missing), "The router has no interface %s" % ", ".join(missing))


def _demand_way_home(network):
    """The controller must not saw off the branch it sits on: its own way here may not be one that goes."""
    home = os.environ.get("SSH_CONNECTION", "").split(" ")[0]
    if not home:
        return
    said = _run(_ip(home) + ["-o", "route", "get", home], None)[1].split()
    device = said[said.index("dev") + 1] if "dev" in said[:-1] else ""
    address = ipaddress.ip_address(home)
    through = [prefix for prefix in network["routes"] if address in ipaddress.ip_network(prefix)]
    if device in network["tunnels"] or through:
        why = device if device in network["tunnels"] else ", ".join(through)
        raise Fault("控制机 %s 自己经由 %s 到达路由器，撤销后将无法回退" % (home, why),
                    "The controller %s reaches this router by %s itself: after the withdrawal there would be no way back" % (home, why))  # fmt: skip


def _path(request):
    return os.path.join(request["state_dir"], request["system"]["system_id"] + ".network.json")


def _rules_file(request):
    return os.path.join(request["state_dir"], request["table"] + ".nft")


def _load(request):
    """The record of this run; None when there is none yet. Another run's record is only given up when it was undone."""
    try:
        with open(_path(request), encoding="utf-8") as stream:
            state = json.load(stream)
    except FileNotFoundError:
        return None
    if state["run_id"] == request["system"]["run_id"] and state["network_id"] == request["network"]["network_id"]:
        return state
    if state["applied"]:
        raise Fault("另一次执行（%s）的网段迁移尚未撤销" % state["run_id"], "Another run's move of a network (%s) was not undone" % state["run_id"])
    return None


def _save(request, state):
    path = _path(request)
    with open(path + ".new", "w", encoding="utf-8") as stream:
        json.dump(state, stream, ensure_ascii=False)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(path + ".new", path)


def _run(argv, timeout=30):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout or 30)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def _must(argv):
    code, said = _run(argv)
    if code != 0:
        raise Fault("%s 失败：%s" % (" ".join(argv), said.strip()[-300:]), "%s failed: %s" % (" ".join(argv), said.strip()[-300:]))
    return said


def _add(argv):
    """What is there already counts as added."""
    code, said = _run(argv)
    if code != 0 and "File exists" not in said and "already assigned" not in said:
        raise Fault("%s 失败：%s" % (" ".join(argv), said.strip()[-300:]), "%s failed: %s" % (" ".join(argv), said.strip()[-300:]))


def _delete(line):
    if not _has(line):
        return False
    _must(_ip(" ".join(line)) + ["route", "del"] + line)
    return True


def _ip(text):
    return ["ip", "-6"] if ":" in text else ["ip", "-4"]


def _lines(argv):
    """Routes as `ip route add` takes them, word by word."""
    made = []
    for line in _must(argv).splitlines():
        words = [word for word in line.replace("\\", " ").split() if word not in _STATE_WORDS]
        if words and words[0] not in ("local", "broadcast", "multicast", "anycast") and "proto kernel" not in line:
            made.append(words)
    return made


def _routes(prefix):
    return _lines(_ip(prefix) + ["-o", "route", "show", "table", "all", "exact", prefix])


def _has(line):
    words = [w for w in line if w not in ("unicast",)]
    kinds = ("blackhole", "unreachable", "prohibit", "throw")
    prefix = words[1] if words[0] in kinds else words[0]
    if prefix == "default":
        prefix = "::/0" if ":" in " ".join(words) else "0.0.0.0/0"
    return line in _routes(prefix)


def _tunnel(name):
    found = {"up": _is_up(name), "addresses": [], "routes": []}
    for family in ("-4", "-6"):
        for line in _must(["ip", family, "-o", "address", "show", "dev", name, "scope", "global"]).splitlines():
            words = line.split()
            found["addresses"].append(words[3])
        # Filtered by device, the list leaves the device out.
        found["routes"] += [words + ["dev", name] for words in _lines(["ip", family, "-o", "route", "show", "table", "all", "dev", name])]
    return found


def _is_up(name):
    try:
        with open("/sys/class/net/%s/flags" % name) as stream:
            return bool(int(stream.read(), 16) & 1)
    except FileNotFoundError:
        return False


def _listing(table):
    """The table as nft lists it, without counters; None when there is none."""
    code, said = _run(["nft", "-s", "list", "table", "inet", table])
    if code != 0 and "No such file" not in said:
        raise Fault("nft 无法使用：%s" % said.strip()[-300:], "nft can't be used: %s" % said.strip()[-300:])
    return said if code == 0 else None


def _nft(text, only_test=False):
    """All of it in one transaction, or nothing (nft(8), -f)."""
    with tempfile.NamedTemporaryFile("w", prefix="govcloud-", suffix=".nft", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        _must(["nft", "-c", "-f", stream.name])
        if not only_test:
            _must(["nft", "-f", stream.name])
