"""Process 1 of the namespaced lab: builds the networks, starts the hosts, and ends with its stdin.

Runs inside `unshare --user --map-root-user --net --mount --pid`. The kernel ends every host when this process ends.
stdin: one line of JSON `{"topology", "hosts": [{"spec", "seed"}], "binds", "python", "script"}`, then nothing until the end.
stdout: `{"pid"}` as seen from outside, then the lines of the hosts (govcloud/demo/host.py).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any


def main() -> int:
    plan = json.loads(sys.stdin.readline())
    # /proc is still the one from outside, so this link holds our number as the outside knows it.
    outside = int(Path("/proc/self").readlink().name)
    _run("mount", "-t", "proc", "proc", "/proc")
    _run("mount", "-t", "tmpfs", "tmpfs", "/run")  # `ip netns` keeps its names there
    build_networks(plan["topology"])
    sys.stdout.write(json.dumps({"pid": outside}) + "\n")
    sys.stdout.flush()
    hosts = {_start(host, plan): host["spec"]["name"] for host in plan["hosts"]}
    threading.Thread(target=watch, args=(hosts,), daemon=True).start()
    while os.read(0, 4096):
        pass
    return 0


def _start(host: Mapping[str, Any], plan: Mapping[str, Any]) -> int:
    argv = [
        "ip",
        "netns",
        "exec",
        host["spec"]["name"],
        "unshare",
        "--mount",
        "--uts",
        "--ipc",
        "--pid",
        "--fork",
        "--kill-child",
    ]
    return start_host([*argv, "/bin/sh", plan["script"], host["seed"], plan["python"], *plan["binds"]], host["spec"])


def start_host(argv: list[str], spec: Mapping[str, Any]) -> int:
    """Start one host and tell it what it is; returns the process id."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "PYTHONUTF8": "1"}
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, text=True, cwd="/", env=environment, start_new_session=True)
    assert process.stdin  # noqa: S101 - it was asked for
    with suppress(BrokenPipeError):  # it has failed already, and `watch` says so
        process.stdin.write(json.dumps(spec) + "\n")
        process.stdin.close()
    return process.pid


def watch(hosts: Mapping[int, str]) -> None:
    """Reap what ends, orphans included, and report a host that ends."""
    with suppress(ChildProcessError):
        while True:
            pid, status = os.wait()
            if pid in hosts:
                code = os.waitstatus_to_exitcode(status) or 1
                with suppress(OSError):  # nobody listens any more
                    os.write(1, json.dumps({"host": hosts[pid], "booted": code, "log": ""}).encode() + b"\n")


def build_networks(topology: Mapping[str, Any]) -> None:
    """Bridges with the controller's addresses, and a network namespace with its legs and routes for each host."""
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1\n")
    networks = topology["networks"]
    lines = ["link set lo up"]
    for name, network in networks.items():
        lines += [f"link add br-{name} type bridge", f"link set br-{name} up"]
        if gateway := network.get("gateway"):
            lines.append(f"addr add {gateway}/{_length(network)} dev br-{name}")
    _batch(lines)
    nodes = {name: {"legs": legs} for name, legs in topology["neighbours"].items()} | topology["hosts"]
    for number, (name, node) in enumerate(nodes.items()):
        _run("ip", "netns", "add", name)
        outer, inner = [], ["link set lo up"]
        for leg, (network, address) in enumerate(node["legs"].items()):
            port = f"v{number}-{leg}"
            outer += [
                f"link add {port} type veth peer name eth{leg} netns {name}",
                f"link set {port} master br-{network} up",
            ]
            inner += [f"addr add {address}/{_length(networks[network])} dev eth{leg}", f"link set eth{leg} up"]
            if gateway := networks[network].get("gateway"):
                inner.append(f"route add default via {gateway}")
        _batch(outer)
        _batch(inner + [f"route add {prefix} via {hop}" for prefix, hop in node.get("routes", {}).items()], "-n", name)


def _length(network: Mapping[str, str]) -> str:
    return network["prefix"].partition("/")[2]


def _batch(lines: list[str], *options: str) -> None:
    subprocess.run(["ip", *options, "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True)


if __name__ == "__main__":
    sys.exit(main())
