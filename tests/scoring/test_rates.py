from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.scoring import (
    Denominator,
    Ratio,
    churn_rate,
    customer_effort,
    customer_satisfaction,
    net_revenue_retention,
    retention_rate,
)


def test_churn_and_retention_of_a_period() -> None:
    churn = churn_rate(customers_at_start=200, customers_lost=7)
    kept = retention_rate(customers_at_start=200, customers_lost=7)
    assert churn == Ratio(7, 200, Denominator.CUSTOMERS_AT_START)
    assert churn.value == 0.035
    assert kept == Ratio(193, 200, Denominator.CUSTOMERS_AT_START)
    assert kept.value == 0.965


def test_without_customers_at_the_start_there_is_no_rate() -> None:
    assert churn_rate(customers_at_start=0, customers_lost=0) is None
    assert retention_rate(customers_at_start=0, customers_lost=0) is None


@pytest.mark.parametrize("rate", [churn_rate, retention_rate])
def test_impossible_customer_counts_are_refused(rate: Any) -> None:
    with pytest.raises(ValueError, match="6 customers lost of only 5"):
        rate(customers_at_start=5, customers_lost=6)
    with pytest.raises(ValueError, match="negative"):
        rate(customers_at_start=5, customers_lost=-1)
    with pytest.raises(TypeError, match="must be an int"):
        rate(customers_at_start=5.0, customers_lost=1)


@given(st.integers(1, 10**6), st.data())
def test_churn_and_retention_make_up_the_whole(at_start: int, data: st.DataObject) -> None:
    lost = data.draw(st.integers(0, at_start))
    churn = churn_rate(customers_at_start=at_start, customers_lost=lost)
    kept = retention_rate(customers_at_start=at_start, customers_lost=lost)
    assert churn is not None
    assert kept is not None
    assert 0 <= churn.value <= 1
    assert churn.value + kept.value == pytest.approx(1)


def test_net_revenue_retention_in_exact_money() -> None:
    retention = net_revenue_retention(
        starting_revenue=Decimal("1000.10"),
        expansion=Decimal("200.20"),
        contraction=Decimal("50.05"),
        churned=Decimal("100.10"),
    )
    assert retention is not None
    assert retention.numerator == Decimal("1050.15")
    assert retention.denominator == Decimal("1000.10")
    assert retention.denominator_name is Denominator.STARTING_RECURRING_REVENUE
    assert retention.value == pytest.approx(1.0500449955)


def test_net_revenue_retention_in_whole_yen() -> None:
    retention = net_revenue_retention(
        starting_revenue=100_000, expansion=0, contraction=10_000, churned=90_000
    )
    assert retention is not None
    assert retention.value == 0


def test_without_starting_revenue_there_is_no_retention() -> None:
    assert net_revenue_retention(starting_revenue=0, expansion=5, contraction=0, churned=0) is None


def test_impossible_revenue_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        net_revenue_retention(starting_revenue=10, expansion=0, contraction=-1, churned=0)
    with pytest.raises(ValueError, match="exceed"):
        net_revenue_retention(starting_revenue=10, expansion=0, contraction=6, churned=5)


def test_csat_is_the_share_of_the_two_best_of_five() -> None:
    satisfaction = customer_satisfaction([1, 2, 3, 5, 9])
    assert satisfaction == Ratio(14, 20, Denominator.ANSWERS)
    assert satisfaction.value == 0.7
    assert customer_satisfaction([0] * 5) is None


def test_ces_is_the_mean_from_one_to_seven() -> None:
    effort = customer_effort([1, 0, 0, 2, 0, 0, 1])
    assert effort == Ratio(16, 4, Denominator.ANSWERS)
    assert effort.value == 4
    assert customer_effort([0] * 7) is None


@pytest.mark.parametrize("index", range(7))
def test_ces_of_one_answer_is_that_answer(index: int) -> None:
    counts = [0] * 7
    counts[index] = 1
    effort = customer_effort(counts)
    assert effort is not None
    assert effort.value == index + 1


def test_scales_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="5 counts, not 7"):
        customer_satisfaction([1] * 7)
    with pytest.raises(ValueError, match="7 counts, not 5"):
        customer_effort([1] * 5)
    with pytest.raises(ValueError, match="negative"):
        customer_effort([1] * 6 + [-1])
