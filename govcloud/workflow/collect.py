"""Collect: workbooks and hosts into observations, merged into the inventory.

Each verb stores its batch, its observations, the merged inventory and one ledger record in one transaction.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from govcloud.discovery.columns import load_column_maps
from govcloud.discovery.diff import Difference, build_difference
from govcloud.discovery.fingerprints import load_fingerprints
from govcloud.discovery.merge import build_inventory
from govcloud.discovery.records import Reading, read_workbook
from govcloud.discovery.ssh import ShownKey, discover_hosts, fingerprint, show_keys
from govcloud.discovery.workbook import load_workbook
from govcloud.errors import InputError, UsageError
from govcloud.events import Event
from govcloud.model.access import HostAccess, HostKey
from govcloud.model.collect import (
    Change,
    DiscoveryResult,
    FileImport,
    FileState,
    HostResult,
    HostTrust,
    ImportResult,
    SheetKind,
    TrustState,
)
from govcloud.model.inventory import Inventory
from govcloud.model.ledger import LedgerEntry
from govcloud.model.text import Text
from govcloud.store import host_keys
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.store.codec import encode
from govcloud.workflow.inventory import merge_inventory
from govcloud.workflow.session import Session


def import_files(
    session: Session, files: Sequence[Path], *, kind: SheetKind | None = None, preview: bool = False
) -> ImportResult:
    """Take the good rows of all files. A refused file does not keep the others out; raises InputError if all are."""
    maps, maps_digest = load_column_maps()
    at = session.now()
    read: dict[Path, tuple[str, Reading]] = {}
    refused: dict[Path, InputError] = {}
    paths = list(dict.fromkeys(path.resolve() for path in files))
    for number, path in enumerate(paths, start=1):
        try:
            workbook = load_workbook(path)
            read[path] = (workbook.sha256, read_workbook(workbook, maps, at=at, kind=kind))
        except InputError as error:
            refused[path] = error
        session.observer.on_event(
            Event(what=Text("读取工作簿", "Read workbooks"), subject=path.name, done=number, total=len(paths))
        )
    if not read and refused:
        raise next(iter(refused.values()))
    how = f"{maps_digest} {kind or ''}"
    if preview:
        with session.store.read() as tx:
            done = [_file_import(path, *read[path], _state(tx, path, read[path][0], how)) for path in read]
            difference, after = _preview(session, tx, done, read)
    else:
        with session.store.begin() as tx:
            done = [_file_import(path, *read[path], _state(tx, path, read[path][0], how)) for path in read]
            difference, after = _store_import(session, tx, done, read, how, at)
    done += [FileImport(path=path, state="refused", refusal=error.what) for path, error in refused.items()]
    return ImportResult(
        files=tuple(sorted(done, key=lambda f: paths.index(f.path))), changes=difference.changes,
        unchanged=difference.unchanged, preview=preview, inventory=after,
    )  # fmt: skip


def _state(tx: Connection, path: Path, sha256: str, how: str) -> FileState:
    current = inventory_store.current_batches(tx, inventory_store.IMPORT)
    # Read with other column maps, or under another name of the form, the same bytes say something else.
    if any(b.sha256 == sha256 and b.body["read_as"] == how for b in current):
        return "unchanged"
    return "newer" if any(b.source == str(path) for b in current) else "new"


def _file_import(path: Path, sha256: str, reading: Reading, state: FileState) -> FileImport:
    return FileImport(path=path, state=state, sha256=sha256, sheets=reading.sheets)


def _preview(
    session: Session, tx: Connection, files: Sequence[FileImport], read: Mapping[Path, tuple[str, Reading]]
) -> tuple[Difference, Inventory]:
    before = inventory_store.load_inventory(tx)
    fresh = [f.path for f in files if f.state != "unchanged"]
    observations = inventory_store.observations(tx, without={str(p) for p in fresh})
    observations += [o for path in fresh for o in read[path][1].observations]
    after = build_inventory(observations, session.workspace.settings.precedence)
    return build_difference(before, after), after


def _store_import(
    session: Session,
    tx: Connection,
    files: Sequence[FileImport],
    read: Mapping[Path, tuple[str, Reading]],
    how: str,
    at: datetime,
) -> tuple[Difference, Inventory]:
    before = inventory_store.load_inventory(tx)
    fresh = [f for f in files if f.state != "unchanged"]
    if not fresh:
        return build_difference(before, before), before
    added = 0
    for file in fresh:
        batch_id = _batch_id(tx, file.sha256)
        inventory_store.add_batch(
            tx, batch_id=batch_id, kind=inventory_store.IMPORT, source=str(file.path), sha256=file.sha256, at=at,
            actor=session.actor, body={"read_as": how, "problems": file.problems},
        )  # fmt: skip
        added += inventory_store.add_observations(tx, batch_id, read[file.path][1].observations)
    after = merge_inventory(session, tx)
    difference = build_difference(before, after)
    body = {
        "files": [
            {
                "file": f.path.name, "sha256": f.sha256, "rows": sum(s.rows for s in f.sheets),
                "taken": sum(s.taken for s in f.sheets), "problems": len(f.problems),
            }
            for f in fresh
        ],
        "observations": added, **_counts(difference.changes),
    }  # fmt: skip
    ledger_store.append(tx, LedgerEntry(kind="import", actor=session.actor, at=at, body=body))
    return difference, after


def _batch_id(tx: Connection, sha256: str) -> str:
    return f"B-{inventory_store.count_batches(tx) + 1:06d}-{sha256[:10]}"


def _counts(changes: Sequence[Change]) -> dict[str, int]:
    counted = Counter(c.change for c in changes)
    return {word: counted[word] for word in ("added", "changed", "removed")}


def discover_ssh(session: Session, hosts: Sequence[HostAccess]) -> DiscoveryResult:
    """Ask every host what it is. Hosts that fail are results; what the others say is stored and merged."""
    if not hosts:
        raise UsageError(Text("主机清单是空的", "The list of hosts is empty"))
    with session.store.read() as tx:
        approved = host_keys.approved_keys(tx)
    done = 0

    def on_done(result: HostResult) -> None:
        nonlocal done
        done += 1
        session.observer.on_event(
            Event(what=Text("登录主机", "Ask the hosts"), subject=result.host.name, done=done, total=len(hosts))
        )

    results = discover_hosts(hosts, approved, now=session.now, on_done=on_done)
    at = session.now()
    observations = [o for r in results for o in r.observations]
    digest = hashlib.sha256(encode(observations).encode()).hexdigest()
    with session.store.begin() as tx:
        before = inventory_store.load_inventory(tx)
        batch_id = _batch_id(tx, digest)
        outcome = [
            {"host": r.host.name, "status": r.status, "gaps": [g.probe for g in r.gaps], "fingerprint": r.fingerprint}
            for r in results
        ]
        inventory_store.add_batch(
            tx, batch_id=batch_id, kind="discover", source="ssh", sha256=digest, at=at, actor=session.actor,
            body={"hosts": outcome},
        )  # fmt: skip
        added = inventory_store.add_observations(tx, batch_id, observations)
        after = merge_inventory(session, tx)
        changes = build_difference(before, after).changes
        body = {"source": "ssh", "sha256": digest, "hosts": outcome, "observations": added, **_counts(changes)}
        ledger_store.append(tx, LedgerEntry(kind="discover", actor=session.actor, at=at, body=body))
    return DiscoveryResult(hosts=tuple(results), changes=changes, inventory=after)


def trust_hosts(
    session: Session,
    hosts: Sequence[HostAccess],
    *,
    approve: bool = False,
    expect: Path | None = None,
    replace: Collection[str] = (),
) -> tuple[HostTrust, ...]:
    """Show the hosts' keys; with `approve` record the new ones as approved by the session's actor.

    A changed key replaces the approved one only for hosts named in `replace`; with `expect` (a file of
    `NAME SHA256:…` lines) no key is approved that is not in it. Raises InputError for a bad file.
    """
    expected = load_fingerprints(expect) if expect is not None else None
    if unknown := sorted(set(replace) - {h.name for h in hosts}):
        raise UsageError(
            Text("主机清单里没有：{n}", "Not in the list of hosts: {n}").format(n=", ".join(unknown)),
            where="--replace",
        )
    with session.store.read() as tx:
        known = host_keys.approved_keys(tx)
    shown = show_keys(hosts, known)
    trusts = [
        _judge(s, known.get((s.host.address, s.host.port), ()), approve=approve, expected=expected, replace=replace)
        for s in shown
    ]
    taken = [(s, t) for s, t in zip(shown, trusts, strict=True) if t.state in ("approved", "replaced")]
    if taken:
        _record_keys(session, taken)
    return tuple(trusts)


def _judge(
    shown: ShownKey,
    known: Sequence[HostKey],
    *,
    approve: bool,
    expected: Mapping[str, Collection[str]] | None,
    replace: Collection[str],
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
        state = "replaced" if approve and host.name in replace else "changed"
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
                host_keys.revoke(tx, host.address, host.port)
            key = HostKey(
                host=host.address, port=host.port, key_type=shown.key[0], key_base64=shown.key[1],
                approved_by=session.actor,
            )  # fmt: skip
            host_keys.approve(tx, key, at)
        body = {
            "keys": [
                {
                    "host": t.host.name, "address": t.host.address, "port": t.host.port, "key_type": t.key_type,
                    "fingerprint": t.shown, "replaces": list(t.approved),
                }
                for _, t in taken
            ]
        }  # fmt: skip
        ledger_store.append(tx, LedgerEntry(kind="host_keys", actor=session.actor, at=at, body=body))
