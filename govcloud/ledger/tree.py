"""Proofs over the Merkle tree of RFC 9162 §2.1, made from any part's head. Pure; their checks are in verify.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from govcloud.model.ledger import SHA256, HashProfile

Root = Callable[[int, int], bytes]
"""Head of the tree over the leaves from the first number to before the second."""


def root_of(leaves: Sequence[bytes], hashes: HashProfile = SHA256) -> Root:
    """Of leaf hashes in memory."""
    return lambda start, end: hashes.root(leaves[start:end])


def build_inclusion_proof(root: Root, size: int, index: int) -> list[bytes]:
    """PATH(index, leaves) of §2.1.3.1, nearest sibling first. Raises IndexError outside of the tree."""
    if not 0 <= index < size:
        raise IndexError(index)
    path, start, end = list[bytes](), 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(root(middle, end))
            end = middle
        else:
            path.append(root(start, middle))
            start = middle
    return path[::-1]


def build_consistency_proof(root: Root, size: int, old_size: int) -> list[bytes]:
    """PROOF(old_size, leaves) of §2.1.4.1. Raises IndexError unless 0 < old_size <= size."""
    if not 0 < old_size <= size:
        raise IndexError(old_size)
    path, start, end = list[bytes](), 0, size
    while end > old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(root(middle, end))
            end = middle
        else:
            path.append(root(start, middle))
            start = middle
    # The old tree itself is known to whoever holds its head.
    return path[::-1] if start == 0 else [root(start, end), *path[::-1]]


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (§2.1.1); `size` is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)
