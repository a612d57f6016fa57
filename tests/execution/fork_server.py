"""Processes for kill tests without their start: one process has imported everything and forks for each case (about 0.05 s
instead of seconds), each in a session of its own, so that it can be killed like a program.

    with ForkServer("guard_case") as server:            # modules to import, beside this file or anywhere on the path
        case = server.start("guard_case:main", "a", "b")
        case.kill(signal.SIGKILL); case.wait()          # .returncode as subprocess gives it, .stdout, .stderr
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass
class Case:
    pid: int
    _server: ForkServer
    _folder: Path
    returncode: int | None = None
    _ended: bool = field(default=False)

    @property
    def stdout(self) -> str:
        return (self._folder / "out").read_text("utf-8", errors="replace")

    @property
    def stderr(self) -> str:
        return (self._folder / "err").read_text("utf-8", errors="replace")

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._server.ask({"poll": self.pid})["code"]
        return self.returncode

    def wait(self, timeout: float = 60) -> Case:
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                self.kill(signal.SIGKILL)
                raise TimeoutError(f"a case did not end in {timeout} s\n{self.stderr}")
            time.sleep(0.01)
        return self

    def kill(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


class ForkServer:
    def __init__(self, *modules: str, path: Path = HERE) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="forks-")
        self._cases = 0
        argv = [sys.executable, str(HERE / "fork_server.py"), str(path), *modules]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.ask({"ready": True})["code"] == 0

    def start(self, function: str, *argv: str) -> Case:
        """Call `module:function` with a list of strings in a forked process; its exit code is what the function returns."""
        self._cases += 1
        folder = Path(self._folder.name) / str(self._cases)
        folder.mkdir()
        pid = self.ask({"call": function, "argv": list(argv), "folder": str(folder)})["code"]
        return Case(pid, self, folder)

    def run(self, function: str, *argv: str, timeout: float = 60) -> Case:
        return self.start(function, *argv).wait(timeout)

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the fork server has died"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._folder.cleanup()


def _serve(path: str, modules: list[str]) -> None:
    sys.path.insert(0, path)
    for module in modules:
        importlib.import_module(module)
    ended: dict[int, int] = {}
    for line in sys.stdin:
        request = json.loads(line)
        code: int | None = 0
        if "call" in request:
            code = _fork(request)
        elif "poll" in request:
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(request["poll"], os.WNOHANG)
                if pid:
                    ended[pid] = os.waitstatus_to_exitcode(status)
            code = ended.get(request["poll"])
        print(json.dumps({"code": code}), flush=True)


def _fork(request: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, name, flags in ((0, "/dev/null", os.O_RDONLY), (1, "out", os.O_WRONLY), (2, "err", os.O_WRONLY)):
            opened = os.open(Path(request["folder"]) / name, flags | (os.O_CREAT if number else 0), 0o600)
            os.dup2(opened, number)
            os.close(opened)
        module, _, function = request["call"].partition(":")
        code = int(getattr(importlib.import_module(module), function)(request["argv"]) or 0)
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2:])
