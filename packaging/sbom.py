"""The bill of materials of a folder of wheels: CycloneDX 1.6 (ECMA-424) in JSON, from what the wheels say of themselves."""

from __future__ import annotations

import hashlib
import json
import uuid
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PRODUCT = "govcloud"


def render_sbom(wheels: Sequence[Path], epoch: int, machine: str) -> str:
    """JSON text. `epoch`: seconds of the day that it is dated with; `machine`: what the wheels are for (uname -m)."""
    facts = {canonicalize_name(m["Name"]): (m, path) for path in wheels for m in [_metadata(path)]}
    components = {name: _component(name, m, path) for name, (m, path) in sorted(facts.items())}
    product = components.pop(PRODUCT)
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {**product, "type": "application"},
        },
        "components": list(components.values()),
        "dependencies": [
            {
                "ref": _purl(name, m),
                "dependsOn": sorted(_purl(n, facts[n][0]) for n in _needs(m, machine) if n in facts),
            }
            for name, (m, _) in sorted(facts.items())
        ],
    }
    # Not random: the same wheels give the same bytes.
    name = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    serial = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}"
    return json.dumps({**document, "serialNumber": serial}, ensure_ascii=False, indent=1) + "\n"


def _metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        inside = next(n for n in archive.namelist() if n.count("/") == 1 and n.endswith(".dist-info/METADATA"))
        return HeaderParser().parsestr(archive.read(inside).decode("utf-8"))


def _component(name: str, facts: Message, wheel: Path) -> dict[str, object]:
    with wheel.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    found: dict[str, object] = {
        "type": "library",
        "bom-ref": _purl(name, facts),
        "name": name,
        "version": facts["Version"],
        "purl": _purl(name, facts),
        "hashes": [{"alg": "SHA-256", "content": digest}],
        "properties": [{"name": "govcloud:file", "value": wheel.name}],
    }
    return {**found, "licenses": licences} if (licences := _licences(facts)) else found


def _licences(facts: Message) -> list[dict[str, object]]:
    """As the package declares them: an SPDX expression, else its classifiers, else the first line of its own words."""
    if expression := facts["License-Expression"]:
        return [{"expression": expression}]
    classifiers = [c.rpartition(" :: ")[2] for c in facts.get_all("Classifier", []) if c.startswith("License :: ")]
    words = [c for c in classifiers if c != "OSI Approved"] or (facts["License"] or "").strip().splitlines()[:1]
    return [{"license": {"name": word}} for word in words if word]


def _needs(facts: Message, machine: str) -> set[str]:
    environment = {**default_environment(), "extra": "", "platform_machine": machine}
    wanted = map(Requirement, facts.get_all("Requires-Dist", []))
    return {canonicalize_name(r.name) for r in wanted if r.marker is None or r.marker.evaluate(environment)}


def _purl(name: str, facts: Message) -> str:
    return f"pkg:pypi/{name}@{facts['Version']}"
