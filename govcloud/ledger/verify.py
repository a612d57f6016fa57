#!/usr/bin/env python3
"""Checks a govcloud ledger offline. One file, Python 3.8 or newer, standard library only; govcloud is not needed.

    python3 verify.py BUNDLE --key VKEY... [--checkpoint NOTE]... [--name NAME] [--hash sha256|sm3] [--lang zh|en]
    python3 verify.py --proof FILE --key VKEY...

BUNDLE is the folder of `audit export`, FILE the proof of one record by `audit prove`. VKEY is the ledger's public key as the
auditor got it by another way (text or a file with it); the key says the ledger's name and hash, which --name and --hash confirm.
NOTE is a checkpoint that the auditor kept from an earlier visit. None of them is ever taken from the bundle. Exit code: 0
everything adds up, 5 the records do not add up (the first bad record is named), 3 it can't be read, 2 wrong usage.

Checked: the manifest's signature and every file against it; the numbering; RFC 8785 form of each record; leaf hashes and
Merkle tree (RFC 9162, with SHA-256 or SM3); signature (C2SP signed note: Ed25519 of RFC 8032, or SM2 of GB/T 32918) and root of
every checkpoint, the auditor's, too; consistency proofs between them; that each change of the key was signed by both keys.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import re
import stat
import sys
from functools import lru_cache
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Sequence, Tuple  # noqa: UP035 - Python 3.8

FIELDS = {"seq", "at", "kind", "phase", "actor", "subject_id", "project_id", "plan_hash", "run_id", "step", "attempt"}
FIELDS |= {"tool_version", "body"}
# Records of the first version have none of these.
LATER_FIELDS = {"unit", "role", "identity", "concerns", "evidence"}
_ALL_FIELDS = FIELDS | LATER_FIELDS
MANIFEST = "MANIFEST.note"
MANIFEST_HEADER = "govcloud-bundle/1"
ROTATION_HEADER = "govcloud-key-rotation/1"
ROTATION_KIND = "key_rotation"
PROOF_FORMAT = "govcloud-proof/1"
_NUMBER = "(0|[1-9][0-9]{0,15})"
_NAME = re.compile(
    r"records\.jsonl|leaves\.txt|start\.txt|consistency\.txt|ledger\.vkey|verify\.py"
    rf"|(?:checkpoints|rotations)/{_NUMBER}\.note"
)
_SIGNATURE = re.compile("— ([^ \n]+) ([^ \n]+)\n")
_NOTE = re.compile(rf"((?:.*\n)+)\n((?:{_SIGNATURE.pattern})+)")
_CHECKPOINT = re.compile(rf"(.+)\n{_NUMBER}\n([A-Za-z0-9+/]{{43}}=)\n")
_ROTATION = re.compile(rf"{ROTATION_HEADER}\n(.+)\n{_NUMBER}\n(.+)\n(.+)\n")
_ROTATION_MARK = f'"kind":"{ROTATION_KIND}"'.encode()
_MAX_BYTES = 16 * 2**20  # of a line or a manifest
_MAX_NOTE = 2**16
_MAX_FILES = 200_000
_MAX_PROBLEMS = 20
OK, USAGE, UNREADABLE, BROKEN = 0, 2, 3, 5


class Problem(NamedTuple):
    zh: str
    en: str
    seq: int | None = None  # the first record that it concerns; None for a file


class Broken(ValueError):
    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en

    def at(self, label: str) -> Problem:
        return Problem(f"{label}：{self.zh}", f"{label}: {self.en}")


class Key(NamedTuple):
    name: str
    key_id: bytes
    public: bytes
    hash: str  # the name of the hash that goes with this kind of key

    def verify(self, message: bytes, signature: bytes) -> bool:
        return (ed25519_verify if self.hash == "sha256" else sm2_verify)(self.public, message, signature)


class Note(NamedTuple):
    label: str  # of a checkpoint whose signature held
    size: int
    root: bytes


class Report(NamedTuple):
    records: int
    root: str
    checkpoints: int
    signed: int  # records of the ledger that the largest good checkpoint covers
    problems: list[Problem]
    first: int = 0  # number of the first record, in a bundle of a part

    @property
    def first_bad_seq(self) -> int | None:
        return min((p.seq for p in self.problems if p.seq is not None), default=None)


# --- SM3, GB/T 32905-2016, for a Python whose OpenSSL has none ---

_SM3_START = (
    0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E,
)  # fmt: skip
_WORD = 0xFFFFFFFF


def _left(x: int, n: int) -> int:
    return (x << n | x >> 32 - n) & _WORD


_SM3_ROUND = [_left(0x79CC4519 if j < 16 else 0x7A879D8A, j % 32) for j in range(64)]


class Sm3:
    """Used like an object of hashlib."""

    def __init__(self, data: bytes = b"") -> None:
        self._state: tuple[int, ...] = _SM3_START
        self._rest, self._length = b"", 0
        self.update(data)

    def update(self, data: bytes) -> None:
        self._length += len(data)
        data = self._rest + data
        whole = len(data) // 64 * 64
        for place in range(0, whole, 64):
            self._state = self._compress(self._state, data[place : place + 64])
        self._rest = data[whole:]

    def digest(self) -> bytes:
        padding = b"\x80" + bytes(-(self._length + 9) % 64) + (self._length * 8).to_bytes(8, "big")
        state, data = self._state, self._rest + padding
        for place in range(0, len(data), 64):
            state = self._compress(state, data[place : place + 64])
        return b"".join(word.to_bytes(4, "big") for word in state)

    def hexdigest(self) -> str:
        return self.digest().hex()

    @staticmethod
    def _compress(state: tuple[int, ...], block: bytes) -> tuple[int, ...]:
        w = [int.from_bytes(block[i : i + 4], "big") for i in range(0, 64, 4)]
        for j in range(16, 68):
            x = w[j - 16] ^ w[j - 9] ^ _left(w[j - 3], 15)
            w.append(x ^ _left(x, 15) ^ _left(x, 23) ^ _left(w[j - 13], 7) ^ w[j - 6])
        a, b, c, d, e, f, g, h = state
        for j in range(64):
            a12 = _left(a, 12)
            ss1 = _left((a12 + e + _SM3_ROUND[j]) & _WORD, 7)
            ff = a ^ b ^ c if j < 16 else a & b | a & c | b & c
            gg = e ^ f ^ g if j < 16 else e & f | ~e & g
            tt1 = (ff + d + (ss1 ^ a12) + (w[j] ^ w[j + 4])) & _WORD
            tt2 = (gg + h + ss1 + w[j]) & _WORD
            a, b, c, d = tt1, a, _left(b, 9), c
            e, f, g, h = tt2 ^ _left(tt2, 9) ^ _left(tt2, 17), e, _left(f, 19), g
        return tuple(x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h)))  # noqa: B905 - Python 3.8


def _sm3() -> Any:
    try:
        hashlib.new("sm3")
    except ValueError:
        return Sm3
    return lambda data=b"": hashlib.new("sm3", data)


Hash = Callable[..., Any]
HASHES: Dict[str, Hash] = {"sha256": hashlib.sha256, "sm3": _sm3()}  # noqa: UP006

# --- Signatures: sums of multiples of two points, each with a table of its 16^i-fold multiples ---

_Point = Tuple[int, ...]  # noqa: UP006
_Add = Callable[[_Point, _Point], _Point]
_Table = List[List[_Point]]  # noqa: UP006


def _table(add: _Add, zero: _Point, point: _Point) -> _Table:
    table = []
    for _ in range(64):
        row = [zero]
        for _ in range(15):
            row.append(add(row[-1], point))
        table.append(row)
        point = add(row[-1], point)
    return table


def _sum(add: _Add, found: _Point, table: _Table, scalar: int) -> _Point:
    for row in table:
        found, scalar = add(found, row[scalar & 15]), scalar >> 4
    return found


# Ed25519, RFC 8032 §5.1, in extended coordinates
_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ED_ZERO = (0, 1, 1, 0)


def _ed_add(p: _Point, q: _Point) -> _Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % _P, (p[1] + p[0]) * (q[1] + q[0]) % _P
    c, d = 2 * p[3] * q[3] * _D % _P, 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _ed_decode(data: bytes) -> tuple[int, int] | None:
    """§5.1.3; None for bytes that are no point in the one allowed form."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    x = x if x * x % _P == square else x * pow(2, (_P - 1) // 4, _P) % _P
    if y >= _P or x * x % _P != square or (x == 0 and sign):
        return None
    return _P - x if x & 1 != sign else x, y


