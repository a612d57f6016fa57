"""Which hosts a discovery goes to: a wrong one is a login where nobody allowed it, a missing one a server nobody knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from govcloud.access import load_hosts
from govcloud.cli.main import run
from govcloud.errors import InputError, UsageError
from govcloud.model.access import Targets
from govcloud.model.observation import Statement
from govcloud.settings import open_workspace
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import Session, open_session
from govcloud.workflow.statements import store_statements
from govcloud.workflow.targets import Selection, select_hosts

HOSTS = [
    {"name": "jump-01", "address": "10.9.0.1", "zone": "dmz"},
    {"name": "oa-01", "address": "10.1.1.1", "zone": "dept", "via": "jump-01"},
    {"name": "oa-02", "address": "10.1.1.2", "zone": "dept", "user": "ops", "port": 2222},
    {"name": "db-01", "address": "10.1.2.1"},
]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    init_workspace(tmp_path / "ws", "shanxi", actor="甲")
    (tmp_path / "ws" / "hosts.yaml").write_text(yaml.safe_dump({"hosts": HOSTS}))
    with open_session(open_workspace(tmp_path / "ws"), actor="甲") as found:
        yield found


def add(session: Session, *subjects: tuple[str, str, dict[str, object]]) -> None:
    statements = [
        Statement(
            subject_kind=kind, subject_id=subject_id, source="workbook", place="普查表.xlsx!系统!",  # type: ignore[arg-type]
            observed_at=session.now(), values=values,  # type: ignore[arg-type]
        )
        for kind, subject_id, values in subjects
    ]  # fmt: skip
    store_statements(session, kind="import", source="普查表.xlsx", statements=statements, body={})


ESTATE: tuple[tuple[str, str, dict[str, object]], ...] = (
    (
        "server",
        "V-1",
        {"name": "OA-01", "addresses": ("10.1.1.1", "2001:db8::1"), "department": "示例厅", "zone": "dept"},
    ),
    ("server", "V-2", {"name": "库 01", "addresses": ("127.0.0.1", "10.1.2.1"), "department": "示例局"}),
    ("server", "V-3", {"name": "无地址", "department": "示例厅"}),
    ("server", "V-4", {"name": "-oProxyCommand=x", "addresses": ("10.1.1.9",), "department": "示例厅"}),
    ("server", "V-5", {"name": "off-01", "addresses": ("10.1.1.10",), "power": "off"}),
    ("system", "SL-1", {"name": "办公系统", "department": "示例厅", "servers": ("V-1",)}),
)


def names(targets: Targets) -> list[str]:
    return [h.name for h in targets.hosts]


@pytest.mark.parametrize(
    ("limit", "wanted"),
    [
        ("oa-01", ["oa-01"]), ("oa-*", ["oa-01", "oa-02"]), ("10.1.*", ["oa-01", "oa-02", "db-01"]),
        ("oa-01,db-01", ["oa-01", "db-01"]), ("zone:dept", ["oa-01", "oa-02"]), ("!oa-*", ["jump-01", "db-01"]),
        ("zone:dept, !oa-02", ["oa-01"]), ("oa-?1", ["oa-01"]), ("department:示例厅", ["oa-01"]), ("system:SL-1", ["oa-01"]),
        ("system:办公系统", ["oa-01"]), ("department:示例局,oa-02", ["oa-02", "db-01"]),
    ],
)  # fmt: skip
def test_a_limit_keeps_what_it_names_in_the_order_of_the_list(session: Session, limit: str, wanted: list[str]) -> None:
    add(session, *ESTATE)
    assert names(select_hosts(session, Selection(limit=limit))) == wanted


@pytest.mark.parametrize(
    "limit", ["nobody", "oa-01,nobdy-*", "zone:none", "department:无", "system:无", "!nobody", "", ","]
)
def test_a_pattern_without_a_host_is_an_error_that_names_it(session: Session, limit: str, tmp_path: Path) -> None:
    """A mistyped department must not mean that nothing, or everything, is discovered."""
    with pytest.raises(UsageError) as caught:
        select_hosts(session, Selection(limit=limit))
    assert (limit.rpartition(",")[2] or "主机") in caught.value.message("zh")
    assert run(["-w", str(session.workspace.path), "discover", "ssh", "--limit", limit]) == 2


def test_the_servers_of_the_inventory_are_targets_by_safe_names_and_usable_addresses(session: Session) -> None:
    add(session, *ESTATE)
    targets = select_hosts(session, Selection(from_inventory=True, user="ops", zone="zone-b"))
    assert sorted((h.name, h.address, h.zone, h.user) for h in targets.hosts) == [
        ("10.1.1.9", "10.1.1.9", "zone-b", "ops"), ("10.1.2.1", "10.1.2.1", "zone-b", "ops"), ("oa-01", "10.1.1.1", "dept", "ops"),
    ]  # fmt: skip
    assert names(select_hosts(session, Selection(from_inventory=True, limit="system:SL-1"))) == ["oa-01"]


def test_an_empty_inventory_is_told(session: Session) -> None:
    with pytest.raises(UsageError, match="no server"):
        select_hosts(session, Selection(from_inventory=True))
    with pytest.raises(UsageError):
        select_hosts(session, Selection(from_inventory=True, hosts_file=Path("hosts.yaml")))


def test_only_the_bastions_that_are_needed_come_along(session: Session) -> None:
    everything, direct = select_hosts(session, Selection()), select_hosts(session, Selection(limit="db-01"))
    assert set(everything.bastions) == {"jump-01"}
    assert direct.bastions == {}
    forced = select_hosts(session, Selection(via="jump-01"))
    assert {h.name: h.via for h in forced.hosts} == {
        "jump-01": None,
        "oa-01": "jump-01",
        "oa-02": "jump-01",
        "db-01": "jump-01",
    }


def test_a_bastion_by_address_has_the_key_of_the_command_line(session: Session, tmp_path: Path) -> None:
    key = tmp_path / "id"
    key.write_text("key")
    key.chmod(0o600)
    targets = select_hosts(session, Selection(via="ops@[2001:db8::9]:2200", key=key))
    (bastion,) = targets.bastions.values()
    assert (bastion.address, bastion.port, bastion.user, bastion.key_file) == ("2001:db8::9", 2200, "ops", str(key))
    key.chmod(0o644)
    with pytest.raises(InputError):
        select_hosts(session, Selection(key=key))


@pytest.mark.parametrize("via", ["nobody", "oa-01", "oa-02", "{{ x }}"])
def test_a_list_whose_bastion_is_missing_or_itself_behind_one_is_refused(tmp_path: Path, via: str) -> None:
    file = tmp_path / "hosts.yaml"
    hosts = [*HOSTS[:2], {**HOSTS[2], "via": via}]
    file.write_text(yaml.safe_dump({"hosts": hosts}))
    with pytest.raises(InputError) as caught:
        load_hosts(file)
    assert repr(via) in caught.value.message("zh")


def test_a_host_file_that_is_not_there_is_an_input_error(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-w", str(session.workspace.path), "--format", "json", "discover", "ssh", "--hosts", "none.yaml"]) == 3
    assert json.dumps("none.yaml")[1:-1] in capsys.readouterr().err
