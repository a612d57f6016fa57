"""One question to a program of ours on a host, over SSH: the program's text and the question go through standard input,
so that nothing but a fixed loader is ever seen in a process list, and the answer is one JSON document."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from govcloud.execution import steps
from govcloud.execution.stream import Remote, StreamError, capture

_LOADER = """\
import json, sys, types
given = json.loads(sys.stdin.buffer.read().decode("utf-8"))
for name in ("ansible", "ansible.module_utils"):
    sys.modules[name] = types.ModuleType(name)
for name, text in given["modules"]:
    full = "ansible.module_utils." + name
    module = sys.modules[full] = types.ModuleType(full)
    setattr(sys.modules["ansible.module_utils"], name, module)
    exec(compile(text, full, "exec"), module.__dict__)
sys.stdout.write(json.dumps(module.answer(given["request"])))
"""


def call(
    remote: Remote, host: str, modules: Sequence[str], request: Mapping[str, Any], stall_s: float = 120
) -> dict[str, Any]:
    """`answer(request)` of the last of these files of module_utils; the others are what it imports, in order.

    Raises StreamError when the host can't be reached or its Python (3.6 or newer) fails.
    """
    base = steps.folder() / "library" / "module_utils"
    texts = [(name, (base / f"{name}.py").read_text("utf-8")) for name in modules]
    give = json.dumps({"modules": texts, "request": request}).encode()
    said = io.BytesIO()
    try:
        capture(remote.argv(host, ["python3", "-c", _LOADER]), said, give=give, stall_s=stall_s)
        answer = json.loads(said.getvalue())
    except StreamError as error:
        raise StreamError(f"{host}: {error}") from None
    except ValueError:
        raise StreamError(f"{host}: no JSON: {said.getvalue()[:200]!r}") from None
    if not isinstance(answer, dict):
        raise StreamError(f"{host}: not an object")
    return answer
