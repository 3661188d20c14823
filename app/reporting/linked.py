"""Which months and selectors a new figure has to be checked with before it is published."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from app.reporting.exchanges import Exchanges, Row, Shown

MOST_ROWS = 600  # different answers of linked months: the work grows with their square


class Linked:
    """All that is published of an edition, of which each new figure needs to be checked only with
    the months that blocks link to its own: what lies before adds nothing to what can be computed.

    The selectors have nothing to do with each other as long as no pairs of labels link them. Where
    pairs do, and the months have more than `MOST_ROWS` different answers, nothing more is
    admitted: their number grows with the dimensions, and so does the work.
    """

    def __init__(self, sizes: Mapping[Row, int], minimum: int, shown: Iterable[Shown]) -> None:
        self._sizes = {row: size for row, size in sizes.items() if size}
        self._minimum = minimum
        self._shown = list(shown)
        self._checked: dict[tuple[int, ...], tuple[int, int, Exchanges | None]] = {}

    def admits(self, figure: Shown) -> bool:
        """Publish the figure, if every small group may still be of another size then."""
        linked = self._reaching(figure)
        start = min(found.first for found in [figure, *linked])
        places: tuple[int, ...] = ()
        if all(len(found.labels) == 1 for found in [figure, *linked]):
            places = (figure.labels[0][0],)
            linked = [found for found in linked if found.labels[0][0] == places[0]]
            start = min(found.first for found in [figure, *linked])
        exchanges = self._exchanges(places, start, figure.last)
        if exchanges is None or not exchanges.admits(_projected(figure, places)):
            return False
        self._shown.append(figure)
        self._checked = {places: self._checked[places]}
        return True

    def _reaching(self, figure: Shown) -> list[Shown]:
        """The figures back to where none goes on from one month to the next."""
        start, linked = figure.first, []
        for found in sorted(self._shown, key=lambda found: -found.last):
            if found.last >= start:
                linked.append(found)
                start = min(start, found.first)
        return linked

    def _exchanges(self, places: tuple[int, ...], start: int, last: int) -> Exchanges | None:
        since, until, found = self._checked.get(places, (start, -1, None))
        if until != last or since > start:
            found = self._make(places, start, last)
            self._checked[places] = start, last, found
        return found

    def _make(self, places: tuple[int, ...], start: int, last: int) -> Exchanges | None:
        sizes: Counter[Row] = Counter()
        values: dict[int, set[str]] = defaultdict(set)
        for (month, had), size in self._sizes.items():
            chosen = tuple(had[at] for at in places) if places else had
            if start <= month <= last:
                sizes[month, chosen] += size
            if month <= last:
                for at, value in enumerate(chosen):
                    values[at].add(value)
        if len(sizes) > MOST_ROWS:
            return None
        shown = [
            _projected(found, places)
            for found in self._shown
            if start <= found.last
            and found.first <= last
            and (not places or (len(found.labels) == 1 and found.labels[0][0] == places[0]))
        ]
        return Exchanges(sizes, [values[at] for at in sorted(values)], self._minimum, shown)


def _projected(figure: Shown, places: tuple[int, ...]) -> Shown:
    """The figure as if its selector were the only one."""
    if not places:
        return figure
    return Shown(((0, figure.labels[0][1]),), figure.first, figure.last)
