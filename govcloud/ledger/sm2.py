"""SM2 signatures with SM3 (GB/T 32918.2-2016) and key files that `openssl` reads."""

from __future__ import annotations

import re
from base64 import b64decode, encodebytes
from dataclasses import dataclass
from typing import Any

from govcloud.errors import OutsideError
from govcloud.ledger.verify import SM2_KEY, SM2_TYPE
from govcloud.model.text import Text

try:
    import gmssl_pyx
except ModuleNotFoundError:
    gmssl_pyx = None

# PKCS #8 of RFC 5958 with the ECPrivateKey of RFC 5915 for the curve 1.2.156.10197.1.301: of fixed lengths, like SM2_KEY.
_PRIVATE = bytes.fromhex("308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420")
_BETWEEN = bytes.fromhex("a144034200")
_PEM = re.compile(rb"-----BEGIN PRIVATE KEY-----\n([A-Za-z0-9+/=\n]+)-----END PRIVATE KEY-----\n")


@dataclass(frozen=True, slots=True, repr=False)
class Sm2Key:
    """`repr` is off, so that no traceback or log shows the key."""

    secret: bytes
    point: bytes
    """x and y, 32 bytes each."""
    kind = SM2_TYPE

    @property
    def public(self) -> bytes:
        """SubjectPublicKeyInfo of RFC 5480, DER."""
        return SM2_KEY + self.point

    def sign(self, data: bytes) -> bytes:
        """DER of (r, s); the signer's id is the standard's default 1234567812345678."""
        signature: bytes = _gmssl().sm2_sign(self.secret, self.point, data)
        return signature

    def pem(self) -> bytes:
        der = _PRIVATE + self.secret + _BETWEEN + b"\x04" + self.point
        return b"-----BEGIN PRIVATE KEY-----\n" + encodebytes(der) + b"-----END PRIVATE KEY-----\n"


def demand_part() -> None:
    """Raises OutsideError where the part that signs is not installed."""
    _gmssl()


def generate_key() -> Sm2Key:
    point, secret = _gmssl().sm2_key_generate()
    return Sm2Key(secret, point)


def parse_key(pem: bytes) -> Sm2Key:
    """Raises ValueError for anything that `pem()` did not write."""
    match = _PEM.fullmatch(pem)
    der = b64decode(match[1]) if match else b""
    made = Sm2Key(der[len(_PRIVATE) :][:32], der[-64:])
    if made.pem() != pem:
        raise ValueError("not an SM2 private key")
    return made


def _gmssl() -> Any:
    if gmssl_pyx is None:
        raise OutsideError(
            Text("缺少 SM2 签名组件", "The part that signs with SM2 is missing"),
            where="gmssl-pyx",
            next_step=Text("安装 govcloud[sm2]", "Install govcloud[sm2]"),
        )
    return gmssl_pyx