@lru_cache(maxsize=16)
def _ed_table(data: bytes, minus: bool) -> _Table | None:
    point = _ed_decode(data)
    if point is None:
        return None
    x, y = -point[0] % _P if minus else point[0], point[1]
    return _table(_ed_add, _ED_ZERO, (x, y, 1, x * y % _P))


_ED_BASE = (4 * pow(5, -1, _P) % _P).to_bytes(32, "little")


@lru_cache(maxsize=4096)  # a note is often met twice: for its text, for the key of its time, in the auditor's own copy
def ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """§5.1.7 without the cofactor, S below the group's order, points in canonical form: as strict as OpenSSL."""
    if len(public) != 32 or len(signature) != 64:
        return False
    base, key, s = _ed_table(_ED_BASE, False), _ed_table(public, True), int.from_bytes(signature[32:], "little")
    if base is None or key is None or s >= _L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _L
    found = _sum(_ed_add, _sum(_ed_add, _ED_ZERO, base, s), key, k)
    inverse = pow(found[2], -1, _P)
    x, y = found[0] * inverse % _P, found[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


# SM2, GB/T 32918.2-2016 with the curve of GB/T 32918.5-2017, in homogeneous coordinates
SM2_TYPE = b"\xffgovcloud-sm2"
SM2_KEY = bytes.fromhex(
    "3059301306072a8648ce3d020106082a811ccf5501822d03420004"
)  # SubjectPublicKeyInfo, RFC 5480, to the point
_Q = 2**256 - 2**224 - 2**96 + 2**64 - 1
_N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_SM2_BASE = bytes.fromhex(
    "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
    "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
)
_SM2_ID = b"1234567812345678"  # the default of GM/T 0009-2012; openssl wants it named
_SM2_ZERO = (0, 1, 0)


def _sm2_add(p: _Point, q: _Point) -> _Point:
    """Complete addition for a = -3: algorithm 4 of Renes, Costello, Batina (EUROCRYPT 2016)."""
    t0, t1, t2 = p[0] * q[0], p[1] * q[1], p[2] * q[2]
    xy = (p[0] + p[1]) * (q[0] + q[1]) - t0 - t1
    yz = (p[1] + p[2]) * (q[1] + q[2]) - t1 - t2
    xz = (p[0] + p[2]) * (q[0] + q[2]) - t0 - t2
    u, v, w = 3 * (xz - _B * t2) % _Q, 3 * (_B * xz - 3 * t2 - t0) % _Q, 3 * (t0 - t2) % _Q
    x, z, xy, yz = t1 + u, t1 - u, xy % _Q, yz % _Q
    return (xy * x - yz * v) % _Q, (x * z + v * w) % _Q, (yz * z + xy * w) % _Q


@lru_cache(maxsize=16)
def _sm2_table(point: bytes) -> _Table | None:
    x, y = int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big")
    if x >= _Q or y >= _Q or (x * x * x - 3 * x + _B - y * y) % _Q:
        return None
    return _table(_sm2_add, _SM2_ZERO, (x, y, 1))


def _der(*numbers: int) -> bytes:
    parts = [n.to_bytes(n.bit_length() // 8 + 1, "big") for n in numbers]
    body = b"".join(b"\x02" + bytes([len(part)]) + part for part in parts)
    return b"\x30" + bytes([len(body)]) + body


@lru_cache(maxsize=4096)
def sm2_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """GB/T 32918.2 §7.1. `public`: SubjectPublicKeyInfo; `signature`: DER of (r, s) in its one shortest form."""
    point = public[len(SM2_KEY) :]
    if len(point) != 64 or not public.startswith(SM2_KEY) or not 8 <= len(signature) <= 72:
        return False
    base, key, middle = _sm2_table(_SM2_BASE), _sm2_table(point), 4 + signature[3]
    r, s = int.from_bytes(signature[4:middle], "big"), int.from_bytes(signature[middle + 2 :], "big")
    if base is None or key is None or not (0 < r < _N and 0 < s < _N) or _der(r, s) != signature:
        return False
    curve = (_Q - 3).to_bytes(32, "big") + _B.to_bytes(32, "big") + _SM2_BASE
    new = HASHES["sm3"]
    about = new((len(_SM2_ID) * 8).to_bytes(2, "big") + _SM2_ID + curve + point).digest()
    e, t = int.from_bytes(new(about + message).digest(), "big"), (r + s) % _N
    found = _sum(_sm2_add, _sum(_sm2_add, _SM2_ZERO, base, s), key, t)
    return bool(t and found[2]) and (e + found[0] * pow(found[2], -1, _Q) % _Q) % _N == r


# --- Keys, notes, the chain of keys ---

ED25519_TYPE = b"\x01"


def key_id(name: str, data: bytes) -> bytes:
    """`data`: type and public key."""
    return hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]


def parse_vkey(text: str) -> Key:
    """`name+hash+base64(type || public key)`. Raises ValueError."""
    name, digest, encoded = text.strip().split("+", 2)
    data = _base64(encoded)
    if name and " " not in name and key_id(name, data).hex() == digest:
        if data[:1] == ED25519_TYPE and len(data) == 33:
            return Key(name, key_id(name, data), data[1:], "sha256")
        if data.startswith(SM2_TYPE + SM2_KEY) and len(data) == len(SM2_TYPE + SM2_KEY) + 64:
            return Key(name, key_id(name, data), data[len(SM2_TYPE) :], "sm3")
    raise ValueError("not a verifier key of the form name+hash+key")


def _base64(text: str) -> bytes:
    """Strict: only the one spelling that encodes the bytes."""
    data = base64.b64decode(text.encode("ascii", "replace"), validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not in canonical base64")
    return data


def _split_note(data: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    try:
        match = _NOTE.fullmatch(data.decode("utf-8"))
    except UnicodeDecodeError:
        match = None
    if match is None:
        raise Broken("签名文本格式不对", "not a signed note")
    try:
        return match[1], [(name, _base64(encoded)) for name, encoded in _SIGNATURE.findall(match[2])]
    except ValueError:
        raise Broken("签名不是规范的 base64", "a signature is not in canonical base64") from None


def open_note(data: bytes, keys: Sequence[Key], *, by_all: bool = False) -> str:
    """The note's text when one of the keys (`by_all`: each) signed it; raises Broken otherwise, and where a signature in the
    name of one of them does not hold. Lines of other signers are ignored."""
    text, signatures = _split_note(data)
    signers = set()
    for key in keys:
        for name, signature in signatures:
            if name == key.name and signature[:4] == key.key_id:
                if not key.verify(text.encode(), signature[4:]):
                    raise Broken("签名验证不通过", "the signature does not hold")
                signers.add(key)
    if not signers or (by_all and signers != set(keys)):
        raise Broken("没有给定公钥的签名", "not signed by the given key")
    return text


class Rotation(NamedTuple):
    seq: int  # of the record that tells of it
    old: Key
    new: Key
    note: str


def parse_rotation(data: bytes) -> Rotation:
    """Raises Broken unless it names two keys of one ledger and both signed it."""
    match = _ROTATION.fullmatch(_split_note(data)[0])
    try:
        found = match and Rotation(int(match[2]), parse_vkey(match[3]), parse_vkey(match[4]), data.decode("utf-8"))
    except ValueError:
        found = None
    if not match or not found or {found.old.name, found.new.name} != {match[1]} or found.old.hash != found.new.hash:
        raise Broken("不是换钥声明", "not a statement of a change of keys")
    open_note(data, [found.old, found.new], by_all=True)
    return found


class Keys:
    """The keys of a ledger in the order of their use, of which each but the first was vouched for by the one before."""

    def __init__(self, first: Key, rotations: Sequence[Rotation] = ()) -> None:
        self.keys = [first, *(r.new for r in rotations)]
        self.rotations = {r.seq: r.note for r in rotations}
        changes = [r.seq + 1 for r in rotations]
        self._spans = list(zip(self.keys, [0, *changes], [*changes, None]))  # noqa: B905

    @property
    def name(self) -> str:
        return self.keys[0].name

    @property
    def hash(self) -> str:
        return self.keys[0].hash

    @property
    def last(self) -> Key:
        return self.keys[-1]

    def of_size(self, size: int) -> list[Key]:
        """Those that may sign a checkpoint of so many records: at a change of keys the old one and the new one."""
        return [key for key, start, end in self._spans if start <= size and (end is None or size <= end)]


def follow_keys(given: Sequence[Key], notes: Iterable[tuple[str, bytes]]) -> tuple[Keys, list[Problem]]:
    """The chain of keys that the rotation notes (label, data) make, if every given key is one of its links.

    Each link is signed by the key before and the key after it, so that any of them vouches for all.
    """
    problems, rotations = [], []
    for label, data in notes:
        try:
            rotations.append(parse_rotation(data))
        except Broken as broken:
            problems.append(broken.at(label))
    rotations.sort(key=lambda r: r.seq)
    for before, after in zip(rotations, rotations[1:]):  # noqa: B905, RUF007
        if before.new != after.old or before.seq == after.seq:
            problems.append(Problem("换钥声明前后不相接", "the changes of keys do not follow each other", after.seq))
    found = Keys(rotations[0].old, rotations) if rotations and not problems else Keys(given[0])
    if not set(given) <= set(found.keys):
        zh, en = "给定的公钥不都是本台账的钥", "a given key is none of this ledger's"
        problems.append(Problem(zh, en))
        found = Keys(given[0])
    return found, problems


def parse_checkpoint(data: bytes, keys: Keys, label: str) -> Note:
    """Raises Broken unless it is a checkpoint of this ledger, signed by the key of its time."""
    text = open_note(data, keys.keys)
    match = _CHECKPOINT.fullmatch(text)
    if match is None or match[1] != keys.name:
        raise Broken("不是本台账的检查点", "not a checkpoint of this ledger")
    size = int(match[2])
    try:
        open_note(data, keys.of_size(size))
    except Broken:
        raise Broken("由当时已停用或尚未启用的钥签名", "signed by a key that was not in use then") from None
    return Note(label, size, base64.b64decode(match[3]))


# --- The tree, RFC 9162 §2.1 ---


class Tree:
    """Tree head of §2.1.1 while leaves stream by: only the roots of the full subtrees are kept, the largest first."""

    def __init__(self, new: Hash = hashlib.sha256, size: int = 0, roots: Sequence[bytes] = ()) -> None:
        self._new, self.size, self._roots = new, size, list(roots)

    def add(self, leaf: bytes) -> None:
        roots, full = self._roots, self.size
        while full & 1:
            leaf = self._new(b"\x01" + roots.pop() + leaf).digest()
            full >>= 1
        roots.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self._roots:
            return bytes(self._new(b"").digest())
        found = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            found = self._new(b"\x01" + left + found).digest()
        return found


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes, new: Hash = hashlib.sha256
) -> list[str]:
    """What is wrong with the proof (§2.1.3.2); empty when the leaf is at `index` of the tree with this root."""
    if not 0 <= index < size:
        return ["the index is outside of the tree"]
    position, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return ["the proof is too long"]
        if position & 1 or position == last:
            found = new(b"\x01" + sibling + found).digest()
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = new(b"\x01" + found + sibling).digest()
        position, last = position >> 1, last >> 1
    if last:
        return ["the proof is too short"]
    return [] if found == root else ["the root differs"]


def verify_consistency(
    old_size: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes], new: Hash = hashlib.sha256
) -> list[str]:
    """What is wrong (§2.1.4.2); empty when the tree of `size` is the tree of `old_size` with leaves appended."""
    if not 0 < old_size <= size:
        return ["the sizes are impossible"]
    if old_size == size:
        return [] if not proof and old_root == root else ["the same size with another root"]
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return ["the proof is empty"]
    position, last = old_size - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old_found = found = path[0]
    for node in path[1:]:
        if last == 0:
            return ["the proof is too long"]
        if position & 1 or position == last:
            old_found, found = new(b"\x01" + node + old_found).digest(), new(b"\x01" + node + found).digest()
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = new(b"\x01" + found + node).digest()
        position, last = position >> 1, last >> 1
    if last:
        return ["the proof is too short"]
    return [] if (old_found, found) == (old_root, root) else ["the roots differ"]


# --- Records ---


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name met twice")
    # RFC 8785 §3.2.3 sorts names by UTF-16 code units.
    return dict(sorted(pairs, key=lambda pair: pair[0].encode("utf-16-be", "surrogatepass")))


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) >= 2**53:
        raise ValueError("an integer beyond 2^53-1")
    return int(text)


# Floats and NaN are given to _integer, too, and are refused by int().
_NUMBERS: Any = {"parse_int": _integer, "parse_float": _integer, "parse_constant": _integer}
_DECODER = json.JSONDecoder(**_NUMBERS)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)
_BEYOND_BMP = re.compile("[\U00010000-\U0010ffff]")


