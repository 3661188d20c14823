"""Counts of answers for the property tests: mostly small, where the edges are."""

from hypothesis import strategies as st

from app.scoring import Distribution, GroupCounts

_count = st.one_of(st.integers(0, 5), st.integers(0, 100_000))

some_or_no_answers = st.builds(GroupCounts, _count, _count, _count)
some_answers = some_or_no_answers.filter(lambda counts: counts.total > 0)
distributions = st.lists(_count, min_size=11, max_size=11).map(Distribution.from_counts)
scores = st.integers(0, 10)
confidences = st.floats(0.5, 0.999)


def swapped(counts: GroupCounts) -> GroupCounts:
    """Return the answers with promoters and detractors exchanged."""
    return GroupCounts(counts.detractors, counts.passives, counts.promoters)
