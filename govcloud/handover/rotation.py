"""Access changes hands on one host: the builder's key in, every other key out, each step proved by a real login.

Lock-out is the danger. The old keys go only after the builder's key is proved to be installed (and to open the account,
where the builder gave an identity), and a connection made with the old key stays open until the end, to put the old
keys back if a proof fails.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from govcloud.handover.login import HeldSession, Logins, SessionError, fingerprint
from govcloud.model.access import HostAccess
from govcloud.model.handover import HostRotation, LoginAttempt
from govcloud.model.text import Text

GRANT, TAKE = "takeover_grant", "takeover_access"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookResult:
    ok: bool
    detail: str
    """What failed, in one line; empty when everything was proved."""
    reasons: tuple[Text, ...] = ()
    """The same, sentence by sentence."""
    facts: Mapping[str, int | str] = field(default_factory=dict)
    """`gov` of the tasks, together."""
    outputs: tuple[Mapping[str, Any], ...] = ()
    """What each task reported, secrets covered: {"task", "found", "problems"}."""


class Playbooks(Protocol):
    """Runs `playbooks/<step>/<name>.yml` on one host, with the host's key or another, and judges it by its events."""

    def run(
        self,
        step: str,
        name: str,
        host: HostAccess,
        variables: Mapping[str, Any],
        *,
        identity: Path | None = None,
        timeout_s: int = 180,
    ) -> PlaybookResult: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be done on one host, and with what means."""

    host: HostAccess
    builder_key: str
    old_identity: Path
    new_identity: Path | None
    """The builder's private key where he lent it for the check; it is read where it lies and never copied."""
    logins: Logins
    playbooks: Playbooks
    keep: Callable[[bytes], str]
    """Stores evidence and returns its digest."""


def rotate_host(change: Change) -> HostRotation:
    """Do it. Bad news is in the result; nothing is raised for a host that fails."""
    first, session = change.logins.open(change.host, change.old_identity)
    if session is None:
        return _without_old_access(change, first)
    try:
        before = session.read()
        removed = set(fingerprints(before.values())) - {_builder_fingerprint(change)}
        blocks = (f"# {name}\n".encode() + text for name, text in sorted(before.items()))
        draft = HostRotation(
            host=change.host.name,
            ok=False,
            detail=Text("", ""),
            removed=tuple(sorted(removed)),
            backup_sha256=change.keep(b"".join(blocks)),
        )
        return _change_keys(change, draft, session, before)
    except SessionError as error:
        return HostRotation(
            host=change.host.name,
            ok=False,
            detail=Text(
                "与主机的连接中断，须人工核对：{why}", "The connection broke; a person must look: {why}"
            ).format(why=error),
            old_login=first,
        )
    finally:
        session.close()


def _change_keys(change: Change, draft: HostRotation, session: HeldSession, before: dict[str, bytes]) -> HostRotation:
    host, variables = change.host, {"ssh_folder": session.folder, "builder_key": change.builder_key}
    granted = change.playbooks.run(GRANT, "apply", host, variables)
    installed = session.read().get("authorized_keys", b"").splitlines()
    if not granted.ok or change.builder_key.encode() not in installed:
        why = Text("对方公钥没有装上：{why}", "The builder's key was not installed: {why}").format(
            why=granted.detail or "—"
        )
        return _put_back(change, replace(draft, detail=why), session, before)
    if change.new_identity is not None:
        new = change.logins.attempt(host, change.new_identity)
        if new.accepted is not True:
            why = Text(
                "对方密钥登录不了，旧钥未动：{why}",
                "The builder's key does not open the account; the old keys stay: {why}",
            )
            return _put_back(change, replace(draft, new_login=new, detail=why.format(why=new.answer)), session, before)
    taken = change.playbooks.run(TAKE, "apply", host, variables)
    draft = replace(
        draft,
        old_login=change.logins.attempt(host, change.old_identity),
        new_login=change.logins.attempt(host, change.new_identity) if change.new_identity else None,
    )
    problem = _problem(change, draft, taken, session, variables)
    if problem is not None:
        return _put_back(change, replace(draft, detail=problem), session, before)
    return replace(draft, ok=True, detail=_proved(draft))


