"""Passwords of this host's accounts: changed since the takeover began, or none. Only days and states are read out of the
shadow file; what a hash looks like never leaves this module."""

import datetime

from ansible.module_utils.gov_db import Problem
from ansible.module_utils.gov_mysql import Server, literal
from ansible.module_utils.gov_postgres_server import Database
from ansible.module_utils.gov_takeover_host import accounts, demand_root, few, other_sources, read_lines, sshd

_EPOCH = datetime.date(1970, 1, 1)


def look(given, answer):
    """given: since (YYYY-MM-DD), vendor_accounts, databases ([{kind, end, old_password_file}])."""
    since = datetime.date(*[int(part) for part in given["since"].split("-")])
    if demand_root(answer):
        for source in other_sources():
            answer.unknown("账户还来自 %s，口令不在本机" % source, "Accounts also come from %s: their passwords are not on this host" % source)
        states = shadow(read_lines("/etc/shadow") or [])
        if not states:
            answer.unknown("/etc/shadow 读不了", "/etc/shadow can't be read")
        _judge(states, since, given.get("vendor_accounts") or [], answer)
    for database in given.get("databases") or []:
        _database(database, since, answer)


def shadow(lines):
    """{account: {"state": locked | none | empty | set, "changed_on": date or None}} of shadow's lines."""
    found = {}
    for line in lines:
        fields = line.split(":")
        if len(fields) < 3:
            continue
        word = fields[1]
        state = "empty" if word == "" else "locked" if word.startswith("!") and len(word) > 2 else "none" if word[0] in "!*" else "set"
        days = int(fields[2]) if fields[2].isdigit() else None
        # 0: must be changed at the next login, so the old one still lets in.
        found[fields[0]] = {"state": state, "changed_on": str(_EPOCH + datetime.timedelta(days=days)) if days else None}
    return found


def _judge(states, since, vendor, answer):
    names = {entry.pw_name for entry, _ in accounts()}
    answer.found["accounts"] = [dict(state, account=name) for name, state in sorted(states.items()) if name in names]
    changed, old = 0, []
    for name, state in sorted(states.items()):
        if state["state"] == "empty":
            answer.red("账户 %s 没有口令即可登录" % name, "Account %s needs no password" % name)
        elif state["state"] == "set" and (state["changed_on"] or "") < str(since):
            old.append("%s (%s)" % (name, state["changed_on"] or "-"))
        elif state["state"] == "set":
            changed += 1
    for line in old:
        answer.red("接管开始后口令未更换：%s" % line, "The password was not changed since the takeover began: %s" % line)
    for name in vendor:
        if states.get(name, {}).get("state") in ("set", "empty") and _password_login(name, answer):
            answer.red("原运维方账户 %s 仍可用口令登录" % name, "The old vendor's account %s can still log in with a password" % name)
    answer.facts.update(changed=changed, unchanged=few(old) or "0", vendor_accounts=few(vendor) or "-")


def _password_login(name, answer):
    config = sshd(name)
    if config is None:
        answer.unknown("sshd -T 无法执行，不知道是否允许口令登录", "sshd -T can't be run: whether passwords let in is not known")
        return False
    return any(config.get(word, ["no"])[0] == "yes" for word in ("passwordauthentication", "kbdinteractiveauthentication"))


def _database(given, since, answer):
    end, kind = given["end"], given["kind"]
    label = "%s %s@%s" % (kind, end.get("user"), end.get("name"))
    if given.get("old_password_file"):
        refused = _refused(kind, dict(end, password_file=given["old_password_file"]))
        if refused is None:
            answer.unknown("数据库没有应答，旧口令未能试用：%s" % label, "The database did not answer, the old password was not tried: %s" % label)
        elif not refused:
            answer.red("数据库旧口令仍能登录：%s" % label, "The old database password still logs in: %s" % label)
        else:
            answer.facts["database_refused"] = answer.facts.get("database_refused", 0) + 1
    elif kind == "mysql":
        _mysql(end, label, since, answer)
    else:
        # PostgreSQL keeps no date; without the old one to try there is nothing to know, and nothing is claimed.
        answer.facts["database " + label] = "-"


def _refused(kind, end):
    """Whether the server turned this password away; None where it did not say."""
    try:
        if kind == "postgresql":
            Database(end).psql("SELECT 1")
        else:
            Server(end).sql("SELECT 1")
    except Problem as problem:
        return True if "authentication failed" in problem.en or "Access denied" in problem.en else None
    return False


def _mysql(end, label, since, answer):
    where = "WHERE User = " + literal(end["user"])
    try:
        server = Server(end)
        try:
            said = server.value("SELECT coalesce(max(from_unixtime(json_value(Priv, '$.password_last_changed'))), '') FROM mysql.global_priv " + where)
        except Problem:
            said = server.value("SELECT coalesce(max(password_last_changed), '') FROM mysql.user " + where)
    except Problem:
        answer.facts["database " + label] = "?"
        return
    answer.facts["database " + label] = (said or "-")[:10]
    if said and said[:10] < str(since):
        answer.red("数据库口令未更换：%s（%s）" % (label, said[:10]), "The database password was not changed: %s (%s)" % (label, said[:10]))
