"""`govcloud serve` as a service runs it: the port, TLS, who may reach it, and that it stops when told to."""

from __future__ import annotations

import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from full_office import make_office
from served import PASSWORD, csrf

from govcloud.cli.main import run
from govcloud.workflow.init import init_workspace

ROOT = Path(__file__).parents[2]
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what is refused


@dataclass(frozen=True)
class Started:
    process: subprocess.Popen[str]
    address: str
    """As it told, with the key where there is one."""

    @property
    def origin(self) -> str:
        return str(httpx.URL(self.address).copy_with(path="/", query=None)).rstrip("/")

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Exit code and what it complained of."""
        self.process.send_signal(with_signal)
        _, complaints = self.process.communicate(timeout=60)
        return self.process.returncode, complaints


@contextmanager
def started(workspace: Path, *options: str) -> Iterator[Started]:
    who = ["--user", "admin"] if (workspace.parent / "password").exists() else []
    command = [
        sys.executable,
        "-m",
        "govcloud",
        "-w",
        str(workspace),
        "--lang",
        "en",
        *who,
        "serve",
        "--port",
        "0",
        *options,
    ]
    env = {**os.environ, "PYTHONUNBUFFERED": "1", "GOVCLOUD_PASSWORD_FILE": str(workspace.parent / "password")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=env)
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"https?://\S+", said)
        assert found, said + (process.stderr.read() if process.stderr else "")
        yield Started(process, found[0])
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate(timeout=60)


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """A workspace without accounts."""
    init_workspace(tmp_path / "alone", "shanxi", actor="张示例")
    return tmp_path / "alone"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A workspace with accounts, and its run; its administrator's password lies in the file beside it."""
    folder = tmp_path_factory.mktemp("office") / "w"
    secret = folder.parent / "password"
    secret.write_text(PASSWORD, "utf-8")
    secret.chmod(0o600)
    with make_office(folder) as made:
        yield folder, made.run_id


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    cert, key = tmp_path / "web.pem", tmp_path / "web.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert,
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    key.chmod(0o600)
    return cert, key


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_in_order_when_told_to(alone: Path, by: signal.Signals) -> None:
    with started(alone) as running:
        assert httpx.get(running.origin + "/sign-in").status_code == 200
        assert running.stop(by) == (0, "")


def test_an_open_live_page_does_not_hold_up_the_stop(office: tuple[Path, str]) -> None:
    folder, run_id = office
    with (
        started(folder) as running,
        httpx.Client(base_url=running.origin, follow_redirects=True, timeout=60) as browser,
    ):
        assert browser.post("/sign-in", data={"login": "builder", "password": PASSWORD}).status_code == 200
        with browser.stream("GET", f"/runs/{run_id}/live") as live:
            assert next(live.iter_lines()).startswith("event:")
            assert running.stop() == (0, "")


