"""Accounts and their tokens. The caller writes the ledger record."""

from __future__ import annotations

from typing import Any

import rfc8785
from sqlalchemy import Connection, insert, select, update

from govcloud.model.account import Account, Token
from govcloud.model.ids import normalize
from govcloud.store import schema
from govcloud.store.codec import decode, encode, instant


def add_account(tx: Connection, account: Account) -> None:
    tx.execute(insert(schema.account).values(login=account.login, **_account(account)))


def replace_account(tx: Connection, account: Account) -> None:
    tx.execute(update(schema.account).where(schema.account.c.login == account.login).values(**_account(account)))


def load_account(tx: Connection, login: str) -> Account | None:
    body = tx.execute(select(schema.account.c.body).where(schema.account.c.login == login)).scalar()
    return decode(body, Account) if body is not None else None


def accounts(tx: Connection) -> list[Account]:
    """All, the disabled ones too, by login."""
    table = schema.account
    return [decode(body, Account) for body in tx.execute(select(table.c.body).order_by(table.c.login)).scalars()]


def has_accounts(tx: Connection) -> bool:
    return tx.execute(select(schema.account.c.login).limit(1)).scalar() is not None


def has_acted(tx: Connection, name: str) -> bool:
    """Whether a record stands in this name. It looks through the whole ledger."""
    actor = f'"actor":{rfc8785.dumps(name).decode()},'
    table = schema.ledger
    return (
        tx.execute(select(table.c.seq).where(table.c.canonical.contains(actor, autoescape=True)).limit(1)).scalar()
        is not None
    )


def add_token(tx: Connection, token: Token) -> None:
    tx.execute(insert(schema.account_token).values(token_id=token.token_id, **_token(token)))


def replace_token(tx: Connection, token: Token) -> None:
    table = schema.account_token
    tx.execute(update(table).where(table.c.token_id == token.token_id).values(**_token(token)))


def find_token(tx: Connection, sha256: str) -> Token | None:
    """By the digest of its text."""
    table = schema.account_token
    body = tx.execute(select(table.c.body).where(table.c.sha256 == sha256)).scalar()
    return decode(body, Token) if body is not None else None


def load_token(tx: Connection, token_id: str) -> Token | None:
    table = schema.account_token
    body = tx.execute(select(table.c.body).where(table.c.token_id == token_id)).scalar()
    return decode(body, Token) if body is not None else None


def tokens(tx: Connection, login: str | None = None) -> list[Token]:
    """All, or those of one account; the one that ends first comes first."""
    table = schema.account_token
    query = select(table.c.body).order_by(table.c.expires_at, table.c.token_id)
    if login is not None:
        query = query.where(table.c.login == login)
    return [decode(body, Token) for body in tx.execute(query).scalars()]


def _account(account: Account) -> dict[str, Any]:
    return {
        "name_key": normalize(account.name),
        "disabled_at": instant(account.disabled_at) if account.disabled_at else None,
        "body": encode(account),
    }


def _token(token: Token) -> dict[str, Any]:
    return {
        "login": token.login, "sha256": token.sha256, "expires_at": instant(token.expires_at),
        "revoked_at": instant(token.revoked_at) if token.revoked_at else None, "body": encode(token),
    }  # fmt: skip
