"""The offline bundle, and a host without a network that is installed from it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "execution"))

from booted import Booted  # noqa: E402 - a host with systemd, as the tests of services have it
from cell import wait_until  # noqa: E402

EPOCH = "1764547200"
pytestmark = [pytest.mark.root, pytest.mark.servers, pytest.mark.timeout(1200)]


def build(target: Path) -> Path:
    done = subprocess.run(
        [sys.executable, ROOT / "packaging" / "bundle.py", "-o", target], capture_output=True, text=True,
        check=False, env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH}, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def tar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def unpacked(tar: Path) -> Path:
    subprocess.run(["tar", "-xf", tar, "-C", tar.parent], check=True)
    return tar.with_suffix("")


@pytest.fixture
def bundle(unpacked: Path, tmp_path: Path) -> Path:
    """Hard links: what a test changes it has to put there anew."""
    subprocess.run(["cp", "-al", unpacked, tmp_path], check=True)
    return tmp_path / unpacked.name


def rewrite(file: Path, content: bytes) -> None:
    file.unlink()
    file.write_bytes(content)


def install(bundle: Path, prefix: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [bundle / "install.sh", "--prefix", prefix, "--python", sys.executable],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("victim", ["install.sh", "requirements.txt", "PLATFORM", "sbom.cdx.json"])
def test_a_changed_file_is_refused_before_anything_is_installed(bundle: Path, tmp_path: Path, victim: str) -> None:
    mode = (bundle / victim).stat().st_mode
    rewrite(bundle / victim, (bundle / victim).read_bytes() + b"\n")
    (bundle / victim).chmod(mode)
    done = install(bundle, tmp_path / "opt")
    assert done.returncode == 1 and victim in done.stderr
    assert "SHA256SUMS 不符" in done.stderr and "nothing was installed" in done.stderr
    assert not (tmp_path / "opt").exists()


@pytest.mark.parametrize(
    ("platform_line", "words"),
    [
        ("9.9 {machine} 2.17 0.1.0", ("适用于 Python 9.9", "for Python 9.9")),
        ("{python} sparc64 2.17 0.1.0", ("适用于 sparc64", "for sparc64")),
        ("{python} {machine} 2.99 0.1.0", ("需要 glibc 2.99", "glibc 2.99 or newer")),
    ],
)
def test_another_machine_is_refused_in_plain_words(
    bundle: Path, tmp_path: Path, platform_line: str, words: tuple[str, str]
) -> None:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    wanted = platform_line.format(machine=platform.machine(), python=python) + "\n"
    rewrite(bundle / "PLATFORM", wanted.encode())
    sums = bundle / "SHA256SUMS"
    digest = hashlib.sha256(wanted.encode()).hexdigest()
    lines = [line for line in sums.read_text().splitlines() if not line.endswith("  PLATFORM")]
    rewrite(sums, ("\n".join([*lines, f"{digest}  PLATFORM"]) + "\n").encode())
    done = install(bundle, tmp_path / "opt")
    assert done.returncode == 1 and all(word in done.stderr for word in words)
    assert not (tmp_path / "opt").exists()


def test_the_bill_of_materials_is_valid_and_names_every_wheel_with_digest_and_licence(bundle: Path) -> None:
    text = (bundle / "sbom.cdx.json").read_text("utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    parts = [*document["components"], document["metadata"]["component"]]
    named = {part["properties"][0]["value"]: part for part in parts}
    assert set(named) == {p.name for p in (bundle / "wheels").iterdir()}
    for name, part in named.items():
        assert part["hashes"][0]["content"] == hashlib.sha256((bundle / "wheels" / name).read_bytes()).hexdigest()
    assert not [part["name"] for part in document["components"] if not part.get("licenses")]
    assert {"psycopg", "boto3", "openstacksdk", "gmssl-pyx"} <= {part["name"] for part in parts}
    assert not {"pytest", "mypy", "pymerkle"} & {part["name"] for part in parts}


def test_every_file_is_under_the_digests_and_the_tar_under_its_own(bundle: Path, tar: Path) -> None:
    listed = {line.split("  ", 1)[1] for line in (bundle / "SHA256SUMS").read_text("utf-8").splitlines()}
    there = {str(p.relative_to(bundle)) for p in bundle.rglob("*") if p.is_file()}
    assert listed == there - {"SHA256SUMS"}
    beside = tar.with_name(tar.name + ".sha256").read_text()
    assert beside.split() == [hashlib.sha256(tar.read_bytes()).hexdigest(), tar.name]


def test_the_same_sources_give_the_same_bytes(tar: Path, tmp_path: Path) -> None:
    assert build(tmp_path).read_bytes() == tar.read_bytes()


def test_the_units_are_sound_and_tightly_confined(bundle: Path, tmp_path: Path) -> None:
    for unit in (bundle / "systemd").glob("*.service"):
        text = unit.read_text("utf-8")
        # The verifier wants the program to be there.
        copy = tmp_path / unit.name
        copy.write_text(text.replace("/opt/govcloud/bin/govcloud", shutil.which("true") or "/bin/true"), "utf-8")
        checked = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False, timeout=60
        )
        assert checked.returncode == 0 and unit.name not in checked.stderr, checked.stderr
        weighed = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--threshold=25", copy],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert weighed.returncode == 0, weighed.stdout[-300:]
        assert "User=govcloud" in text
        # What a worker began goes on when it is stopped; the dashboard begins nothing.
        assert ("KillMode=process" in text) == unit.name.startswith("govcloud-worker")


WORKSPACE = "/var/lib/govcloud/workspace"


@dataclass(frozen=True)
class Office:
    """A host booted by systemd whose only network is its loopback, installed by the words of docs/admin.md."""

    host: Booted

    def install(self, bundle: str, code: int = 0) -> None:
        # Longer than `run` waits: it compiles the planner. Debian's Python: a service can't use one in somebody's home.
        argv = [*self.host.prefix, f"{bundle}/install.sh", "--python", "/usr/bin/python3"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=900, check=False)
        assert done.returncode == code, done.stdout + done.stderr

    def govcloud(self, *argv: str) -> str:
        return self.host.run("runuser", "-u", "govcloud", "--", "/opt/govcloud/bin/govcloud", "-w", WORKSPACE, *argv)

    def where(self, link: str) -> str:
        return self.host.run("readlink", "-f", f"/opt/govcloud/{link}").strip()


@pytest.fixture(scope="module")
def office(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Installed once: it takes two minutes."""
    network = f"bundle-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", network], check=True)
    try:
        subprocess.run(["ip", "-n", network, "link", "set", "lo", "up"], check=True)
        with Booted(tmp_path_factory.mktemp("office") / "host", network) as host:
            shutil.copytree(unpacked, host.root / "srv" / "bundle")
            made = Office(host)
            made.install("/srv/bundle")
            for command in (
                "systemd-sysusers /opt/govcloud/current/systemd/govcloud.sysusers",
                "install -d -o govcloud -g govcloud -m 700 /var/lib/govcloud",
                f"runuser -u govcloud -- /opt/govcloud/bin/govcloud init {WORKSPACE} --site shanxi",
            ):
                host.run("sh", "-c", command)
            yield made
    finally:
        subprocess.run(["ip", "netns", "del", network], check=True)


