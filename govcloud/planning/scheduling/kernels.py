"""How the inner loops of planning are compiled (Numba), and where the result is kept."""

# mypy: allow-untyped-defs

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import IndexDataCacheFile

Kernel = Callable[..., Any]


def kernel(function: Kernel) -> Kernel:
    """Compiled, free of the interpreter's lock, and kept on disk beside the module or else in the user's cache directory;
    where neither can be written it is compiled in each process.

    Without Numba's reference counts (`_nrt`): counting the arrays of a Placing at each access costs seven times what the
    rest of a pass does. A kernel can then neither make arrays nor assign one to a part of another.
    """
    return _compiled(function, _nrt=False)


def inner(function: Kernel) -> Kernel:
    """A part of kernels: put into its callers, since handing over a dozen arrays costs more than most calls do."""
    return _compiled(function, _nrt=False, forceinline=True)


def pass_over(function: Kernel) -> Kernel:
    """A pass over whole tables that is called from Python and may make arrays."""
    return _compiled(function)


def _compiled(function: Kernel, **options: Any) -> Kernel:
    try:
        compiled: Any = numba.njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:  # "cannot cache function …: no locator available"
        return numba.njit(nogil=True, **options)(function)  # type: ignore[no-any-return]
    _keep_apart(compiled._cache)
    return compiled  # type: ignore[no-any-return]


def _keep_apart(kept: Any) -> None:
    """Files of their own for each state of the sources: Numba looks at the file of a function only, not at those of the
    functions that it puts into it, and fails on types that have moved to another module since."""
    name = kept._impl.filename_base
    files: Any = IndexDataCacheFile
    kept._cache_file = files(kept.cache_path, f"{name}.{_state_of_sources()}", kept._impl.locator.get_source_stamp())
    for old in Path(kept.cache_path).glob(f"{name}.*.nb[ic]"):
        if not old.name.startswith(f"{name}.{_state_of_sources()}."):
            old.unlink(missing_ok=True)


@cache
def _state_of_sources() -> str:
    sources = sorted(Path(__file__).parent.glob("*.py"))
    texts = [
        text
        for text in (path.read_bytes() for path in sources)
        if b"scheduling.kernels" in text or b"scheduling.compiled" in text
    ]
    return sha256(b"\0".join([Path(__file__).read_bytes(), *texts])).hexdigest()[:12]


@inner
def copy(to, source):
    for k in range(len(source)):
        to[k] = source[k]
