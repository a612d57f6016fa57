"""A request from a form passes the same checks as one in YAML."""

from __future__ import annotations

from pathlib import Path

import pytest

from govcloud import resources
from govcloud.compliance.catalog_source import load_catalog
from govcloud.compliance.request_source import build_request, load_request
from govcloud.errors import InputError
from govcloud.model.catalog import Catalog
from govcloud.safe_yaml import load_yaml

SAMPLES = sorted((resources.folder("inventory") / "sample" / "requests").glob("*.yaml"))
FORM = Path("申请.xlsx")
LINE = {"line": 1, "what": "服务器", "quantity": 1, "class": "virtual_machine", "spec": {}}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(resources.folder("service_catalog"), "sample-provincial")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_yaml_and_plain_values_are_the_same(path: Path, catalog: Catalog) -> None:
    assert load_request(path, catalog) == build_request(load_yaml(path), FORM, catalog)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([LINE, LINE], "行号重复"), ([{**LINE, "class": None}], "至少写一个"), ([{**LINE, "quantity": 0}], "正整数"),
        ([{**LINE, "class": "moon"}], "moon"), ([], "没有申请项"), ([{**LINE, "spec": {"memory_gib": 1.5}}], "memory_gib"),
    ],
)  # fmt: skip
def test_what_no_catalog_could_be_asked_is_refused(lines: list[object], words: str, catalog: Catalog) -> None:
    with pytest.raises(InputError) as error:
        build_request({"department": "示例局", "applied_on": "2026-03-02", "lines": lines}, FORM, catalog)
    assert words in error.value.what.zh and str(FORM) in error.value.where.zh