def parse_canonical(text: str) -> Any:
    """The value of a text in RFC 8785 form. Raises ValueError or RecursionError for what is no JSON, Broken for another form."""
    value = _DECODER.decode(text)
    if _BEYOND_BMP.search(text):  # there the order of code points, by which Python sorts names, is not that of RFC 8785
        value = json.loads(text, object_pairs_hook=_unique, **_NUMBERS)
        same = json.dumps(value, ensure_ascii=False, separators=(",", ":")) == text
    else:
        same = _ENCODER.encode(value) == text
    if not same:
        raise Broken("不是 RFC 8785 规范形式", "not in RFC 8785 canonical form")
    return value


def check_record(line: bytes, seq: int) -> Problem | None:
    """What is wrong with one record line (without its newline) at position `seq`."""
    try:
        record = parse_canonical(line.decode("utf-8"))
    except Broken as broken:
        return Problem(broken.zh, broken.en, seq)
    except (ValueError, RecursionError):
        return Problem("不是有效的 JSON 记录", "not a valid JSON record", seq)
    if (
        type(record) is not dict
        or (record.keys() != _ALL_FIELDS and record.keys() != FIELDS)
        or type(record["seq"]) is not int
    ):
        return Problem("记录的字段不对", "the record does not have the fields it must have", seq)
    if record["seq"] != seq:
        return Problem(f"编号不连续：写的是 {record['seq']}", f"the numbering breaks: it says {record['seq']}", seq)
    return None


