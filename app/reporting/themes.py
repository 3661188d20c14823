"""What one set of comments is about more than another: its terms, told apart from chance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.scoring import (
    GroupCounts,
    Interval,
    Keyness,
    Nps,
    Share,
    benjamini_hochberg,
    informative_prior,
    interval_of,
    keyness_of,
    nps_of,
    share_of,
)

MIN_COMMENTS = 5
PRIOR_WEIGHT = 0.3  # of the smaller set: rare terms do not look typical, common ones still show
LEVEL = 0.05  # of the corrected p-value, below which a difference is called clear
MOSTLY = 0.8  # of a word's comments hold a phrase: then the phrase says it


@dataclass(frozen=True, slots=True)
class TermUse:
    """In how many comments of each group a term stands; `label` is how it is mostly written."""

    key: str
    label: str
    counts: GroupCounts

    @property
    def total(self) -> int:
        return self.counts.total


@dataclass(frozen=True, slots=True)
class Theme:
    """A term that one set of comments uses clearly more than the other.

    `share` is that of the comments with it among all of the set. `nps` is the score of everybody
    in both sets who mentions it.
    """

    key: str
    label: str
    comments: int
    share: Share
    nps: Nps
    interval: Interval
    keyness: Keyness


@dataclass(frozen=True, slots=True)
class ThemesOfGroups:
    """What promoters and detractors say more than each other, the clearest first."""

    promoters: tuple[Theme, ...]
    detractors: tuple[Theme, ...]


def compare_groups(uses: Iterable[TermUse], comments: GroupCounts, limit: int) -> ThemesOfGroups:
    """The themes of promoters and of detractors, at most `limit` of each.

    `comments` are all comments by group, whether they hold a term or not.
    """
    known = [use for use in uses if use.total >= MIN_COMMENTS]
    found = _clear(
        {use.key: use.counts.promoters for use in known},
        {use.key: use.counts.detractors for use in known},
    )
    more = [use for use in known if use.key in found and found[use.key].z > 0]
    less = [use for use in known if use.key in found and found[use.key].z < 0]
    return ThemesOfGroups(
        tuple(
            _theme(use, use.counts.promoters, comments.promoters, found[use.key])
            for use in _choose(more, found, limit)
        ),
        tuple(
            _theme(use, use.counts.detractors, comments.detractors, found[use.key])
            for use in _choose(less, found, limit)
        ),
    )


def find_new(
    uses: Iterable[TermUse], earlier: Iterable[TermUse], comments: int, limit: int
) -> tuple[Theme, ...]:
    """What comes up clearly more in a period than in the one before; `comments` are those of it."""
    known = [use for use in uses if use.total >= MIN_COMMENTS]
    before = {use.key: use.total for use in earlier}
    found = _clear({use.key: use.total for use in known}, before)
    more = [use for use in known if use.key in found and found[use.key].z > 0]
    chosen = _choose(more, found, limit)
    return tuple(_theme(use, use.total, comments, found[use.key]) for use in chosen)


def _clear(counts: dict[str, int], others: dict[str, int]) -> dict[str, Keyness]:
    """The terms whose difference is more than chance, corrected for how many were looked at."""
    prior = informative_prior(counts, others)
    weighed = {key: PRIOR_WEIGHT * weight for key, weight in prior.items()}
    compared = keyness_of(counts, others, weighed)
    corrected = benjamini_hochberg([keyness.p_value for keyness in compared.values()])
    return {
        key: keyness
        for (key, keyness), p_value in zip(compared.items(), corrected, strict=True)
        if p_value < LEVEL
    }


def _choose(uses: Sequence[TermUse], found: dict[str, Keyness], limit: int) -> list[TermUse]:
    """The clearest, without words that a phrase among them says better."""
    said: dict[str, int] = {}
    for use in uses:
        for word in _words(use.key):
            said[word] = max(said.get(word, 0), use.total)
    kept = [use for use in uses if said.get(use.key, 0) < MOSTLY * use.total]
    return sorted(kept, key=lambda use: (-abs(found[use.key].z), use.key))[:limit]


def _words(key: str) -> list[str]:
    return key.split(" ") if " " in key else []


def _theme(use: TermUse, count: int, total: int, keyness: Keyness) -> Theme:
    share, nps, interval = share_of(count, total), nps_of(use.counts), interval_of(use.counts)
    assert share is not None
    assert nps is not None
    assert interval is not None  # a theme stands in comments, and they have scores
    return Theme(use.key, use.label, count, share, nps, interval, keyness)
