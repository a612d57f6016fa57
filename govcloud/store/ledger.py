"""Appends to the ledger inside the caller's transaction. The tables refuse UPDATE and DELETE by trigger.

Beside the records stand the roots of the tree's full subtrees of 16, 256, 4096 … leaves (`ledger_node`, levels 4, 8, 12 …): any
hash of the tree is made from at most 15 rows of each level, and only each sixteenth record adds a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import rfc8785
from sqlalchemy import Connection, func, insert, select, text

from govcloud import __version__
from govcloud.errors import IntegrityError
from govcloud.model.account import Acting
from govcloud.model.ledger import SHA256, Checkpoint, HashProfile, LedgerEntry, LedgerRecord
from govcloud.model.text import Text
from govcloud.store import schema
from govcloud.store.codec import instant
from govcloud.store.engine import ACTING, LEDGER

_BATCH = 1000
_STEP = 4
"""Levels of the tree from one kind of stored node to the next: 2^4 = 16 nodes make one."""
_FAN = 1 << _STEP


def append(tx: Connection, entry: LedgerEntry) -> LedgerRecord:
    """Give the entry the next number, freeze it as canonical JSON (RFC 8785) and store it with its leaf hash.

    Raises ValueError for a body with floats (they are written differently by different languages), with integers
    beyond 2^53-1 or with values that are no JSON: a defect of the caller.
    """
    return append_all(tx, [entry])[0]


def append_all(tx: Connection, entries: Sequence[LedgerEntry]) -> list[LedgerRecord]:
    """The same for many entries, in their order. Raises IntegrityError where the records before hash in another way."""
    queue(tx)
    acting: Acting | None = tx.info.get(ACTING)
    hashes = profile(tx)
    start = _next(tx, hashes)
    made = [_record(seq, _by(entry, acting), hashes) for seq, entry in enumerate(entries, start=start)]
    if made:
        rows = [{"seq": r.seq, "canonical": r.canonical, "leaf_hash": r.leaf_hash} for r in made]
        tx.execute(insert(schema.ledger), rows)
        if start >> _STEP != start + len(made) >> _STEP:
            fill_nodes(tx)
    return made


def queue(tx: Connection) -> None:
    """Numbers have no gaps: on PostgreSQL writers wait here instead of failing on the primary key; SQLite has one writer."""
    if tx.dialect.name == "postgresql":
        tx.execute(text("LOCK TABLE ledger IN EXCLUSIVE MODE"))


def profile(tx: Connection) -> HashProfile:
    found: HashProfile = tx.info.get(LEDGER, SHA256)
    return found


def _next(tx: Connection, hashes: HashProfile) -> int:
    """The next number. The first record tells in which way the whole ledger hashes."""
    table = schema.ledger
    first = select(table.c.canonical, table.c.leaf_hash).where(table.c.seq == 0)
    row = tx.execute(first).one_or_none()
    if row is not None and hashes.leaf(row.canonical.encode()).hex() != row.leaf_hash:
        raise IntegrityError(
            Text(
                "台账首条记录的哈希与算法 {name} 不符：设置被改，或记录被改，拒绝续写",
                "The first record's hash is not that of {name}: settings or record were changed; nothing is appended",
            ).format(name=hashes.name),
            where="govcloud.yaml: ledger",
            next_step=Text(
                "恢复建立工作区时的 ledger 设置，再运行 govcloud audit verify",
                "Restore the ledger setting that the workspace was made with, then run govcloud audit verify",
            ),
        )
    return size(tx)


def _by(entry: LedgerEntry, acting: Acting | None) -> LedgerEntry:
    """With what the session knows of the actor. Another name than the session's is somebody that only the caller knows."""
    if acting is None or entry.actor != acting.name or entry.identity is not None:
        return entry
    return replace(entry, unit=entry.unit or acting.unit, role=entry.role or acting.role, identity=acting.identity)


