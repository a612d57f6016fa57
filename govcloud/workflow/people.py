"""Who the people of execution are: holders of accounts, where the workspace keeps some."""

from __future__ import annotations

from sqlalchemy import Connection

from govcloud.execution.rules import AccountHolder
from govcloud.store import account as account_store


def holders(tx: Connection) -> tuple[AccountHolder, ...] | None:
    """Of the enabled accounts; None: no accounts are kept, and the list of the settings counts."""
    kept = account_store.accounts(tx)
    if not kept:
        return None
    return tuple(
        AccountHolder(name=a.name, unit=a.unit, roles=a.roles, known_as=(a.login, *a.os_users))
        for a in kept
        if a.disabled_at is None
    )