def _check_rotation(line: bytes, seq: int, expected: str | None) -> Problem | None:
    """A record of a change of keys and the statement that both keys signed belong together."""
    try:
        record = json.loads(line.decode("utf-8"))
        is_rotation = record["kind"] == ROTATION_KIND
        agrees = is_rotation == (expected is not None) and (not is_rotation or record["body"] == {"rotation": expected})
    except (ValueError, RecursionError, TypeError, KeyError):
        agrees = False
    return (
        None
        if agrees
        else Problem("换钥记录与换钥声明不符", "the record and the statement of a change of keys differ", seq)
    )


def verify_records(
    records: Iterable[bytes],
    leaves: Iterable[bytes],
    notes: Sequence[Note],
    *,
    whole: bool = True,
    tree: Tree | None = None,
    new: Hash = hashlib.sha256,
    rotations: dict[int, str] | None = None,
) -> Report:
    """One pass over record lines and their stated leaf hashes (hex). `whole`: the last checkpoint must cover them all.

    `tree`: of the records before these, in a part; `rotations`: the signed statements by the number of their record.
    """
    tree, rotations, good = tree or Tree(new), rotations or {}, 0
    first = tree.size
    problems: list[Problem] = []
    due: dict[int, list[Note]] = {}
    for note in notes:
        due.setdefault(note.size, []).append(note)

    def meet_checkpoints() -> None:
        nonlocal good
        for note in due.pop(tree.size, ()):
            if note.root == tree.root():
                good = max(good, note.size)
            elif not problems:
                where = f"{good}…{note.size - 1}"
                zh = f"检查点 {note.label} 的根哈希不符：{where} 中有记录被替换，台账可能被重建"
                en = (
                    f"the root of checkpoint {note.label} differs: a record of {where} was replaced, the ledger rebuilt"
                )
                problems.append(Problem(zh, en, good))

    meet_checkpoints()
    for seq, (line, leaf) in enumerate(zip_longest(records, leaves), start=first):
        if line is None:
            problems.append(Problem("叶哈希还在，记录缺失", "the leaf hash is there, the record is missing", seq))
            break
        found = new(b"\x00" + line).digest()
        bad = check_record(line, seq)
        if bad is None and leaf != found.hex().encode():
            bad = Problem("内容与叶哈希不符：记录被改动", "the content does not match its leaf hash: altered", seq)
        if bad is None and (_ROTATION_MARK in line or seq in rotations):
            bad = _check_rotation(line, seq, rotations.get(seq))
        if bad and len(problems) < _MAX_PROBLEMS:
            problems.append(bad)
        tree.add(found)
        if tree.size in due:
            meet_checkpoints()
    problems += _check_end(tree.size, first, chain(*due.values()), good, whole and not problems)
    return Report(tree.size - first, tree.root().hex(), len(notes), good, problems, first)


