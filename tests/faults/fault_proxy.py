"""A TCP line that breaks as lines in server rooms do: cut after so many bytes, silent, or refused."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

_CHUNK = 16_384
_LINGER_NONE = struct.pack("ii", 1, 0)


def _bound(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    return made


class FaultProxy:
    """Listens on `address`:`port` of the loopback (0: any port) and forwards to `target`.

    Healthy until told otherwise. `cut_after(n)`: all lines are reset once n more bytes have passed, and new ones at once until
    `heal()`; `black_hole()`: what is open and what is opened stays open, and nothing passes; `refuse()`: nobody listens.
    """

    def __init__(self, target: tuple[str, int], port: int = 0) -> None:
        self._target = target
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._left: int | None = None
        self._silent = threading.Event()
        self._over = False
        self.cuts = 0
        self.passed = 0
        """Bytes forwarded so far, both ways together."""
        # While it refuses, nobody else may be given the port.
        self._kept = _bound(port)
        self._port: int = self._kept.getsockname()[1]
        self._listen()

    @property
    def port(self) -> int:
        return self._port

    def cut_after(self, count: int) -> None:
        with self._lock:
            self._left = count
        if count == 0:
            self._reset_all()

    def black_hole(self) -> None:
        self._silent.set()

    def refuse(self) -> None:
        self._stop_listening()
        self._reset_all()

    def heal(self) -> None:
        """What is cut stays cut; new lines are good. What was held back in silence goes on."""
        with self._lock:
            self._left = None
        self._silent.clear()
        if self._listener.fileno() == -1:
            self._listen()

    def close(self) -> None:
        self._over = True
        self._stop_listening()
        self._kept.close()
        self._silent.clear()
        self._reset_all()

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _listen(self) -> None:
        self._listener = _bound(self._port)
        self._listener.listen(64)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while not self._over:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            if self._left is not None and self._left <= 0:
                _reset(near)
                continue
            try:
                far = socket.create_connection(self._target, timeout=10)
            except OSError:
                _reset(near)
                continue
            far.settimeout(None)
            with self._lock:
                self._open |= {near, far}
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                while self._silent.is_set() and not self._over:
                    time.sleep(0.02)
                data, last = self._allowed(data)
                sink.sendall(data)
                if last:
                    self._cut()
                    return
            sink.shutdown(socket.SHUT_WR)

    def _allowed(self, data: bytes) -> tuple[bytes, bool]:
        """What may still pass, and whether the line is cut behind it."""
        with self._lock:
            if self._left is None:
                self.passed += len(data)
                return data, False
            data = data[: max(0, self._left)]
            self._left -= len(data)
            self.passed += len(data)
            return data, self._left <= 0

    def _cut(self) -> None:
        with self._lock:
            # The other direction may come here late, when the line has been healed and new ones are open.
            if self._left is None:
                return
            self.cuts += 1
        self._reset_all()

    def _stop_listening(self) -> None:
        # A mere close leaves it listening for as long as the other thread waits in accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _reset_all(self) -> None:
        with self._lock:
            going, self._open = self._open, set()
        for one in going:
            _reset(one)


def _reset(line: socket.socket) -> None:
    """A reset, not a clean end: the other side must see a broken line."""
    with suppress(OSError):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        line.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        line.close()


def wait_for(what: Callable[[], bool], seconds: float = 30.0) -> None:
    """Raises AssertionError when it does not become true in time."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.02)
