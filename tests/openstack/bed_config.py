"""The configuration files of the bed's services, the smallest with which they start on loopback."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

SERVICES = Path(__file__).parent / "services"
USERS = ("cinder", "glance", "neutron", "nova", "placement")
DATABASES = ("keystone", "placement", "glance", "nova_api", "nova", "nova_cell0", "neutron", "cinder")

Section = Mapping[str, object]


def render_ini(sections: Mapping[str, Section]) -> str:
    return "".join(
        f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items()) + "\n"
        for name, values in sections.items()
    )


def database_url(folder: Path, name: str) -> str:
    return f"postgresql+psycopg2://bed@/{name}?host={folder / 'pg'}"


def write_configs(
    folder: Path,
    venv: Path,
    ports: Mapping[str, int],
    password: str,
    compute_driver: str = "fake.FakeDriverWithoutFakeNodes",
) -> None:
    """One folder a service under `folder`; `ports` are theirs on 127.0.0.1, `password` is that of their accounts."""
    etc = venv / "etc"
    identity = f"http://127.0.0.1:{ports['keystone']}"
    bus = f"rabbit://guest:guest@127.0.0.1:{ports['rabbit']}/"

    def account(user: str) -> dict[str, object]:
        return {
            "auth_type": "password", "auth_url": identity, "www_authenticate_uri": identity,
            "username": user, "password": password, "project_name": "service",
            "user_domain_name": "Default", "project_domain_name": "Default", "region_name": "RegionOne",
        }  # fmt: skip

    def database(name: str) -> Section:
        return {"connection": database_url(folder, name), "max_pool_size": 4, "max_overflow": 8}

    def lock(service: str) -> Section:
        return {"lock_path": folder / service / "lock"}

    def authtoken(user: str) -> Section:
        return {**account(user), "memcached_servers": ""}

    compute_accounts = {name: account("nova") for name in ("placement", "glance", "neutron", "cinder")}
    sending = {"send_service_user_token": "true"}
    # Several files may be read by one service, `{service}.conf` is the one that is named to it.
    files: dict[str, dict[str, Section]] = {
        "keystone": {
            "database": database("keystone"),
            "fernet_tokens": {"key_repository": folder / "keystone" / "fernet"},
            "credential": {"key_repository": folder / "keystone" / "credential"},
            "cache": {"enabled": "true", "backend": "dogpile.cache.memory"},
            # The strength that a real cloud wants costs a third of a second a login.
            "identity": {"password_hash_rounds": 4},
        },
        "placement": {
            "api": {"auth_strategy": "keystone"},
            "placement_database": database("placement"),
            "keystone_authtoken": authtoken("placement"),
        },
        "glance-api": {
            "DEFAULT": {"enabled_backends": "store:file", "workers": 0, "use_keystone_limits": "false"},
            "database": database("glance"),
            "glance_store": {"default_backend": "store"},
            "store": {"filesystem_store_datadir": folder / "glance" / "images"},
            "os_glance_staging_store": {"filesystem_store_datadir": folder / "glance" / "staging"},
            "os_glance_tasks_store": {"filesystem_store_datadir": folder / "glance" / "tasks"},
            "paste_deploy": {"flavor": "keystone", "config_file": etc / "glance" / "glance-api-paste.ini"},
            "keystone_authtoken": authtoken("glance"),
        },
        "neutron": {
            "DEFAULT": {
                "core_plugin": "ml2", "service_plugins": "router", "transport_url": bus, "auth_strategy": "keystone",
                "state_path": folder / "neutron" / "state", "api_paste_config": etc / "neutron" / "api-paste.ini",
                "notify_nova_on_port_status_changes": "false", "notify_nova_on_port_data_changes": "false",
                "dhcp_agent_notification": "false",
            },
            "database": database("neutron"),
            "keystone_authtoken": authtoken("neutron"), "nova": account("nova"), "placement": account("placement"),
            "oslo_concurrency": lock("neutron"),
            "ml2": {
                "type_drivers": "flat,vxlan", "tenant_network_types": "vxlan", "mechanism_drivers": "bound_at_once",
                "extension_drivers": "port_security",
            },
            "ml2_type_vxlan": {"vni_ranges": "1000:2000"},
            "ml2_type_flat": {"flat_networks": "*"},
        },
        "nova": {
            "DEFAULT": {
                "transport_url": bus, "compute_driver": compute_driver, "my_ip": "127.0.0.1",
                "host": "bed-compute-1", "state_path": folder / "nova" / "state", "vif_plugging_is_fatal": "false",
                "vif_plugging_timeout": 0,
            },
            "api_database": database("nova_api"), "database": database("nova"),
            "wsgi": {"api_paste_config": folder / "nova" / "api-paste.ini"},
            "keystone_authtoken": authtoken("nova"), "service_user": {**account("nova"), **sending},
            **compute_accounts,
            "oslo_concurrency": lock("nova"),
            "conductor": {"workers": 1},
            "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 2},
            "vnc": {"enabled": "false"},
        },
        "cinder": {
            "DEFAULT": {
                "transport_url": bus, "auth_strategy": "keystone", "state_path": folder / "cinder" / "state",
                "api_paste_config": etc / "cinder" / "api-paste.ini",
                "resource_query_filters_file": etc / "cinder" / "resource_filters.json",
                "rootwrap_config": etc / "cinder" / "rootwrap.conf", "my_ip": "127.0.0.1", "host": "bed-volume-1",
                "enabled_backends": "fake",
            },
            "fake": {
                "volume_driver": "bed_volumes.RecordedVolumes", "volume_backend_name": "fake",
            },
            "database": database("cinder"), "keystone_authtoken": authtoken("cinder"),
            "service_user": {**account("cinder"), **sending}, "nova": account("cinder"),
            "oslo_concurrency": lock("cinder"),
        },
    }  # fmt: skip
    for name, sections in files.items():
        place = folder / name.removesuffix("-api")
        place.mkdir()
        (place / f"{name}.conf").write_text(render_ini(sections), "utf-8")
    # Keystone's second door: the same database and keys, but its tokens are good for two seconds only.
    short = {**files["keystone"], "token": {"expiration": 2}}
    (folder / "keystone" / "short.conf").write_text(render_ini(short), "utf-8")
    # Nova looks for the paste file beside its own.
    shutil.copy(etc / "nova" / "api-paste.ini", folder / "nova")
    for made in ("keystone/fernet", "keystone/credential", "nova/state", "cinder/state"):
        (folder / made).mkdir(mode=0o700)
    plugin = folder / "plugin"
    points = plugin / "bed_mechanism-1.0.dist-info"
    points.mkdir(parents=True)
    for name in ("bed_mechanism.py", "bed_volumes.py"):
        shutil.copy(SERVICES / name, plugin)
    (points / "METADATA").write_text("Metadata-Version: 2.1\nName: bed-mechanism\nVersion: 1.0\n")
    (points / "entry_points.txt").write_text(
        "[neutron.ml2.mechanism_drivers]\nbound_at_once = bed_mechanism:BoundAtOnce\n"
    )