def _check_end(size: int, first: int, due: Iterable[Note], good: int, whole: bool) -> Iterator[Problem]:
    """`due`: good checkpoints that the records did not meet."""
    missed = sorted(due, key=lambda note: note.size)
    beyond = next((note for note in missed if note.size > size), None)
    if beyond is not None:
        zh = f"检查点 {beyond.label} 签了 {beyond.size} 条，这里只有 {size} 条：末尾记录缺失"
        en = f"checkpoint {beyond.label} signs {beyond.size} records, only {size} are here: the last ones are missing"
        yield Problem(zh, en, size)
    elif size == first:
        yield Problem("没有任何记录可核对", "there is no record to check")
    elif whole and good < size:
        yield Problem("末尾记录没有有效的检查点签名", "no good checkpoint signs the last records", max(good, first))
    if missed and missed[0].size < first:
        zh = f"检查点 {missed[0].label} 早于本包的首条记录 {first}：请以它为起点另行导出"
        en = f"checkpoint {missed[0].label} is older than the first record {first} here: ask for an export since that checkpoint"
        yield Problem(zh, en)


# --- Bundles ---


def _lines(path: Path) -> Iterator[bytes]:
    """Lines without their newline. One that is too long or cut off gets a byte that no check lets pass, and is the last."""
    with path.open("rb") as stream:
        while line := stream.readline(_MAX_BYTES):
            if not line.endswith(b"\n"):
                yield line + b"\xff"
                return
            yield line[:-1]