def _problem(
    change: Change, done: HostRotation, taken: PlaybookResult, session: HeldSession, variables: dict[str, str]
) -> Text | None:
    """The first proof that fails."""
    if not taken.ok:
        return Text("换钥没有完成：{why}", "The keys were not changed: {why}").format(why=taken.detail)
    if session.read() != _wanted(change):
        return Text("公钥文件中还有别的内容", "The key files hold something else, too")
    if done.old_login is None or done.old_login.accepted is not False:
        answer = done.old_login.answer if done.old_login else ""
        return Text("未能证明旧钥失效：{why}", "Not proved that the old key is refused: {why}").format(why=answer)
    if change.new_identity is None:
        return None
    if done.new_login is None or done.new_login.accepted is not True:
        answer = done.new_login.answer if done.new_login else ""
        return Text("换钥后对方登录不了：{why}", "The builder can't log in after the change: {why}").format(why=answer)
    verified = change.playbooks.run(TAKE, "verify", change.host, variables, identity=change.new_identity)
    return (
        None
        if verified.ok
        else Text("换钥后核对不通过：{why}", "The check afterwards failed: {why}").format(why=verified.detail)
    )


def _proved(done: HostRotation) -> Text:
    if done.new_login is None:
        return Text(
            "旧钥已被拒绝；对方公钥已装上，登录待对方验证",
            "Old key refused; builder's key installed, login to be proved by the builder",
        )
    return Text("旧钥已被拒绝，对方密钥可登录", "Old key refused, builder's key accepted")


def _put_back(change: Change, failed: HostRotation, session: HeldSession, before: dict[str, bytes]) -> HostRotation:
    """The old keys again, over the connection that is still open, and the proof that they open the account."""
    # A login that needs no key file at all (keys from a directory service) leaves nothing to put back but emptiness.
    session.write({"authorized_keys": b"", **before})
    again = change.logins.attempt(change.host, change.old_identity)
    tail = (
        Text("；已恢复旧钥", "; the old keys are back")
        if again.accepted
        else Text(
            "；旧钥恢复后仍登录不了，须人工处理", "; the old key does not open the account again, a person must act"
        )
    )
    detail = Text(failed.detail.zh + tail.zh, failed.detail.en + tail.en)
    return replace(failed, ok=False, restored=again.accepted is True, removed=(), detail=detail, old_login=again)


def _without_old_access(change: Change, first: LoginAttempt) -> HostRotation:
    """The old key does not open the account: done before (a crash may have eaten the record), or something is wrong."""
    failed = HostRotation(host=change.host.name, ok=False, detail=Text("", ""), old_login=first)
    if first.accepted is None:
        why = Text("主机没有应答或主机公钥未获确认：{why}", "No answer, or its host key is not approved: {why}")
        return replace(failed, detail=why.format(why=first.answer))
    if change.new_identity is None:
        why = Text(
            "旧钥已被拒绝，无法再查看公钥文件；请对方用 --identity 证明",
            "The old key is refused already, so the key files can't be read; the builder must prove it with --identity",
        )
        return replace(failed, detail=why)
    new, session = change.logins.open(change.host, change.new_identity)
    if session is None:
        why = Text("新旧密钥都登录不了，须人工处理", "Neither key opens the account; a person must act")
        return replace(failed, new_login=new, detail=why)
    try:
        alone = session.read() == _wanted(change)
    except SessionError:
        alone = False
    finally:
        session.close()
    proof = Text(
        "此前已换钥：旧钥被拒绝，只剩对方公钥", "Changed before: old key refused, only the builder's key is left"
    )
    other = Text("公钥文件中还有别的内容", "The key files hold something else, too")
    return replace(failed, ok=alone, new_login=new, detail=proof if alone else other)


def _wanted(change: Change) -> dict[str, bytes]:
    return {"authorized_keys": change.builder_key.encode() + b"\n"}


def _builder_fingerprint(change: Change) -> str:
    return fingerprint(change.builder_key.split()[1])


def fingerprints(files: Iterable[bytes]) -> list[str]:
    """Of every public key in the files, options before the key or not."""
    found = []
    for line in (line for text in files for line in text.decode("utf-8", "replace").splitlines()):
        words = [] if line.lstrip().startswith("#") else line.split()
        for word in words:
            # Every SSH public key starts with the length of its type name: three zero bytes, `AAAA` in base64.
            if word.startswith("AAAA"):
                try:
                    base64.b64decode(word, validate=True)
                except binascii.Error:
                    continue
                found.append(fingerprint(word))
                break
    return found
