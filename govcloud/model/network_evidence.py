"""What hosts show of the networks they sit on, next to what was declared of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Trace = Literal["tunnel", "interface", "route", "default_gateway"]
TRACES: tuple[Trace, ...] = ("tunnel", "interface", "route", "default_gateway")
"""The most telling first: a tunnel or a second leg is made for a network of its own, a default gateway is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkEvidence:
    """One trace of a network on one server."""

    server_id: str
    what: Trace
    prefix: str | None = None
    """CIDR; None: a tunnel without an address, a gateway outside of the server's own prefixes."""
    gateway: str | None = None
    interface: str | None = None
    """Name of the interface, or of the program that keeps an IPsec tunnel."""
    network_id: str | None = None
    """The declared network that covers the prefix or, where there is no prefix, the gateway. None: nobody declared it."""
    via_network_id: str | None = None
    """The declared network that the gateway belongs to: it reaches further than declared."""
    in_cloud: bool = False
    """A tenant's network inside a cloud: never a dedicated network of a department."""

    @property
    def undeclared(self) -> bool:
        return self.network_id is None and not self.in_cloud
