"""`govcloud catalog`: what may be asked for, in which version, what changes, and whether a catalog somebody writes is whole.

Missed otherwise: a department that plans with last year's prices, or keeps a service that is switched off.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from govcloud import resources
from govcloud.cli.main import run

SAMPLES = resources.folder("service_catalog") / "catalogs"
CATALOG = ("--catalog", "sample-provincial")
VERSIONS = ("sample-municipal@示例-2025", "sample-municipal@示例-2026")
REQUEST = """\
department: 示例局
system_id: SL-01
system_name: 示例系统
applied_on: 2025-06-02
lines:
  - {line: 1, what: 服务器, code: M-ECS-G2, quantity: 2, spec: {vcpu: 4, memory_gib: 16}}
  - {line: 2, what: 远程接入, code: M-VPN-00, quantity: 10}
  - {line: 3, what: 身份认证, code: M-UID-01, quantity: 1}
  - {line: 4, what: 传真, code: M-FAX-01, quantity: 1}
"""


@pytest.fixture
def workspace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Of the county that uses the city's catalog."""
    assert run(["init", str(tmp_path / "w"), "--site", "jiaocheng"]) == 0
    capsys.readouterr()
    return tmp_path / "w"


def shown(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    assert run(["--format", "json", *words]) == code
    return json.loads(capsys.readouterr().out)


class TestList:
    def test_the_catalog_of_the_workspace_is_the_default(
        self, workspace: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        found = shown(capsys, "-w", str(workspace), "catalog", "list")["offerings"]
        assert (found["catalog"], found["official"]) == ("sample-municipal", False)
        assert found["classes"]["machine_room"]

    def test_a_day_picks_the_version_and_the_states(self, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for on, version, status in (
            ("2025-07-01", "示例-2025", "active"), ("2026-07-01", "示例-2026", "closed_to_new"), ("2026-10-01", "示例-2026", "retired"),
        ):  # fmt: skip
            found = shown(capsys, "-w", str(workspace), "catalog", "list", "--on", on)["offerings"]
            states = {row["code"]: row["status"] for row in found["rows"]}
            assert (found["version"], states["M-VPN-00"]) == (version, status)

    @pytest.mark.parametrize(
        ("words", "every"),
        [
            (("--layer", "paas"), lambda row: row["layer"] == "paas"),
            (("--class", "relational_database"), lambda row: row["class"] == "relational_database"),
            (("--zone", "internet"), lambda row: "internet" in row["zone"]),
        ],
    )
    def test_filters(self, words: tuple[str, ...], every: Any, capsys: pytest.CaptureFixture[str]) -> None:
        rows = shown(capsys, "--lang", "zh", "catalog", "list", *CATALOG, *words)["offerings"]["rows"]
        everything = shown(capsys, "--lang", "zh", "catalog", "list", *CATALOG)["offerings"]["rows"]
        assert 0 < len(rows) < len(everything)
        assert rows == [row for row in everything if every(row)]

    @pytest.mark.parametrize(
        ("text", "codes"),
        [
            ("国密", {"P-VPN-01", "P-CR-VPN"}), ("p-seal", {"P-SEAL-01"}), ("time stamps", {"P-CR-SIG"}),
            ("许可含在服务内", {"P-DB-SGL", "P-DB-HA", "P-DB-CLU"}), ("没有这种服务", set()),
        ],
    )  # fmt: skip
    def test_find_looks_at_codes_names_and_descriptions_in_both_languages(
        self, text: str, codes: set[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        rows = shown(capsys, "catalog", "list", *CATALOG, "--find", text)["offerings"]["rows"]
        assert {row["code"] for row in rows} == codes

    def test_architecture_and_make(self, capsys: pytest.CaptureFixture[str]) -> None:
        def codes(*words: str) -> set[str]:
            return {r["code"] for r in shown(capsys, "catalog", "list", *CATALOG, *words)["offerings"]["rows"]}

        machines = ("--class", "virtual_machine")
        assert codes(*machines, "--arch", "loongarch64") == {"P-VM-LA"}
        assert codes(*machines, "--domestic") | codes(*machines, "--not-domestic") == codes(*machines)
        assert "P-VM-X86" in codes(*machines, "--not-domestic")
        assert "P-LB-01" in codes("--arch", "aarch64"), "what runs on any architecture suits this one"

    @pytest.mark.parametrize(
        "words",
        [
            ("show", "NOPE", *CATALOG), ("list", "--catalog", "nosuch"), ("list", "--catalog", "sample-municipal@1999"),
            ("list", *CATALOG, "--layer", "x"), ("list", *CATALOG, "--class", "nosuch"), ("list", *CATALOG, "--on", "someday"),
            ("diff", "nosuch", "sample-municipal"),
        ],
    )  # fmt: skip
    def test_what_is_not_there_is_a_usage_error(
        self, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["--lang", "zh", "catalog", *words]) == 2
        assert capsys.readouterr().err

    def test_a_named_workspace_that_is_none_is_told(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["-w", str(tmp_path), "catalog", "versions"]) == 2
        assert str(tmp_path) in capsys.readouterr().err


def test_one_offering_speaks_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    both = "通用云主机（x86） / General virtual machine (x86)"
    for lang, words in (("zh", ("示例", "42.00/核", "政务外网区", "5.1 计算")), ("en", ("sample", "42.00/vCPU", "extranet zone", "5.1 computing"))):  # fmt: skip
        assert run(["--lang", lang, "catalog", "show", "p-vm-x86", *CATALOG]) == 0
        text = capsys.readouterr().out
        assert all(word in text for word in (*words, both, "99.95")), text
    found = shown(capsys, "catalog", "show", "P-VM-X86", *CATALOG)["offering"]
    assert found["price"] == {"fen": 0, "period": "month", "vcpu_fen": 4200, "memory_gib_fen": 2100}


class TestVersions:
    def test_ours_and_the_workspaces_own(self, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
        own = workspace / "service_catalog" / "catalogs" / "sample-municipal" / "示例-2026"
        shutil.copytree(SAMPLES / "sample-municipal" / "示例-2026", own)
        (own / "catalog.yaml").write_text(
            (own / "catalog.yaml").read_text("utf-8").replace("official: false", "official: true"), "utf-8"
        )
        found = shown(capsys, "-w", str(workspace), "catalog", "versions", "--on", "2026-03-02")["catalog_versions"]
        rows = {(r["catalog_id"], r["version"]): r for r in found["rows"]}
        assert set(rows) == {("sample-municipal", "示例-2026"), ("sample-provincial", "示例-2026")}
        mine = rows["sample-municipal", "示例-2026"]
        assert (mine["own"], mine["official"], mine["in_force"], mine["faults"]) == (True, True, True, 0)
        assert mine["folder"] == str(own) and mine["offerings"] >= 80
        assert shown(capsys, "-w", str(workspace), "catalog", "list")["offerings"]["official"] is True

    def test_a_faulty_version_is_listed_as_such(self, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
        own = workspace / "service_catalog" / "catalogs" / "county" / "1"
        own.mkdir(parents=True)
        (own / "catalog.yaml").write_text("id: county\n", "utf-8")
        rows = shown(capsys, "-w", str(workspace), "catalog", "versions")["catalog_versions"]["rows"]
        (faulty,) = [r for r in rows if r["catalog_id"] == "county"]
        assert faulty["faults"] > 3 and faulty["offerings"] is None and faulty["in_force"] is False
        assert len(rows) == 4


class TestValidate:
    def test_all_faults_of_a_folder_in_one_run(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        folder = shutil.copytree(SAMPLES / "sample-municipal" / "示例-2026", tmp_path / "own")
        assert run(["--lang", "zh", "catalog", "validate", str(folder)]) == 0
        assert "目录有效" in capsys.readouterr().out
        for old, new in (
            ("code: M-ECS-S1", "code: M-ECS-G2"),
            ('yuan: "2900.00"', 'yuan: "2900.001"'),
            ("step: 100", "step: 0"),
        ):
            file = folder / "iaas.yaml"
            file.write_text(file.read_text("utf-8").replace(old, new, 1), "utf-8")
        for named in (folder, folder / "catalog.yaml", tmp_path):
            rows = shown(capsys, "catalog", "validate", str(named), code=3)["catalog_faults"]["rows"]
            assert {r["code"] for r in rows} == {"M-ECS-G2", "M-BMS-01", "M-NAS-01"}
            assert all(r["where"].startswith(f"{folder}/iaas.yaml:") for r in rows)
        assert run(["--format", "csv", "catalog", "validate", str(folder)]) == 3
        assert len(list(csv.reader(io.StringIO(capsys.readouterr().out)))) >= 4
        assert run(["--lang", "en", "catalog", "validate", str(tmp_path / "none")]) == 3
        assert "No such file" in capsys.readouterr().out
        assert run(["--lang", "en", "catalog", "list", "--catalog", str(folder)]) == 3
        message = capsys.readouterr().err
        assert "iaas.yaml:" in message and "3 in all" in message


class TestDiff:
    def test_without_a_workspace_only_the_differences(self, capsys: pytest.CaptureFixture[str]) -> None:
        found = shown(capsys, "--lang", "zh", "catalog", "diff", *VERSIONS)
        assert set(found) == {"catalog_diff"}
        rows = {(r["code"], r["kind"]): r for r in found["catalog_diff"]["rows"]}
        assert rows["M-BWD-01", "price"]["pct"] == "-15.4%"
        assert rows["M-VPN-00", "retired"]["successor"] == "M-VPN-01"
        assert found["catalog_diff"]["counts"]["removed"] == 2
        (price,) = [p for p in found["catalog_diff"]["prices"] if p["code"] == "M-BWD-01"]
        assert price["changes"] == [{"part": "fen", "before_fen": 6500, "after_fen": 5500, "pct": -15.38}]

    def test_a_catalog_and_itself(self, capsys: pytest.CaptureFixture[str]) -> None:
        path = str(SAMPLES / "sample-municipal" / "示例-2026")
        assert run(["--lang", "en", "catalog", "diff", path, VERSIONS[1]]) == 0
        assert "No differences" in capsys.readouterr().out

    def test_the_running_requests_that_are_touched(self, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
        request = workspace / "示例申请.yaml"
        request.write_text(REQUEST, "utf-8")
        assert run(["-w", str(workspace), "check", "request", str(request)]) == 0, capsys.readouterr()
        capsys.readouterr()
        found = shown(capsys, "-w", str(workspace), "catalog", "diff", *VERSIONS, code=1)["touched_requests"]
        rows = {r["code"]: r for r in found["rows"]}
        assert set(rows) == {"M-ECS-G2", "M-VPN-00", "M-FAX-01"}, "the identity service goes on as it is"
        assert (rows["M-ECS-G2"]["monthly_yuan"], rows["M-ECS-G2"]["difference_yuan"]) == ("960.00", "-48.00")
        assert rows["M-FAX-01"]["difference_yuan"] is None
        assert rows["M-ECS-G2"]["system"] == "示例系统 (SL-01)"
        for lang, words in (
            ("zh", ("改用 M-VPN-01", "调整预算", "没有后续服务")),
            ("en", ("Move to M-VPN-01", "Change the budget")),
        ):
            assert run(["-w", str(workspace), "--lang", lang, "catalog", "diff", *VERSIONS]) == 1
            text = capsys.readouterr().out
            assert all(word in text for word in words), text

    def test_nothing_is_touched_that_is_on_the_later_version(
        self, workspace: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        found = shown(capsys, "-w", str(workspace), "catalog", "diff", *VERSIONS)["touched_requests"]
        assert found["rows"] == []
        request = workspace / "示例申请.yaml"
        text = REQUEST.replace("2025-06-02", "2026-06-02").partition("  - {line: 2")[0]
        request.write_text(text, "utf-8")
        assert run(["-w", str(workspace), "check", "request", str(request)]) == 0, capsys.readouterr()
        capsys.readouterr()
        assert shown(capsys, "-w", str(workspace), "catalog", "diff", *VERSIONS)["touched_requests"]["rows"] == []
