"""The service catalogs that are installed or kept in the workspace, and catalog files that somebody is writing."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from govcloud import resources
from govcloud.compliance import catalog_source
from govcloud.compliance.catalog_diff import build_diff, build_touched
from govcloud.errors import UsageError
from govcloud.model.catalog import Arch, Catalog, CatalogDiff, CatalogFault, CatalogVersion, Layer, Offering, Zone
from govcloud.model.text import Text
from govcloud.store import request as request_store
from govcloud.workflow.session import Session

_OWN = "service_catalog"


def load_catalog(name: str, on: date | None = None, workspace: Path | None = None) -> Catalog:
    """By `id` (in force on that day, by default the newest version) or `id@version`; the workspace's own come first.

    Raises UsageError for an unknown one, InputError for a catalog that does not add up.
    """
    return catalog_source.load_catalog(_shipped(), name, on, own=workspace / _OWN if workspace else None)


def read_catalog(path: Path) -> Catalog:
    """A catalog from its folder or its file. Raises InputError."""
    return catalog_source.read_catalog(path)


def verify_catalog(path: Path) -> list[CatalogFault]:
    """Everything that is wrong in a file, a version's folder, or all catalogs below a folder; never raises."""
    return catalog_source.verify_catalog(path)


def resolve_catalog(named: str, on: date | None = None, workspace: Path | None = None) -> Catalog:
    """A catalog by `id`, `id@version`, or the path of its folder or file. Raises UsageError, InputError."""
    path = Path(named)
    is_path = os.sep in named or path.is_file() or (path / "catalog.yaml").is_file()
    if not is_path:
        return load_catalog(named, on, workspace)
    found = read_catalog(path)
    return found.as_of(on) if on else found


def list_versions(on: date, workspace: Path | None = None) -> tuple[CatalogVersion, ...]:
    """Every version that is there, by id and first day; faulty ones with the number of their faults."""
    own = workspace / _OWN if workspace else None
    folders = catalog_source.version_folders(_shipped(), *((own,) if own else ()))
    found = [_version(folder, own, on) for versions in folders.values() for folder in versions]
    return tuple(sorted(found, key=lambda v: (v.catalog_id, v.effective_from or date.min, v.version)))


def _version(folder: Path, own: Path | None, on: date) -> CatalogVersion:
    faults = catalog_source.verify_catalog(folder)
    catalog = None if faults else catalog_source.read_catalog(folder)
    started = catalog is not None and catalog.effective_from <= on
    return CatalogVersion(
        catalog_id=folder.parent.name, version=folder.name, folder=str(folder),
        own=own is not None and folder.is_relative_to(own), faults=len(faults),
        in_force=catalog is not None and started and (catalog.effective_to is None or on <= catalog.effective_to),
        title=catalog.title if catalog else None, official=catalog.official if catalog else None,
        effective_from=catalog.effective_from if catalog else None, effective_to=catalog.effective_to if catalog else None,
        offerings=len(catalog.offerings) if catalog else None,
    )  # fmt: skip


def diff_catalogs(before: Catalog, after: Catalog, session: Session | None = None) -> CatalogDiff:
    """What changed, and with a session which lines of the department's running requests that reaches."""
    diff = build_diff(before, after)
    if session is None:
        return diff
    with session.store.read() as tx:
        return build_touched(diff, request_store.running_requests(tx))


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


def find_offerings(
    catalog: Catalog, *, text: str | None = None, layer: Layer | None = None, service_class: str | None = None,
    zone: Zone | None = None, arch: Arch | None = None, domestic: bool | None = None,
) -> tuple[Offering, ...]:  # fmt: skip
    """Those that meet every wish that is not None. Raises UsageError for a class that the catalog does not know."""
    if service_class is not None and service_class not in catalog.classes:
        raise UsageError(
            Text("没有这个类别", "No such class"), where=service_class,
            next_step=Text("可选：{known}", "Choose one of: {known}").format(
                known=", ".join(dict.fromkeys(o.service_class for o in catalog.offerings))
            ),
        )  # fmt: skip
    return tuple(
        o
        for o in catalog.offerings
        if layer in (None, o.layer)
        and service_class in (None, o.service_class)
        and (zone is None or zone in o.zone)
        and (arch is None or arch in o.arch or "any" in o.arch)
        and domestic in (None, o.domestic)
        and (text is None or _mentions(catalog, o, text))
    )


def _mentions(catalog: Catalog, offering: Offering, text: str) -> bool:
    texts = (offering.name, offering.description, catalog.classes[offering.service_class])
    words = (offering.code, offering.service_class, *(w for t in texts if t for w in (t.zh, t.en)))
    return any(text.casefold() in word.casefold() for word in words)


def _shipped() -> Path:
    return resources.folder("service_catalog")