def _read(path: Path) -> bytes:
    with path.open("rb") as stream:
        data = stream.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise Broken(f"{path.name} 过大", f"{path.name} is too large")
    return data


def _files(bundle: Path) -> tuple[dict[str, Path], list[Problem]]:
    """Regular files of the bundle by relative name; everything else in it is a problem."""
    found: dict[str, Path] = {}
    problems: list[Problem] = []
    folders = [(bundle, ""), *((bundle / name, name + "/") for name in ("checkpoints", "rotations"))]
    for folder, prefix in folders:
        if prefix and (folder.is_symlink() or not folder.is_dir()):
            continue
        with os.scandir(folder) as entries:
            for entry in entries:
                name, mode = prefix + entry.name, entry.stat(follow_symlinks=False).st_mode
                if len(found) < _MAX_FILES and stat.S_ISREG(mode) and (name == MANIFEST or _NAME.fullmatch(name)):
                    found[name] = Path(entry.path)
                elif len(problems) < _MAX_PROBLEMS and not (
                    stat.S_ISDIR(mode) and name in ("checkpoints", "rotations")
                ):
                    problems.append(Problem(f"不该有的文件：{name!a}", f"a file that does not belong here: {name!a}"))
    return found, problems


def _check_manifest(text: str, keys: Keys, files: dict[str, Path]) -> Iterator[Problem]:
    """Lines are `digest bytes name`; a name outside of the fixed list of a bundle's files is refused unread."""
    lines = text.split("\n")
    if lines[:2] != [MANIFEST_HEADER, keys.name]:
        raise Broken("不属于本台账或格式不认识", "not of this ledger or of an unknown format")
    listed = {MANIFEST}
    for line in lines[2:-1]:
        digest, _, rest = line.partition(" ")
        size, _, name = rest.partition(" ")
        if not _NAME.fullmatch(name) or name in listed:
            raise Broken(f"有不允许的行：{line[:200]!a}", f"a line that it may not have: {line[:200]!a}")
        listed.add(name)
        if name not in files:
            yield Problem(f"缺少文件 {name}", f"file {name} is missing")
        elif _digest(files[name], HASHES[keys.hash]) != (digest, size):
            yield Problem(f"文件 {name} 与清单不符", f"file {name} differs from the manifest")
    for name in sorted(set(files) - listed):
        yield Problem(f"清单外的文件 {name}", f"file {name} is not in the manifest")


def _digest(path: Path, new: Hash) -> tuple[str, str]:
    digest = new()
    with path.open("rb") as stream:
        while block := stream.read(2**20):
            digest.update(block)
        return digest.hexdigest(), str(stream.tell())


def _read_start(files: dict[str, Path], new: Hash) -> Tree:
    """start.txt of a part: how many records come before, and the roots of the full subtrees that they make."""
    if "start.txt" not in files:
        return Tree(new)
    lines = _read(files["start.txt"]).decode("ascii", "replace").split("\n")
    if (
        not re.fullmatch(_NUMBER, lines[0])
        or lines.pop()
        or any(not re.fullmatch("[0-9a-f]{64}", h) for h in lines[1:])
    ):
        raise Broken("格式不对", "not in the form it must have")
    if bin(int(lines[0])).count("1") != len(lines) - 1:
        raise Broken("子树个数不对", "not the number of subtrees that it must have")
    return Tree(new, int(lines[0]), [bytes.fromhex(h) for h in lines[1:]])


