"""A limit on the bandwidth holds for any pattern of transfers, or a department's line is full while it works."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govcloud.execution.bucket import Bucket, bytes_per_s


@settings(deadline=None)
@given(
    st.floats(1, 1e9), st.lists(st.tuples(st.integers(0, 10_000_000), st.floats(0, 20)), min_size=1, max_size=40)
)  # fmt: skip
def test_no_more_passes_than_the_rate_allows_and_a_quarter_of_a_second(
    rate: float, moves: list[tuple[int, float]]
) -> None:
    now = [100.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    bucket = Bucket(rate, clock=lambda: now[0], sleep=sleep)
    begun, passed = now[0], 0
    for count, idle in moves:
        now[0] += idle
        bucket.take(count)
        passed += count
        assert passed <= rate * (now[0] - begun + 0.25) * (1 + 1e-9) + 1e-6


def test_without_a_limit_nothing_waits_and_mbps_are_decimal_megabits() -> None:
    assert Bucket(None).take(1 << 40) == 0
    assert bytes_per_s(8) == 1_000_000 and bytes_per_s(None) is None
    with pytest.raises(ValueError):
        Bucket(0)
