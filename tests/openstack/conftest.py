"""Shared by the tests of this folder: one real cloud for all of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# pytest's importlib mode puts no folder on the path.
sys.path.insert(0, str(Path(__file__).parent))

from archive import Archive, open_archive
from openstack_bed import Bed, start_bed


@pytest.fixture(scope="session")
def bed() -> Iterator[Bed]:
    """Started once (a minute and a half; the first time the services are installed as well) and gone afterwards."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "govcloud-openstack"
    with start_bed(cache) as running:
        yield running
    print("\nbed, seconds:", running.seconds)


@pytest.fixture(scope="module")
def project(bed: Bed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with open_archive(bed, tmp_path_factory.mktemp("archive")) as place:
        yield place


@pytest.fixture
def archive(project: Archive, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(project.folder / "clouds.yaml"))
    project.quota(cores=40, ram=64 * 1024, instances=10, key_pairs=20, ports=20)
    yield project
    project.empty()
