"""What the doctor says of the dashboard: a certificate that ends and a provider that is away are seen before people are."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from govcloud.model.health import HealthLine
from govcloud.settings import open_workspace
from govcloud.web.health import examine_web
from govcloud.workflow.init import init_workspace

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return init_workspace(tmp_path / "w", "shanxi", actor="张示例").path


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """PEM files of a certificate that ends 60 days after NOW, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cloud.example")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=60))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    cert, private = tmp_path / "web.pem", tmp_path / "web.key"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private.write_bytes(key.private_bytes(*form))
    private.chmod(0o600)
    return cert, private


def lines(workspace: Path, service: Path, *, days: float = 0) -> dict[str, HealthLine]:
    found = examine_web(open_workspace(workspace), lambda: NOW + timedelta(days=days), service)
    return {line.key: line for line in found}


def options(folder: Path, text: str) -> Path:
    file = folder / "serve.env"
    file.write_text(f'# 看板\nOPTIONS="{text}"\nGOVCLOUD_TOKEN_FILE=/etc/govcloud/token\n', "utf-8")
    return file


@pytest.mark.parametrize(("days", "state"), [(0, "good"), (31, "note"), (61, "act")])
def test_a_certificate_that_ends_is_told_in_time(
    workspace: Path, certificate: tuple[Path, Path], tmp_path: Path, days: int, state: str
) -> None:
    cert, key = certificate
    service = options(tmp_path, f"--host 0.0.0.0 --tls-cert {cert} --tls-key={key}")
    assert lines(workspace, service, days=days)["tls"].state == state


def test_a_key_of_another_certificate_or_open_to_others_is_found(
    workspace: Path, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    cert, key = certificate
    service = options(tmp_path, f"--tls-cert {cert} --tls-key {key}")
    key.chmod(0o644)
    assert lines(workspace, service)["tls"].state == "act"
    other = ec.generate_private_key(ec.SECP256R1())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key.write_bytes(other.private_bytes(*form))
    key.chmod(0o600)
    assert lines(workspace, service)["tls"].state == "act"


def test_without_service_certificate_or_provider_there_is_nothing_to_say(workspace: Path, tmp_path: Path) -> None:
    assert lines(workspace, tmp_path / "none") == {}
    assert lines(workspace, options(tmp_path, "--proxy --name cloud.example")) == {}


@pytest.fixture
def issuer() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            at = f"http://127.0.0.1:{self.server.server_address[1]}"  # type: ignore[str-bytes-safe]
            names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            data = json.dumps({"issuer": at} | {name: f"{at}/{name}" for name in names}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_provider_is_asked_and_one_that_is_away_is_found(workspace: Path, tmp_path: Path, issuer: str) -> None:
    (workspace / "oidc.secret").write_text("示例口令\n", "utf-8")
    (workspace / "oidc.secret").chmod(0o600)
    settings = workspace / "govcloud.yaml"
    before = settings.read_text("utf-8")

    def said(address: str) -> HealthLine:
        web = f"\nweb:\n  oidc: {{issuer: '{address}', client_id: govcloud, client_secret_file: oidc.secret}}\n"
        settings.write_text(before + web, "utf-8")
        return lines(workspace, tmp_path / "none")["oidc"]

    assert said(issuer).state == "good"
    assert said(issuer + "/elsewhere").state == "act"
    away = said("http://127.0.0.1:1")
    assert away.state == "act" and away.to_do and "ConnectError" in away.found.en
    (workspace / "oidc.secret").chmod(0o644)
    assert said(issuer).state == "act"
    assert said("http://login.example").state == "act", "settings that are not valid"
