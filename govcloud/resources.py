"""Finds the folders that people edit without Python, in a wheel and in a checkout alike. Ansible needs real paths."""

from __future__ import annotations

from pathlib import Path

from govcloud.errors import OutsideError
from govcloud.model.text import Text

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """`inventory`, `playbooks`, `regulations` or `service_catalog` as a real directory."""
    for base in (_PACKAGE / "_data", _PACKAGE.parent):
        if (base / name).is_dir():
            return base / name
    raise OutsideError(
        Text("安装不完整：缺少随附目录", "The installation is incomplete: a bundled folder is missing"),
        where=name,
        next_step=Text("重新安装 govcloud", "Install govcloud again"),
    )
