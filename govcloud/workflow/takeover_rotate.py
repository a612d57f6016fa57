"""Access to the hosts of a system changes hands, with an intent before and a result after in the ledger."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from govcloud.access import FILE as HOSTS_FILE
from govcloud.access import load_hosts
from govcloud.errors import InputError, UsageError
from govcloud.events import Event
from govcloud.handover.evidence import keep_bytes
from govcloud.handover.login import Logins, load_identity
from govcloud.handover.rotation import Change, Playbooks, rotate_host
from govcloud.handover.signoff import verify_rotation
from govcloud.model.access import HostAccess, HostKey
from govcloud.model.handover import Checklist, Handover, HostRotation, LoginAttempt, Rotation
from govcloud.model.text import Text
from govcloud.store.host_keys import approved_keys
from govcloud.workflow.session import Session
from govcloud.workflow.takeover import Takeover, change, folder_of, get_takeover
from govcloud.workflow.takeover_playbooks import AnsiblePlaybooks

_ROTATING = Text("换钥", "Changing keys")


def rotate(
    session: Session, handover_id: str, *, identity: Path | None = None, playbooks: Playbooks | None = None
) -> Takeover:
    """Change the keys on every host of the takeover. `identity`: the builder's private key, lent for the proof.

    Running it again is safe: a host that was changed before is proved again (with an identity) or left as proved.
    Obstacles are in the result.
    """
    folder = folder_of(session, handover_id)
    handover = get_takeover(session, handover_id).handover
    hosts = hosts_of(session, handover)
    check_identity(handover, identity)
    with alone(folder, handover_id):
        begun = change(session, handover_id, "rotate_intent", _intent)
        if begun.obstacles:
            return begun
        approved, known = approved_host_keys(session), known_hosts(session)
        logins = Logins(approved, session.now, known)
        runner = playbooks or AnsiblePlaybooks(folder, approved, session.lang, known)
        done: list[HostRotation] = []
        for index, host in enumerate(hosts):
            session.observer.on_event(Event(what=_ROTATING, subject=host.name, done=index, total=len(hosts)))
            step = Change(
                host=host, builder_key=handover.builder_key, old_identity=Path(str(host.key_file)),
                new_identity=identity, logins=logins, playbooks=runner, keep=lambda data: keep_bytes(folder, data),
            )  # fmt: skip
            # Without the builder's key nothing can be proved twice; what was proved before stands.
            proved = _proved_before(handover, host.name) if identity is None else None
            done.append(proved or rotate_host(step))
        session.observer.on_event(Event(what=_ROTATING, done=len(hosts), total=len(hosts)))
        rotation = Rotation(actor=session.actor, at=session.now(), hosts=tuple(done))

        def build(now: Handover, _checklist: Checklist) -> tuple[Handover, dict[str, object]]:
            return replace(now, rotations=(*now.rotations, rotation)), {"hosts": [_body(h) for h in done]}

        return change(session, handover_id, "rotate", build)


def _proved_before(handover: Handover, host: str) -> HostRotation | None:
    return next((h for r in reversed(handover.rotations) for h in r.hosts if h.host == host and h.ok), None)


def _intent(handover: Handover, checklist: Checklist) -> tuple[Handover, dict[str, object]] | list[Text]:
    return verify_rotation(checklist, handover) or (handover, {"hosts": list(handover.hosts)})


def _body(done: HostRotation) -> dict[str, object]:
    """What the ledger keeps of one host: fingerprints and answers, never keys."""
    return {
        "host": done.host, "ok": done.ok, "detail": done.detail.en, "removed": list(done.removed),
        "restored": done.restored, "backup_sha256": done.backup_sha256,
        "old_login": _login_body(done.old_login), "new_login": _login_body(done.new_login),
    }  # fmt: skip


def _login_body(attempt: LoginAttempt | None) -> dict[str, object] | None:
    if attempt is None:
        return None
    return {
        "host": attempt.host, "fingerprint": attempt.fingerprint, "accepted": attempt.accepted, "answer": attempt.answer
    }  # fmt: skip


def check_access(session: Session, handover_id: str, *, identity: Path | None = None) -> Takeover:
    """Try the old key and, where lent, the builder's on every host, once more. Recorded; obstacles name what is wrong."""
    handover = get_takeover(session, handover_id).handover
    hosts = hosts_of(session, handover)
    check_identity(handover, identity)
    logins = Logins(approved_host_keys(session), session.now, known_hosts(session))
    attempts: list[LoginAttempt] = []
    problems: list[Text] = []
    for host in hosts:
        for key, wanted in ((Path(str(host.key_file)), False), (identity, True)):
            if key is None:
                continue
            attempt = logins.attempt(host, key)
            attempts.append(attempt)
            if attempt.accepted is not wanted:
                problems.append(_wrong(attempt, wanted))

    def build(now: Handover, _checklist: Checklist) -> tuple[Handover, dict[str, object]] | list[Text]:
        body: dict[str, object] = {"logins": [_login_body(a) for a in attempts]}
        return replace(now, checks=(*now.checks, *attempts)), body

    return replace(change(session, handover_id, "check", build), obstacles=tuple(problems))


def _wrong(attempt: LoginAttempt, wanted: bool) -> Text:
    zh, en = (
        ("对方密钥登录不了", "the builder's key does not log in")
        if wanted
        else ("旧钥未被拒绝", "the old key is not refused")
    )
    return Text(f"{attempt.host}：{zh}（{attempt.answer}）", f"{attempt.host}: {en} ({attempt.answer})")


def hosts_of(session: Session, handover: Handover) -> Sequence[HostAccess]:
    known = known_hosts(session)
    missing = [name for name in handover.hosts if name not in known or known[name].key_file is None]
    if missing:
        raise UsageError(
            Text("hosts.yaml 中没有：{names}", "Not in hosts.yaml: {names}").format(names=", ".join(missing)),
            where=handover.handover_id,
        )
    return [known[name] for name in handover.hosts]


def known_hosts(session: Session) -> dict[str, HostAccess]:
    return {host.name: host for host in load_hosts(session.workspace.path / HOSTS_FILE)}


def check_identity(handover: Handover, identity: Path | None) -> None:
    if identity is not None and [load_identity(identity).get_base64()] != handover.builder_key.split()[1:2]:
        raise InputError(
            Text("这不是接管登记的对方密钥", "This is not the builder's key that the takeover names"),
            where=str(identity),
        )


def approved_host_keys(session: Session) -> dict[tuple[str, int], tuple[HostKey, ...]]:
    with session.store.read() as tx:
        return approved_keys(tx)


@contextmanager
def alone(folder: Path, handover_id: str) -> Iterator[None]:
    """One change or look at the hosts of a takeover at a time; the lock goes with the process."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / ".hosts.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                Text("另一个进程正在操作此接管的主机", "Another process is at work on the hosts of this takeover"),
                where=handover_id,
                next_step=Text("等它结束后再试", "Wait for it, then try again"),
            ) from None
        yield
