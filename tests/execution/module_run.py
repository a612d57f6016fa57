"""Runs one of our Ansible modules in a process of its own, with the arguments that a task would give it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import ansible.module_utils

from govcloud.execution.steps import folder

_BOOT = """
import json, runpy, sys
import ansible.module_utils
from ansible.module_utils.testing import patch_module_args
ansible.module_utils.__path__.append(sys.argv[1] + "/module_utils")
with patch_module_args(json.load(sys.stdin)):
    runpy.run_path(sys.argv[1] + "/" + sys.argv[2] + ".py", run_name="__main__")
"""


def run_module(name: str, *, prefix: Sequence[str] = (), timeout: float = 90, **arguments: Any) -> dict[str, Any]:
    """What the module answered; `failed` is in it when it failed. `prefix`: words before the command (`ip netns exec …`)."""
    done = subprocess.run(
        [*prefix, sys.executable, "-c", _BOOT, str(folder() / "library"), name],
        input=json.dumps(arguments), capture_output=True, text=True, timeout=timeout, check=False, start_new_session=True,
    )  # fmt: skip
    assert done.stdout.strip().startswith("{"), done.stderr[-2000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (1 if answer.get("failed") else 0)
    return answer


def said(answer: dict[str, Any]) -> str:
    """All problems in English, one a line; empty when it did not fail."""
    assert all(p["zh"] and p["en"] for p in answer.get("problems", ()))
    return "\n".join(p["en"] for p in answer["problems"]) if answer.get("failed") else ""


def load_util(name: str) -> ModuleType:
    """A file of module_utils, imported under the name that our modules know it by."""
    library = str(folder() / "library" / "module_utils")
    if library not in ansible.module_utils.__path__:
        ansible.module_utils.__path__.append(library)
    return importlib.import_module(f"ansible.module_utils.{name}")


SYSTEM = {"system_id": "SL-OA-01", "run_id": "r1", "attempt": 1, "token": 5, "rerun": False, "phase": "apply"}
