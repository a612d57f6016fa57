"""Local accounts that can log in, with their number: a second account 0 is worth a question."""

from __future__ import annotations

import re
from collections.abc import Mapping

from govcloud.model.observation import Value

NAME = "accounts"
FIELDS = ("login_users",)
FILES = ("/etc/passwd",)
COMMAND = ":"

_ACCOUNT = re.compile(r"^/etc/passwd:([^:\s]{1,64}):[^:\n]*:(\d{1,10}):\d+:[^:\n]*:[^:\n]*:(\S*)$", re.M)
_NO_SHELL = re.compile(r".*/(?:nologin|false|sync|halt|shutdown|true|git-shell)")


def parse(text: str) -> Mapping[str, Value]:
    accounts = _ACCOUNT.findall(text)
    # No shell named is /bin/sh (passwd(5)).
    names = {f"{name} {number}" for name, number, shell in accounts if not _NO_SHELL.fullmatch(shell)}
    return {"login_users": tuple(sorted(names))} if accounts else {}
