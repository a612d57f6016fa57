"""Who comes in. Without these a stranger could act, a guess could succeed in the end, or a record name the wrong person."""

from __future__ import annotations

import os
import socket
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from office import ADMIN, GIVEN_FIRST, OWN, Office

from govcloud.cli._door import os_user
from govcloud.workflow import accounts

LOOK = ("inventory", "systems")


def test_without_accounts_the_operating_system_user_acts_and_the_record_says_so(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = office.records("init")
    assert (first["actor"], first["identity"], first["role"]) == (os_user(), "os_user", "")
    monkeypatch.setenv("USER", "somebody-else")
    monkeypatch.setenv("LOGNAME", "somebody-else")
    assert office.say("inventory", "snapshot", "one")[0] == 0
    assert office.records()[-1]["actor"] == os_user(), "the environment can't name him"
    assert office.say("inventory", "snapshot", "two", user="李示例")[0] == 0
    assert office.say("inventory", "snapshot", "three", USER="王示例")[0] == 0
    two, three = office.records()[-2:]
    assert (two["actor"], two["identity"]) == ("李示例", "declared")
    assert (three["actor"], three["identity"]) == ("王示例", "declared")


def test_the_first_account_is_an_administrators_of_who_adds_it(office: Office) -> None:
    add = ("accounts", "add", "zhang", "--name", "张示例", "--unit", "示例单位")
    assert office.say(*add, "--role", "builder")[0] == 2
    assert office.say(*add, "--role", "administrator", "--os-user", "nobody-here")[0] == 2
    assert office.say(*add, "--role", "administrator", "--role", "builder")[0] == 2
    assert office.say(*LOOK)[0] == 0, "nothing was kept"
    office.found()
    assert office.account(ADMIN).os_users == (os_user(),)
    assert office.say("accounts", "list")[0] == 0
    code, _, said = office.say(*LOOK, lang="zh")
    assert code == 2 and "查看（read）" in said and "业主单位" in said and "accounts change admin" in said


def test_a_token_lets_in_until_it_is_revoked_expired_or_its_account_disabled(office: Office) -> None:
    office.found()
    office.join("li", "builder")
    assert office.by("li", *LOOK)[0] == 0
    assert office.by("li", "inventory", "snapshot", "one")[0] == 0
    record = office.records()[-1]
    assert (record["actor"], record["unit"], record["role"], record["identity"]) == (
        "示例li", "示例单位li", "builder", "token",
    )  # fmt: skip
    (row,) = office.ask("li", "accounts", "token", "list")["tokens"]["rows"]
    assert office.by("li", "accounts", "token", "revoke", row["token_id"])[0] == 0
    assert office.by("li", *LOOK)[0] == 2


def test_what_is_revoked_expired_or_disabled_gets_one_answer(office: Office) -> None:
    office.found()
    answers = set()
    office.join("li", "builder")
    (token,) = (t["body"]["token_id"] for t in office.records("account") if t["body"]["what"] == "token_new")
    assert office.say("accounts", "token", "revoke", token)[0] == 0, "an administrator may"
    answers.add(office.by("li", *LOOK))
    office.now -= timedelta(days=31)
    office.give_token("li")
    office.now += timedelta(days=31)
    answers.add(office.by("li", *LOOK))
    office.give_token("li")
    assert office.by("li", *LOOK)[0] == 0
    assert office.say("accounts", "disable", "li", "--reason", "调离")[0] == 0
    answers.add(office.by("li", *LOOK))
    assert office.say("accounts", "enable", "li")[0] == 0
    answers.add(office.by("li", *LOOK))
    answers.add(office.say(*LOOK, TOKEN="govcloud_guess"))
    answers.add(office.say(*LOOK, TOKEN_FILE=str(office.tokens["li"]), user="admin"))
    assert len(answers) == 1, "nobody learns which of these it was"
    ((code, out, said),) = answers
    assert (code, out) == (2, "") and "It is not known who acts" in said


def test_an_operating_system_user_is_one_persons(office: Office) -> None:
    office.found()
    office.join("li", "builder")
    assert office.say("accounts", "change", "li", "--os-user", os_user())[0] == 2, "it is the administrator's"
    assert office.say("accounts", "change", ADMIN, "--no-os-user")[0] == 2, "he would be locked out"
    assert office.say("accounts", "password", ADMIN, "--file", office.password(OWN))[0] == 0
    assert office.say("accounts", "change", ADMIN, "--no-os-user")[0] == 0
    assert office.say("accounts", "list")[0] == 2
    entered = {"user": ADMIN, "PASSWORD_FILE": office.password(OWN)}
    assert office.say("accounts", "change", "li", "--os-user", os_user(), **entered)[0] == 0
    assert office.say("inventory", "snapshot", "one")[0] == 0
    record = office.records()[-1]
    assert (record["actor"], record["identity"]) == ("示例li", "os_user")


def test_a_system_user_may_be_bound_to_one_machine(office: Office) -> None:
    office.found()
    office.say("accounts", "password", ADMIN, "--file", office.password(OWN))
    here, elsewhere = f"{os_user()}@{socket.gethostname()}", f"{os_user()}@somewhere-else"
    for machine, entered in ((here, 0), (elsewhere, 2)):
        entry = {"user": ADMIN, "PASSWORD_FILE": office.password(OWN)}
        assert office.say("accounts", "change", ADMIN, "--os-user", machine, **entry)[0] == 0
        assert office.say("accounts", "list")[0] == entered, machine


def test_a_password_that_somebody_else_has_set_is_good_for_nothing_but_its_own_end(office: Office) -> None:
    office.found()
    office.join("li", "builder")
    first = {"user": "li", "PASSWORD_FILE": office.password(GIVEN_FIRST, "first")}
    own = {"user": "li", "PASSWORD_FILE": office.password(OWN, "own")}
    assert office.say(*LOOK, **first)[0] == 2, "there is none yet"
    assert office.say("accounts", "password", "li", "--file", first["PASSWORD_FILE"])[0] == 0
    code, _, said = office.say(*LOOK, **first)
    assert code == 2 and "govcloud --user li accounts password" in said
    assert office.say("accounts", "password", "--file", own["PASSWORD_FILE"], **first)[0] == 0
    assert office.say("inventory", "snapshot", "one", **own)[0] == 0
    assert office.records()[-1]["identity"] == "account"
    assert office.say(*LOOK, **first)[0] == 2
    assert office.say("accounts", "password", ADMIN, "--file", own["PASSWORD_FILE"], **own)[0] == 2, "not his"
    assert office.by("li", "accounts", "password", "--file", own["PASSWORD_FILE"])[0] == 2, "not by a token"
    assert office.by("li", "accounts", "token", "new", "--label", "更多")[0] == 2


@pytest.mark.parametrize("password", ["short", "a" * 20, "abababababab", "x-zhangsan-zhangsan", "长" * 300])
def test_a_password_that_is_soon_guessed_is_refused(office: Office, password: str) -> None:
    office.found()
    office.join("zhangsan", "builder")
    code, _, said = office.say("accounts", "password", "zhangsan", "--file", office.password(password))
    assert code == 2 and password not in said and office.account("zhangsan").password_hash is None


def test_guessing_comes_to_an_end_also_in_parallel_and_right_passwords_wait_with_it(office: Office) -> None:
    office.found()
    office.join("li", "builder")
    office.say("accounts", "password", "li", "--file", office.password(GIVEN_FIRST))
    right = 0
    with office.session() as session:
        guessers = [
            threading.Thread(target=accounts.authenticate, args=(session, "li", f"guess number {n}")) for n in range(9)
        ]
        for guesser in guessers:
            guesser.start()
        for guesser in guessers:
            guesser.join()
        assert accounts.authenticate(session, "li", GIVEN_FIRST) is not None, "the tenth try is the right one"
        for number in range(accounts.MAX_TRIES):
            assert accounts.authenticate(session, "li", f"guess number {number}") is None
        for _ in range(3):
            right += accounts.authenticate(session, "li", GIVEN_FIRST) is not None
        assert right == 0
        office.later(16)
        assert accounts.authenticate(session, "li", GIVEN_FIRST) is not None
        assert accounts.authenticate(session, "nobody", GIVEN_FIRST) is None
    assert office.by("li", *LOOK)[0] == 0, "his token does not wait"


def test_a_clock_that_was_set_back_locks_nobody_out_for_long(office: Office) -> None:
    office.found()
    office.join("li", "builder")
    office.say("accounts", "password", "li", "--file", office.password(GIVEN_FIRST))
    with office.session() as session:
        for number in range(accounts.MAX_TRIES):
            accounts.authenticate(session, "li", f"guess number {number}")
        office.now -= timedelta(days=400)
        assert accounts.authenticate(session, "li", GIVEN_FIRST) is not None


def test_an_unknown_login_is_answered_like_a_wrong_password(office: Office) -> None:
    office.found()
    office.join("li", "builder")
    office.say("accounts", "password", "li", "--file", office.password(GIVEN_FIRST))
    wrong = {"PASSWORD_FILE": office.password("not this one at all")}
    assert office.say(*LOOK, user="li", **wrong) == office.say(*LOOK, user="nobody", **wrong)


def test_a_refusal_is_recorded_once_and_a_loop_does_not_fill_the_ledger(office: Office) -> None:
    office.found()
    office.join("audit", "auditor")
    before = len(office.records())
    for _ in range(5):
        assert office.by("audit", "check", "estate")[0] == 2
    (record,) = office.records()[before:]
    assert (record["kind"], record["actor"], record["unit"]) == ("refused", "示例audit", "示例单位audit")
    assert record["body"] == {
        "what": "govcloud check estate", "why": "role", "actions": ["check"], "login": "audit", "roles": ["auditor"],
    }  # fmt: skip
    with office.session() as session:
        for number in range(200):
            accounts.refuse(session, f"page {number}", "identity", None)
    assert len(office.records()) < before + 1 + accounts.MOST_REFUSED + 1
    office.later(11)
    with office.session() as session:
        accounts.refuse(session, "page 1", "identity", None)
    assert office.records()[-1]["body"]["what"] == "page 1"


def test_what_a_stranger_calls_himself_is_not_recorded(office: Office) -> None:
    """A password that was typed into the line for the login would stand there for ever."""
    office.found()
    office.say(*LOOK, user="my secret password", PASSWORD_FILE=office.password(OWN))
    refused = office.records("refused")
    assert refused and "my secret" not in str(office.records())
    assert {r["actor"] for r in refused} == {os_user()}


def test_without_a_terminal_it_says_how_a_program_comes_in(office: Office) -> None:
    office.found()
    office.join("li", "builder")
    code, _, said = office.say(*LOOK, user="li")
    assert code == 2 and "GOVCLOUD_TOKEN_FILE" in said and "GOVCLOUD_PASSWORD_FILE" in said
    code, _, said = office.say(*LOOK, TOKEN="x", TOKEN_FILE="y")
    assert code == 2 and "only one" in said


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601, 0o700])
def test_a_secret_file_that_others_can_use_is_refused(office: Office, mode: int) -> None:
    office.found()
    office.join("li", "builder")
    file = office.tokens["li"]
    file.chmod(mode)
    code, _, said = office.by("li", *LOOK)
    if mode == 0o700:
        assert code == 0
    else:
        assert code == 3 and f"chmod 600 {file}" in said
    assert file.read_text().strip() not in said


def test_a_secret_behind_a_link_a_pipe_or_a_folder_is_refused(office: Office) -> None:
    office.found()
    office.join("li", "builder")
    link, pipe = office.folder / "link", office.folder / "pipe"
    link.symlink_to(office.tokens["li"])
    os.mkfifo(pipe, 0o600)
    for path in (link, pipe, office.folder, Path("/nowhere"), Path(office.password("two\nlines"))):
        assert office.say(*LOOK, TOKEN_FILE=str(path))[0] == 3, path
