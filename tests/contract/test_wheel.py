"""What is released works alone: the wheel, installed bare, run from another folder, brings its data with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from sources import ROOT

DATA = ("inventory", "playbooks", "regulations", "service_catalog")


def run(*argv: str | Path, cwd: Path = ROOT) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "GOVCLOUD", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(a) for a in argv], cwd=cwd, capture_output=True, text=True, timeout=300, check=False, env=clean
    )
    assert done.returncode == 0, f"{argv}\n{done.stdout}{done.stderr}"
    return done.stdout


def build(kind: str, source: Path, target: Path) -> Path:
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", target, cwd=source)
    (made,) = [p for p in target.iterdir() if p.suffix in {".whl", ".gz"}]
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def govcloud(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command. Dependencies come from the development environment, govcloud itself from the wheel only."""
    venv = tmp_path_factory.mktemp("bare") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", venv / "bin" / "python"]
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel)
    packages = venv / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    # A folder named in a .pth is searched, but the .pth files in it (our editable install) are not read.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return venv / "bin" / "govcloud"


def test_every_data_file_travels_in_the_wheel(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    for name in DATA:
        for path in (ROOT / name).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
                assert f"govcloud/_data/{path.relative_to(ROOT)}" in inside
    assert "govcloud/report/templates/report.html.j2" in inside
    assert "govcloud/store/migrations/env.py" in inside


def test_nothing_else_travels_in_the_wheel(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"govcloud"}
    assert not [n for n in zipfile.ZipFile(wheel).namelist() if n.endswith((".pyc", ".db", ".log"))]


def test_a_wheel_built_from_the_sdist_is_the_same(wheel: Path, tmp_path: Path) -> None:
    archive = build("sdist", ROOT, tmp_path / "sdist")
    shutil.unpack_archive(archive, tmp_path / "source")
    (source,) = (tmp_path / "source").iterdir()
    again = build("wheel", source, tmp_path / "again")
    assert set(zipfile.ZipFile(again).namelist()) == set(zipfile.ZipFile(wheel).namelist())


def test_the_installed_package_is_the_one_from_the_wheel(govcloud: Path, tmp_path: Path) -> None:
    where = run(govcloud.parent / "python", "-c", "import govcloud; print(govcloud.__file__)", cwd=tmp_path).strip()
    assert Path(where).is_relative_to(govcloud.parents[1])


def test_its_data_folders_are_found_inside_it(govcloud: Path, tmp_path: Path) -> None:
    program = f"from govcloud.resources import folder; print(*map(folder, {DATA!r}), sep='\\n')"
    found = [Path(line) for line in run(govcloud.parent / "python", "-c", program, cwd=tmp_path).splitlines()]
    assert [p.name for p in found] == list(DATA)
    for path in found:
        assert path.is_relative_to(govcloud.parents[1]) and any(path.iterdir())


def test_a_workspace_is_made_and_reported_on_from_another_folder(govcloud: Path, tmp_path: Path) -> None:
    assert "shanxi" not in run(govcloud, "--lang", "zh", "init", "w", "--site", "shanxi", cwd=tmp_path).splitlines()[0]
    run(govcloud, "-w", "w", "report", "-o", "out", cwd=tmp_path)
    assert "<html" in (tmp_path / "out" / "report.zh.html").read_text("utf-8")


def test_every_command_loads_from_the_wheel(govcloud: Path, tmp_path: Path) -> None:
    program = (
        "import click; from govcloud.cli.main import cli; context = click.Context(cli); names = cli.list_commands(context);"
        "print(len([cli.get_command(context, name).text.zh for name in names]), len(names))"
    )
    loaded, listed = run(govcloud.parent / "python", "-c", program, cwd=tmp_path).split()
    assert loaded == listed and int(listed) > 5
