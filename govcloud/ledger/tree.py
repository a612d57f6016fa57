"""Merkle tree of RFC 9162 §2.1 over leaf hashes: root, inclusion proof, consistency proof and their checks. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (§2.1.1); `size` is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def build_root(leaves: Sequence[bytes]) -> bytes:
    """Tree head over leaf hashes. Pairs level by level; a last odd node moves up unchanged, as in the recursive form."""
    if not leaves:
        return EMPTY_ROOT
    level = list(leaves)
    while len(level) > 1:
        paired = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = paired + level[len(paired) * 2 :]
    return level[0]


def build_inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """PATH(index, leaves) of §2.1.3.1, nearest sibling first. Raises IndexError outside of the tree."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*build_inclusion_proof(leaves[:k], index), build_root(leaves[k:])]
    return [*build_inclusion_proof(leaves[k:], index - k), build_root(leaves[:k])]


def build_consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """PROOF(old_size, leaves) of §2.1.4.1. Raises IndexError unless 0 < old_size <= len(leaves)."""
    if not 0 < old_size <= len(leaves):
        raise IndexError(old_size)
    return _subproof(leaves, old_size, True)


def _subproof(leaves: Sequence[bytes], old_size: int, known: bool) -> list[bytes]:
    if old_size == len(leaves):
        return [] if known else [build_root(leaves)]
    k = _split(len(leaves))
    if old_size <= k:
        return [*_subproof(leaves[:k], old_size, known), build_root(leaves[k:])]
    return [*_subproof(leaves[k:], old_size - k, False), build_root(leaves[:k])]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> list[str]:
    """What is wrong with the proof (§2.1.3.2); empty when the leaf is at `index` of the tree with this root."""
    if not 0 <= index < size:
        return ["the index is outside of the tree"]
    position, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return ["the proof is too long"]
        if position & 1 or position == last:
            found = node_hash(sibling, found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        position, last = position >> 1, last >> 1
    if last:
        return ["the proof is too short"]
    return [] if found == root else ["the root differs"]


def verify_consistency(old_size: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]) -> list[str]:
    """What is wrong (§2.1.4.2); empty when the tree of `size` is the tree of `old_size` with leaves appended."""
    if not 0 < old_size <= size:
        return ["the sizes are impossible"]
    if old_size == size:
        return [] if not proof and old_root == root else ["the same size with another root"]
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return ["the proof is empty"]
    position, last = old_size - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old_found = found = path[0]
    for node in path[1:]:
        if last == 0:
            return ["the proof is too long"]
        if position & 1 or position == last:
            old_found, found = node_hash(node, old_found), node_hash(node, found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = node_hash(found, node)
        position, last = position >> 1, last >> 1
    if last:
        return ["the proof is too short"]
    return [] if (old_found, found) == (old_root, root) else ["the roots differ"]
