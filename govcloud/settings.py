"""The workspace: one folder with `govcloud.yaml`, the database and what the commands wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from govcloud import resources
from govcloud.errors import InputError, UsageError
from govcloud.model.ledger import HashName
from govcloud.model.text import Text
from govcloud.safe_yaml import load_yaml

FILE = "govcloud.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`govcloud.yaml`. Every key is explained in docs/formats.md."""

    site: str
    """Id of the site file that the workspace was made from."""
    name: str
    """The office, as reports print it."""
    jurisdiction: tuple[str, ...]
    """Rule packs, the site's own first; those after it are shown for reference."""
    catalog: str
    """Id of the service catalog that requests are checked against."""
    timezone: str = "Asia/Shanghai"
    database: str = "sqlite:///govcloud.db"
    """SQLAlchemy URL; a relative SQLite path is relative to the workspace."""
    ledger: Mapping[Literal["profile"], HashName] = field(default_factory=dict)
    """How the ledger hashes and signs: `{profile: sm3}`; fixed by its first record."""
    precedence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Field -> kinds of witness, the most trusted first; `default` for the rest."""
    departments: tuple[str, ...] = ()
    """The office's own list of departments, offered by drop-downs of the forms."""
    stale_days: int = 180
    """A fact that was not confirmed for so long is marked as stale."""
    zombies: Mapping[str, object] = field(default_factory=dict)
    """Thresholds of the criteria for zombie systems."""
    sizing: Mapping[str, object] = field(default_factory=dict)
    """Headroom and coverage of sizing from utilisation."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """Numbers that rules need and the texts do not give, by the names in the rule packs."""
    quotas: Mapping[str, object] = field(default_factory=dict)
    """Department -> what it may use of the cloud; requests are totalled against it."""
    planning: Mapping[str, object] = field(default_factory=dict)
    """Crews, windows, freezes; see docs/planning.md."""
    steps: Mapping[str, object] = field(default_factory=dict)
    """Minutes of the steps as they were measured here, for the planner and for the runs; see docs/planning.md."""
    execution: Mapping[str, object] = field(default_factory=dict)
    """Zones, gates, people who approve; see docs/runbook.md."""
    takeover: Mapping[str, object] = field(default_factory=dict)
    """What the site wants of hosts that are taken over: time and name servers."""
    web: Mapping[str, object] = field(default_factory=dict)
    """The dashboard: sign-in by the office's identity provider; see docs/dashboard.md."""


@dataclass(frozen=True, slots=True)
class Workspace:
    path: Path
    settings: Settings

    @property
    def database_url(self) -> str:
        url = self.settings.database
        prefix = "sqlite:///"
        if url.startswith(prefix) and not url.startswith(prefix + "/"):
            return prefix + str(self.path / url.removeprefix(prefix))
        return url

    def folder(self, name: str) -> Path:
        """A sub-folder of the workspace, made if it is missing (mode 0700: it may hold evidence)."""
        target = self.path / name
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        return target


def site_ids() -> list[str]:
    return sorted(p.stem for p in (resources.folder("inventory") / "sites").glob("*.yaml"))


def load_site(site: str) -> Settings:
    """The settings that a new workspace of this site starts from. Raises UsageError for an unknown site."""
    known = site_ids()
    if site not in known:
        raise UsageError(
            Text("没有这个站点", "No such site"),
            where=site,
            next_step=Text("可选：{known}", "Choose one of: {known}").format(known=", ".join(known)),
        )
    return load_settings(resources.folder("inventory") / "sites" / f"{site}.yaml")


def load_settings(path: Path) -> Settings:
    data = load_yaml(path)
    unknown = sorted(set(data) - {f.name for f in fields(Settings)}) if isinstance(data, dict) else []
    if unknown:
        raise InputError(
            Text("配置中有不认识的项：{names}", "The settings have unknown keys: {names}").format(
                names=", ".join(unknown)
            ),
            where=str(path),
            next_step=Text("对照 docs/formats.md 改正", "Correct it after docs/formats.md"),
        )
    try:
        settings = msgspec.convert(data, Settings)
        ZoneInfo(settings.timezone)
        return settings
    except (msgspec.ValidationError, ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(
            Text("配置不合要求：{why}", "The settings are not valid: {why}").format(why=error),
            where=str(path),
            next_step=Text("对照 docs/formats.md 改正", "Correct it after docs/formats.md"),
        ) from None


def open_workspace(path: Path) -> Workspace:
    """The workspace at `path` or in the nearest folder above it. Raises UsageError where there is none."""
    start = path.resolve()
    for candidate in (start, *start.parents):
        if (candidate / FILE).is_file():
            return Workspace(candidate, load_settings(candidate / FILE))
    raise UsageError(
        Text("这里没有工作区", "There is no workspace here"),
        where=str(start),
        next_step=Text(
            "先运行 govcloud init 目录 --site shanxi，或用 -w 指明工作区",
            "Run govcloud init DIR --site shanxi first, or name a workspace with -w",
        ),
    )
