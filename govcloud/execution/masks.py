"""Covers what looks like a secret in text that people will read. Nothing of ours prints one; programs on hosts may."""

from __future__ import annotations

import re

COVER = "********"
_WORDS = r"pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|authorization|口令|密码|密钥"
_RULES = (
    # PEM blocks, also with line breaks escaped as in JSON.
    (re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL), COVER),
    # user:password@ in an address.
    (re.compile(r"(?<=://)([^\s/:@\"'\\]*):[^\s/@\"'\\]+@"), rf"\1:{COVER}@"),
    (re.compile(r"(?i)\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {COVER}"),
    # "password": "…" in JSON, escaped quotes of JSON within JSON included. Numbers stay: a fencing token is no secret.
    (
        re.compile(rf"(?i)(\\?[\"'][\w.-]*(?:{_WORDS})\\?[\"']\s*:\s*\\?[\"'])(?!{re.escape(COVER)})[^\"'\\]+"),
        rf"\1{COVER}",
    ),
    # password=…, PGPASSWORD=…, IDENTIFIED BY '…', --password …
    (
        re.compile(rf"(?i)((?<![\w/.-])[\w-]*(?:{_WORDS})\s*[=:：]\s*)(?![\s\"'\\{{\[]|\d+\b|{re.escape(COVER)})[^\s,;&\"'\\]+"),
        rf"\1{COVER}",
    ),
    (re.compile(rf"(?i)((?<![\w/.-])[\w-]*(?:{_WORDS})\s*[=:：]\s*\\?[\"'])(?!{re.escape(COVER)})[^\"'\\]+"), rf"\1{COVER}"),
    (re.compile(r"(?i)(\b(?:identified by|password)\s+\\?')[^'\\]+"), rf"\1{COVER}"),
    (re.compile(r"(?i)(--password)\s+[^\s\"'\\-][^\s\"'\\]*"), rf"\1 {COVER}"),
    (re.compile(r"SCRAM-SHA-256\$[0-9]+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+"), COVER),
    (re.compile(r"\bAKIA[0-9A-Z]{16}\b"), COVER),
)  # fmt: skip


def mask(text: str) -> str:
    """The text with every match covered; JSON stays JSON."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