def _check_growth(lines: Iterable[bytes], notes: Sequence[Note], new: Hash) -> Iterator[Problem]:
    """consistency.txt: `old new hash…` for each two successive checkpoints."""
    for line, old, young in zip_longest(lines, notes, notes[1:]):
        if young is None and line is None:
            return
        words = (line or b"").decode("ascii", "replace").split(" ")
        proof = [bytes.fromhex(h) for h in words[2:] if re.fullmatch("[0-9a-f]{64}", h)]
        if (
            young is None
            or words[:2] != [str(old.size), str(young.size)]
            or len(proof) != len(words) - 2
            or verify_consistency(old.size, young.size, old.root, young.root, proof, new)
        ):
            where = f"{old.size}→{young.size}" if young else "…"
            zh, en = f"一致性证明 {where} 不成立", f"the consistency proof {where} does not hold"
            yield Problem(zh, en, old.size if young else None)
            return


def verify_bundle(bundle: Path, given: Sequence[Key], kept: Sequence[tuple[str, Path]] = ()) -> Report:
    """All checks on a bundle; `kept` are the auditor's own checkpoints (label, file). Raises OSError if unreadable."""
    files, problems = _files(bundle)
    if MANIFEST not in files:
        raise FileNotFoundError(2, "no manifest", str(bundle / MANIFEST))
    statements = []
    for name, path in sorted(files.items()):
        if name.startswith("rotations/"):
            # One that is too large is cut off, and no statement any more.
            with path.open("rb") as stream:
                statements.append((name, stream.read(_MAX_NOTE)))
    keys, wrong = follow_keys(given, statements)
    problems += wrong
    named = {f"rotations/{seq}.note": text for seq, text in keys.rotations.items()}
    if not wrong and named != {name: data.decode("utf-8") for name, data in statements}:
        problems.append(Problem("rotations：文件名与内容不符", "rotations: not named after their records"))
    new = HASHES[keys.hash]
    try:
        manifest = open_note(_read(files[MANIFEST]), [keys.last])
        problems += islice(_check_manifest(manifest, keys, files), _MAX_PROBLEMS)
    except Broken as broken:
        problems.append(broken.at(MANIFEST))
    notes = []
    held = [(name, path) for name, path in files.items() if name.startswith("checkpoints/")]
    for label, source in [*held, *kept]:
        try:
            notes.append(parse_checkpoint(_read(source), keys, label))
            if (label, source) in held and label != f"checkpoints/{notes[-1].size}.note":
                raise Broken("文件名与内容不符", "not named after its size")
        except Broken as broken:
            problems.append(broken.at(label))
    tree = Tree(new)
    try:
        tree = _read_start(files, new)
    except Broken as broken:
        problems.append(broken.at("start.txt"))
    lines, leaves = (_lines(files[name]) if name in files else () for name in ("records.jsonl", "leaves.txt"))
    report = verify_records(lines, leaves, notes, tree=tree, new=new, rotations=keys.rotations)
    if report.first and not any(note.size == report.first for note in notes):
        problems.append(Problem("没有起点的检查点", "there is no checkpoint of the start", report.first))
    if "consistency.txt" in files:
        own = sorted({n.size: n for n in notes if n.label in files and n.size}.values(), key=lambda n: n.size)
        problems += _check_growth(_lines(files["consistency.txt"]), own, new)
    return report._replace(problems=[*problems, *report.problems][: 2 * _MAX_PROBLEMS])


class Proved(NamedTuple):
    record: str  # "" where it could not even be read
    size: int  # of the checkpoint
    problems: list[Problem]


def verify_proof(data: bytes, given: Sequence[Key]) -> Proved:
    """A record with its inclusion proof and a signed checkpoint, as `audit prove` writes it: one line of canonical JSON."""
    try:
        document = parse_canonical(data.decode("utf-8").replace("\n", "", 1) if data.endswith(b"\n") else "")
        record, path = document["record"], document["path"]
        texts = [record, document["checkpoint"], *path, *document["rotations"]]
        right = document["format"] == PROOF_FORMAT and len(document) == 5 and all(type(text) is str for text in texts)
        hashes = [bytes.fromhex(h) for h in path if re.fullmatch("[0-9a-f]{64}", h)]
        seq = json.loads(record)["seq"]
        if not right or len(hashes) != len(path) or type(path) is not list or type(seq) is not int:
            raise ValueError("not a proof")
    except (ValueError, RecursionError, TypeError, KeyError):
        return Proved("", 0, [Problem("不是单条记录的证明", "not the proof of a record")])
    rotations = [(f"rotations {i}", text.encode("utf-8", "replace")) for i, text in enumerate(document["rotations"])]
    keys, problems = follow_keys(given, rotations)
    new, size = HASHES[keys.hash], 0
    line = record.encode("utf-8", "replace")
    try:
        note = parse_checkpoint(document["checkpoint"].encode("utf-8", "replace"), keys, "checkpoint")
        size = note.size
        wrong = verify_inclusion(new(b"\x00" + line).digest(), seq, size, hashes, note.root, new)
        problems += [
            Problem("证明与检查点的根哈希不符", f"the proof does not lead to the checkpoint: {w}", seq) for w in wrong
        ]
    except Broken as broken:
        problems.append(broken.at("checkpoint"))
    bad = check_record(line, seq)
    return Proved(record, size, problems + ([bad] if bad else []))


