"""Word files and workbooks that depend on their content alone: a digest in the ledger is worth nothing if writing again changes it."""

from __future__ import annotations

import io
import re
import zipfile

_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""Zip's own."""
_CORE = "docProps/core.xml"
_TIMES = re.compile(rb"<dcterms:(created|modified)[^>]*>[^<]*</dcterms:\1>")


def repack(raw: bytes, *, timeless: bool = False) -> bytes:
    """The file with its parts as they were, without the time of day in the zip; `timeless`: nor in its properties."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as parts, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for name in parts.namelist():
            data = parts.read(name)
            if timeless and name == _CORE:
                data = _TIMES.sub(b"", data)
            out.writestr(zipfile.ZipInfo(name, _FIRST_DAY), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
