"""Files that come with a form and files that a page gives away."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath
from tempfile import TemporaryDirectory
from typing import BinaryIO
from urllib.parse import quote

from fastapi import UploadFile
from starlette.responses import StreamingResponse

from govcloud.errors import GovcloudError
from govcloud.model.text import Text

_BLOCK = 2**20
_STEM, _SUFFIX = 60, 16
"""Characters: together less than the 255 bytes that a file system takes, whatever the script."""


@contextmanager
def uploaded(file: UploadFile) -> Iterator[Path]:
    """The upload under its own name, in a folder that goes away afterwards; refusals name the file, not our folder."""
    with TemporaryDirectory(prefix="govcloud-upload-") as folder:
        path = Path(folder) / plain_name(file.filename or "")
        with path.open("wb") as out:
            shutil.copyfileobj(file.file, out, _BLOCK)
        try:
            yield path
        except GovcloudError as error:
            hide_folder(error, path.parent)
            raise


def hide_folder(error: GovcloudError, folder: Path) -> None:
    """Files of the folder are named from there on: where the server keeps it is nobody's business."""

    def shown(text: Text) -> Text:
        zh, en = (words.replace(f"{folder}/", "") for words in (text.zh, text.en))
        return Text(zh, en)

    error.what, error.where = shown(error.what), shown(error.where)
    error.next_step = shown(error.next_step) if error.next_step else None


def plain_name(name: str) -> str:
    """The last part of whatever the browser calls the file: one that a folder of ours can have, and a record can show."""
    last = PureWindowsPath(unicodedata.normalize("NFC", name)).name
    plain = Path("".join(c for c in last if c.isprintable()).lstrip(". "))
    return f"{plain.stem[:_STEM]}{plain.suffix[:_SUFFIX]}" or "file"


def attached(path: Path, name: str, media: str = "application/octet-stream") -> StreamingResponse:
    """The file as a download. It is opened here: its folder may go away while the browser still reads."""
    stream = path.open("rb")
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Length": str(path.stat().st_size),
    }
    return StreamingResponse(_blocks(stream), media_type=media, headers=headers)


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        while block := stream.read(_BLOCK):
            yield block