# --- For a person ---


def render_report(report: Report, lang: str) -> str:
    pick = 0 if lang == "zh" else 1
    lines = _render_problems(report.problems, lang)
    if report.first_bad_seq is not None:
        lines.append(("首个有问题的记录：", "first bad record: ")[pick] + str(report.first_bad_seq))
    zh = f"记录 {report.records} 条，检查点 {report.checkpoints} 个，根哈希 {report.root}"
    lines.append((zh, f"{report.records} records, {report.checkpoints} checkpoints, root {report.root}")[pick])
    if report.first:
        zh = f"只含第 {report.first} 条起的部分；此前的记录由检查点 {report.first} 担保"
        lines.append(
            (zh, f"a part from record {report.first} on; what came before rests on checkpoint {report.first}")[pick]
        )
    return "\n".join([*lines, _verdict(report.problems, lang)])


def render_proof(proved: Proved, lang: str) -> str:
    pick = 0 if lang == "zh" else 1
    lines = _render_problems(proved.problems, lang)
    if not proved.problems:
        lines.append((f"台账 {proved.size} 条时，含有这条记录：", f"The ledger of {proved.size} records holds:")[pick])
    lines.append("".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in proved.record))
    return "\n".join([*lines, _verdict(proved.problems, lang)])


def _render_problems(problems: Sequence[Problem], lang: str) -> list[str]:
    head = "不符：" if lang == "zh" else "BROKEN: "
    return [head + ("" if p.seq is None else f"#{p.seq} ") + (p.zh if lang == "zh" else p.en) for p in problems]


def _verdict(problems: Sequence[Problem], lang: str) -> str:
    good, bad = ("核对通过", "核对不通过") if lang == "zh" else ("verified", "does not verify")
    return bad if problems else good


def _load_keys(options: argparse.Namespace) -> list[Key]:
    """Raises ValueError: of the options, since a bundle's faults are in the report."""
    # A key always has a plus sign in it; text that has one is never asked for in the file system.
    texts = [key if "+" in key else _read(Path(key)).decode("ascii") for key in options.key]
    keys = [parse_vkey(text) for text in texts]
    names, hashes = {key.name for key in keys}, {key.hash for key in keys}
    if len(names) > 1 or (options.name and names != {options.name}):
        raise ValueError("--name: 公钥属于另一台账 · the key is of another ledger")
    if len(hashes) > 1 or (options.hash and hashes != {options.hash}):
        raise ValueError("--hash: 公钥属于另一种算法 · the key is of another algorithm")
    return keys


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="verify.py", description="离线核对台账 · Check a ledger offline.")
    parser.add_argument("bundle", type=Path, nargs="?", help="导出包目录 · folder of the exported bundle")
    parser.add_argument("--proof", type=Path, help="单条记录的证明文件 · proof of a single record")
    help_ = "另行取得的公钥或其文件，可多次给出 · public key or its file, got another way; repeatable"
    parser.add_argument("--key", required=True, action="append", help=help_)
    help_ = "自存的旧检查点，可多次给出 · an old checkpoint that you kept; repeatable"
    parser.add_argument("--checkpoint", action="append", default=[], type=Path, help=help_)
    parser.add_argument("--name", help="台账名称，须与公钥一致 · the ledger's name, as the key must have it")
    parser.add_argument(
        "--hash", choices=list(HASHES), help="哈希算法，须与公钥一致 · its hash, as the key must have it"
    )
    default = os.environ.get("GOVCLOUD_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    parser.add_argument("--lang", choices=["zh", "en"], default="zh" if default.lower().startswith("zh") else "en")
    options = parser.parse_args(list(argv))
    if (options.bundle is None) == (options.proof is None) or (options.proof and options.checkpoint):
        parser.error("目录或 --proof 取其一 · give either a folder or --proof")
    try:
        keys = _load_keys(options)
    except ValueError as error:
        sys.stderr.write(f"{error}\n" if str(error).startswith("--") else "--key: 不是有效的公钥 · not a public key\n")
        return USAGE
    except OSError as error:
        sys.stderr.write(f"读不了 · can't be read: {error}\n")
        return UNREADABLE
    try:
        if options.proof:
            with options.proof.open("rb") as stream:
                proved = verify_proof(stream.read(_MAX_BYTES), keys)
            text, problems = render_proof(proved, options.lang), proved.problems
        else:
            report = verify_bundle(options.bundle, keys, [(str(path), path) for path in options.checkpoint])
            text, problems = render_report(report, options.lang), report.problems
    except OSError as error:
        sys.stderr.write(f"读不了 · can't be read: {error}\n")
        return UNREADABLE
    sys.stdout.write(text + "\n")
    return BROKEN if problems else OK


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):  # a C locale must not turn a verdict into a UnicodeEncodeError
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1:]))
