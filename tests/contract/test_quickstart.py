"""The first hour is lived through as it is written: every command runs, and what the page shows is what comes out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from sources import ROOT

PAGE = (ROOT / "docs" / "quickstart.md").read_text("utf-8")
NEGATIVE = "# 退出码 exit 1"


def steps() -> list[tuple[str, int, list[str]]]:
    """(command, exit code, lines that must come out)."""
    found: list[tuple[str, int, list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.S):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:].removesuffix(NEGATIVE).strip(), int(line.endswith(NEGATIVE)), []))
            else:
                found[-1][2].append(line)
    return found


def shown(wanted: str, output: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in wanted.split("…"))
    return re.search(f"^{pattern}$" if not wanted.endswith("…") else f"^{pattern}", output, re.M) is not None


def test_every_command_of_the_first_hour_does_what_the_page_says(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SAMPLE": str(ROOT / "inventory" / "sample"),
        "GOVCLOUD_LANG": "zh",
    }
    folder = tmp_path
    told = steps()
    assert len(told) > 12
    for command, code, lines in told:
        if command.startswith("cd "):
            folder /= command.removeprefix("cd ")
            continue
        # As a person types it: the page uses a variable and a wildcard of the shell.
        done = subprocess.run(
            ["bash", "--norc", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
        )  # fmt: skip
        assert done.returncode == code, f"{command}\n{done.stdout}{done.stderr}"
        missing = [line for line in lines if not shown(line, done.stdout)]
        assert not missing, f"{command}\nnot shown: {missing}\n{done.stdout}"


def test_what_the_page_needs_before_is_there() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.S)
    assert 'eval "$(govcloud completion bash)"' in blocks[-1] and "GOVCLOUD_LANG" in blocks[-1]
    assert all("SAMPLE=" in block and ("PATH=" in block or "activate" in block) for block in blocks[:-1])
