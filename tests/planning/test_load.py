"""A mistake in the planning settings is named; it never turns into a silent default."""

from __future__ import annotations

import pytest

from govcloud import resources
from govcloud.errors import InputError
from govcloud.planning.load import parse_rules
from govcloud.settings import load_site, site_ids


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"crew": []}, "planning.crew"),
        ({"capacity": {"systems_per_windows": 3}}, "planning.capacity.systems_per_windows"),
        ({"windows": [{"weekday": "saturday"}, {"day": 1}]}, "planning.windows[1].day"),
        ({"durations": {"A": {"cutover": 3}}}, "planning.durations.A.cutover"),
        ({"weeks": "many"}, "weeks"),
        ({"weeks": 0}, "weeks"),
        ({"windows": [{"start": "25:00"}]}, "25:00"),
        ({"windows": []}, "window"),
        ({"crews": [{"name": "一组"}, {"name": "一组"}]}, "same name"),
        ({"freezes": [{"name": "F", "starts_on": "2026-12-10", "ends_on": "2026-12-01"}]}, "F"),
        ({"freezes": [{"name": "F", "starts_on": "2026-13-01", "ends_on": "2026-12-01"}]}, "date"),
        ({"priorities": {"A": 0}}, "priority"),
        ({"capacity": {"link_mbps": -1}}, "negative"),
    ],
)
def test_every_mistake_is_refused_by_name(section: dict[str, object], named: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_rules(section, "govcloud.yaml")
    assert named in caught.value.message("en")
    assert caught.value.where.en == "govcloud.yaml"


@pytest.mark.parametrize("site", site_ids())
def test_the_planning_section_of_every_site_is_valid(site: str) -> None:
    rules = parse_rules(load_site(site).planning)
    assert rules.crews and rules.freezes and rules.capacity.systems_per_window
    assert (resources.folder("inventory") / "sites" / f"{site}.yaml").is_file()


def test_an_empty_section_gives_a_plan_able_default() -> None:
    assert parse_rules({}).windows[0].weekday == "saturday"
