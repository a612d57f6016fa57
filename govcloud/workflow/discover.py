"""Discover over SSH: hosts into statements, merged into the inventory; host keys that a person approved."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from govcloud.discovery.fingerprints import load_fingerprints
from govcloud.discovery.ssh import Asking as Asking
from govcloud.discovery.ssh import ShownKey, discover_hosts, fingerprint, show_keys
from govcloud.errors import UsageError
from govcloud.events import Event
from govcloud.model.access import HostAccess, HostKey
from govcloud.model.collect import Change, DiscoveryResult, HostResult, HostTrust, TrustState
from govcloud.model.ledger import LedgerEntry
from govcloud.model.text import Text
from govcloud.store import host_keys
from govcloud.store import ledger as ledger_store
from govcloud.workflow.session import Session
from govcloud.workflow.statements import store_statements


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """How much may be lost by a crash."""

    hosts: int = 50
    seconds: float = 20.0


def discover_ssh(
    session: Session,
    hosts: Sequence[HostAccess],
    *,
    bastions: Mapping[str, HostAccess] | None = None,
    asking: Asking | None = None,
    portion: Portion | None = None,
) -> DiscoveryResult:
    """Ask every host what it is. Hosts that fail are results; what the others say is stored and merged.

    Results are stored in portions while the others are still being asked, and what has come when Ctrl-C is pressed.
    Those of the answer are in the order of `hosts` and hold each host's facts, not its samples of connections.
    """
    with session.store.read() as tx:
        approved = host_keys.approved_keys(tx)
    kept: dict[str, HostResult] = {}
    inbox = _Inbox(session, portion or Portion())
    found = discover_hosts(
        hosts, approved, now=session.now, bastions=bastions, asking=asking, on_idle=inbox.store_if_due
    )
    try:
        with closing(found) as results:
            for result in results:
                inbox.add(result)
                kept[result.host.name] = replace(result, statements=result.statements[:1])
                session.observer.on_event(Event(
                    what=Text("登录主机", "Ask the hosts"), subject=result.host.name, done=len(kept), total=len(hosts)
                ))  # fmt: skip
    finally:
        inbox.store()
    return DiscoveryResult(
        hosts=tuple(kept[h.name] for h in hosts if h.name in kept), changes=tuple(inbox.changes.values())
    )


class _Inbox:
    """Results that have come and are not stored yet, and what the stored ones changed."""

    def __init__(self, session: Session, portion: Portion) -> None:
        self.changes: dict[tuple[str, str], Change] = {}
        self._session, self._portion = session, portion
        self._waiting: list[HostResult] = []
        self._since = time.monotonic()
        self._cost = 0.0

    def add(self, result: HostResult) -> None:
        self._waiting.append(result)
        self.store_if_due()

    def store_if_due(self) -> None:
        passed = time.monotonic() - self._since
        full = len(self._waiting) >= self._portion.hosts or passed >= self._portion.seconds
        # Storing merges the whole inventory: at most a tenth of the time goes into it.
        if full and passed >= 9 * self._cost:
            self.store()

    def store(self) -> None:
        if not self._waiting:
            return
        began = time.monotonic()
        stored, self._waiting = self._waiting, []
        _note(self.changes, _store(self._session, stored))
        self._since = time.monotonic()
        self._cost = self._since - began


def _store(session: Session, results: Sequence[HostResult]) -> Sequence[Change]:
    outcome = [
        {
            "host": r.host.name, "address": r.host.address, "port": r.host.port, "via": r.host.via, "status": r.status,
            "fingerprint": r.fingerprint, "facts": sum(len(s.values) for s in r.statements),
            "unknown": sorted({f for s in r.statements for f in s.unknown}), "gaps": [g.probe for g in r.gaps],
        }
        for r in sorted(results, key=lambda r: r.host.name)
    ]  # fmt: skip
    statements = [s for r in results for s in r.statements]
    return store_statements(
        session, kind="discover", source="ssh", statements=statements, body={"hosts": outcome}
    ).changes


def _note(known: dict[tuple[str, str], Change], changes: Sequence[Change]) -> None:
    """What several portions did to one subject, as one change."""
    for change in changes:
        key = (change.kind, change.subject_id)
        before = known.get(key)
        if before is None:
            known[key] = change
        elif change.change == "removed" and before.change == "added":
            del known[key]
        else:
            word = "added" if before.change == "added" else change.change
            fields = tuple(dict.fromkeys((*before.fields, *change.fields))) if word == "changed" else ()
            known[key] = replace(change, change=word, fields=fields)


def trust_hosts(
    session: Session,
    hosts: Sequence[HostAccess],
    *,
    bastions: Mapping[str, HostAccess] | None = None,
    approve: bool = False,
    expect: Path | None = None,
    replaced: Collection[str] = (),
) -> tuple[HostTrust, ...]:
    """Show the hosts' keys; with `approve` record the new ones as approved by the session's actor.

    A changed key replaces the approved one only for hosts named in `replaced`; with `expect` (a file of
    `NAME SHA256:…` lines) no key is approved that is not in it. Bastions come first: who is behind one shows a key only
    when the bastion's own is approved. Raises InputError for a bad file.
    """
    expected = load_fingerprints(expect) if expect is not None else None
    behind = [h for h in hosts if h.via]
    names = {h.name for h in hosts}
    first = [h for h in hosts if not h.via] + [b for b in (bastions or {}).values() if b.name not in names]
    if unknown := sorted(set(replaced) - {h.name for h in (*first, *behind)}):
        raise UsageError(
            Text("主机清单里没有：{n}", "Not in the list of hosts: {n}").format(n=", ".join(unknown)),
            where="--replace",
        )
    trusts: list[HostTrust] = []
    for batch in (first, behind):
        with session.store.read() as tx:
            known = host_keys.approved_keys(tx)
        shown = show_keys(batch, known, bastions=bastions) if batch else []
        judged = [
            _judge(
                s, known.get((s.host.key_host, s.host.port), ()), approve=approve, expected=expected, replaced=replaced
            )
            for s in shown
        ]
        taken = [(s, t) for s, t in zip(shown, judged, strict=True) if t.state in ("approved", "replaced")]
        if taken:
            _record_keys(session, taken)
        trusts += judged
    return tuple(trusts)


def _judge(
    shown: ShownKey,
    known: Sequence[HostKey],
    *,
    approve: bool,
    expected: Mapping[str, Collection[str]] | None,
    replaced: Collection[str],
) -> HostTrust:
    host = shown.host
    before = tuple(fingerprint(k.key_base64) for k in known)
    by = tuple(dict.fromkeys(k.approved_by for k in known))
    if shown.key is None:
        return HostTrust(host=host, state="failed", approved=before, approved_by=by, reason=shown.reason)
    now = fingerprint(shown.key[1])
    state: TrustState
    if shown.key in {(k.key_type, k.key_base64) for k in known}:
        state = "trusted"
    elif expected is not None and now not in expected.get(host.name, ()):
        state = "not_expected"
    elif known:
        state = "replaced" if approve and host.name in replaced else "changed"
    else:
        state = "approved" if approve else "new"
    return HostTrust(host=host, state=state, key_type=shown.key[0], shown=now, approved=before, approved_by=by)


def _record_keys(session: Session, taken: Sequence[tuple[ShownKey, HostTrust]]) -> None:
    at = session.now()
    with session.store.begin() as tx:
        for shown, trust in taken:
            if shown.key is None:
                continue
            host = trust.host
            if trust.state == "replaced":
                host_keys.revoke(tx, host.key_host, host.port)
            key = HostKey(
                host=host.key_host, port=host.port, key_type=shown.key[0], key_base64=shown.key[1],
                approved_by=session.actor,
            )  # fmt: skip
            host_keys.approve(tx, key, at)
        body = {
            "keys": [
                {
                    "host": t.host.name, "address": t.host.address, "port": t.host.port, "via": t.host.via,
                    "key_type": t.key_type, "fingerprint": t.shown, "replaces": list(t.approved),
                }
                for _, t in taken
            ]
        }  # fmt: skip
        ledger_store.append(tx, LedgerEntry(kind="host_keys", actor=session.actor, at=at, body=body))
