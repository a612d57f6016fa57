"""The controller's end of our agents on hosts (playbooks/library/module_utils/gov_agent.py): sends their text, passes frames.

Every connection is an `ssh` process of its own. All of them are served by one loop, so that a host that stops answering is
seen wherever we wait, and nothing is kept in memory that the next host doesn't take.
"""

from __future__ import annotations

import json
import os
import select
import struct
import subprocess
import tempfile
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Self

from govcloud import resources
from govcloud.execution.stream import Cut, StreamError, widen
from govcloud.model.text import Text

_HEADER = struct.Struct(">cI")
_READ = 1 << 18
_FULL = 4 << 20
"""So much may wait for one host before its counterpart is read no further."""
_ENOUGH = 600
SOURCE = ("gov_marker_file", "gov_manifest", "gov_agent")
TARGET = (*SOURCE, "gov_place", "gov_plan", "gov_receive", "gov_commit")
_BOOT = (
    "import os,sys,zlib\nn=int(sys.argv[1]);b=b''\nwhile len(b)<n:\n c=os.read(0,n-len(b))\n if not c: sys.exit(1)\n b+=c\n"
    "t=zlib.decompress(b).decode();exec(compile(t,'govcloud','exec'),{'BUNDLE':t})"
)
_REFUSALS = {
    "HOST IDENTIFICATION HAS CHANGED": Text("主机公钥与已批准的不同，可能有人冒充", "The host key differs from the approved one: somebody may pose as the host"),
    "Host key verification failed": Text("主机公钥未通过核对", "The host key could not be verified"),
    "Permission denied": Text("登录被拒绝", "The login was refused"),
}  # fmt: skip


def bundle(names: tuple[str, ...], start: str) -> bytes:
    """One program of our module texts that runs with any Python ≥ 3.6, without Ansible on the host."""
    folder = resources.folder("playbooks") / "library" / "module_utils"
    texts = [(f"ansible.module_utils.{name}", (folder / f"{name}.py").read_text("utf-8")) for name in names]
    return zlib.compress(
        (
            "import sys, types\n"
            f"for name, text in {texts!r}:\n"
            "    module = types.ModuleType(name)\n"
            "    sys.modules[name] = module\n"
            "    exec(compile(text, name, 'exec'), module.__dict__)\n"
            f"sys.exit({start})\n"
        ).encode()
    )


@cache
def source_program() -> bytes:
    return bundle(SOURCE, "module.serve(module.Wire(0, 1), module.source_deeds())")


@cache
def target_program() -> bytes:
    return bundle(TARGET, "module.main(globals().get('BUNDLE', ''))")


def boot(program: bytes) -> list[str]:
    """What to run at the host; `program` must be the first thing on its standard input."""
    return ["python3", "-ISc", _BOOT, str(len(program))]


