"""Proofs of a takeover: a playbook on each host and real logins from here, with an intent before and a result after each kind."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any, get_args

from govcloud import resources
from govcloud.access import check_private
from govcloud.errors import InputError, UsageError
from govcloud.events import Event
from govcloud.execution.spec import FOLDER as SPEC_FOLDER
from govcloud.execution.spec import load_spec
from govcloud.handover.evidence import keep_bytes, refuse_secrets
from govcloud.handover.login import Logins, load_identity
from govcloud.handover.proofs_given import (
    Target,
    build_given,
    build_proof,
    judge_direct,
    judge_host,
    judge_logins,
    together,
    verify_target,
)
from govcloud.handover.proofs_needs import FOLDER, Database, SystemNeeds, load_needs, parse_site
from govcloud.handover.rotation import PlaybookResult, Playbooks
from govcloud.handover.signoff import verify_change
from govcloud.model.access import HostAccess
from govcloud.model.handover import Checklist, Handover, LoginAttempt, Proof, ProofKind
from govcloud.model.text import Text
from govcloud.safe_yaml import load_yaml
from govcloud.settings import FILE as SETTINGS_FILE
from govcloud.workflow.session import Session
from govcloud.workflow.takeover import Takeover, change, folder_of, get_takeover
from govcloud.workflow.takeover_playbooks import AnsiblePlaybooks
from govcloud.workflow.takeover_rotate import alone, approved_host_keys, check_identity, hosts_of, known_hosts

KINDS: tuple[ProofKind, ...] = get_args(ProofKind)
_TIMEOUTS_S: dict[ProofKind, int] = {"restore": 6 * 3600}
_PROVING = Text("验证", "Proving")
Verdict = tuple[bool | None, tuple[Text, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """What is lent for the proofs; read where it lies, never kept."""

    identity: Path | None = None
    """The builder's private key: how we get in once the keys have changed."""
    old_keys: tuple[Path, ...] = ()
    """Private keys of the old vendor's, to be refused; the host's own key_file where none is given."""
    old_password: Path | None = None
    """File with the old vendor's password, to be refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    takeover: Takeover
    proofs: tuple[Proof, ...]


def prove(
    session: Session, handover_id: str, kinds: Sequence[ProofKind] = (), *, hosts: Sequence[str] = (), lent: Lent = Lent(),
    playbooks: Playbooks | None = None,
) -> Proved:  # fmt: skip
    """Prove these kinds (all of them by default) on these hosts (all of the takeover's by default).

    A host that can't be reached is a proof without an answer; the others go on. Obstacles are in the takeover. Raises
    UsageError for a host that is not the takeover's, InputError for a lent file that can't be used.
    """
    folder = folder_of(session, handover_id)
    handover = get_takeover(session, handover_id).handover
    targets = _targets(session, handover, hosts)
    check_identity(handover, lent.identity)
    password = _read_password(lent.old_password)
    with alone(folder, handover_id):
        approved, known = approved_host_keys(session), known_hosts(session)
        look = _Look(
            session=session, folder=folder, lent=lent, password=password, logins=Logins(approved, session.now, known),
            playbooks=playbooks or AnsiblePlaybooks(folder, approved, session.lang, known),
        )  # fmt: skip
        done: list[Proof] = []
        for kind in kinds or KINDS:
            chosen = _with_backups(targets) if kind == "restore" else targets
            begun = change(session, handover_id, "prove_intent", _intent(kind, chosen))
            if begun.obstacles:
                return Proved(takeover=begun, proofs=tuple(done))
            found = tuple(look.at(kind, target, index, len(chosen)) for index, target in enumerate(chosen))
            done += found
            stored = change(session, handover_id, "prove", _result(kind, found))
            if stored.obstacles:
                return Proved(takeover=stored, proofs=tuple(done))
    return Proved(takeover=get_takeover(session, handover_id), proofs=tuple(done))


def _targets(session: Session, handover: Handover, names: Sequence[str]) -> list[Target]:
    if strange := sorted(set(names) - set(handover.hosts)):
        raise UsageError(
            Text("不是这次接管的主机", "Not a host of this takeover"),
            where=", ".join(strange),
            next_step=Text("可选：{h}", "Choose from: {h}").format(h=", ".join(handover.hosts)),
        )
    workspace = session.workspace
    known = known_hosts(session)
    site = parse_site(workspace.settings.takeover, SETTINGS_FILE)
    system = _needs(session, handover)
    tools = load_yaml(resources.folder("inventory") / "handover" / "remote_tools.yaml")["tools"]
    # Hosts count the days of their passwords in UTC.
    since = handover.started_at.astimezone(UTC).date()
    return [
        Target(
            handover=handover, host=host, site=site, system=system, since=since, tools=tools,
            bastion=known[host.via] if host.via is not None else None,
        )
        for host in hosts_of(session, handover)
        if not names or host.name in names
    ]  # fmt: skip


def _needs(session: Session, handover: Handover) -> SystemNeeds:
    """`takeover/<system>.yaml`; the databases of a migrated system are those that its migration file puts on the host."""
    name = f"{handover.system_id}.yaml"
    # An id comes from a workbook: it may be no file name at all.
    plain = Path(name).name == name
    needs = load_needs(session.workspace.path / FOLDER / name) if plain else SystemNeeds()
    if not plain or not (session.workspace.path / SPEC_FOLDER / name).is_file():
        return needs
    spec = load_spec(session.workspace.path / SPEC_FOLDER, handover.system_id)
    hosts = dict(needs.hosts)
    for machine in spec.machines:
        found = tuple(
            Database(kind="mysql" if d.kind == "mysql" else "postgresql", end=d.target)
            for d in spec.databases
            if d.machine == machine.name and d.kind in ("postgresql", "mysql")
        )
        if not needs.of(machine.target).databases:
            hosts[machine.target] = replace(needs.of(machine.target), databases=found)
    return replace(needs, hosts=hosts)


def _with_backups(targets: Sequence[Target]) -> Sequence[Target]:
    """A restore is asked of the hosts that have backups; of all of them where none is named, so that it shows."""
    return [target for target in targets if target.needs.backups] or targets


def _read_password(path: Path | None) -> str | None:
    if path is None:
        return None
    check_private(path)
    text = path.read_text("utf-8", errors="replace").strip("\r\n")
    if not text or "\n" in text:
        raise InputError(
            Text("口令文件应只有一行", "The password file must hold one line"), where=str(path),
            next_step=Text("只写口令，权限 0600", "The password alone, mode 0600"),
        )  # fmt: skip
    return text


def _intent(kind: ProofKind, targets: Sequence[Target]) -> Any:
    def build(handover: Handover, _checklist: Checklist) -> tuple[Handover, dict[str, object]] | list[Text]:
        return verify_change(handover) or (handover, {"proof": kind, "hosts": [t.host.name for t in targets]})

    return build


def _result(kind: ProofKind, proofs: tuple[Proof, ...]) -> Any:
    def build(handover: Handover, _checklist: Checklist) -> tuple[Handover, dict[str, object]] | list[Text]:
        told = [{"host": p.hosts[0], "ok": p.ok, "detail": p.detail.en, "evidence": list(p.evidence)} for p in proofs]
        body: dict[str, object] = {"proof": kind, "hosts": told}
        return verify_change(handover) or (replace(handover, proofs=(*handover.proofs, *proofs)), body)

    return build


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """Looks at one host after the other."""

    session: Session
    folder: Path
    lent: Lent
    password: str | None
    logins: Logins
    playbooks: Playbooks

    def at(self, kind: ProofKind, target: Target, index: int, total: int) -> Proof:
        self.session.observer.on_event(
            Event(what=_PROVING, subject=f"{target.host.name} {kind}", done=index, total=total)
        )
        if reasons := verify_target(kind, target):
            return self._proof(kind, target, (None, tuple(reasons)), {}, ())
        # Logins first: they are the proof that needs no way in of our own.
        attempts = self._attempts(kind, target)
        result = self._play(kind, target)
        verdicts = [
            judge_host(result),
            *([self._judged(kind, attempts)] if kind in ("vendor_access", "bastion") else []),
        ]
        evidence, refused = self._keep(kind, target.host, result, attempts)
        return self._proof(kind, target, together(*verdicts, *refused), {**result.facts, **_told(attempts)}, evidence)

    def _play(self, kind: ProofKind, target: Target) -> PlaybookResult:
        try:
            return self.playbooks.run(
                f"takeover_{kind}", "apply", target.host, {"given": build_given(kind, target)}, identity=self.lent.identity,
                timeout_s=_TIMEOUTS_S.get(kind, 180),
            )  # fmt: skip
        except OSError as error:
            why = Text("剧本没有执行：{why}", "The playbook was not run: {why}").format(why=error.strerror or error)
            return PlaybookResult(ok=False, detail=why.en, reasons=(why,))

    def _attempts(self, kind: ProofKind, target: Target) -> tuple[LoginAttempt, ...]:
        if kind == "bastion":
            key = self.lent.identity or Path(str(target.host.key_file))
            return (self.logins.direct(target.host, key),) if self.logins.knock(target.host) else ()
        if kind != "vendor_access":
            return ()
        keys = self.lent.old_keys or (Path(str(target.host.key_file)),)
        users = tuple(dict.fromkeys((target.host.user, *target.system.vendor_accounts)))
        hosts = [replace(target.host, user=user, name=f"{user}@{target.host.name}") for user in users]
        ours = target.handover.builder_key.split()[1:2]
        tried = [key for key in keys if [load_identity(key).get_base64()] != ours]
        attempts = [self.logins.attempt(host, key) for host in hosts for key in tried]
        if self.password is not None:
            attempts += [self.logins.attempt_password(host, self.password) for host in hosts]
        return tuple(attempts)

    def _judged(self, kind: ProofKind, attempts: Sequence[LoginAttempt]) -> Verdict:
        if kind == "bastion":
            return judge_direct(attempts)
        if attempts:
            return judge_logins(attempts)
        why = Text(
            "没有原运维方的密钥或口令可试（--old-key、--old-password-file）",
            "Nothing of the old vendor's to try (--old-key, --old-password-file)",
        )
        return None, (why,)

    def _keep(
        self, kind: ProofKind, host: HostAccess, result: PlaybookResult, attempts: Sequence[LoginAttempt]
    ) -> tuple[tuple[str, ...], tuple[Verdict, ...]]:
        document = {
            "kind": kind, "host": host.name, "at": self.session.now().isoformat(), "tasks": list(result.outputs),
            "facts": dict(result.facts), "reasons": [{"zh": r.zh, "en": r.en} for r in result.reasons],
            "logins": [{"at": a.host, "offered": a.fingerprint, "accepted": a.accepted, "answer": a.answer} for a in attempts],
        }  # fmt: skip
        data = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"
        try:
            refuse_secrets(data, host.name, passwords=True)
        except InputError as error:
            return (), ((None, (error.what,)),)
        return (keep_bytes(self.folder, data),), ()

    def _proof(
        self, kind: ProofKind, target: Target, verdict: Verdict, facts: dict[str, int | str], evidence: Sequence[str]
    ) -> Proof:
        return build_proof(
            kind, target.host.name, verdict, facts, evidence, actor=self.session.actor, at=self.session.now()
        )


def _told(attempts: Sequence[LoginAttempt]) -> dict[str, int | str]:
    if not attempts:
        return {}
    return {"logins_tried": len(attempts), "logins_refused": sum(a.accepted is False for a in attempts)}
