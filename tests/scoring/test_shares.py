import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.scoring import share_of


def test_a_published_case() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81 of 263, and 1 of 29.
    large, small = share_of(81, 263), share_of(1, 29)
    assert large is not None
    assert small is not None
    assert (round(large.low, 4), round(large.high, 4)) == (0.2553, 0.3662)
    assert (round(small.low, 4), round(small.high, 4)) == (0.0061, 0.1718)


@given(st.integers(0, 1_000), st.integers(0, 1_000))
def test_an_interval_holds_its_share(one: int, other: int) -> None:
    count, total = sorted((one, other))
    found = share_of(count, total)
    if total == 0:
        assert found is None
        return
    assert found is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high


def test_what_is_no_share() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        share_of(3, 2)
