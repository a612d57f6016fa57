"""`govcloud catalog`: what may be asked for, and whether a catalog somebody writes is whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from govcloud import resources
from govcloud.cli.main import run

CATALOG = ("--catalog", "sample-provincial")


def test_the_offerings_of_a_layer(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--format", "json", "catalog", "list", *CATALOG, "--layer", "paas"]) == 0
    found = json.loads(capsys.readouterr().out)["offerings"]
    assert {row["layer"] for row in found["rows"]} == {"paas"}
    assert found["official"] is False
    assert found["classes"]["machine_room"]


def test_the_catalog_of_the_workspace_is_the_default(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(tmp_path / "w"), "--site", "jiaocheng"]) == 0
    capsys.readouterr()
    assert run(["-w", str(tmp_path / "w"), "--format", "json", "catalog", "list"]) == 0
    assert json.loads(capsys.readouterr().out)["offerings"]["catalog"] == "sample-municipal"


def test_one_offering_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    for lang, words in (("zh", ("示例", "42.00/核", "政务外网区")), ("en", ("sample", "42.00/vCPU", "extranet zone"))):
        assert run(["--lang", lang, "catalog", "show", "p-vm-x86", *CATALOG]) == 0
        text = capsys.readouterr().out
        assert all(word in text for word in words), text


@pytest.mark.parametrize(
    "words", [("show", "NOPE", *CATALOG), ("list", "--catalog", "nosuch"), ("list", "--layer", "x")]
)
def test_what_is_not_there_is_a_usage_error(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--lang", "zh", "catalog", *words]) == 2
    assert capsys.readouterr().err


def test_a_catalog_of_ones_own_is_validated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "own"
    shutil.copytree(resources.folder("service_catalog") / "catalogs" / "sample-municipal", folder)
    assert run(["--lang", "zh", "catalog", "validate", str(folder)]) == 0
    assert "目录有效" in capsys.readouterr().out
    iaas = folder / "iaas.yaml"
    iaas.write_text(iaas.read_text("utf-8").replace("code: M-ECS-S1", "code: M-ECS-G2"), "utf-8")
    assert run(["--lang", "zh", "catalog", "validate", str(folder / "catalog.yaml")]) == 3
    message = capsys.readouterr().err
    assert "M-ECS-G2" in message and "iaas.yaml" in message
    assert run(["--lang", "en", "catalog", "validate", str(tmp_path / "none")]) == 3
