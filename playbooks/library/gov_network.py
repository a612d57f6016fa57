#!/usr/bin/python
"""The move of a dedicated network into the extranet zone, from the controller: the router does it (gov_nft.py there), and
hosts on both sides of it try what is reachable (gov_knock.py there).

look says what would keep it from working; measure records the router's state and the matrix before, once a run; apply changes rules, routes and tunnels; check proves
the outcome (side target: what is declared is reachable and nothing else; side source: all as before); undo goes back.
Each matrix is kept as evidence: `reachability_<before|after|restored>.json`. Facts: flows, cells, reachable, not_measured; after apply
rules_file, which the router's keeper has loaded at boot (the routes and tunnels are taken out of its boot files as well).
"""

import ipaddress
import json
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from govcloud.execution import network_rules as rules
from govcloud.execution.far_call import call
from govcloud.execution.stream import Remote, StreamError

ROUTER = ("gov_marker_file", "gov_nft")


class Faulty(Exception):
    def __init__(self, problems, facts=None):
        super().__init__()
        self.problems, self.facts = problems, facts or {}


class Move:
    def __init__(self, given):
        self.given, self.network = given, given["spec"]["network"]
        self.remote = Remote(Path(given["ssh_config"]))
        self.hosts = {name: host["address"] for name, host in given["spec"]["hosts"].items()}
        self.flows = [rules.parse_flow(text) for text in self.network["flows"]]
        sources = [flow.source for flow in self.flows]
        near = {n: a for n, a in self.hosts.items() if any(ipaddress.ip_address(a) in source for source in sources)}
        reached = {name: self.ssh_port(name) for name in near}
        self.near = {name: address for name, address in near.items() if reached[name] is not None}
        self.flows += self.own_flows()
        self.cells = rules.build_matrix(self.network, self.flows, self.near)

    def ssh_port(self, name):
        """None for a host that this attempt has no way into."""
        said = subprocess.run(["ssh", "-F", self.given["ssh_config"], "-G", "--", name], capture_output=True, text=True, timeout=20).stdout
        about = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
        return int(about["port"]) if about.get("hostname") == self.hosts[name] else None

    def own_flows(self):
        """Our own way to the hosts behind the prefix: without it the move could not be measured, nor anything be taken back."""
        prefix, made = ipaddress.ip_network(self.network["prefix"]), []
        for name, address in self.hosts.items():
            if ipaddress.ip_address(address) in prefix and (port := self.ssh_port(name)) is not None:
                with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as link:
                    # Nothing is sent: the kernel only chooses the address that it would send from.
                    link.connect((address, port))
                    made.append(rules.parse_flow(f"tcp {link.getsockname()[0]} {address} {port}"))
        return made

    def router(self, do, **more):
        request = {"do": do, "system": self.given["system"], "network": self.network, "state_dir": self.network["state_dir"],
                   "table": rules.table_name(self.network["network_id"]), **more}  # fmt: skip
        answer = call(self.remote, self.network["router"], ROUTER, request)
        if answer.get("problems"):
            raise Faulty(answer["problems"])
        return answer

    def knock(self):
        """Cell -> what came back."""

        def ask(name):
            probes = [[c.protocol, c.source, c.destination, c.port] for c in self.cells if c.host == name]
            try:
                return call(self.remote, name, ("gov_knock",), {"probes": probes}, stall_s=60 + len(probes))["found"]
            except StreamError:
                return ["unknown"] * len(probes)

        found = {}
        with ThreadPoolExecutor(max_workers=8) as pool:
            for name, answers in zip(self.near, pool.map(ask, self.near), strict=True):
                found.update(zip([c for c in self.cells if c.host == name], answers, strict=True))
        return found

    def keep(self, name, matrix):
        rows = [{**dict(zip(("host", "source", "protocol", "destination", "port"), astuple(cell), strict=True)), "answer": answer,
                 "declared": any(flow.covers(cell) for flow in self.flows)} for cell, answer in matrix.items()]  # fmt: skip
        document = {"network_id": self.network["network_id"], "flows": list(map(str, self.flows)),
                    "not_measured": list(map(str, rules.unmeasured(self.flows, self.cells))), "cells": rows}  # fmt: skip
        path = Path(self.given["evidence"]) / f"reachability_{name}.json"
        path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", "utf-8")

    def facts(self, matrix):
        return {"flows": len(self.flows), "cells": len(matrix), "reachable": sum(map(rules.passes, matrix.values())),
                "not_measured": len(rules.unmeasured(self.flows, self.cells))}  # fmt: skip

    def measure(self):
        known = self.router("recall")
        matrix = read_matrix(known["matrix"]) if known["applied"] else self.knock()
        if not known["applied"]:
            self.router("measure", matrix=[[*astuple(cell), answer] for cell, answer in matrix.items()])
        self.keep("before", matrix)
        return False, self.facts(matrix)

    def look(self):
        """Whatever would keep the move from working, told for gov_precheck.py to judge with everything else."""
        told = []
        try:
            self.router("look", rules=rules.render_rules(self.network, self.flows))
        except Faulty as faulty:
            told = [{key: f"{self.network['router']}: {text}" for key, text in p.items()} for p in faulty.problems]
        return {"told": told, "gov": self.facts({})}

    def apply(self):
        answer = self.router("apply", rules=rules.render_rules(self.network, self.flows))
        facts = {key: answer[key] for key in ("routes", "tunnels", "rules_file")}
        return answer["changed"], {"flows": len(self.flows), **facts}

    def undo(self):
        return self.router("undo")["changed"], {}

    def check(self):
        side, deadline = self.given["side"], time.monotonic() + self.given["wait_s"]
        recorded = self.router("check", side=side)["matrix"]
        while True:
            matrix = self.knock()
            problems = rules.judge_matrix(side, self.flows, matrix, read_matrix(recorded))
            if not problems or time.monotonic() > deadline:
                break
            time.sleep(1)
        self.keep("after" if side == "target" else "restored", matrix)
        told = [{"zh": p.zh, "en": p.en} for p in problems]
        if side == "target":
            told += [{"zh": f"路由器上没有到 {a} 的路由", "en": f"The router knows no way to {a}"}
                     for a in self.router("recall", ways=rules.ways(self.flows))["no_way"]]  # fmt: skip
        if told:
            raise Faulty(told, self.facts(matrix))
        return False, self.facts(matrix)


