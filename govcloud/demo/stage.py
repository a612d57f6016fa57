"""Types the commands of the road as a user would, shows them with their output, and insists on the expected exit code."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from govcloud.demo.lab import Lab
from govcloud.errors import OutsideError
from govcloud.model.text import Lang, Text

_TOOL = (sys.executable, "-m", "govcloud")


@dataclass
class Stage:
    """One run of the road: where, in which language, against which hosts. Commands are typed in the workspace's folder."""

    folder: Path
    lang: Lang
    lab: Lab
    out: TextIO = sys.stdout

    def title(self, number: int, text: Text) -> None:
        line = f"━━ {number}. {text.to(self.lang)}"
        self._write(f"\n\033[1m{line}\033[0m" if self.out.isatty() else f"\n{line}")

    def say(self, text: Text) -> None:
        self._write(text.to(self.lang))

    def govcloud(
        self, *words: str | Path, expect: Sequence[int] = (0,), user: str | None = None, folder: Path | None = None
    ) -> int:
        """Type one command. Raises OutsideError when it ends in a way that the road does not foresee."""
        argv = [*(("--user", user) if user else ()), *map(str, words)]
        self._show("govcloud", *argv)
        code = self.lab.run([*_TOOL, *argv], **self._place(folder)).returncode
        return self._expect(code, expect, "govcloud", *argv)

    def start(self, *words: str | Path, user: str) -> subprocess.Popen[Any]:
        """Type one command and leave it running."""
        argv = ["--user", user, *map(str, words)]
        self._show("govcloud", *argv, "&")
        return self.lab.popen([*_TOOL, *argv], **self._place(None))

    def shell(self, *words: str | Path, expect: Sequence[int] = (0,)) -> int:
        """Any other command that a user would type, on the hosts' network."""
        argv = [str(word) for word in words]
        self._show(*argv)
        code = self.lab.run(argv, stdin=subprocess.DEVNULL, **self._place(None)).returncode
        return self._expect(code, expect, *argv)

    def ask(self, *words: str) -> Any:
        """A query for the road itself, not shown: the command's JSON document."""
        argv = ["--format", "json", *words]
        done = self.lab.run([*_TOOL, *argv], stdout=subprocess.PIPE, text=True, **self._place(None))
        self._expect(done.returncode, (0, 1), "govcloud", *argv)
        return json.loads(done.stdout)

    def _place(self, folder: Path | None) -> dict[str, Any]:
        return {"cwd": folder or self.folder, "env": {**os.environ, "GOVCLOUD_LANG": self.lang}}

    def _show(self, *argv: str) -> None:
        self._write(
            "\n$ "
            + " ".join(word if word and word.isprintable() and " " not in word else shlex.quote(word) for word in argv)
        )

    def _expect(self, code: int, expect: Sequence[int], *argv: str) -> int:
        if code in expect:
            return code
        raise OutsideError(
            Text("演示没有照预期进行：退出码 {code}", "The demo did not go as it should: exit code {code}").format(
                code=code
            ),
            where=" ".join(argv),
            next_step=Text(
                "工作区 {folder} 保留着，可在其中重试这条命令；原因见上面的输出",
                "The workspace {folder} is kept and the command can be tried again there; the output above says why",
            ).format(folder=self.folder),
        )

    def _write(self, line: str) -> None:
        print(line, file=self.out, flush=True)
