"""The broken line itself: a fault test whose line never broke would be green for nothing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from fault_proxy import FaultProxy
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def echo() -> Iterator[tuple[str, int]]:
    """Sends back what it gets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(line: socket.socket) -> None:
        with line, suppress(OSError):
            while data := line.recv(65536):
                line.sendall(data)

    def accept() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(line,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()
    listener.close()


def talk(port: int, data: bytes, timeout: float = 5) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as line:
        threading.Thread(target=_send, args=(line, data), daemon=True).start()
        got = b""
        while len(got) < len(data):
            part = line.recv(65536)
            if not part:
                break
            got += part
        return got


def _send(line: socket.socket, data: bytes) -> None:
    with suppress(OSError):
        line.sendall(data)


def test_a_healthy_line_passes_everything(echo: tuple[str, int]) -> None:
    data = bytes(range(256)) * 4096
    with FaultProxy(echo) as proxy:
        assert talk(proxy.port, data) == data and proxy.passed == 2 * len(data)


@settings(deadline=None, max_examples=30)
@given(count=st.integers(0, 200_000))
def test_a_cut_lets_exactly_so_many_bytes_through(echo: tuple[str, int], count: int) -> None:
    with FaultProxy(echo) as proxy:
        proxy.cut_after(count)
        try:
            got = talk(proxy.port, b"x" * 200_001)
        except OSError:
            got = b""
        assert len(got) < 200_001 and proxy.passed <= count and (proxy.cuts or not count)
        proxy.heal()
        assert talk(proxy.port, b"again") == b"again"


def test_a_black_hole_keeps_the_line_and_answers_nothing(echo: tuple[str, int]) -> None:
    with FaultProxy(echo) as proxy:
        proxy.black_hole()
        with pytest.raises(TimeoutError):
            talk(proxy.port, b"hello", timeout=0.5)
        proxy.heal()
        assert talk(proxy.port, b"hello") == b"hello"


def test_a_refused_line_is_refused_and_comes_back(echo: tuple[str, int]) -> None:
    with FaultProxy(echo) as proxy:
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            talk(proxy.port, b"hello")
        proxy.heal()
        assert talk(proxy.port, b"hello") == b"hello"
