"""A small fictitious estate that has one of everything the rules look for, and the rule packs of the project."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from govcloud import resources
from govcloud.compliance.calendar import WorkCalendar
from govcloud.compliance.calendar_source import load_calendar
from govcloud.model.inventory import Inventory, Network, Project, System
from govcloud.model.observation import Observation
from govcloud.model.server import Server

SEEN_AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def _system(system_id: str, name: str, **facts: object) -> System:
    usual: dict[str, object] = {
        "department": "示例交通厅", "classified": False, "lifecycle": "operating", "hosting": "gov_cloud",
        "mlps_level": 2, "mlps_filing_no": "示例-0001", "in_directory": True, "shares_data": True, "users": 500,
        "builder": "示例建设公司", "maintained_by": "示例建设公司",
    }  # fmt: skip
    return System(system_id=system_id, name=name, **{**usual, **facts})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def regulations() -> Path:
    return resources.folder("regulations")


@pytest.fixture(scope="session")
def calendar(regulations: Path) -> WorkCalendar:
    return load_calendar(regulations / "calendars")


@pytest.fixture
def estate() -> Inventory:
    return Inventory(
        systems=(
            _system("SL-JT-09", "公路养护管理系统"),
            _system("SL-MZ-03", "社会救助业务系统", department="示例民政厅", hosting="own_room", networks=("N-MZ",), servers=("H-1",)),
            _system("SL-OA-01", "协同办公系统", hosting="own_room", in_directory=False),
            _system("SL-SM-08", "涉密公文系统", department="示例档案局", classified=True, hosting="own_room", in_directory=False),
            _system("SL-ZB-07", "值班排班系统", lifecycle="idle", users=12, visits_per_year=9, hosting=None),
        ),
        servers=(
            Server(server_id="H-1", name="civil-01", addresses=("172.30.5.10",)),
            Server(server_id="H-9", name="bak-77", addresses=("172.30.5.77",)),
        ),
        networks=(
            Network(
                network_id="N-MZ", name="民政业务专网", kind="dedicated", department="示例民政厅", carrier="示例运营商",
                bandwidth_mbps=20, yearly_cost_yuan=96000, built_on=date(2021, 5, 1), servers=("H-1", "H-9"),
                prefixes=("172.30.5.0/24",),
            ),
            Network(network_id="N-WW", name="政务外网", kind="extranet"),
        ),
        projects=(
            Project(
                project_id="P-1", name="养护系统建设", department="示例交通厅", systems=("SL-JT-09", "SL-OA-01", "SL-MZ-03", "SL-ZB-07"),
                contract_signed_on=date(2025, 9, 26), contract_filed_on=date(2025, 10, 10),
                supervisor="示例监理公司", supervisor_filed_on=date(2025, 10, 9),
            ),
            Project(
                project_id="P-2", name="数据整理", department="示例信访局", systems=("SL-404",),
                contract_signed_on=date(2026, 2, 10), supervisor_filed_on=date(2026, 2, 11),
                construction_completed_on=date(2025, 11, 30), acceptance_completed_on=date(2026, 1, 5),
            ),
        ),
        evidence={
            "SL-OA-01": {
                "hosting": Observation(
                    subject_kind="system", subject_id="SL-OA-01", field="hosting", value="own_room", source="workbook",
                    locator="普查表.xlsx!系统!H3", observed_at=SEEN_AT,
                )
            }
        },
    )  # fmt: skip
