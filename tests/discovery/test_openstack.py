"""`discover openstack`: recorded answers of a real cloud, and the real SDK against places that refuse.

Without it a user would see a traceback, or their password, on the night when the cloud's certificate has expired; or
two departments' servers with the same private address would be taken for one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cloud_places import AT, Answer, free_port, make_certificate, now, serving
from hypothesis import given, settings
from hypothesis import strategies as st

from govcloud.discovery.cloud_openstack import build_openstack_statements
from govcloud.discovery.openstack import collect_openstack
from govcloud.errors import GovcloudError, InputError, OutsideError, UsageError
from govcloud.model.clouds import CloudReading
from govcloud.model.observation import Statement

CASES = Path(__file__).parents[1] / "cases" / "clouds" / "openstack"
SECRET = "shili-password"
Raw = dict[str, Any]


def recorded(account: str) -> Raw:
    found = json.loads((CASES / f"{account}.recorded.json").read_text("utf-8"))
    return {kind: value for kind, value in found.items() if isinstance(value, list)}


def statements(raw: Raw, **options: Any) -> dict[str, Statement]:
    found = build_openstack_statements(raw, cloud="示例云", observed_at=AT, **options)
    return {str(s.values["name"]): s for s in found}


# What a real cloud answered.


def test_a_server_of_a_real_cloud() -> None:
    raw = recorded("admin")
    server = next(s for s in raw["servers"] if s["name"] == "sl-oa-01")
    port = next(p for p in raw["ports"] if p["device_id"] == server["id"])
    said = statements(raw, department="示例市财政局")["sl-oa-01"]
    fixed, floating = port["fixed_ips"][0]["ip_address"], raw["floating_ips"][0]["floating_ip_address"]
    assert said.values == {
        "name": "sl-oa-01", "uuid": server["id"], "department": "示例市财政局", "zone": "示例云/示例市财政局/caiwu-net",
        "macs": (port["mac_address"],), "addresses": (fixed, floating), "cloud": "示例云", "cloud_id": server["id"],
        "tenant": "示例市财政局", "virtual": True, "flavor": "gov.m", "image": "kylin-v10-sp3", "cpu_count": 4,
        "memory_gib": 8.0, "disk_gib": 180.0, "disks": ("sda 80", "sdb 100"), "power": "on",
        "hypervisor": "bed-compute-1", "os_name": "kylin", "os_version": "V10", "arch": "x86_64",
    }  # fmt: skip
    assert said.locator("name") == f"openstack://示例云/servers/{server['id']}" and said.observed_at == AT


def test_tenants_that_reuse_an_address_stay_apart() -> None:
    found = statements(recorded("admin"))
    oa, sm = found["sl-oa-01"], found["sl-sm-01"]
    assert oa.values["addresses"][0] == sm.values["addresses"][0]  # type: ignore[index]
    assert oa.values["zone"] != sm.values["zone"] and sm.values["power"] == "off"
    networks = [found[str(s.values["zone"])] for s in (oa, sm)]
    assert [n.values["servers"] for n in networks] == [(oa.subject_id,), (sm.subject_id,)]
    assert statements(recorded("admin"), zone="政务外网")["sl-oa-01"].values["zone"] == "政务外网"


def test_a_server_that_never_ran_claims_nothing() -> None:
    said = statements(recorded("admin"))["sl-gpu-01"]
    assert not {"power", "addresses", "macs", "zone", "hypervisor"} & set(said.values)


def test_quotas_and_what_is_used_of_them() -> None:
    raw = recorded("admin")
    tenant = statements(raw)["示例市财政局"]
    quota = raw["compute_quotas"][0]
    assert quota["cores"] == tenant.values["vcpu_quota"] == 16
    assert tenant.values["memory_gib_quota"] == 32.0 and tenant.values["storage_gib_used"] == 100
    assert tenant.values["address_quota"] == 3 and tenant.values["address_used"] == 1
    assert tenant.values["routers"] == ("caiwu-net-router gov-ext",)
    assert tenant.values["flavors"] == ("gov.gpu 2 4 20", "gov.m 4 8 80", "gov.s 2 4 40")
    raw["compute_quotas"][0]["cores"] = -1
    assert "vcpu_quota" not in statements(raw)["示例市财政局"].values


def test_what_an_account_may_not_read_is_unknown_with_its_reason() -> None:
    raw = recorded("member")
    for kind in ("volumes", "images", "compute_quotas", "networks", "ports"):
        raw.pop(kind)
    project = raw["servers"][0]["project_id"]
    raw["projects"] = [{"id": project, "name": "示例市财政局"}]
    found = statements(raw)
    oa, tenant = found["sl-oa-01"], found["示例市财政局"]
    assert "disk_gib" not in oa.values and "云硬盘" in oa.unknown["disk_gib"].zh
    assert "os_name" not in oa.values and "os_name" in oa.unknown
    assert "vcpu_quota" in tenant.unknown and "images" in tenant.unknown
    # Nova alone knows the fixed address and the network's name, too.
    assert oa.values["zone"] == "示例云/示例市财政局/caiwu-net" and oa.values["addresses"] == ("10.20.0.10",)


def test_a_server_booted_from_a_volume() -> None:
    raw = recorded("admin")
    server = next(s for s in raw["servers"] if s["name"] == "sl-oa-01")
    server["image"] = ""
    raw["volumes"][0] |= {
        "is_bootable": True,
        "volume_image_metadata": {"image_name": "kylin-v10-sp3", "os_distro": "kylin", "os_version": "V10"},
    }
    said = statements(raw)["sl-oa-01"].values
    assert said["disk_gib"] == 100 and said["image"] == "kylin-v10-sp3" and said["os_name"] == "kylin"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner, max_size=2),
    max_leaves=5,
)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_answer_of_a_cloud_makes_it_fall(data: st.DataObject) -> None:
    """A broken or hostile service must not end the night's discovery with a traceback, nor store what can't be encoded."""
    raw = recorded("admin")
    kind = data.draw(st.sampled_from(sorted(raw)))
    for resource in raw[kind]:
        for key in data.draw(st.lists(st.sampled_from(sorted(resource)), max_size=4)):
            resource[key] = data.draw(JSON)
    for statement in build_openstack_statements(raw, cloud="c", observed_at=AT):
        json.dumps(dict(statement.values), ensure_ascii=False, allow_nan=False).encode()


# The SDK against real places.

Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes clouds.yaml into a place where the SDK looks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    monkeypatch.delenv("OS_CLOUD", raising=False)

    def clouds(**found: dict[str, Any]) -> None:
        (tmp_path / "clouds.yaml").write_text(json.dumps({"clouds": found}), "utf-8")

    return clouds


def cloud(url: str, **more: Any) -> dict[str, Any]:
    auth = {
        "auth_url": url, "username": "shili", "password": SECRET, "project_name": "shili",
        "user_domain_name": "Default", "project_domain_name": "Default",
    }  # fmt: skip
    return {"auth": auth, **more}


def fails(error: type[GovcloudError], name: str | None = "shili", **options: Any) -> str:
    with pytest.raises(error) as caught:
        collect_openstack(name, now=now, **options)
    said = caught.value.message("zh") + caught.value.message("en")
    assert SECRET not in said and caught.value.what.zh
    return caught.value.what.en


def no_identity(method: str, path: str, body: str) -> tuple[int, object]:
    if method == "GET":
        return 404, {}
    return 401, {"error": {"code": 401, "title": "Unauthorized", "message": f"bad password {SECRET}"}}


def test_whoever_cannot_log_in_is_told_why(write: Write, tmp_path: Path) -> None:
    write(shili=cloud(f"http://127.0.0.1:{free_port()}/v3"))
    assert "can't be reached" in fails(OutsideError)
    with serving(no_identity) as url:
        write(shili=cloud(f"{url}/v3"))
        assert "refused" in fails(OutsideError)
    certificate = make_certificate(tmp_path)
    with serving(no_identity, certificate) as url:
        # Without /v3 the SDK asks for versions first, and wraps the failed handshake into another error.
        for path in ("", "/v3"):
            write(shili=cloud(f"{url}{path}"))
            assert "certificate" in fails(OutsideError)
        assert "refused" in fails(OutsideError, ca=certificate[0])
        write(shili=cloud(f"{url}/v3", cacert=str(certificate[0])))
        assert "refused" in fails(OutsideError)
    # The second is a proxy that wants a login of its own: the SDK would wait for ever.
    for status in (200, 401):
        with serving(lambda *_, status=status: (status, {"hello": 1})) as url:
            for path in ("", "/v3"):
                write(shili=cloud(f"{url}{path}"))
                assert "no usable OpenStack" in fails(OutsideError)


def test_a_configuration_that_leads_nowhere_is_a_usage_error(write: Write, tmp_path: Path) -> None:
    write()
    assert "No OpenStack cloud" in fails(UsageError, None)
    write(shili=cloud("https://127.0.0.1:9/v3"), other=cloud("https://127.0.0.1:9/v3"))
    assert "no such cloud" in fails(UsageError, "nosuch")
    assert "several" in fails(UsageError, None)
    for switch in ({"verify": False}, {"insecure": True}):
        write(shili=cloud("https://127.0.0.1:9/v3", **switch))
        assert "certificates off" in fails(UsageError)
    with serving(no_identity) as url:
        write(shili={"auth": {"auth_url": f"{url}/v3"}})
        assert "credentials" in fails(UsageError)
    (tmp_path / "clouds.yaml").write_text(f"clouds: [{SECRET}", "utf-8")
    fails(UsageError)
    write(shili=cloud("https://127.0.0.1:9/v3"))
    assert "CA bundle" in fails(InputError, ca=tmp_path / "none.pem")


def a_cloud(compute: str, network: str) -> Answer:
    """An identity service whose catalog has a compute service that answers and a network service that refuses."""

    def service(kind: str, url: str) -> dict[str, Any]:
        door = {"interface": "public", "region": "R", "region_id": "R", "url": url, "id": kind}
        return {"type": kind, "name": kind, "id": kind, "endpoints": [door]}

    def answer(method: str, path: str, body: str) -> tuple[int, object]:
        if path.startswith("/network"):
            return 403, {"message": SECRET}
        if path.endswith("/auth/tokens"):
            return 201, {"token": {
                "methods": ["password"], "expires_at": (AT + timedelta(days=36500)).isoformat(), "user": {"id": "u", "name": "shili"},
                "project": {"id": "p1", "name": "示例项目", "domain": {"id": "default", "name": "Default"}},
                "catalog": [service("compute", compute), service("network", network)],
                "issued_at": AT.isoformat(), "audit_ids": ["a"], "is_domain": False, "roles": [],
            }}  # fmt: skip
        if path.startswith("/compute/v2.1/servers"):
            return 200, {"servers": [{"id": "AAAA-1", "name": "示例主机", "status": "ACTIVE", "tenant_id": "p1",
                                      "flavor": {"id": "f1"}, "addresses": {}}]}  # fmt: skip
        if path.startswith("/compute/v2.1/flavors"):
            return 200, {"flavors": [{"id": "f1", "name": "s", "vcpus": 2, "ram": 4096, "disk": 40}]}
        if path.startswith("/compute/v2.1/os-quota-sets"):
            return 500, {"message": SECRET}
        return 300 if path.startswith("/compute") else 404, {"versions": []}

    return answer


@pytest.fixture
def partial(write: Write) -> Iterator[CloudReading]:
    doors: dict[str, str] = {}

    def answer(method: str, path: str, body: str) -> tuple[int, object]:
        return a_cloud(f"{doors['url']}/compute/v2.1", f"{doors['url']}/network")(method, path, body)

    with serving(answer) as url:
        doors["url"] = url
        write(shili=cloud(f"{url}/v3", status_code_retries=0, connect_retries=0))
        yield collect_openstack("shili", now=now)


def test_services_that_are_missing_or_refuse_are_gaps_and_the_rest_goes_on(partial: CloudReading) -> None:
    assert partial.cloud == "127.0.0.1/R" and partial.scope == "R/示例项目"
    gaps = {gap.kind: gap for gap in partial.gaps}
    assert gaps["volumes"].absent and gaps["images"].absent, gaps
    assert not gaps["networks"].absent and not gaps["compute_quotas"].absent, gaps
    assert SECRET not in "".join(g.reason.zh + g.reason.en for g in partial.gaps)
    assert partial.counts == {"projects": 1, "servers": 1, "flavors": 1} and not partial.complete
    (server,) = (s for s in partial.statements if s.subject_kind == "server")
    assert server.values["cpu_count"] == 2 and server.values["uuid"] == "aaaa-1"
    assert "http" in partial.notes[0].en