def _record(seq: int, entry: LedgerEntry, hashes: HashProfile) -> LedgerRecord:
    document = {
        "seq": seq, "at": instant(entry.at), "kind": entry.kind, "phase": entry.phase, "actor": entry.actor,
        "subject_id": entry.subject_id, "project_id": entry.project_id, "plan_hash": entry.plan_hash,
        "run_id": entry.run_id, "step": entry.step, "attempt": entry.attempt,
        "unit": entry.unit or "", "role": entry.role or "", "identity": entry.identity or "",
        "concerns": list(entry.concerns), "evidence": list(entry.evidence), "tool_version": __version__, "body": dict(entry.body),
    }  # fmt: skip
    _refuse_floats(document)
    canonical = rfc8785.dumps(document)  # type: ignore[arg-type]
    return LedgerRecord(seq=seq, canonical=canonical.decode(), leaf_hash=hashes.leaf(canonical).hex())


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise ValueError(f"a ledger body may not hold the float {value}: write it as a string")
    if isinstance(value, dict):
        for part in value.values():
            _refuse_floats(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            _refuse_floats(part)


def size(tx: Connection) -> int:
    """How many records there are: the next number (from the primary key's end, not by counting)."""
    last = tx.execute(select(func.max(schema.ledger.c.seq))).scalar()
    return 0 if last is None else int(last) + 1


def records(tx: Connection, start: int = 0) -> list[LedgerRecord]:
    """Records from `start` on, in order."""
    return list(iterate(tx, start))


def iterate(tx: Connection, start: int | None = None, *, newest_first: bool = False) -> Iterator[LedgerRecord]:
    """Records from `start` on, read in batches: a long ledger does not fill the memory.

    Without `start` really all of them, also one with an impossible number that somebody forged.
    """
    table = schema.ledger
    order = table.c.seq.desc() if newest_first else table.c.seq
    query = select(table).order_by(order)
    if start is not None:
        query = query.where(table.c.seq >= start)
    for row in tx.execute(query, execution_options={"yield_per": _BATCH}):
        yield LedgerRecord(seq=row.seq, canonical=row.canonical, leaf_hash=row.leaf_hash)


def record(tx: Connection, seq: int) -> LedgerRecord | None:
    row = tx.execute(select(schema.ledger).where(schema.ledger.c.seq == seq)).one_or_none()
    return None if row is None else LedgerRecord(seq=row.seq, canonical=row.canonical, leaf_hash=row.leaf_hash)


def tree_root(tx: Connection, start: int, end: int) -> bytes:
    """Head of the tree over the leaves `start` … `end` - 1, of which `start` must be such that RFC 9162's proofs ask for it:
    a multiple of the smallest power of two that is not less than the number of leaves.

    From the stored hashes alone. Raises IntegrityError where one is missing.
    """
    hashes, level, found = profile(tx), 0, list[bytes]()
    if start == end:
        return hashes.root([])
    while start < end:
        inside = start & (_FAN - 1) or end - start < _FAN
        middle = start if inside else end & ~(_FAN - 1)
        found = _hashes(tx, level, middle, end) + found
        found = [hashes.root(found)] if found else []
        if middle == start:
            break
        level, start, end = level + _STEP, start >> _STEP, middle >> _STEP
    return found[0]


def frontier(tx: Connection, end: int) -> list[bytes]:
    """Roots of the full subtrees of which a tree of `end` leaves is made, the largest first."""
    found, start = [], 0
    for size_ in (1 << bit for bit in reversed(range(end.bit_length())) if end >> bit & 1):
        found.append(tree_root(tx, start, start + size_))
        start += size_
    return found


def _hashes(tx: Connection, level: int, start: int, end: int) -> list[bytes]:
    """Of the stored nodes (level 0: leaves) `start` … `end` - 1."""
    if start == end:
        return []
    if level == 0:
        place, found = schema.ledger.c.seq, schema.ledger.c.leaf_hash
        query = select(found).where(place >= start, place < end).order_by(place)
    else:
        place, found = schema.ledger_node.c.position, schema.ledger_node.c.hash
        query = select(found).where(schema.ledger_node.c.level == level, place >= start, place < end).order_by(place)
    rows = list(tx.execute(query).scalars())
    try:
        if len(rows) == end - start:
            return [bytes.fromhex(value) for value in rows]
    except ValueError:
        pass  # a hash that was overwritten with something else
    raise IntegrityError(
        Text("台账的哈希树缺少节点", "Nodes of the ledger's tree are missing"),
        where=f"level {level}, {start}…{end - 1}",
        next_step=Text(
            "运行 govcloud audit verify 查看首个有问题的记录", "Run govcloud audit verify to see the first bad record"
        ),
    )


def fill_nodes(tx: Connection) -> None:
    """Store the tree's nodes that the records complete. Records of earlier versions have none until this is first called."""
    end, level = size(tx), 0
    hashes, table = profile(tx), schema.ledger_node
    while end := end >> _STEP:
        level += _STEP
        last = tx.execute(select(func.max(table.c.position)).where(table.c.level == level)).scalar()
        for first in range(0 if last is None else int(last) + 1, end, _BATCH):
            until = min(first + _BATCH, end)
            below = _hashes(tx, level - _STEP, first << _STEP, until << _STEP)
            nodes = (_tile(hashes, below, at - first).hex() for at in range(first, until))
            rows = [{"level": level, "position": at, "hash": node} for at, node in enumerate(nodes, start=first)]
            tx.execute(insert(table), rows)


def _tile(hashes: HashProfile, nodes: list[bytes], number: int) -> bytes:
    return hashes.root(nodes[number << _STEP : (number + 1) << _STEP])


def verify_nodes(tx: Connection) -> list[tuple[int, int]]:
    """Level and position of the first stored node on each level that the nodes or leaves under it contradict."""
    table, hashes = schema.ledger_node, profile(tx)
    counts = select(table.c.level, func.max(table.c.position)).group_by(table.c.level).order_by(table.c.level)
    wrong = []
    for level, last in tx.execute(counts).all():
        for first in range(0, last + 1, _BATCH):
            until = min(first + _BATCH, last + 1)
            try:
                stored = _hashes(tx, level, first, until)
                below = _hashes(tx, level - _STEP, first << _STEP, until << _STEP)
            except IntegrityError:
                wrong.append((int(level), first))
                break
            differ = (at for at, node in enumerate(stored) if _tile(hashes, below, at) != node)
            if (at := next(differ, None)) is not None:
                wrong.append((int(level), first + at))
                break
    return wrong


def add_checkpoint(tx: Connection, checkpoint: Checkpoint) -> None:
    known = tx.execute(select(schema.checkpoint.c.size).where(schema.checkpoint.c.size == checkpoint.size)).scalar()
    if known is None:
        tx.execute(
            insert(schema.checkpoint).values(size=checkpoint.size, root_hash=checkpoint.root_hash, note=checkpoint.note)
        )


def last_checkpoint(tx: Connection) -> Checkpoint | None:
    row = tx.execute(select(schema.checkpoint).order_by(schema.checkpoint.c.size.desc()).limit(1)).one_or_none()
    return None if row is None else Checkpoint(size=row.size, root_hash=row.root_hash, note=row.note)


def seq_of(tx: Connection, leaf_hash: str) -> int | None:
    """Number of the first record with this leaf hash; looks through the ledger."""
    table = schema.ledger
    return tx.execute(select(func.min(table.c.seq)).where(table.c.leaf_hash == leaf_hash)).scalar()


def checkpoints(tx: Connection) -> list[Checkpoint]:
    rows = tx.execute(select(schema.checkpoint).order_by(schema.checkpoint.c.size))
    return [Checkpoint(size=r.size, root_hash=r.root_hash, note=r.note) for r in rows]
