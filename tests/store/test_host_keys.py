"""A host key that a person approved is found again; a newer approval takes the place of the older one of its type."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from govcloud.model.access import HostKey
from govcloud.store import Store, host_keys

AT = datetime(2026, 3, 7, tzinfo=UTC)
KEY = HostKey(host="10.66.1.10", port=22, key_type="ssh-ed25519", key_base64="AAAA", approved_by="张示例")


def test_keys_are_found_by_address_and_port(store: Store) -> None:
    rsa = replace(KEY, key_type="ssh-rsa")
    with store.begin() as tx:
        for key in (KEY, rsa, replace(KEY, port=2222)):
            host_keys.approve(tx, key, AT)
    with store.read() as tx:
        found = host_keys.approved_keys(tx)
    assert set(found) == {("10.66.1.10", 22), ("10.66.1.10", 2222)}
    assert set(found[("10.66.1.10", 22)]) == {KEY, rsa}


def test_a_newer_approval_takes_the_place_of_the_older(store: Store) -> None:
    with store.begin() as tx:
        host_keys.approve(tx, KEY, AT)
        host_keys.approve(tx, replace(KEY, key_base64="BBBB"), AT)
    with store.read() as tx:
        assert host_keys.approved_keys(tx)[("10.66.1.10", 22)] == (replace(KEY, key_base64="BBBB"),)
