"""Writes tests/cases/clouds/openstack/*.recorded.json: what the SDK returned from a real cloud, as `to_dict()` gives it.

    python tests/openstack/record_cases.py [CACHE-FOLDER]

One file an account, `{kind: [resources]}` in the words of discovery/cloud_openstack.py; kinds that the account may not
read are under `refused`, with the HTTP status. Ids and times are those of a cloud that is gone; addresses of this
machine become example ones.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import openstack
from openstack import exceptions
from openstack_bed import Bed, start_bed

CASES = Path(__file__).parents[1] / "cases" / "clouds" / "openstack"
SECRET = re.compile(r"pass|secret|token|private_key|user_data")


def kinds_of(cloud: Any, project: str, *, everything: bool) -> dict[str, Callable[[], Iterable[Any]]]:
    all_projects = {"all_projects": True} if everything else {}
    return {
        "projects": cloud.identity.projects,
        "servers": lambda: cloud.compute.servers(details=True, **all_projects),
        "flavors": lambda: cloud.compute.flavors(details=True),
        "images": cloud.image.images,
        "volumes": lambda: cloud.block_storage.volumes(details=True, **all_projects),
        "networks": cloud.network.networks,
        "subnets": cloud.network.subnets,
        "ports": cloud.network.ports,
        "routers": cloud.network.routers,
        "floating_ips": cloud.network.ips,
        "security_groups": cloud.network.security_groups,
        "compute_quotas": lambda: [cloud.compute.get_quota_set(project, usage=True)],
        "volume_quotas": lambda: [cloud.block_storage.get_quota_set(project, usage=True)],
        "network_quotas": lambda: [cloud.network.get_quota(project, details=True)],
    }


def scrub(value: Any, bed: Bed) -> Any:
    """No address, folder or secret of the machine that recorded it."""
    if isinstance(value, dict):
        return {k: None if SECRET.search(k.lower()) and v else scrub(v, bed) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [scrub(v, bed) for v in value]
    if not isinstance(value, str):
        return value
    if value.startswith("Traceback"):
        return "Traceback …"
    for service, port in bed.ports.items():
        value = value.replace(f"http://127.0.0.1:{port}", f"https://{service}.cloud.example")
    return value.replace(str(bed.folder), "/var/lib/cloud").replace(str(bed.venv), "/usr")


def record(bed: Bed, cloud: Any, project: str, *, everything: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    refused: dict[str, int] = {}
    for kind, ask in kinds_of(cloud, project, everything=everything).items():
        try:
            found[kind] = [scrub(r.to_dict(computed=False), bed) for r in itertools.islice(ask(), 100)]
        except exceptions.HttpException as error:
            refused[kind] = int(error.status_code or 0)
        if kind.endswith("_quotas"):
            for quota in found.get(kind, ()):
                quota["project_id"] = project
    return {"sdk": openstack.version.__version__, "project_id": project, "refused": refused, **found}


def main(cache: Path) -> None:
    CASES.mkdir(parents=True, exist_ok=True)
    with start_bed(cache) as bed, tempfile.TemporaryDirectory() as folder:
        os.environ["OS_CLIENT_CONFIG_FILE"] = str(bed.write_clouds(Path(folder)))
        finance = bed.seeded["finance"]["id"]
        for name, cloud, everything in (("admin", "bed", True), ("member", "caiwu", False)):
            connection = openstack.connect(cloud=cloud)
            case = record(bed, connection, finance, everything=everything)
            text = json.dumps(case, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
            for tenant in (bed.seeded["finance"], bed.seeded["affairs"]):
                assert tenant["password"] not in text
            assert bed.admin_password not in text and "127.0.0.1" not in text.replace('"127.0.0.1"', "")
            (CASES / f"{name}.recorded.json").write_text(text, "utf-8")
            print({kind: len(v) for kind, v in case.items() if isinstance(v, list)}, case["refused"])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path.home() / ".cache" / "govcloud-openstack")
