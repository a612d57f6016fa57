"""Writes `expected/*.json` from what the reader says now. Look at the difference line by line before you commit it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "discovery"))

from books import CASES, read_case_files  # noqa: E402


def render(found: dict[str, object]) -> str:
    """JSON with a line a subject and a problem."""

    def lines(value: object, indent: str) -> str:
        if isinstance(value, dict):
            inner = (f"{indent}  {json.dumps(k)}: {lines(v, indent + '  ')}" for k, v in value.items())
            return "{\n" + ",\n".join(inner) + f"\n{indent}}}"
        if isinstance(value, list) and value:
            return "[\n" + ",\n".join(f"{indent}  {json.dumps(v, ensure_ascii=False)}" for v in value) + f"\n{indent}]"
        return json.dumps(value, ensure_ascii=False)

    return lines(found, "") + "\n"


if __name__ == "__main__":
    for name, found in read_case_files(CASES).items():
        (HERE / "expected" / f"{name}.json").write_text(render(found), "utf-8")
