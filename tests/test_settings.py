"""A workspace is found from any folder inside it; a wrong site or a wrong setting is told with the choice or the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from govcloud.errors import InputError, UsageError
from govcloud.settings import FILE, load_settings, load_site, open_workspace, site_ids
from govcloud.workflow.init import FOLDERS, init_workspace


def test_every_site_has_settings_that_hold() -> None:
    assert site_ids() == ["jiaocheng", "jincheng", "shandong", "shanxi"]
    for site in site_ids():
        settings = load_site(site)
        assert settings.site == site
        assert settings.jurisdiction and settings.catalog and settings.timezone == "Asia/Shanghai"


def test_an_unknown_site_names_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        load_site("atlantis")
    assert "shanxi" in caught.value.message("zh") and "atlantis" in caught.value.message("en")


@pytest.mark.parametrize("site", ["../secret", "shanxi/../../x", ""])
def test_a_site_is_a_name_never_a_path(site: str) -> None:
    with pytest.raises(UsageError):
        load_site(site)


def test_a_workspace_is_found_from_a_folder_inside_it(tmp_path: Path) -> None:
    init_workspace(tmp_path / "w", "shanxi", actor="张示例")
    inside = tmp_path / "w" / "evidence" / "2026"
    inside.mkdir()
    workspace = open_workspace(inside)
    assert workspace.path == tmp_path / "w"
    assert workspace.database_url == f"sqlite:///{tmp_path / 'w' / 'govcloud.db'}"


def test_a_workspace_has_its_folders_and_they_are_private(tmp_path: Path) -> None:
    workspace = init_workspace(tmp_path / "w", "jincheng", actor="张示例")
    for name in FOLDERS:
        assert (workspace.path / name).stat().st_mode & 0o077 == 0
    assert workspace.folder("keys").stat().st_mode & 0o077 == 0


def test_a_second_init_changes_nothing(tmp_path: Path) -> None:
    init_workspace(tmp_path / "w", "shanxi", actor="张示例")
    before = (tmp_path / "w" / FILE).read_bytes()
    with pytest.raises(UsageError):
        init_workspace(tmp_path / "w", "jincheng", actor="张示例")
    assert (tmp_path / "w" / FILE).read_bytes() == before


def test_an_unknown_site_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        init_workspace(tmp_path / "w", "atlantis", actor="张示例")
    assert not (tmp_path / "w").exists()


def test_without_a_workspace_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_workspace(tmp_path)
    assert "govcloud init" in caught.value.message("zh")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("site: shanxi\n", "name"),
        ("site: shanxi\nname: x\njurisdiction: SX19\ncatalog: y\n", "jurisdiction"),
        ("site: shanxi\nname: x\njurisdiction: [SX19]\ncatalog: y\ntimezone: 8\n", "timezone"),
        ("site: shanxi\nname: x\njurisdiction: [SX19]\ncatalog: y\nprecedance: {}\n", "precedance"),
        ("site: shanxi\nname: x\njurisdiction: [SX19]\ncatalog: y\ntimezone: Asia/Nowhere\n", "Asia/Nowhere"),
        ("- a\n", ""),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / FILE
    file.write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        load_settings(file)
    assert str(file) in caught.value.message("zh") and named in caught.value.message("zh")


def test_another_database_is_used_as_it_is_written(tmp_path: Path) -> None:
    workspace = init_workspace(tmp_path / "w", "shanxi", actor="张示例")
    file = workspace.path / FILE
    for url in ("postgresql+psycopg://u@db/govcloud", f"sqlite:////{tmp_path}/other.db"):
        file.write_text(f"site: shanxi\nname: x\njurisdiction: [SX19]\ncatalog: y\ndatabase: {url}\n", "utf-8")
        assert open_workspace(workspace.path).database_url == url
