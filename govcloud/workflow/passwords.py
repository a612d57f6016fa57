"""Passwords: argon2id (RFC 9106), and what a new one must be like."""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from govcloud.errors import UsageError
from govcloud.model.account import Account
from govcloud.model.text import Text

MIN_CHARS, MAX_CHARS = 12, 256
"""Length is what counts (NIST SP 800-63B §3.1.1.2); the upper limit keeps nobody from a sentence."""
_HASHER = PasswordHasher()
"""The library's profile: the second of those that RFC 9106 §4 recommends, 64 MiB."""
_NOBODY = (
    f"$argon2id$v=19$m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}$" + "A" * 22 + "$" + "A" * 43
)
"""Fits no password, and takes as long to find that out: the time of an answer does not tell whether an account is there."""


def hash_password(password: str) -> str:
    return _HASHER.hash(_normal(password))


def matches(password_hash: str | None, password: str) -> bool:
    """`password_hash`: None where there is none to compare with."""
    try:
        return _HASHER.verify(password_hash or _NOBODY, _normal(password[: 4 * MAX_CHARS]))
    except (VerificationError, InvalidHashError):
        return False


def demand_fit(password: str, account: Account) -> None:
    """Raises UsageError for a password that is too short, too long, or made of what everybody knows of the account."""
    plain = _normal(password)
    if not MIN_CHARS <= len(plain) <= MAX_CHARS:
        why = Text("口令应为 {a} 至 {b} 个字符", "A password has {a} to {b} characters").format(
            a=MIN_CHARS, b=MAX_CHARS
        )
    elif len(set(plain)) < MIN_CHARS // 2 or any(len(w) > 1 and w in plain.casefold() for w in account.words):
        why = Text(
            "口令不能由少数几个字符重复而成，也不能含登录名或姓名",
            "A password is not made of a few characters, and holds neither login nor name",
        )
    else:
        return
    raise UsageError(
        why, where=account.login, next_step=Text("换一个口令，例如一句话", "Choose another, such as a sentence")
    )


def _normal(password: str) -> str:
    """The same characters however a keyboard or a form sends them."""
    return unicodedata.normalize("NFKC", password)
