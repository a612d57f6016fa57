"""Nothing in the project belongs to one machine, to somebody's secrets or to an index of packages."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from sources import ROOT

LEFT_OUT = {
    ".git",
    ".venv",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    "__pycache__",
    "dist",
    "build",
}
BINARY = {".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".png", ".db", ".gz", ".docx"}


@cache
def files() -> tuple[Path, ...]:
    """What is tracked, or would be; all files where there is no repository (an unpacked sdist)."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", "-z"],
            cwd=ROOT, capture_output=True, check=True, timeout=60,
        ).stdout.decode()  # fmt: skip
        found = [ROOT / name for name in listed.split("\0") if name]
    else:
        found = [p for p in ROOT.rglob("*") if not LEFT_OUT & set(p.relative_to(ROOT).parts)]
    kept = tuple(p for p in found if p.is_file())
    assert len(kept) > 50
    return kept


def lines() -> Iterator[tuple[str, str]]:
    for path in files():
        if path.suffix not in BINARY:
            # Some cases are deliberately written as GB18030 or UTF-16, as offices send them.
            for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), start=1):
                yield f"{path.relative_to(ROOT)}:{number}", line


def found(*patterns: str) -> list[str]:
    pattern = re.compile("|".join(patterns))
    return [f"{place}: {line.strip()[:120]}" for place, line in lines() if pattern.search(line)]


def test_no_path_of_this_machine() -> None:
    assert not found(*(re.escape(str(p)) + r"(?![\w-])" for p in {ROOT, Path(sys.prefix)}))


def test_no_index_of_packages() -> None:
    assert not found(r"https?://\S+/simple\b", r"(?<!emit)-index-url[ =]\S", r"--find-links[ =]", r"--trusted-host[ =]")


def test_no_private_keys_and_no_passwords() -> None:
    assert not found(r"^-----BEGIN [A-Z ]*PRIVATE KEY-----", r"\bAKIA[0-9A-Z]{16}\b", r"\bghp_\w{20,}")


def test_no_conflict_markers() -> None:
    assert not found(r"^<{7} ", r"^>{7} ")


def test_no_large_or_generated_files() -> None:
    large = [str(p.relative_to(ROOT)) for p in files() if p.stat().st_size > 1_000_000]
    generated = [
        str(p.relative_to(ROOT)) for p in files() if p.suffix in {".pyc", ".db", ".log"} or "__pycache__" in p.parts
    ]
    assert not large + generated


def test_text_files_are_utf8_without_carriage_returns() -> None:
    recorded = ROOT / "tests" / "cases"
    own = [p for p in files() if p.suffix not in BINARY and recorded not in p.parents]
    assert not [str(p.relative_to(ROOT)) for p in own if b"\r" in p.read_bytes()]
