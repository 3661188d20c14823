from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.scoring import Category, Distribution, GroupCounts, category_of, together
from tests.scoring.strategies import distributions, scores, some_or_no_answers

NOT_A_SCORE: list[Any] = [7.5, "9", True, None, Decimal(9)]


@pytest.mark.parametrize(
    ("score", "category"),
    [
        (0, Category.DETRACTOR),
        (6, Category.DETRACTOR),
        (7, Category.PASSIVE),
        (8, Category.PASSIVE),
        (9, Category.PROMOTER),
        (10, Category.PROMOTER),
    ],
)
def test_groups_begin_and_end_where_the_definition_says(score: int, category: Category) -> None:
    assert category_of(score) is category


@pytest.mark.parametrize("score", [-1, 11])
def test_a_score_out_of_range_has_no_group(score: int) -> None:
    with pytest.raises(ValueError, match="between 0 and 10"):
        category_of(score)
    with pytest.raises(ValueError, match="between 0 and 10"):
        Distribution.from_scores([5, score])


@pytest.mark.parametrize("score", NOT_A_SCORE)
def test_only_an_integer_is_a_score(score: Any) -> None:
    with pytest.raises(TypeError, match="must be an int"):
        category_of(score)
    with pytest.raises(TypeError, match="must be an int"):
        Distribution.from_scores([score])


def test_category_is_stored_as_its_word() -> None:
    assert [str(category) for category in Category] == ["promoter", "passive", "detractor"]


def test_distribution_counts_each_group() -> None:
    distribution = Distribution.from_counts([1, 2, 3, 4, 5, 6, 7, 100, 200, 1000, 2000])
    assert distribution.detractors == 28
    assert distribution.passives == 300
    assert distribution.promoters == 3000
    assert distribution.total == 3328


def test_distribution_of_single_scores() -> None:
    distribution = Distribution.from_scores([0, 6, 7, 9, 9, 10])
    assert distribution.counts == (1, 0, 0, 0, 0, 0, 1, 1, 0, 2, 1)
    assert distribution.mean == pytest.approx(41 / 6)


def test_no_answers_have_no_mean() -> None:
    assert Distribution.empty().total == 0
    assert Distribution.empty().mean is None


@pytest.mark.parametrize("length", [0, 10, 12])
def test_a_distribution_has_eleven_counts(length: int) -> None:
    with pytest.raises(ValueError, match="11 counts"):
        Distribution.from_counts([0] * length)


def test_a_distribution_refuses_what_is_not_a_count() -> None:
    with pytest.raises(ValueError, match="negative"):
        Distribution.from_counts([0] * 10 + [-1])
    wrong: list[Any] = [1.0, True, Decimal(3), None]
    for count in wrong:
        with pytest.raises(TypeError, match="must be an int"):
            Distribution.from_counts([0] * 10 + [count])


def test_group_counts_refuse_what_is_not_a_count() -> None:
    with pytest.raises(ValueError, match="negative"):
        GroupCounts(1, -1, 1)
    wrong: Any = 1.5
    with pytest.raises(TypeError, match="must be an int"):
        GroupCounts(wrong, 0, 0)


def test_a_list_of_counts_would_make_the_value_unhashable() -> None:
    counts: Any = [0] * 11
    with pytest.raises(TypeError, match="from_counts"):
        Distribution(counts)
    assert hash(Distribution.from_counts(counts)) == hash(Distribution.empty())


def test_what_is_not_a_part_cannot_be_taken_away() -> None:
    with pytest.raises(ValueError, match="negative"):
        Distribution.from_scores([9]) - Distribution.from_scores([8])


def test_a_distribution_adds_only_to_a_distribution() -> None:
    number: Any = 1
    with pytest.raises(TypeError):
        Distribution.empty() + number
    with pytest.raises(TypeError):
        Distribution.empty() - number


@given(st.lists(scores), st.lists(scores))
def test_adding_distributions_is_counting_all_scores(first: list[int], second: list[int]) -> None:
    both = Distribution.from_scores(first) + Distribution.from_scores(second)
    assert both == Distribution.from_scores(first + second)


@given(distributions, distributions)
def test_subtracting_undoes_adding(first: Distribution, second: Distribution) -> None:
    assert first + second - second == first


@given(st.lists(distributions, max_size=4))
def test_distributions_can_be_summed(parts: list[Distribution]) -> None:
    whole = sum(parts, start=Distribution.empty())
    assert whole.total == sum(part.total for part in parts)


@given(st.lists(scores, min_size=1))
def test_groups_agree_with_the_category_of_each_score(answered: list[int]) -> None:
    distribution = Distribution.from_scores(answered)
    categories = [category_of(score) for score in answered]
    assert distribution.promoters == categories.count(Category.PROMOTER)
    assert distribution.passives == categories.count(Category.PASSIVE)
    assert distribution.detractors == categories.count(Category.DETRACTOR)
    assert distribution.mean == pytest.approx(sum(answered) / len(answered))


@given(st.lists(some_or_no_answers))
def test_parts_together_hold_all_answers_and_can_be_taken_away_again(
    parts: list[GroupCounts],
) -> None:
    whole = together(parts)
    assert whole.total == sum(part.total for part in parts)
    for part in parts:
        assert (whole - part).total == whole.total - part.total
    assert together([Distribution.from_scores([0, 7, 10, 10])]) == GroupCounts(2, 1, 1)


def test_what_is_no_part_cannot_be_taken_away() -> None:
    with pytest.raises(ValueError, match="negative"):
        GroupCounts(5, 5, 5) - GroupCounts(0, 6, 0)
