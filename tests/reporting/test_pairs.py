"""Combinations of two labels in one block of months."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from app.reporting.pairs import Label, PairTables

SELECTORS = ("plan", "language", "channel")
VALUES = (("free", "pro", "team"), ("en", "ja"), ("link", "qr"))
ROWS = st.dictionaries(
    st.tuples(*map(st.sampled_from, VALUES)), st.one_of(st.integers(1, 8), st.integers(1, 60))
)
MINIMUM = 5


def margins(answers: dict[tuple[str, ...], int]) -> Counter[Label]:
    found: Counter[Label] = Counter()
    for values, size in answers.items():
        for label in zip(SELECTORS, values, strict=True):
            found[label] += size
    return found


def tables(answers: dict[tuple[str, ...], int], known: dict[Label, int]) -> PairTables:
    return PairTables(SELECTORS, answers, known, MINIMUM)


def test_a_small_pair_takes_its_rectangle_along() -> None:
    sizes = {("free", "en"): 40, ("free", "ja"): 20, ("pro", "en"): 30, ("pro", "ja"): 2}
    answers: dict[tuple[str, ...], int] = {(*pair, "link"): size for pair, size in sizes.items()}
    shown = tables(answers, dict(margins(answers))).shown
    assert not any({"plan", "language"} == {name for name, _value in pair} for pair in shown)


def test_pairs_of_labels_that_are_hidden_are_hidden() -> None:
    answers: dict[tuple[str, ...], int] = {("free", "en", "link"): 40, ("pro", "ja", "qr"): 40}
    assert tables(answers, {}).shown == {}


@given(ROWS)
def test_what_is_shown_is_exact_and_enough(answers: dict[tuple[str, ...], int]) -> None:
    for pair, size in tables(answers, dict(margins(answers))).shown.items():
        held = [
            count
            for values, count in answers.items()
            if set(pair) <= set(zip(SELECTORS, values, strict=True))
        ]
        assert size == sum(held) >= MINIMUM


@given(ROWS)
def test_every_known_line_leaves_none_or_enough(answers: dict[tuple[str, ...], int]) -> None:
    known = margins(answers)
    shown = tables(answers, dict(known)).shown
    for label, total in known.items():
        for other in set(SELECTORS) - {label[0]}:
            line = [
                size
                for pair, size in shown.items()
                if label in pair and other in {name for name, _value in pair}
            ]
            rest = total - sum(line)
            assert not line or rest == 0 or rest >= MINIMUM


@given(ROWS)
def test_a_group_is_not_nearly_all_of_another(
    answers: dict[tuple[str, ...], int],
) -> None:
    known = margins(answers)
    for pair, size in tables(answers, dict(known)).shown.items():
        for label in pair:
            assert known[label] == size or known[label] - size >= MINIMUM
