"""Which networks hold an address, and which blocks lie in others. Linear in addresses, n log n in blocks. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, inet_pton
from typing import NamedTuple

from govcloud.model.inventory import Network


class Address(NamedTuple):
    version: int
    number: int

    @classmethod
    def of(cls, text: str) -> Address:
        """As ipaddress reads it, several times faster: an estate has hundreds of thousands."""
        try:
            if ":" in text:
                return cls(6, int.from_bytes(inet_pton(AF_INET6, text)))
            return cls(4, int.from_bytes(inet_pton(AF_INET, text)))
        except OSError:
            parsed = ipaddress.ip_address(text)
            return cls(parsed.version, int(parsed))

    def block(self, length: int) -> Block:
        """The block of that prefix length around it."""
        bits = (32 if self.version == 4 else 128) - length
        return Block(self.version, self.number >> bits << bits, length)

    @property
    def local(self) -> bool:
        """It can be on a network of a department: neither the whole internet's nor the machine's own."""
        made = ipaddress.IPv4Address(self.number) if self.version == 4 else ipaddress.IPv6Address(self.number)
        return not (made.is_global or made.is_loopback or made.is_link_local)


class Block(NamedTuple):
    """Sorts so that a block comes right before those inside of it."""

    version: int
    first: int
    length: int
    """Of the prefix."""

    @classmethod
    def of(cls, text: str) -> Block:
        network = ipaddress.ip_network(text, strict=False)
        return cls(network.version, int(network.network_address), network.prefixlen)

    @property
    def bits(self) -> int:
        return (32 if self.version == 4 else 128) - self.length

    @property
    def prefix(self) -> str:
        made = ipaddress.IPv4Network if self.version == 4 else ipaddress.IPv6Network
        return str(made((self.first, self.length)))

    def holds(self, other: Block) -> bool:
        return (
            self.version == other.version
            and self.length <= other.length
            and (other.first >> self.bits) == (self.first >> self.bits)
        )


class BlockTable:
    """Address or block -> the networks that have declared a block around it; one look-up a prefix length."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._tables: dict[tuple[int, int], dict[int, list[str]]] = {}
        for network in networks:
            for block in map(Block.of, network.prefixes):
                table = self._tables.setdefault((block.version, block.bits), {})
                table.setdefault(block.first >> block.bits, []).append(network.network_id)

    def __bool__(self) -> bool:
        return bool(self._tables)

    def holders(self, address: Address) -> Iterator[str]:
        for (version, bits), table in self._tables.items():
            if version == address.version:
                yield from table.get(address.number >> bits, ())

    def covers(self, address: Address) -> bool:
        version, number = address
        for (of, bits), table in self._tables.items():  # noqa: SIM110 - a generator costs twice as much here
            if of == version and number >> bits in table:
                return True
        return False

    def around(self, block: Block) -> Iterator[str]:
        """Networks with a block that holds the whole of this one."""
        for (version, bits), table in self._tables.items():
            if version == block.version and bits >= block.bits:
                yield from table.get(block.first >> bits, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Two networks can't have part of a block in common: one block lies in the other, or they are the same."""

    block: Block
    """What is in common: the smaller one."""
    networks: tuple[str, ...]
    """Ids of all networks that declare just this block."""
    within: tuple[str, ...] = ()
    """Ids of the networks that declare the next larger block around it; empty: there is none, or it is only their own."""


def build_overlaps(networks: Sequence[Network]) -> Iterator[Overlap]:
    """One entry a block that is not one network's alone. Larger blocks further out are told by the entry of the next one."""
    owners: dict[Block, dict[str, None]] = {}
    for network in networks:
        for block in map(Block.of, network.prefixes):
            owners.setdefault(block, {})[network.network_id] = None
    around: list[Block] = []
    ids = {block: tuple(sorted(found)) for block, found in owners.items()}
    for block in sorted(ids):
        while around and not around[-1].holds(block):
            around.pop()
        outer = ids[around[-1]] if around else ()
        if outer == ids[block]:
            outer = ()
        if outer or len(ids[block]) > 1:
            yield Overlap(block=block, networks=ids[block], within=outer)
        around.append(block)