def read_matrix(rows):
    return {rules.Cell(*row[:5]): row[5] for row in rows}


def main():
    module = AnsibleModule(
        argument_spec={
            "spec": {"type": "dict", "required": True},
            "system": {"type": "dict", "required": True},
            "action": {"choices": ["look", "measure", "apply", "check", "undo"], "required": True},
            "side": {"choices": ["source", "target"]},
            "wait_s": {"type": "int", "default": 15},
            "evidence": {"type": "str", "required": True},
            "ssh_config": {"type": "str", "required": True},
        },
        required_if=[("action", "check", ["side"])],
    )
    given = module.params
    try:
        if given["spec"]["network"] is None:
            module.exit_json(changed=False, gov={}, told=[])
        if given["action"] == "look":
            module.exit_json(changed=False, **Move(given).look())
        changed, facts = getattr(Move(given), given["action"])()
        module.exit_json(changed=changed, gov=facts)
    except Faulty as faulty:
        module.fail_json(msg=faulty.problems[0]["en"], problems=faulty.problems, gov=faulty.facts)
    except (OSError, ValueError, StreamError, subprocess.SubprocessError) as error:
        zh, en = f"网段迁移失败：{error}", f"The network's move failed: {error}"
        module.fail_json(msg=en, problems=[{"zh": zh, "en": en}])


if __name__ == "__main__":
    main()
