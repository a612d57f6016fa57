"""SM3 and SM2: the verifier's own against the standards' examples, against other implementations and against plain `openssl`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import gmssl_pyx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govcloud.errors import InputError
from govcloud.ledger import verify
from govcloud.ledger.checkpoint import Signer, load_signer
from govcloud.ledger.sm2 import generate_key, parse_key
from govcloud.ledger.sm3 import sm3

# GB/T 32918.5-2017, annex A.2: the key, the message and its signature with the default id.
POINT = bytes.fromhex(
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
MESSAGE = b"message digest"
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ],
)
def test_sm3_gives_the_examples_of_gbt_32905(message: bytes, digest: str) -> None:
    assert {new(message).hexdigest() for new in (verify.Sm3, verify.HASHES["sm3"])} == {digest}
    assert sm3(message).hex() == digest


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_the_verifiers_own_sm3_is_that_of_openssl_however_the_bytes_arrive(parts: list[bytes]) -> None:
    digest = verify.Sm3()
    for part in parts:
        digest.update(part)
    assert digest.digest() == sm3(b"".join(parts)) == gmssl_pyx.sm3_hash(b"".join(parts))


def der(r: int, s: int) -> bytes:
    numbers = [n.to_bytes(n.bit_length() // 8 + 1, "big") for n in (r, s)]
    body = b"".join(b"\x02" + bytes([len(n)]) + n for n in numbers)
    return b"\x30" + bytes([len(body)]) + body


def test_the_example_of_gbt_32918_verifies() -> None:
    public = verify.SM2_KEY + POINT
    assert verify.sm2_verify(public, MESSAGE, der(R, S))
    assert not verify.sm2_verify(public, MESSAGE + b".", der(R, S))
    assert gmssl_pyx.sm2_verify(POINT, MESSAGE, der(R, S))


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=80), st.integers(0, 159), st.integers(1, 255))
def test_a_changed_byte_is_refused(message: bytes, place: int, change: int) -> None:
    key = generate_key()
    both = bytearray(key.public + key.sign(message))
    assert verify.sm2_verify(bytes(both[:91]), message, bytes(both[91:]))
    both[place % len(both)] ^= change
    assert not verify.sm2_verify(bytes(both[:91]), message, bytes(both[91:]))


@pytest.mark.parametrize(
    "signature",
    [
        b"", b"\x30", der(R, S)[:-1], der(R, S) + b"\0", der(0, S), der(R, 0), der(R, N - R), der(R + N, S), der(R, S + N),
        b"\x30\x81" + der(R, S)[1:],
        b"\x30\x47\x02\x22\x00" + der(R, S)[4:],
    ],
)  # fmt: skip
def test_other_spellings_and_numbers_out_of_range_are_refused(signature: bytes) -> None:
    assert not verify.sm2_verify(verify.SM2_KEY + POINT, MESSAGE, signature)


@pytest.mark.parametrize("point", [b"", bytes(64), POINT[:-1], POINT[:-1] + b"\x14", b"\xff" * 64])
def test_bytes_that_are_no_point_are_refused(point: bytes) -> None:
    assert not verify.sm2_verify(verify.SM2_KEY + point, MESSAGE, der(R, S))


OPENSSL = r"""
sed '/^$/,$d' checkpoint.note > text
sed -n 's/^— [^ ]* //p' checkpoint.note | base64 -d | tail -c +5 > signature.der
cut -d+ -f3- ledger.vkey | base64 -d | tail -c 91 > key.der
openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -digest sm3 \
  -pkeyopt distid:1234567812345678 -in text -sigfile signature.der
openssl pkey -in keys/ledger_sm2 -noout -text
"""


def test_a_checkpoint_is_checked_by_plain_openssl_as_docs_design_says(tmp_path: Path) -> None:
    design = (Path(__file__).parents[2] / "docs" / "design.md").read_text("utf-8")
    assert all(line in design for line in OPENSSL.strip().splitlines()[:-1])
    signer = load_signer(tmp_path / "keys", "shanxi", last=None, hashes="sm3")
    (tmp_path / "checkpoint.note").write_text(signer.sign(f"{signer.name}\n1\n{'A' * 43}=\n"), "utf-8")
    (tmp_path / "ledger.vkey").write_text(signer.vkey + "\n")

    def check() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", OPENSSL], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    done = check()
    assert done.returncode == 0, done.stderr
    assert "Signature Verified Successfully" in done.stdout and "SM2" in done.stdout
    note = (tmp_path / "checkpoint.note").read_text("utf-8")
    (tmp_path / "checkpoint.note").write_text(note.replace("\n1\n", "\n2\n"), "utf-8")
    assert check().returncode != 0


def test_a_key_file_comes_back_as_it_was_and_nothing_else_is_a_key(tmp_path: Path) -> None:
    key = generate_key()
    assert parse_key(key.pem()) == key
    assert key.secret.hex() not in repr(key) and key.secret.hex() not in repr(Signer(name="n", key=key))
    for pem in (b"", b"x", key.pem()[:-2], key.pem().replace(b"PRIVATE", b"PUBLIC")):
        with pytest.raises(ValueError, match="SM2"):
            parse_key(pem)
    (tmp_path / "ledger_sm2").write_bytes(b"x")
    (tmp_path / "ledger_sm2").chmod(0o600)
    with pytest.raises(InputError):
        load_signer(tmp_path, "shanxi", last=None, hashes="sm3")