class Line:
    """One agent. What it says is handled by `hear`, or goes to `relay` untouched."""

    def __init__(self, name: str, command: list[str], program: bytes) -> None:
        self.name = name
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors)
        assert self.process.stdin is not None and self.process.stdout is not None  # noqa: S101 - asked for above
        self.sink, self.source = self.process.stdin.fileno(), self.process.stdout.fileno()
        for end in (self.sink, self.source):
            os.set_blocking(end, False)
            widen(end)
        self._out: deque[memoryview] = deque()
        self.waiting = 0
        """Bytes that the host has not taken yet."""
        self._head = bytearray()
        self._kind, self._left = b"", 0
        self._body: list[memoryview] = []
        self.answers: deque[dict[str, Any]] = deque()
        self.hear: Callable[[bytes, bytes], None] = lambda kind, content: None
        self.relay: Line | None = None
        self.passed = 0
        """Bytes of content relayed to the other host."""
        self._queue(program)

    def ask(self, do: str, **given: Any) -> None:
        self.put(b"J", json.dumps({"do": do, **given}).encode())

    def put(self, kind: bytes, content: bytes = b"") -> None:
        self._queue(_HEADER.pack(kind, len(content)))
        if content:
            self._queue(content)

    def _queue(self, content: bytes | memoryview) -> None:
        self._out.append(memoryview(content))
        self.waiting += len(content)

    def write(self) -> int:
        """As much as the host takes now."""
        written = 0
        while self._out:
            view = self._out[0]
            try:
                count = os.write(self.sink, view)
            except BlockingIOError:
                break
            except BrokenPipeError:
                self._out.clear()  # its end tells why
                self.waiting = 0
                break
            written += count
            if count < len(view):
                self._out[0] = view[count:]
                break
            self._out.popleft()
        self.waiting -= min(written, self.waiting)
        return written

    def read(self) -> bool:
        """Take in what came. False at the end. Raises StreamError for what the agent refuses."""
        try:
            block = os.read(self.source, _READ)
        except BlockingIOError:
            return True
        view = memoryview(block)
        while view:
            if self._left == 0 and len(self._head) < _HEADER.size:
                take = _HEADER.size - len(self._head)
                self._head += view[:take]
                view = view[take:]
                if len(self._head) < _HEADER.size:
                    break
                self._begin()
            part, view = view[: self._left], view[self._left :]
            self._left -= len(part)
            if self.relay is not None and self._kind in b"DFCHZQ":
                if part:
                    self.relay._queue(part)
                    self.passed += len(part)
            elif part:
                self._body.append(part)
            if self._left == 0:
                self._head.clear()
                self._whole()
        return bool(block)

    def _begin(self) -> None:
        self._kind, self._left = _HEADER.unpack(self._head)
        if self.relay is not None and self._kind in b"DFCHZQ":
            self.relay._queue(bytes(self._head))

    def _whole(self) -> None:
        content = b"".join(self._body)
        self._body = []
        if self._kind == b"K":
            self.answers.append(json.loads(content))
        elif self._kind == b"E":
            said = json.loads(content)
            kind = Cut if said["kind"] == "cut" else StreamError
            raise kind(self._of(Text(said["zh"], said["en"])))
        elif self._kind not in b"PDFCHZQ":
            self.hear(self._kind, content)

    def ended(self) -> StreamError:
        """Why it ended though it should not have."""
        try:
            code = self.process.wait(10)
        except subprocess.TimeoutExpired:
            code = None
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip()[-_ENOUGH:]
        for sign, text in _REFUSALS.items():
            if code == 255 and sign in said:
                return StreamError(self._of(Text("{t}（{why}）", "{t} ({why})").format(t=text, why=said)))
        if code == 127:
            return StreamError(self._of(Text("没有 python3", "there is no python3")))
        # 129 and more: the far end's shell says that a signal ended the agent (no memory, a reboot).
        if code is None or code == 0 or code < 0 or code > 128:
            return Cut(self._of(Text("连接中断 {why}", "the connection broke {why}").format(why=said)))
        return StreamError(
            self._of(
                Text("程序异常结束（{code}）：{why}", "the program failed ({code}): {why}").format(code=code, why=said)
            )
        )

    def _of(self, text: Text) -> Text:
        return Text("{host}：{text}", "{host}: {text}").format(host=self.name, text=text)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self._errors):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue


class Exchange:
    """Serves all lines until what is waited for is there."""

    def __init__(self, lines: Iterable[Line], *, beat: Callable[[], None], stall_s: float) -> None:
        self.lines = list(lines)
        self._beat, self._stall_s = beat, stall_s
        self._moved_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for line in self.lines:
            line.close()

    def answer(self, line: Line, meanwhile: Callable[[], None] = lambda: None) -> Mapping[str, Any]:
        """The next answer of `line`. `meanwhile` is called at every turn."""
        while not line.answers:
            meanwhile()
            self.turn()
        return line.answers.popleft()

    def turn(self, wait_s: float = 1.0) -> None:
        """Move what can be moved. Raises Cut where a connection breaks or nothing moves for too long, StreamError where
        an agent refuses."""
        readable = [line for line in self.lines if line.relay is None or line.relay.waiting < _FULL]
        writable = [line for line in self.lines if line.waiting]
        ready, free, _ = select.select([line.source for line in readable], [line.sink for line in writable], [], wait_s)
        moved = False
        for line in writable:
            if line.sink in free:
                moved = line.write() > 0 or moved
        for line in readable:
            if line.source in ready:
                if not line.read():
                    raise line.ended()
                moved = True
        now = time.monotonic()
        if moved:
            self._moved_at = now
            self._beat()
        elif now - self._moved_at > self._stall_s:
            names = ", ".join(line.name for line in self.lines)
            raise Cut(
                Text(
                    "{s} 秒没有任何数据往来（{n}）：连接似乎已断",
                    "Nothing moved for {s} s ({n}): the connection seems dead",
                ).format(s=round(self._stall_s), n=names)
            )
