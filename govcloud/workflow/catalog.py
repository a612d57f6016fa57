"""The service catalogs that are installed, and a catalog file that somebody is writing."""

from __future__ import annotations

from pathlib import Path

from govcloud import resources
from govcloud.compliance import catalog_source
from govcloud.errors import UsageError
from govcloud.model.catalog import Catalog, Offering
from govcloud.model.text import Text


def load_catalog(catalog_id: str) -> Catalog:
    """Raises UsageError for an unknown id, InputError for a catalog that does not add up."""
    return catalog_source.load_catalog(resources.folder("service_catalog"), catalog_id)


def read_catalog(path: Path) -> Catalog:
    """A catalog from its folder or its file. Raises InputError."""
    return catalog_source.read_catalog(path)


def find_offering(catalog: Catalog, code: str) -> Offering:
    """Raises UsageError for a code that the catalog does not have."""
    wanted = code.casefold()
    found = next((o for o in catalog.offerings if o.code.casefold() == wanted), None)
    if found is None:
        raise UsageError(
            Text("目录中没有这个编码", "The catalog has no such code"),
            where=code,
            next_step=Text("运行 govcloud catalog list 查看编码", "govcloud catalog list shows the codes"),
        )
    return found
