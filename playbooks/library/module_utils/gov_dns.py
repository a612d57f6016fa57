"""An A or AAAA record as an entrance, changed by RFC 2136 with TSIG. Standard library only, Python 3.6 or newer.

Programs: nsupdate and dig (Debian bind9-dnsutils, RHEL bind-utils). The key stays in its file on this host; nsupdate is
given the file's name. The change is one message with the present record as its prerequisite (RFC 2136 section 2.4.2):
the server makes it whole, or refuses it when the record is another one meanwhile.
"""

import subprocess

from ansible.module_utils.gov_entrance_file import EntranceError

_WAIT_S = 5


class DnsEntrance(object):
    def __init__(self, spec):
        self.spec = spec
        self.name = spec["name"].rstrip(".") + "."
        self.type = "AAAA" if ":" in spec["source"] else "A"
        self.server, _, port = spec["server"].partition("#")
        self.port = port or "53"

    def _run(self, argv, script=""):
        try:
            done = subprocess.run(argv, input=script.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EntranceError("%s 无法执行：%s" % (argv[0], error), "%s can't be run: %s" % (argv[0], error))
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def _ask(self):
        """(addresses, TTL) as the primary server itself has them."""
        code, said = self._run(["dig", "+norecurse", "+noall", "+comments", "+answer", "+time=%d" % _WAIT_S, "+tries=2",
                                "-p", self.port, "-t", self.type, "-q", self.name, "@" + self.server])  # fmt: skip
        if code != 0 or "status: NOERROR" not in said and "status: NXDOMAIN" not in said:
            raise EntranceError("域名服务器 %s 没有给出 %s：%s" % (self.server, self.name, _line(said)),
                                "Name server %s does not tell %s: %s" % (self.server, self.name, _line(said)))  # fmt: skip
        flags = next((line for line in said.splitlines() if line.startswith(";; flags:")), "").split(";")[2:3]
        if "aa" not in " ".join(flags).replace("flags:", "").split():
            raise EntranceError("%s 不是 %s 的权威服务器" % (self.server, self.name),
                                "%s is not authoritative for %s" % (self.server, self.name))  # fmt: skip
        rows = [line.split() for line in said.splitlines() if line and not line.startswith(";")]
        found = [(row[4], int(row[1])) for row in rows if len(row) == 5 and row[3] == self.type]
        return sorted(address for address, _ in found), max((ttl for _, ttl in found), default=0)

    def points_to(self):
        found = self._ask()[0]
        if len(found) > 1:
            raise EntranceError("%s 有多个地址：%s" % (self.name, ", ".join(found)),
                                "%s has several addresses: %s" % (self.name, ", ".join(found)))  # fmt: skip
        return found[0] if found else None

    def _update(self, now, to, ttl):
        lines = [
            "server %s %s" % (self.server, self.port), "zone %s" % self.spec["zone"],
            "prereq yxrrset %s IN %s %s" % (self.name, self.type, now),
        ]  # fmt: skip
        if to != now:
            lines.append("update delete %s IN %s" % (self.name, self.type))
        lines += ["update add %s %d IN %s %s" % (self.name, ttl, self.type, to), "send", ""]
        argv = ["nsupdate", "-t", str(_WAIT_S * 2)]
        if self.spec.get("key_file"):
            argv += ["-k", self.spec["key_file"]]
        code, said = self._run(argv, "\n".join(lines))
        if code != 0:
            raise EntranceError("域名服务器 %s 拒绝了 %s 的更新：%s" % (self.server, self.name, _line(said)),
                                "Name server %s refused the update of %s: %s" % (self.server, self.name, _line(said)))  # fmt: skip

    def rehearse(self, to):
        """The record as it is, added again with its own TTL: RFC 2136 section 3.4.2.2 ignores a duplicate, but key, server
        and the right to change this name are proven."""
        found, ttl = self._ask()
        if len(found) != 1:
            raise EntranceError("%s 没有记录" % self.name, "%s has no record" % self.name)
        self._update(found[0], found[0], ttl)

    def switch(self, to):
        now = self.points_to()
        if now == to:
            return
        self._update(now, to, self.spec["ttl"])
        if self.points_to() != to:
            raise EntranceError("%s 更新后仍不是 %s" % (self.name, to), "%s is still not %s after the update" % (self.name, to))

    def facts(self):
        return {"ttl_s": self._ask()[1]}


def _line(text):
    return " ".join(text.split())[-300:]
