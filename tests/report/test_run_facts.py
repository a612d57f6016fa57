"""What an attempt counted is told in words that an office reads, in both languages."""

from __future__ import annotations

import re

import pytest

from govcloud.report.run_facts import told

SEEN = {
    "boot /srv/oa/app/ctl": "script: boot setting not changed", "can_still_write": "records: postgres, records",
    "can_still_write oa": "oa, postgres", "carried": 3, "cuts": 2, "data_bytes": 9417984, "database_kept": "records_kept_16385",
    "database_sha256": "262b74db49ef6c45fe31c47b99dfdda5", "direct": 1, "entrances": 1, "files": 27, "hosts": 3, "http_checks": 4,
    "level": "L3", "left_changed": 1, "lag_bytes": 4096, "running": 1, "sha256 /srv/oa/uploads": "f0b68be44250945a84c4719979894016",
    "source_files": 989, "tables_sent": 1, "taken_rows": 208, "ttl_s": 5, "way": "relay", "host_key.web": "SHA256:abc",
    "host_key_from.web": "console", "address.web": "10.20.0.9", "flows": 4, "not_measured": 1, "attributes_left": 2,
    "disk_gib.web": 80, "oa-src.can_still_write": "oa", "db.example.database_kept": "oa1",
}  # fmt: skip


@pytest.mark.parametrize("key", SEEN)
def test_a_fact_has_words_in_both_languages(key: str) -> None:
    (text,) = told({key: SEEN[key]})
    assert re.search(r"[一-鿿]", text.zh) and not re.search(r"[一-鿿]", text.en)
    assert not re.search(r"[a-z]_[a-z]", text.en.replace("records_kept_16385", ""))


def test_sizes_and_digests_are_shortened_names_are_not() -> None:
    said = " ".join(t.en for t in told(SEEN))
    for words in (
        "data 9.0 MiB",
        "262b74db49ef6c45",
        "records: postgres, records",
        "write oa: oa, postgres",
        "replication 4.0 KiB behind",
    ):
        assert words in said
    assert "262b74db49ef6c45f" not in said


def test_what_did_not_happen_is_not_said() -> None:
    assert told({"removed": 0, "cuts": 0, "taken_rows": 0, "left_changed": 0}) == []
