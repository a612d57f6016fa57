"""A password or token that came in by any way is found nowhere afterwards: not in the database, records, exports, output, argv."""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from pathlib import Path

import pytest
from office import Office

CANARY = "kanari-示例口令-7f3a9"
TYPED = "typed-kanari-41c8-at-a-terminal"
LOOK = ("inventory", "systems")


def everything(office: Office) -> bytes:
    """The bytes of all files of the workspace, the write-ahead log and what was exported included."""
    return b"".join(p.read_bytes() for p in sorted(office.path.rglob("*")) if p.is_file())


def forms(secret: str) -> list[bytes]:
    """As it may stand in a file: UTF-8, escaped as JSON."""
    return [secret.encode(), secret.encode("unicode_escape"), secret.encode().hex().encode()]


def test_passwords_and_tokens_leave_no_trace(office: Office) -> None:
    office.found()
    office.join("li", "builder", "owner")
    said = []
    canary = office.password(CANARY, "canary")
    entered = {"user": "li", "PASSWORD_FILE": canary}
    said.append(office.say("accounts", "password", "li", "--file", canary))
    said.append(office.say(*LOOK, **entered))
    said.append(office.say("accounts", "password", "--file", canary, **entered))
    said.append(office.say(*LOOK, **entered))
    assert said[-1][0] == 0
    said.append(office.say(*LOOK, user="li", PASSWORD_FILE=office.password("x" + CANARY)))
    said.append(office.say(*LOOK, user=CANARY, PASSWORD_FILE=canary))
    said.append(office.say("accounts", "password", "li", "--file", office.password(CANARY[:8])))
    said.append(office.say(*LOOK, TOKEN=CANARY))
    said.append(office.say(*LOOK, TOKEN_FILE=canary))
    office.path.joinpath("hosts.yaml").write_text("hosts: [", "utf-8")
    said.append(office.say("discover", "ssh", **entered))
    kept = office.folder / "token"
    said.append(office.say("accounts", "token", "new", "--label", "示例", "-o", str(kept), **entered))
    assert said[-1][0] == 0 and kept.stat().st_mode & 0o777 == 0o600
    token = kept.read_text().strip()
    said.append(office.say(*LOOK, TOKEN=token, lang="zh"))
    assert said[-1][0] == 0
    for words in (("accounts", "list", "--all"), ("accounts", "token", "list"), ("audit", "log")):
        said += [office.by("li", *words, output=output) for output in ("table", "json")]
    said.append(office.by("li", "audit", "export", "-o", str(office.path / "bundle")))
    assert said[-1][0] == 0
    told = "\n".join(out + err for _, out, err in said).encode() + everything(office)
    assert not [form for secret in (CANARY, CANARY[:8], token) for form in forms(secret) if form in told]
    assert b"$argon2id$" in everything(office), "the hash is there, in the database alone"
    assert "argon2" not in str(office.records()) and b"argon2" not in "\n".join(o for _, o, _ in said).encode()


def test_a_token_is_shown_once_and_to_nobody_where_it_goes_to_a_file(office: Office) -> None:
    office.found()
    office.join("li", "builder")
    office.say("accounts", "password", "li", "--file", office.password(CANARY))
    office.say(
        "accounts", "password", "--file", office.password(CANARY), user="li", PASSWORD_FILE=office.password(CANARY)
    )
    entered = {"user": "li", "PASSWORD_FILE": office.password(CANARY)}
    code, out, _ = office.say("accounts", "token", "new", "--label", "示例", **entered)
    (token,) = {word for word in out.split() if word.startswith("govcloud_")}
    assert code == 0 and office.say(*LOOK, TOKEN=token)[0] == 0
    _, listed, _ = office.say("accounts", "token", "list", output="json", **entered)
    assert token not in listed and "示例" in listed
    taken = office.folder / "taken"
    taken.write_text("something of somebody's")
    before = listed
    assert office.say("accounts", "token", "new", "--label", "示例", "-o", str(taken), **entered)[0] == 2
    assert taken.read_text() == "something of somebody's"
    assert office.say("accounts", "token", "list", output="json", **entered)[1] == before, "and none was made in vain"


def typed(argv: list[str], *answers: str) -> tuple[int, str, str]:
    """At a terminal of its own. Exit code, what the terminal showed, and all command lines of the machine while it waited."""
    pid, master = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-m", "govcloud", "--lang", "en", *argv])  # noqa: S606 - that is what it is about
    shown, waiting = b"", list(answers)
    lines = ""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if select.select([master], [], [], 0.2)[0]:
            try:
                piece = os.read(master, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
        if waiting and shown.count(b": ") > len(answers) - len(waiting):
            lines += command_lines()
            os.write(master, waiting.pop(0).encode() + b"\n")
    os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode(), lines


def command_lines() -> str:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(entry.read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(found)


def test_a_password_typed_at_a_terminal_is_not_echoed_and_stands_in_no_command_line(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.found()
    office.join("li", "builder")
    argv = ["-w", str(office.path), "accounts", "password", "li"]
    code, shown, lines = typed(argv, TYPED, "another one altogether")
    assert code == 2 and "The two differ" in shown
    assert office.account("li").password_hash is None
    code, shown, more = typed(argv, TYPED, TYPED)
    assert code == 0, shown
    code, again, most = typed(["-w", str(office.path), "--user", "li", "accounts", "password"], TYPED, TYPED, TYPED)
    assert code == 0, again
    assert "accounts" in lines and "accounts" in most
    assert TYPED not in shown + again + lines + more + most
    assert office.say(*LOOK, user="li", PASSWORD_FILE=office.password(TYPED))[0] == 0


def test_there_is_no_option_that_takes_a_password() -> None:
    """What stands on argv is read by everybody on the machine."""
    from govcloud.cli.accounts import command

    for verb in (command.get_command(None, "password"), command.get_command(None, "add")):  # type: ignore[arg-type]
        assert verb is not None
        assert not [p.name for p in verb.params if "password" in (p.name or "") or "secret" in (p.name or "")]
