"""Which hash and which signature a ledger has: `sha256` with Ed25519, or `sm3` with SM2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from govcloud.model.ledger import SHA256, HashName, HashProfile


def load_profile(settings: Mapping[Literal["profile"], HashName]) -> HashProfile:
    """`settings`: the key `ledger` of govcloud.yaml."""
    if settings.get("profile") != "sm3":
        return SHA256
    # Most workspaces never need it, and every command loads this module.
    from govcloud.ledger.sm3 import SM3

    return SM3
