"""Why a file is not read: one sentence each, and what the office can do about it."""

from __future__ import annotations

from pathlib import Path

from govcloud.errors import InputError
from govcloud.model.text import Text

_SAVE_AGAIN = Text(
    "用表格程序打开并另存为 .xlsx，再导入", "Open it in a spreadsheet program, save it as .xlsx and import that"
)


def refused(path: Path, what: Text, next_step: Text = _SAVE_AGAIN) -> InputError:
    return InputError(what, where=str(path), next_step=next_step)


def damaged(path: Path, why: object = None) -> InputError:
    if why is None:
        return refused(path, Text("工作簿已损坏或不完整", "The workbook is damaged or cut short"))
    return refused(path, Text("工作簿已损坏，读不出来：{why}", "The workbook is damaged: {why}").format(why=why))


def protected(path: Path) -> InputError:
    return refused(
        path,
        Text("工作簿设有密码", "The workbook is protected by a password"),
        Text("请填报单位去掉密码后重新报送", "Ask the department for a copy without the password"),
    )


def suspicious(path: Path, why: Text) -> InputError:
    return refused(
        path,
        Text("拒绝读取这个工作簿：{why}", "Refused to read this workbook: {why}").format(why=why),
        Text("把内容以“粘贴为数值”复制到新的 .xlsx 后再导入", "Copy its contents as values into a new .xlsx and import that"),
    )  # fmt: skip
