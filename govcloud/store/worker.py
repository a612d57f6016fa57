"""Workers and when they were last seen."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from govcloud.model.attempt import Worker
from govcloud.store import schema
from govcloud.store.codec import decode, encode, instant


def see_worker(tx: Connection, worker: Worker) -> None:
    table = schema.worker
    values = {"seen_at": instant(worker.seen_at), "body": encode(worker)}
    done = tx.execute(update(table).where(table.c.worker_id == worker.worker_id).values(**values))
    if done.rowcount == 0:
        tx.execute(insert(table).values(worker_id=worker.worker_id, **values))


def workers(tx: Connection) -> list[Worker]:
    """The one seen last first."""
    table = schema.worker
    return [
        decode(body, Worker) for body in tx.execute(select(table.c.body).order_by(table.c.seen_at.desc())).scalars()
    ]
