"""Hiding is not wanton: of real surveys nearly as much stays visible as can."""

from pathlib import Path

import pytest

from bench.sample_surveys import sample_surveys
from bench.visibility import Visibility, measure

NEARLY = 0.001


@pytest.fixture(scope="module")
def found(sample_data: Path) -> list[Visibility]:
    return measure(sample_surveys(sample_data))


def test_labels_are_as_visible_as_the_bound_allows(found: list[Visibility]) -> None:
    for row in of_width(found, 1):
        assert row.in_one_block.cells == pytest.approx(row.bound.cells), row.name
        assert row.in_one_block.answers == pytest.approx(row.bound.answers), row.name
        assert row.ours.answers > 0.95 * row.bound.answers, f"{row.name}: blocks of months cost"


def test_pairs_keep_most_of_what_the_bound_allows(found: list[Visibility]) -> None:
    for row in of_width(found, 2):
        assert row.in_one_block.answers > 0.7 * row.bound.answers, row.name
        assert row.in_one_block.cells > 0.5 * row.bound.cells, row.name
        assert row.ours.answers > 0.5 * row.bound.answers, f"{row.name}: blocks of months cost"
    large = [row for row in of_width(found, 2) if row.name.startswith("supermarket")]
    assert all(row.ours.answers > 0.85 for row in large)


def test_nothing_beats_the_bound_or_the_naive_rule(found: list[Visibility]) -> None:
    for row in found:
        assert row.bound.answers >= row.in_one_block.answers - NEARLY, f"{row.name}: no bound"
        assert row.naive.answers >= row.bound.answers - NEARLY, f"{row.name}: no bound"
        assert row.naive.answers >= row.ours.answers, f"{row.name}: shows small cells"


def of_width(found: list[Visibility], width: int) -> list[Visibility]:
    rows = [row for row in found if row.width == width]
    assert rows, "nothing was measured"
    return rows
