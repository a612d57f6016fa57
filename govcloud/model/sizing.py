"""What servers need by their use, as offerings of the service catalog. Money is integer fen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from govcloud.model.catalog import Arch
from govcloud.model.request import LineVerdict
from govcloud.model.text import Text

SizingBasis = Literal["measured", "nameplate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingRules:
    """`sizing:` in the settings."""

    min_days: float = 14
    min_samples: int = 1000
    """Utilisation that covers less counts as not measured: the nameplate is taken."""
    cpu_headroom_pct: float = 30
    """Added to what is used at 95 % of the time."""
    memory_headroom_pct: float = 25
    disk_headroom_pct: float = 20
    growth_years: float = 1
    """Years of data growth that disks are sized for."""
    disk_growth_pct: float = 10
    """A year, of what is used, where the system does not state its growth."""
    min_vcpu: int = 1
    min_memory_gib: int = 2
    machine_class: str = "virtual_machine"
    storage_class: str = "block_storage"
    disk_included_gib: int = 0
    """Of each machine's disk, where the catalog includes a system disk."""
    assume_arch: Arch | None = "x86_64"
    """For servers whose architecture is unknown. None: they are not sized."""
    prefer_domestic: bool = True
    """Servers that already run on domestic processors or systems (信创) go to domestic offerings where there are any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """None: unknown."""

    vcpu: float | None
    memory_gib: float | None
    disk_gib: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSizing:
    server_id: str
    name: str
    department: str | None
    system_ids: tuple[str, ...]
    nameplate: Size
    needed: Size
    cpu_basis: SizingBasis | None = None
    memory_basis: SizingBasis | None = None
    disk_basis: SizingBasis | None = None
    """None: not sized."""
    days: float | None = None
    samples: int | None = None
    arch: Arch | None = None
    domestic: bool = False
    """It runs on domestic processors or systems today."""
    lines: tuple[LineVerdict, ...] = ()
    """Catalog lines that serve it, each checked against the catalog. Empty: it fits nothing."""
    monthly_fen: int | None = None
    """None where it fits nothing or the catalog gives no price."""
    nameplate_fen: int | None = None
    """A month, of what covers the nameplate."""
    why_not: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()
    """What was assumed."""

    @property
    def saving_fen(self) -> int | None:
        """A month; negative where more is needed than there is."""
        if self.monthly_fen is None or self.nameplate_fen is None:
            return None
        return self.nameplate_fen - self.monthly_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingTotal:
    """Of a system, of servers that the same systems share, or of a department."""

    department: str | None
    system_ids: tuple[str, ...]
    """Empty: the whole department."""
    servers: int
    fitted: int
    vcpu: int
    memory_gib: int
    disk_gib: int
    monthly_fen: int
    saving_fen: int
    """Of the servers whose saving is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    catalog_id: str
    official: bool
    rules: SizingRules
    servers: tuple[ServerSizing, ...]
    systems: tuple[SizingTotal, ...]
    departments: tuple[SizingTotal, ...]
