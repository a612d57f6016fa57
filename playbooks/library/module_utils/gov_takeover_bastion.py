"""Whether this host lets SSH in from the bastion only: by a packet filter's rule or by sshd's own.

That we are here at all shows that the way through the bastion works; that the direct way does not is tried from the
controller. A rule outside of the host (a cloud's security group) can't be seen from here.
"""

import json
import os

from ansible.module_utils.gov_takeover_host import demand_root, few, run, sshd


def look(given, answer):
    """given: bastion (its addresses as the workspace knows them)."""
    seen = (os.environ.get("SSH_CONNECTION") or "").split()
    if len(seen) != 4:
        answer.unknown("不知道登录来自哪个地址", "Where this login came from is not known")
        return
    came_from, port = seen[0], int(seen[3])
    bastion = set(given["bastion"]) | {came_from}
    answer.facts.update(came_from=came_from, port=port)
    if not demand_root(answer):
        return
    filtered = _filter(port, bastion, answer)
    guarded = _sshd_rule(bastion, answer)
    answer.facts["rule"] = few([name for name, is_there in (("nftables", filtered), ("sshd", guarded)) if is_there]) or "-"
    if filtered is None and not guarded:
        answer.unknown("nftables 规则读不出，sshd 也没有限制来源", "The rules of nftables can't be read, and sshd limits nobody")
    elif not filtered and not guarded:
        answer.unknown(
            "本机没有只许堡垒机登录的规则（云平台安全组在主机上看不到）",
            "No rule on this host keeps SSH to the bastion (a cloud's security group can't be seen from here)",
        )


def _filter(port, bastion, answer):
    """None: it can't be read. A host without nft has no such rule."""
    code, said = run(["nft", "-j", "list", "ruleset"])
    if code != 0:
        answer.found["nftables"] = None
        return False if code == 127 else None
    closed, sources = judge_rules(json.loads(said)["nftables"], port)
    answer.found["nftables"] = {"closed": closed, "sources": sorted(sources)}
    return closed and sources <= bastion


def judge_rules(ruleset, port):
    """(whether the filter ends with a refusal of this port, the sources that it lets in) over all chains of the input hook and
    those they call. "any": a rule lets in without asking where from."""
    chains, rules = {}, {}
    sets = {"@" + item["set"]["name"]: item["set"].get("elem") or [] for item in ruleset if "set" in item}
    for item in ruleset:
        if "chain" in item:
            chain = item["chain"]
            chains[(chain["family"], chain["table"], chain["name"])] = chain
        elif "rule" in item:
            rule = item["rule"]
            rules.setdefault((rule["family"], rule["table"], rule["chain"]), []).append(_resolved(rule["expr"], sets))
    closed, sources = False, set()
    for key, chain in chains.items():
        if chain.get("hook") != "input" or key[0] not in ("ip", "inet"):
            continue
        shut, open_to = _walk(key, rules, port, 0)
        closed = closed or shut or chain.get("policy") == "drop"
        sources |= open_to
    return closed, sources


def _resolved(value, sets):
    """Named sets replaced by what is in them."""
    if isinstance(value, str) and value in sets:
        return {"set": sets[value]}
    if isinstance(value, dict):
        return {key: _resolved(inner, sets) for key, inner in value.items()}
    return [_resolved(inner, sets) for inner in value] if isinstance(value, list) else value


def _walk(key, rules, port, depth):
    sources = set()
    for expressions in rules.get(key, []):
        about = _about(expressions, port)
        if about is None:
            continue
        source, verdict, target = about
        if verdict == "accept":
            sources |= source
        elif verdict in ("drop", "reject") and source == {"any"}:
            return True, sources  # nothing after it sees this port
        elif verdict in ("jump", "goto") and depth < 16:
            shut, inner = _walk(key[:2] + (target,), rules, port, depth + 1)
            sources |= inner
            if shut and source == {"any"}:
                return True, sources
    return False, sources


def _about(expressions, port):
    """(sources, verdict, chain) of a rule that a new connection to the port from elsewhere may meet; None for others."""
    source, verdict, target = {"any"}, None, None
    for expression in expressions:
        if "match" in expression:
            left, right = expression["match"]["left"], expression["match"]["right"]
            negated = expression["match"].get("op") == "!="
            payload = (left.get("payload") or {}) if isinstance(left, dict) else {}
            field = payload.get("field")
            if payload.get("protocol") in ("icmp", "icmpv6", "udp", "igmp", "sctp"):
                return None
            if field == "dport":
                if _holds(right, port) == negated:
                    return None
            elif field == "saddr":
                source = {"not " + _word(right)} if negated else set(_members(right))
            elif isinstance(left, dict) and "ct" in left:
                if "new" not in _members(right):
                    return None  # connections that are there already
            elif isinstance(left, dict) and (left.get("meta") or {}).get("key") in ("iif", "iifname") and _members(right) == ["lo"]:
                return None
            elif field == "protocol" or isinstance(left, dict) and (left.get("meta") or {}).get("key") in ("l4proto", "nfproto", "protocol"):
                if not set(_members(right)) & {"tcp", "6", "ip", "ipv4"}:
                    return None
            else:
                source = source if source != {"any"} else {"any, by another condition"}
        for word in ("accept", "drop", "reject"):
            if word in expression:
                verdict = word
        for word in ("jump", "goto"):
            if word in expression:
                verdict, target = word, expression[word]["target"]
    return (source, verdict, target) if verdict else None


def _members(right):
    """Of a set, range, prefix or a single value, as text."""
    if isinstance(right, dict) and "set" in right:
        return [word for item in right["set"] for word in _members(item)]
    if isinstance(right, dict) and "prefix" in right:
        return ["%s/%s" % (right["prefix"]["addr"], right["prefix"]["len"])]
    if isinstance(right, list):
        return [word for item in right for word in _members(item)]
    return [_word(right)]


def _word(right):
    return right if isinstance(right, str) else json.dumps(right, sort_keys=True)


def _holds(right, port):
    if isinstance(right, dict) and "set" in right:
        return any(_holds(item, port) for item in right["set"])
    if isinstance(right, dict) and "range" in right:
        return right["range"][0] <= port <= right["range"][1]
    return right in (port, "ssh" if port == 22 else None)


def _sshd_rule(bastion, answer):
    """AllowUsers with a source in every entry: nobody may come from elsewhere."""
    config = sshd() or {}
    allowed = " ".join(config.get("allowusers", [])).split()
    answer.found["allowusers"] = allowed
    return bool(allowed) and all("@" in word and word.rpartition("@")[2] in bastion for word in allowed)