def test_the_port_of_another_server_is_not_taken(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with started(alone) as running:
        port = str(httpx.URL(running.origin).port)
        assert run(["-w", str(alone), "--lang", "en", "serve", "--port", port]) == 4
    said = capsys.readouterr().err
    assert "--port" in said
    assert "Traceback" not in said


def test_over_tls_the_cookie_goes_nowhere_else(alone: Path, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    with started(alone, "--tls-cert", str(cert), "--tls-key", str(key)) as running:
        trusted = ssl.create_default_context(cafile=str(cert))
        with httpx.Client(verify=trusted, timeout=60) as browser:
            entered = browser.get(running.address)
            assert entered.headers["location"] == "/"
            assert "secure" in entered.headers["set-cookie"].lower()
            assert entered.headers["strict-transport-security"]
            page = browser.get(running.origin + "/systems")
            origin = {"Origin": running.origin}
            left = browser.post(running.origin + "/sign-out", data={"csrf": csrf(page)}, headers=origin)
            assert left.status_code == 303


def test_behind_a_reverse_proxy_forms_work_and_guesses_are_counted_by_guest(office: tuple[Path, str]) -> None:
    folder, _ = office
    with started(folder, "--proxy", "--name", "cloud.example") as running:
        assert running.address == "https://cloud.example"
        port = _port_of(running.process.pid)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as proxy:

            def sign_in(guest: str) -> int:
                headers = {"Host": "cloud.example", "Origin": "https://cloud.example", "X-Forwarded-For": guest}
                return proxy.post(
                    "/sign-in", data={"login": "nobody", "password": "x" * 20}, headers=headers
                ).status_code

            assert [sign_in("192.0.2.1") for _ in range(12)][-1] == 429
            assert sign_in("192.0.2.2") == 401


def test_without_a_proxy_nobody_gets_a_new_address_for_each_guess(office: tuple[Path, str]) -> None:
    folder, _ = office
    with started(folder) as running, httpx.Client(base_url=running.origin) as guesser:
        guesses = [
            guesser.post("/sign-in", data={"login": "nobody", "password": "x" * 20}, headers={"X-Forwarded-For": f"192.0.2.{n}"})
            for n in range(12)
        ]  # fmt: skip
        assert guesses[-1].status_code == 429


def _port_of(pid: int) -> int:
    """The only port on which the process listens, as the kernel knows it."""
    inodes = {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()}
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    (port,) = [int(line[1].split(":")[1], 16) for line in lines if line[3] == "0A" and f"socket:[{line[9]}]" in inodes]
    return port


@pytest.mark.parametrize(
    ("options", "needs"),
    [
        (("--host", EVERYWHERE), "--tls-cert"),
        (("--host", "192.0.2.1"), "--tls-cert"),
        (("--proxy",), "--name"),
        (("--proxy", "--name", "cloud.example", "--host", EVERYWHERE), "--proxy"),
        (("--name", "a b"), "--name"),
        (("--tls-cert", "/nowhere/web.pem"), "--tls-key"),
    ],
)
def test_what_would_be_open_to_others_unprotected_is_refused(
    office: tuple[Path, str], capsys: pytest.CaptureFixture[str], options: tuple[str, ...], needs: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    folder, _ = office
    monkeypatch.setenv("GOVCLOUD_PASSWORD_FILE", str(folder.parent / "password"))
    assert run(["-w", str(folder), "--lang", "en", "--user", "admin", "serve", "--port", "0", *options]) == 2
    assert needs in capsys.readouterr().err


def test_other_machines_come_in_only_where_accounts_are_kept(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-w", str(alone), "--lang", "en", "serve", "--host", EVERYWHERE]) == 2
    assert "accounts add" in capsys.readouterr().err


def test_a_key_that_others_can_read_is_refused(alone: Path, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    key.chmod(0o644)
    assert run(["-w", str(alone), "serve", "--port", "0", "--tls-cert", str(cert), "--tls-key", str(key)]) == 3


def test_a_key_of_another_certificate_is_refused(
    alone: Path, certificate: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    cert, key = certificate
    key.write_bytes(subprocess.run(["openssl", "genrsa", "2048"], check=True, capture_output=True, timeout=60).stdout)
    assert run(["-w", str(alone), "serve", "--port", "0", "--tls-cert", str(cert), "--tls-key", str(key)]) == 3
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.servers
def test_systemd_takes_the_service_as_it_is_written(tmp_path: Path) -> None:
    unit = (ROOT / "packaging" / "systemd" / "govcloud-serve.service").read_text("utf-8")
    installed = tmp_path / "govcloud-serve.service"
    installed.write_text(unit.replace("/opt/govcloud/bin/govcloud", sys.executable).replace("file:/opt", "file:///opt"))
    checked = subprocess.run(["systemd-analyze", "verify", installed], capture_output=True, text=True, timeout=60)
    assert (checked.returncode, checked.stderr) == (0, "")
