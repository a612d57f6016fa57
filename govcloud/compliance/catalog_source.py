"""Reads service catalogs. What does not add up is told with the line that it stands on: all of it, not the first only.

A catalog lies in `catalogs/<id>/<version>/`. The versions of an id follow each other; a request is checked against the
one that was in force on its day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path

from govcloud.compliance.catalog_faults import FaultyFile
from govcloud.compliance.catalog_schema import FILE, HINTS, CatalogFile, read_files
from govcloud.errors import InputError, UsageError
from govcloud.model.catalog import Catalog, CatalogFault
from govcloud.model.text import Text


def version_folders(*roots: Path) -> dict[str, tuple[Path, ...]]:
    """Id -> the folders of its versions. A later root takes the place of an earlier one with the same id."""
    found: dict[str, tuple[Path, ...]] = {}
    for root in roots:
        here: dict[str, list[Path]] = {}
        for path in sorted(root.glob(f"catalogs/*/*/{FILE}")):
            here.setdefault(path.parent.parent.name, []).append(path.parent)
        found |= {catalog_id: tuple(folders) for catalog_id, folders in here.items()}
    return found


def load_catalog(root: Path, name: str, on: date | None = None, *, own: Path | None = None) -> Catalog:
    """The catalog `id` in the version in force on that day, by default the newest; or the one that `id@version` names.

    Where no version was in force that day, the nearest one before, else the first: it says itself that it was not. With
    `on` the offerings have the status of that day. `own`: a root that takes the place of `root` for the ids in it.
    Raises UsageError for an unknown id or version, InputError for a catalog that does not add up.
    """
    catalog_id, _, version = name.partition("@")
    folders = version_folders(root, *((own,) if own else ()))
    if catalog_id not in folders:
        raise _unknown(Text("没有这个服务目录", "No such service catalog"), name, sorted(folders))
    heads = [(folder, _head(folder)) for folder in folders[catalog_id]]
    heads.sort(key=lambda pair: pair[1].effective_from)
    for fault in _overlaps([(folder / FILE, head) for folder, head in heads]):
        raise _refusal([fault], folders[catalog_id][0].parent)
    if version:
        chosen = [folder for folder, head in heads if head.version == version]
        if not chosen:
            known = [f"{catalog_id}@{head.version}" for _, head in heads]
            raise _unknown(Text("目录没有这个版本", "The catalog has no such version"), name, known)
    else:
        chosen = [folder for folder, head in heads if on is None or head.effective_from <= on] or [heads[0][0]]
    catalog = read_catalog(chosen[-1])
    return catalog.as_of(on) if on else catalog


def read_catalog(path: Path) -> Catalog:
    """A catalog from its folder or its `catalog.yaml`; offerings in it and in `iaas.yaml`, `paas.yaml`, `saas.yaml`.

    Raises InputError with the first fault and the number of all.
    """
    catalog, faults = read_files(path)
    if catalog is None:
        raise _refusal(faults, path)
    return catalog


def verify_catalog(path: Path) -> list[CatalogFault]:
    """Every fault of a catalog file, of a version's folder, or of all catalogs below a folder; never raises."""
    if path.is_dir() and not (path / FILE).is_file():
        found = sorted(path.rglob(FILE))
        if not found:
            what = Text("这里没有 {file}", "There is no {file} here").format(file=FILE)
            return [CatalogFault(where=str(path), entry="", what=what)]
    else:
        found = [path / FILE if path.is_dir() else path]
    faults: list[CatalogFault] = []
    heads: dict[str, list[tuple[Path, CatalogFile]]] = {}
    for file in found:
        catalog, own = read_files(file)
        faults += own
        if catalog is not None:
            head, own = _read_head(file, installed=file.resolve().parts[-4:-3] == ("catalogs",))
            faults += own
            heads.setdefault(catalog.catalog_id, []).extend([(file, head)] if head else [])
    for versions in heads.values():
        versions.sort(key=lambda pair: pair[1].effective_from)
        faults += _overlaps(versions)
    return faults


def _head(folder: Path) -> CatalogFile:
    head, faults = _read_head(folder / FILE, installed=True)
    if head is None or faults:
        raise _refusal(faults, folder)
    return head


def _read_head(path: Path, *, installed: bool) -> tuple[CatalogFile | None, list[CatalogFault]]:
    """`installed`: it lies in `<id>/<version>/`, and is found by these names. Raises InputError where it is no YAML."""
    file = FaultyFile(path, HINTS)
    head = file.read(CatalogFile)
    if head is not None and installed:
        folder = path.resolve().parent
        for key, written, name in (("id", head.id, folder.parent.name), ("version", head.version, folder.name)):
            if written != name:
                what = Text("{key} 应与文件夹名 {name} 相同", "{key} must be the folder's name, {name}")
                file.add(what.format(key=key, name=name), key)
    return head, file.faults


def _overlaps(versions: Sequence[tuple[Path, CatalogFile]]) -> Iterator[CatalogFault]:
    """Versions of one id in the order of their first days: none may begin before the one before has ended."""
    for (_, before), (path, after) in pairwise(versions):
        if before.effective_to is None or after.effective_from <= before.effective_to:
            file = FaultyFile(path, HINTS)
            end = before.effective_to or Text("长期", "no end")
            file.add(
                Text("与版本 {v}（{a} 至 {b}）的有效期重叠", "it overlaps with version {v} ({a} to {b})").format(
                    v=before.version, a=before.effective_from, b=end
                ),
                "effective_from",
            )
            yield from file.faults


def _unknown(what: Text, name: str, known: Sequence[str]) -> UsageError:
    choose = Text("可选：{known}", "Choose one of: {known}").format(known=", ".join(known))
    return UsageError(what, where=name, next_step=choose)


def _refusal(faults: Sequence[CatalogFault], path: Path) -> InputError:
    first = faults[0]
    entry = f"{first.entry}: " if first.entry else ""
    return InputError(
        Text("服务目录有误：{entry}{what}", "The catalog is faulty: {entry}{what}").format(
            entry=entry, what=first.what
        ),
        where=first.where,
        next_step=Text(
            "共 {n} 处，运行 govcloud catalog validate {path} 全部列出；写法见 docs/formats.md",
            "{n} in all: govcloud catalog validate {path} lists them; docs/formats.md has the format",
        ).format(n=len(faults), path=path),
    )
