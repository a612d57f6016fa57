#!/usr/bin/env python3
"""Checks a govcloud ledger bundle offline. One file, Python 3.8 or newer, standard library only; govcloud is not needed.

    python3 verify.py BUNDLE --key VKEY [--checkpoint NOTE]... [--lang zh|en]

VKEY is the ledger's public key as the auditor got it by another way (text or a file with it); NOTE is a checkpoint that
the auditor kept from an earlier visit. Neither is ever taken from the bundle. Exit code: 0 everything adds up, 5 the
records do not add up (the first bad record is named), 3 the bundle can't be read, 2 wrong usage.

Checked: the manifest's signature and every file against it; the numbering; RFC 8785 form of each record; leaf hashes and
Merkle tree (RFC 9162); signature (C2SP signed note, Ed25519 of RFC 8032) and root of every checkpoint, the auditor's, too.
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
from typing import Any, Iterable, Iterator, NamedTuple, Sequence, Tuple  # noqa: UP035 - for Python 3.8

FIELDS = {"seq", "at", "kind", "phase", "actor", "subject_id", "project_id", "plan_hash", "run_id", "step", "attempt"}
FIELDS |= {"tool_version", "body"}
MANIFEST = "MANIFEST.note"
MANIFEST_HEADER = "govcloud-bundle/1"
_NAME = re.compile(r"records\.jsonl|leaves\.txt|ledger\.vkey|verify\.py|checkpoints/(0|[1-9][0-9]{0,15})\.note")
_SIGNATURE = re.compile("— ([^ \n]+) ([^ \n]+)\n")
_NOTE = re.compile(rf"((?:.*\n)+)\n((?:{_SIGNATURE.pattern})+)")
_MAX_BYTES = 16 * 2**20  # of a line, a note or a manifest
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


class Note(NamedTuple):
    label: str  # of a checkpoint whose signature held
    size: int
    root: bytes


class Report(NamedTuple):
    records: int
    root: str
    checkpoints: int
    signed: int  # records that the largest good checkpoint covers
    problems: list[Problem]

    @property
    def first_bad_seq(self) -> int | None:
        return min((p.seq for p in self.problems if p.seq is not None), default=None)


_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_Point = Tuple[int, int, int, int]  # noqa: UP006


def _add(p: _Point, q: _Point) -> _Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % _P, (p[1] + p[0]) * (q[1] + q[0]) % _P
    c, d = 2 * p[3] * q[3] * _D % _P, 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _decode(data: bytes) -> _Point | None:
    """§5.1.3; None for bytes that are no point in the one allowed form."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    x = x if x * x % _P == square else x * pow(2, (_P - 1) // 4, _P) % _P
    if y >= _P or x * x % _P != square or (x == 0 and sign):
        return None
    x = _P - x if x & 1 != sign else x
    return x, y, 1, x * y % _P


_BASE = _decode((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))


@lru_cache(maxsize=1024)  # an auditor's own checkpoints often stand in the bundle, too
def ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """§5.1.7 without the cofactor, S below the group's order, points in canonical form: as strict as OpenSSL."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, s = _decode(public), int.from_bytes(signature[32:], "little")
    if key is None or _BASE is None or s >= _L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _L
    minus_key: _Point = (_P - key[0], key[1], 1, (_P - key[3]) % _P)
    found: _Point = (0, 1, 1, 0)
    table = (found, _BASE, minus_key, _add(_BASE, minus_key))
    for bit in range(252, -1, -1):
        found = _add(_add(found, found), table[(s >> bit & 1) | (k >> bit & 1) << 1])
    inverse = pow(found[2], -1, _P)
    x, y = found[0] * inverse % _P, found[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


def key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def parse_vkey(text: str) -> Key:
    """`name+hash+base64(0x01 || public key)`. Raises ValueError."""
    name, digest, encoded = text.strip().split("+", 2)
    data = _base64(encoded)
    if not name or " " in name or len(data) != 33 or data[0] != 1 or key_id(name, data[1:]).hex() != digest:
        raise ValueError("not a verifier key of the form name+hash+key")
    return Key(name, key_id(name, data[1:]), data[1:])


def _base64(text: str) -> bytes:
    """Strict: only the one spelling that encodes the bytes."""
    data = base64.b64decode(text.encode("ascii", "replace"), validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not in canonical base64")
    return data


def open_note(data: bytes, key: Key) -> str:
    """The note's text when the key signed it; raises Broken otherwise. Lines of other signers are ignored."""
    match = _NOTE.fullmatch(data.decode("utf-8", "replace"))
    if match is None:
        raise Broken("签名文本格式不对", "not a signed note")
    for name, encoded in _SIGNATURE.findall(match[2]):
        try:
            signature = _base64(encoded)
        except ValueError:
            raise Broken("签名不是规范的 base64", "a signature is not in canonical base64") from None
        if name == key.name and signature[:4] == key.key_id:
            if ed25519_verify(key.public, match[1].encode(), signature[4:]):
                return match[1]
            raise Broken("签名验证不通过", "the signature does not hold")
    raise Broken("没有给定公钥的签名", "not signed by the given key")


