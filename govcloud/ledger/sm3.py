"""SM3 (GB/T 32905-2016) by OpenSSL."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes

from govcloud.model.ledger import HashProfile


def sm3(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


SM3 = HashProfile(name="sm3", hash=sm3)
