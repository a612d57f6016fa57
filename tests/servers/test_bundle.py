"""The offline bundle on a machine without a network: a namespace that has not even a loopback that is up."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
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


@pytest.fixture
def bundle(tar: Path, tmp_path: Path) -> Path:
    subprocess.run(["tar", "-xf", str(tar), "-C", str(tmp_path)], check=True)
    return tmp_path / tar.name.removesuffix(".tar")


def offline(*argv: str | Path, cwd: Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """In a network namespace of its own, where nothing is up."""
    environment = {"PATH": path or os.environ["PATH"], "HOME": str(cwd), "LANG": "C.UTF-8"}
    return subprocess.run(
        ["unshare", "-n", *map(str, argv)],
        cwd=cwd, capture_output=True, text=True, check=False, env=environment, timeout=900,
    )  # fmt: skip


def install(bundle: Path, prefix: Path, **how: str) -> subprocess.CompletedProcess[str]:
    return offline(bundle / "install.sh", "--prefix", prefix, "--python", sys.executable, cwd=bundle.parent, **how)


def test_a_machine_without_network_gets_a_workspace_with_data_and_a_sound_ledger(bundle: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "opt"
    done = install(bundle, prefix)
    assert done.returncode == 0, done.stdout + done.stderr
    govcloud = prefix / "bin" / "govcloud"
    for argv in (
        ("init", "city", "--site", "shanxi"),
        ("-w", "city", "import", ROOT / "inventory" / "sample" / "workbooks" / "示例信访局-普查表.xlsx"),
        ("-w", "city", "audit", "checkpoint"),
        ("-w", "city", "audit", "verify"),
        ("-w", "city", "doctor"),
    ):
        done = offline(govcloud, *argv, cwd=tmp_path)
        assert done.returncode == 0, f"{argv}\n{done.stdout}{done.stderr}"
    listed = json.loads(
        offline(govcloud, "-w", "city", "--format", "json", "inventory", "systems", cwd=tmp_path).stdout
    )
    assert listed["systems"]["rows"]
    upgraded_and_broken(bundle, prefix)


def upgraded_and_broken(bundle: Path, prefix: Path) -> None:
    """A second installation beside the first; a third one that fails leaves everything as it is. (Each takes a minute.)"""
    first = (prefix / "current").resolve()
    assert install(bundle, prefix).returncode == 0
    second = (prefix / "current").resolve()
    assert second != first and (prefix / "previous").resolve() == first
    wheel = next((bundle / "wheels").glob("click-*.whl"))
    wheel.unlink()
    sums = bundle / "SHA256SUMS"
    sums.write_text("".join(line for line in sums.read_text().splitlines(keepends=True) if "click-" not in line))
    done = install(bundle, prefix)
    assert done.returncode != 0
    assert (prefix / "current").resolve() == second and (prefix / "previous").resolve() == first
    assert sorted(p for p in (prefix / "versions").iterdir()) == sorted([first, second])
    assert offline(prefix / "bin" / "govcloud", "--version", cwd=bundle).returncode == 0


@pytest.mark.parametrize("victim", ["install.sh", "requirements.txt", "PLATFORM", "sbom.cdx.json"])
def test_a_changed_file_is_refused_before_anything_is_installed(bundle: Path, tmp_path: Path, victim: str) -> None:
    with (bundle / victim).open("ab") as stream:
        stream.write(b"\n")
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
    (bundle / "PLATFORM").write_text(wanted)
    sums = bundle / "SHA256SUMS"
    digest = hashlib.sha256(wanted.encode()).hexdigest()
    lines = [line for line in sums.read_text().splitlines() if not line.endswith("  PLATFORM")]
    sums.write_text("\n".join([*lines, f"{digest}  PLATFORM"]) + "\n")
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


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Booted]:
    """Booted by systemd; of networks it has a loopback only."""
    network = f"bundle-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", network], check=True)
    try:
        subprocess.run(["ip", "-n", network, "link", "set", "lo", "up"], check=True)
        with Booted(tmp_path / "host", network) as booted:
            yield booted
    finally:
        subprocess.run(["ip", "netns", "del", network], check=True)


WORKSPACE = "/var/lib/govcloud/workspace"


def test_the_services_run_confined_as_their_own_user_and_leave_in_order(bundle: Path, host: Booted) -> None:
    """By the words of docs/admin.md, under a real systemd."""
    shutil.copytree(bundle, host.root / "srv" / "bundle")
    # Longer than `run` waits: it compiles the planner. Debian's Python: a service can't use one in somebody's home.
    argv = [*host.prefix, "/srv/bundle/install.sh", "--python", "/usr/bin/python3"]
    subprocess.run(argv, check=True, timeout=600, stdout=subprocess.DEVNULL)
    for command in (
        "systemd-sysusers /opt/govcloud/current/systemd/govcloud.sysusers",
        "install -d -o govcloud -g govcloud -m 700 /var/lib/govcloud",
        "cp /opt/govcloud/current/systemd/*.service /etc/systemd/system/ && systemctl daemon-reload",
        f"runuser -u govcloud -- /opt/govcloud/bin/govcloud init {WORKSPACE} --site shanxi",
        f"printf 'hosts: [{{name: a, address: 192.0.2.1, zone: 部门网}}]' > {WORKSPACE}/hosts.yaml",
        "mkdir -p /etc/govcloud && echo 'ZONES=\"--zone 部门网\"' > /etc/govcloud/worker-dept.env",
        "systemctl start govcloud-worker@dept govcloud-serve",
    ):
        host.run("sh", "-c", command)

    def state() -> str:
        listed = host.run(
            "runuser", "-u", "govcloud", "--",
            "/opt/govcloud/bin/govcloud", "-w", WORKSPACE, "--format", "json", "worker", "--list",
        )  # fmt: skip
        rows = json.loads(listed)["workers"]["rows"]
        return rows[0]["state"] if rows and rows[0]["zones"] == ["部门网"] else ""

    wait_until(lambda: state() == "alive", 60)
    page = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8787/').read(99))"
    wait_until(lambda: "html" in host.run("/usr/bin/python3", "-c", page, code=None), 60)
    host.run("systemctl", "stop", "govcloud-worker@dept", "govcloud-serve")
    assert state() == "left"
    for unit in ("govcloud-worker@dept", "govcloud-serve"):
        assert host.run("systemctl", "show", "-p", "Result", "--value", unit).strip() == "success"