def parse_checkpoint(data: bytes, key: Key, label: str) -> Note:
    """Raises Broken unless it is a checkpoint of this ledger, signed by this key."""
    lines = re.fullmatch(r"(.+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n", open_note(data, key))
    if lines is None or lines[1] != key.name:
        raise Broken("不是本台账的检查点", "not a checkpoint of this ledger")
    return Note(label, int(lines[2]), base64.b64decode(lines[3]))


class Tree:
    """Tree head of RFC 9162 §2.1.1 while leaves stream by: only the roots of the full subtrees are kept."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        self._roots.append(leaf)
        full = self.size
        while full & 1:
            right, left = self._roots.pop(), self._roots.pop()
            self._roots.append(hashlib.sha256(b"\x01" + left + right).digest())
            full >>= 1
        self.size += 1

    def root(self) -> bytes:
        found = self._roots[-1] if self._roots else hashlib.sha256(b"").digest()
        for left in reversed(self._roots[:-1]):
            found = hashlib.sha256(b"\x01" + left + found).digest()
        return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name met twice")
    # RFC 8785 §3.2.3 sorts names by UTF-16 code units.
    return dict(sorted(pairs, key=lambda pair: pair[0].encode("utf-16-be")))


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) >= 2**53:
        raise ValueError("an integer beyond 2^53-1")
    return int(text)


# Floats and NaN are given to _integer, too, and are refused by int().
_NUMBERS: Any = {"parse_int": _integer, "parse_float": _integer, "parse_constant": _integer}


def check_record(line: bytes, seq: int) -> Problem | None:
    """What is wrong with one record line (without its newline) at position `seq`."""
    try:
        text = line.decode("utf-8")
        record = json.loads(text, object_pairs_hook=_unique, **_NUMBERS)
        canonical = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return Problem("不是有效的 JSON 记录", "not a valid JSON record", seq)
    if canonical != text:
        return Problem("不是 RFC 8785 规范形式", "not in RFC 8785 canonical form", seq)
    if not isinstance(record, dict) or set(record) != FIELDS or type(record["seq"]) is not int:
        return Problem("记录的字段不对", "the record does not have the fields it must have", seq)
    if record["seq"] != seq:
        return Problem(f"编号不连续：写的是 {record['seq']}", f"the numbering breaks: it says {record['seq']}", seq)
    return None


def verify_records(
    records: Iterable[bytes], leaves: Iterable[bytes], notes: Sequence[Note], *, whole: bool = True
) -> Report:
    """One pass over record lines and their stated leaf hashes (hex). `whole`: the last checkpoint must cover them all."""
    tree, good = Tree(), 0
    problems: list[Problem] = []
    due: dict[int, list[Note]] = {}
    for note in notes:
        due.setdefault(note.size, []).append(note)
    for seq, (line, leaf) in enumerate(zip_longest(records, leaves)):
        if line is None:
            problems.append(Problem("叶哈希还在，记录缺失", "the leaf hash is there, the record is missing", seq))
            break
        found = hashlib.sha256(b"\x00" + line).digest()
        bad = check_record(line, seq)
        if bad is None and leaf != found.hex().encode():
            bad = Problem("内容与叶哈希不符：记录被改动", "the content does not match its leaf hash: altered", seq)
        if bad and len(problems) < _MAX_PROBLEMS:
            problems.append(bad)
        tree.add(found)
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
    problems += _check_end(tree.size, chain(*due.values()), good, whole and not problems)
    return Report(tree.size, tree.root().hex(), len(notes), good, problems)


def _check_end(size: int, due: Iterable[Note], good: int, whole: bool) -> Iterator[Problem]:
    """`due`: good checkpoints that the records did not reach."""
    beyond = min((note for note in due if note.size), key=lambda note: note.size, default=None)
    if beyond is not None:
        zh = f"检查点 {beyond.label} 签了 {beyond.size} 条，这里只有 {size} 条：末尾记录缺失"
        en = f"checkpoint {beyond.label} signs {beyond.size} records, only {size} are here: the last ones are missing"
        yield Problem(zh, en, size)
    elif size == 0:
        yield Problem("没有任何记录可核对", "there is no record to check")
    elif whole and good < size:
        yield Problem("末尾记录没有有效的检查点签名", "no good checkpoint signs the last records", good)


def _lines(path: Path) -> Iterator[bytes]:
    """Lines without their newline; one that is too long or cut off gets a byte that no check lets pass."""
    with path.open("rb") as stream:
        while line := stream.readline(_MAX_BYTES):
            yield line[:-1] if line.endswith(b"\n") else line + b"\xff"


def _read(path: Path) -> bytes:
    with path.open("rb") as stream:
        data = stream.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise Broken(f"{path.name} 过大", f"{path.name} is too large")
    return data


def _files(bundle: Path) -> tuple[dict[str, Path], list[Problem]]:
    """Regular files of the bundle by relative name; everything else in it is a problem."""
    found: dict[str, Path] = {}
    problems = []
    for folder, prefix in ((bundle, ""), (bundle / "checkpoints", "checkpoints/")):
        for entry in os.scandir(folder) if folder.is_dir() else ():
            name, mode = prefix + entry.name, entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISREG(mode) and (name == MANIFEST or _NAME.fullmatch(name)):
                found[name] = Path(entry.path)
            elif not (stat.S_ISDIR(mode) and name == "checkpoints"):
                problems.append(Problem(f"不该有的文件：{name!r}", f"a file that does not belong here: {name!r}"))
    return found, problems[:_MAX_PROBLEMS]


def _check_manifest(text: str, origin: str, files: dict[str, Path]) -> Iterator[Problem]:
    """Lines are `SHA-256 bytes name`; a name outside of the fixed list of a bundle's files is refused unread."""
    lines = text.split("\n")
    if lines[:2] != [MANIFEST_HEADER, origin]:
        raise Broken("不属于本台账或格式不认识", "not of this ledger or of an unknown format")
    listed = {MANIFEST}
    for line in lines[2:-1]:
        digest, _, rest = line.partition(" ")
        size, _, name = rest.partition(" ")
        if not _NAME.fullmatch(name) or name in listed:
            raise Broken(f"有不允许的行：{line[:200]!r}", f"a line that it may not have: {line[:200]!r}")
        listed.add(name)
        if name not in files:
            yield Problem(f"缺少文件 {name}", f"file {name} is missing")
        elif _digest(files[name]) != (digest, size):
            yield Problem(f"文件 {name} 与清单不符", f"file {name} differs from the manifest")
    for name in sorted(set(files) - listed):
        yield Problem(f"清单外的文件 {name}", f"file {name} is not in the manifest")


