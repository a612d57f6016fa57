"""One tree of errors. Each says what happened, where, and what to do next; only the edge turns it into an exit code."""

from __future__ import annotations

from typing import ClassVar

from govcloud.model.text import Lang, Text, same


class GovcloudError(Exception):
    """`what` happened, `where` (file and cell, host, option), `next_step` for the user."""

    exit_code: ClassVar[int] = 70

    def __init__(self, what: Text, *, where: str | Text = "", next_step: Text | None = None) -> None:
        super().__init__(what.en)
        self.what = what
        self.where = where if isinstance(where, Text) else same(where)
        self.next_step = next_step

    def message(self, lang: Lang) -> str:
        where = self.where.to(lang)
        parts = [f"{where}: {self.what.to(lang)}" if where else self.what.to(lang)]
        if self.next_step is not None:
            parts.append(("下一步：" if lang == "zh" else "Next: ") + self.next_step.to(lang))
        return "\n".join(parts)

    def __str__(self) -> str:
        return self.message("en")


class UsageError(GovcloudError):
    """The command was asked for something it can't mean."""

    exit_code = 2


class NotAllowed(UsageError):
    """The one who acts may not do this, or it is not known who acts. The refusal stands in the ledger."""


class InputError(GovcloudError):
    """A file that the user gave can't be used as it is."""

    exit_code = 3


class OutsideError(GovcloudError):
    """A host, a disk, a database or a program outside of us failed."""

    exit_code = 4


class IntegrityError(GovcloudError):
    """Records do not add up: tampering, loss or a bug. Nothing may go on before a person has looked."""

    exit_code = 5
