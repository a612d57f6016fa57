"""Makes the offline bundle: `python packaging/bundle.py -o dist`, from an environment made by `make setup`.

One tar with the wheels of everything that govcloud needs on a machine like this one (same Python, same architecture), taken
by the digests of requirements.lock, the digests of what is inside, a bill of materials, an installer, service units and the
documents. The same commit, lock and Python give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from sbom import render_sbom

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("postgres", "clouds", "sm2", "oidc")
DOCUMENTS = ("README.md", "README.zh-CN.md", "CHANGELOG.md")
_NO_GIT_EPOCH = 1_580_601_600
"""What wheels are dated with where neither the environment nor git names a day (hatchling's own choice)."""
GLIBC = 28
"""2.28: Debian 10, openEuler 20.03 and the servers made from it. Wheels for newer C libraries are passed over."""


def main() -> None:
    parser = argparse.ArgumentParser(description="离线安装包 · offline bundle")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist")
    parser.add_argument("--machine", default=platform.machine(), help="x86_64, aarch64 (uname -m)")
    parser.add_argument(
        "--extras", nargs="*", choices=EXTRAS, default=EXTRAS, help="gmssl-pyx (sm2) has no wheel for aarch64"
    )
    arguments = parser.parse_args()
    target: Path = arguments.output.resolve()
    target.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"{write_bundle(target, arguments.machine, arguments.extras)}\n")


def write_bundle(target: Path, machine: str, extras: Sequence[str]) -> Path:
    """Write the tar and, beside it, its digest (to be told by another way). Returns the tar."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    name = f"govcloud-{project['version']}-linux-{machine}-py{python}"
    epoch = _epoch()
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / name
        wheels = folder / "wheels"
        wheels.mkdir(parents=True)
        _collect(needed(project, machine, extras), machine, wheels, Path(work))
        _run("hatchling", "build", "-t", "wheel", "-d", str(wheels), epoch=epoch)
        found = sorted(wheels.glob("*.whl"))
        (folder / "requirements.txt").write_text(_requirements(found), "utf-8")
        (folder / "sbom.cdx.json").write_text(render_sbom(found, epoch, machine), "utf-8")
        (folder / "PLATFORM").write_text(f"{python} {machine} 2.{GLIBC} {project['version']}\n", "ascii")
        shutil.copy(ROOT / "packaging" / "install.sh", folder)
        shutil.copytree(ROOT / "packaging" / "systemd", folder / "systemd")
        shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("*.py", "*.in", "__pycache__"))
        shutil.copytree(ROOT / "inventory" / "sample" / "workbooks", folder / "sample" / "workbooks")
        for document in DOCUMENTS:
            shutil.copy(ROOT / document, folder)
        files = sorted(p for p in folder.rglob("*") if p.is_file())
        sums = "".join(f"{_digest(p)}  {p.relative_to(folder)}\n" for p in files)
        (folder / "SHA256SUMS").write_text(sums, "utf-8")
        made = target / f"{name}.tar"
        _pack(folder, made, epoch)
    made.with_name(made.name + ".sha256").write_text(f"{_digest(made)}  {made.name}\n", "ascii")
    return made


def needed(project: dict[str, object], machine: str, extras: Sequence[str]) -> set[str]:
    """Names of all distributions that govcloud and these extras need: from the environment, which is the lock's."""
    optional: dict[str, list[str]] = project["optional-dependencies"]  # type: ignore[assignment]
    direct: list[str] = project["dependencies"]  # type: ignore[assignment]
    todo = [Requirement(line) for line in (*direct, *(line for extra in extras for line in optional[extra]))]
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        if (name, frozenset(wanted.extras)) in seen:
            continue
        seen.add((name, frozenset(wanted.extras)))
        environments = [{"extra": extra, "platform_machine": machine} for extra in (*wanted.extras, "")]
        needs = map(Requirement, metadata.distribution(name).requires or ())
        todo += [one for one in needs if one.marker is None or any(map(one.marker.evaluate, environments))]
    return {name for name, _ in seen}


def _collect(names: set[str], machine: str, wheels: Path, work: Path) -> None:
    """Wheels of these names by version and digest of the lock."""
    blocks = re.split(r"^(?=\S)", (ROOT / "requirements.lock").read_text("utf-8"), flags=re.M)
    chosen = [block for block in blocks if canonicalize_name(re.split(r"[=\[ ]", block, maxsplit=1)[0]) in names]
    (work / "chosen.txt").write_text("".join(chosen), "utf-8")
    # pip wants each tag named, newest first; manylinux2014 and those before it have names of their own.
    tags = [*(f"manylinux_2_{n}" for n in range(GLIBC, 4, -1)), "manylinux2014", "manylinux2010", "manylinux1", "linux"]
    platforms = [word for tag in tags for word in ("--platform", f"{tag}_{machine}")]
    pip = (
        "pip",
        "--disable-pip-version-check",
        "download",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
    )
    _run(*pip, *platforms, "-d", str(wheels), "-r", str(work / "chosen.txt"), epoch=_epoch())
    if missing := names - {parse_wheel_filename(p.name)[0] for p in wheels.glob("*.whl")}:
        raise SystemExit(f"requirements.lock 中没有 · not in requirements.lock: {', '.join(sorted(missing))}")


def _requirements(wheels: list[Path]) -> str:
    parsed = [(*parse_wheel_filename(p.name)[:2], _digest(p)) for p in wheels]
    return "".join(f"{name}=={number} --hash=sha256:{digest}\n" for name, number, digest in sorted(parsed))


def _pack(folder: Path, target: Path, epoch: int) -> None:
    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.mtime, member.uid, member.gid, member.uname, member.gname = epoch, 0, 0, "", ""
        member.mode = 0o755 if member.isdir() or member.name.endswith(".sh") else 0o644
        return member

    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.add(folder, folder.name, recursive=False, filter=plain)
        for path in sorted(folder.rglob("*")):
            archive.add(path, f"{folder.name}/{path.relative_to(folder)}", recursive=False, filter=plain)


def _epoch() -> int:
    if named := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(named)
    argv = ["git", "-c", "safe.directory=*", "log", "-1", "--format=%ct"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    return int(done.stdout) if done.returncode == 0 and done.stdout.strip() else _NO_GIT_EPOCH


def _run(module: str, *arguments: str, epoch: int) -> None:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, check=False, env=environment, stdout=sys.stderr
    )
    if done.returncode:
        raise SystemExit(done.returncode)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


if __name__ == "__main__":
    main()