def _digest(path: Path) -> tuple[str, str]:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(2**20):
            digest.update(block)
        return digest.hexdigest(), str(stream.tell())


def verify_bundle(bundle: Path, key: Key, kept: Sequence[tuple[str, Path]] = ()) -> Report:
    """All checks on a bundle; `kept` are the auditor's own checkpoints (label, file). Raises OSError if unreadable."""
    files, problems = _files(bundle)
    if MANIFEST not in files:
        raise FileNotFoundError(2, "no manifest", str(bundle / MANIFEST))
    try:
        manifest = open_note(_read(files[MANIFEST]), key)
        problems += islice(_check_manifest(manifest, key.name, files), _MAX_PROBLEMS)
    except Broken as broken:
        problems.append(broken.at(MANIFEST))
    notes = []
    held = [(name, path) for name, path in files.items() if name.startswith("checkpoints/")]
    for label, source in [*held, *kept]:
        try:
            notes.append(parse_checkpoint(_read(source), key, label))
        except Broken as broken:
            problems.append(broken.at(label))
    lines, leaves = (_lines(files[name]) if name in files else () for name in ("records.jsonl", "leaves.txt"))
    report = verify_records(lines, leaves, notes)
    return report._replace(problems=[*problems, *report.problems])


def render_report(report: Report, lang: str) -> str:
    pick = 0 if lang == "zh" else 1
    lines = [
        ("不符：", "BROKEN: ")[pick] + ("" if p.seq is None else f"#{p.seq} ") + (p.zh, p.en)[pick]
        for p in report.problems
    ]
    if report.first_bad_seq is not None:
        lines.append(("首个有问题的记录：", "first bad record: ")[pick] + str(report.first_bad_seq))
    zh = f"记录 {report.records} 条，检查点 {report.checkpoints} 个，根哈希 {report.root}"
    lines.append((zh, f"{report.records} records, {report.checkpoints} checkpoints, root {report.root}")[pick])
    verdict = ("核对不通过", "does not verify") if report.problems else ("核对通过", "verified")
    return "\n".join([*lines, verdict[pick]])


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="verify.py", description="离线核对台账导出包 · Check a ledger bundle offline."
    )
    parser.add_argument("bundle", type=Path, help="导出包目录 · folder of the exported bundle")
    parser.add_argument("--key", required=True, help="另行取得的公钥或其文件 · public key or its file, got another way")
    kept = "自存的旧检查点，可多次给出 · an old checkpoint that you kept; repeatable"
    parser.add_argument("--checkpoint", action="append", default=[], type=Path, help=kept)
    default = os.environ.get("GOVCLOUD_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    parser.add_argument("--lang", choices=["zh", "en"], default="zh" if default.lower().startswith("zh") else "en")
    options = parser.parse_args(list(argv))
    try:
        # A key always has a plus sign in it; text that has one is never asked for in the file system.
        key = parse_vkey(options.key if "+" in options.key else _read(Path(options.key)).decode("ascii"))
        report = verify_bundle(options.bundle, key, [(str(path), path) for path in options.checkpoint])
    except ValueError:  # of the key: a bundle's faults are in the report
        sys.stderr.write("--key: 不是有效的公钥 · not a public key\n")
        return USAGE
    except OSError as error:
        sys.stderr.write(f"读不了 · can't be read: {error}\n")
        return UNREADABLE
    sys.stdout.write(render_report(report, options.lang) + "\n")
    return BROKEN if report.problems else OK


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):  # a C locale must not turn a verdict into a UnicodeEncodeError
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1:]))