def test_a_machine_without_network_gets_a_workspace_with_data_and_a_sound_ledger(office: Office) -> None:
    assert "default" not in office.host.run("ip", "route")
    for argv in (
        ("import", "/opt/govcloud/current/sample/workbooks/示例信访局-普查表.xlsx"),
        ("audit", "checkpoint"),
        ("audit", "verify"),
        ("doctor",),
    ):
        office.govcloud(*argv)
    assert json.loads(office.govcloud("--format", "json", "inventory", "systems"))["systems"]["rows"]


def test_an_upgrade_stands_beside_and_one_that_fails_changes_nothing(office: Office) -> None:
    first = office.where("current")
    office.install("/srv/bundle")
    second = office.where("current")
    assert second != first and office.where("previous") == first
    broken = office.host.root / "srv" / "broken"
    shutil.copytree(office.host.root / "srv" / "bundle", broken)
    next((broken / "wheels").glob("click-*.whl")).unlink()
    sums = broken / "SHA256SUMS"
    sums.write_text("".join(line for line in sums.read_text().splitlines(keepends=True) if "click-" not in line))
    office.install("/srv/broken", code=1)
    assert (office.where("current"), office.where("previous")) == (second, first)
    assert office.host.run("ls", "/opt/govcloud/versions").split() == sorted(Path(p).name for p in (first, second))
    assert "version" in office.govcloud("--version")


def test_the_services_run_confined_as_their_own_user_and_leave_in_order(office: Office) -> None:
    """By the words of docs/admin.md, under a real systemd."""
    host = office.host
    for command in (
        "cp /opt/govcloud/current/systemd/*.service /etc/systemd/system/ && systemctl daemon-reload",
        f"printf 'hosts: [{{name: a, address: 192.0.2.1, zone: 部门网}}]' > {WORKSPACE}/hosts.yaml",
        "mkdir -p /etc/govcloud && echo 'ZONES=\"--zone 部门网\"' > /etc/govcloud/worker-dept.env",
        "systemctl start govcloud-worker@dept govcloud-serve",
    ):
        host.run("sh", "-c", command)

    def state() -> str:
        rows = json.loads(office.govcloud("--format", "json", "worker", "--list"))["workers"]["rows"]
        return rows[0]["state"] if rows and rows[0]["zones"] == ["部门网"] else ""

    wait_until(lambda: state() == "alive", 60)
    page = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8787/').read(99))"
    wait_until(lambda: "html" in host.run("/usr/bin/python3", "-c", page, code=None), 60)
    host.run("systemctl", "stop", "govcloud-worker@dept", "govcloud-serve")
    assert state() == "left"
    for unit in ("govcloud-worker@dept", "govcloud-serve"):
        assert host.run("systemctl", "show", "-p", "Result", "--value", unit).strip() == "success"
