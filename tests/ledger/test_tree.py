"""The Merkle tree against the public test data of RFC 6962/9162 implementations (google/certificate-transparency) and pymerkle."""

from __future__ import annotations

from collections.abc import Sequence

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud.ledger import tree, verify
from govcloud.ledger.sm3 import SM3
from govcloud.ledger.verify import Tree
from govcloud.model.ledger import SHA256

DATA = [
    bytes.fromhex(data)
    for data in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
LEAVES = [SHA256.leaf(data) for data in DATA]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): INCLUSION[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
data_lists = st.lists(st.binary(max_size=3), min_size=1, max_size=40)
leaves = data_lists.map(lambda found: [SHA256.leaf(data) for data in found])


def inclusion(hashes: Sequence[bytes], index: int) -> list[bytes]:
    return tree.build_inclusion_proof(tree.root_of(hashes), len(hashes), index)


def consistency(hashes: Sequence[bytes], old: int) -> list[bytes]:
    return tree.build_consistency_proof(tree.root_of(hashes), len(hashes), old)


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_of_the_public_test_data(size: int) -> None:
    assert SHA256.root(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize("size", range(9))
def test_the_standalone_verifier_streams_to_the_same_roots(size: int) -> None:
    streamed = Tree()
    for leaf in LEAVES[:size]:
        streamed.add(leaf)
    assert streamed.root().hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_inclusion_proofs_are_those_of_the_public_test_data(index: int, size: int) -> None:
    assert [h.hex() for h in inclusion(LEAVES[:size], index)] == INCLUSION[index, size]


@pytest.mark.parametrize(("old", "size"), CONSISTENCY)
def test_consistency_proofs_are_those_of_the_public_test_data(old: int, size: int) -> None:
    assert [h.hex() for h in consistency(LEAVES[:size], old)] == CONSISTENCY[old, size]


@given(leaves, st.data())
def test_every_record_can_be_proved_and_no_other(hashes: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(hashes) - 1))
    root, proof = SHA256.root(hashes), inclusion(hashes, index)
    assert verify.verify_inclusion(hashes[index], index, len(hashes), proof, root) == []
    assert verify.verify_inclusion(SHA256.leaf(b"forged"), index, len(hashes), proof, root)
    assert verify.verify_inclusion(hashes[index], index, len(hashes), [*proof, root], root)
    if proof:
        assert verify.verify_inclusion(hashes[index], index, len(hashes), proof[:-1], root)


@given(leaves, st.data())
def test_growth_can_be_proved_and_a_rewritten_past_cannot(hashes: list[bytes], data: st.DataObject) -> None:
    old = data.draw(st.integers(1, len(hashes)))
    old_root, root = SHA256.root(hashes[:old]), SHA256.root(hashes)
    proof = consistency(hashes, old)
    assert verify.verify_consistency(old, len(hashes), old_root, root, proof) == []
    rewritten = [SHA256.leaf(b"forged"), *hashes[1:]]
    forged = consistency(rewritten, old)
    assert verify.verify_consistency(old, len(hashes), old_root, SHA256.root(rewritten), forged)
    assert verify.verify_consistency(old, len(hashes), old_root, root, [*proof, root])


@given(leaves)
def test_the_two_implementations_agree(hashes: list[bytes]) -> None:
    streamed = Tree()
    for leaf in hashes:
        streamed.add(leaf)
    assert streamed.root() == SHA256.root(hashes)


@pytest.mark.parametrize("old", [0, 9])
def test_proofs_outside_of_the_tree_are_refused(old: int) -> None:
    with pytest.raises(IndexError):
        consistency(LEAVES, old)
    assert verify.verify_consistency(old, 8, b"", b"", [])
    with pytest.raises(IndexError):
        inclusion(LEAVES, old or -1)
    assert verify.verify_inclusion(b"", 9, 8, [], b"")


@given(data_lists, st.data())
def test_roots_and_proofs_are_those_of_pymerkle(found: list[bytes], data: st.DataObject) -> None:
    """Another implementation of RFC 9162. It puts the hash that its verifier starts from at the head of its proofs."""
    other = pymerkle.InmemoryTree(algorithm="sha256")
    for one in found:
        other.append_entry(one)
    hashes, size = [SHA256.leaf(one) for one in found], len(found)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    assert other.get_root(old) == SHA256.root(hashes[:old])
    assert other.get_root() == SHA256.root(hashes)
    theirs = other.prove_inclusion(index + 1, size)
    pymerkle.verify_inclusion(hashes[index], SHA256.root(hashes), theirs)
    assert [bytes.fromhex(h) for h in theirs.serialize()["path"]][1:] == inclusion(hashes, index)
    growth, ours = other.prove_consistency(old, size), consistency(hashes, old)
    for old_root, root, holds in (
        (SHA256.root(hashes[:old]), SHA256.root(hashes), True),
        (SHA256.leaf(b"forged"), SHA256.root(hashes), False),
        (SHA256.root(hashes[:old]), SHA256.leaf(b"forged"), False),
    ):
        assert (not verify.verify_consistency(old, size, old_root, root, ours)) is holds
        try:
            pymerkle.verify_consistency(old_root, root, growth)
            theirs_holds = True
        except pymerkle.InvalidProof:
            theirs_holds = False
        assert theirs_holds is holds


@given(data_lists, st.data())
def test_the_same_proofs_hold_with_sm3_and_none_of_the_other_hash(found: list[bytes], data: st.DataObject) -> None:
    hashes, size = [SM3.leaf(one) for one in found], len(found)
    index = data.draw(st.integers(0, size - 1))
    proof = tree.build_inclusion_proof(tree.root_of(hashes, SM3), size, index)
    root = SM3.root(hashes)
    assert verify.verify_inclusion(hashes[index], index, size, proof, root, verify.HASHES["sm3"]) == []
    assert not proof or verify.verify_inclusion(hashes[index], index, size, proof, root)
