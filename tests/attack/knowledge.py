"""What follows from everything that is published of a survey: linear programming, not guessing.

The unknowns are the answers of each month with each combination of all labels: none or more.
Known are everybody's answers of each month and every published figure, each a sum of unknowns.
A group of answers, given by labels and a run of months, is *isolated* where its size is the same
in every survey that fits what is known.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array, hstack, identity

from tests.attack.surveys import Row, Values

Vector = NDArray[np.float64]
WIDEST_TARGET = 3  # labels
EXACT = 1e-6


@dataclass(frozen=True)
class Sum:
    """Answers with all these labels (by selector) in the months `first` to `last`."""

    labels: Mapping[str, str]
    first: int
    last: int


class Knowledge:
    """A system of equations over the unknowns.

    `known` are sums, of one or several runs of months, and their sizes.
    """

    def __init__(
        self,
        selectors: Sequence[str],
        values: Sequence[Values],
        months: int,
        known: Iterable[tuple[Sequence[Sum], int]],
    ) -> None:
        self._values = dict(zip(selectors, values, strict=True))
        self._months = months
        self.unknowns: list[Row] = list(product(range(months), product(*values)))
        self._month = np.array([month for month, _values in self.unknowns])
        self._has = {
            (selector, value): np.array([found[at] == value for _month, found in self.unknowns])
            for at, selector in enumerate(selectors)
            for value in values[at]
        }
        found = list(known)
        self._matrix = np.array(
            [np.sum([self.row_of(part) for part in parts], axis=0) for parts, _size in found]
        )
        self._sizes = np.array([size for _of, size in found], dtype=float)

    def row_of(self, of: Sum) -> Vector:
        """1 for each unknown that the sum holds, else 0."""
        held = (self._month >= of.first) & (self._month <= of.last)
        for label in of.labels.items():
            held = held & self._has[label]
        return held.astype(float)

    def targets(self, widest: int = WIDEST_TARGET) -> list[Sum]:
        """All groups by one to `widest` labels and a run of months."""
        return [
            Sum(labels, first, last)
            for labels in self._all_labels(widest)
            for first in range(self._months)
            for last in range(first, self._months)
        ]

    def _all_labels(self, widest: int) -> Iterator[Mapping[str, str]]:
        for width in range(1, min(widest, len(self._values)) + 1):
            for chosen in combinations(self._values, width):
                for values in product(*(self._values[selector] for selector in chosen)):
                    yield dict(zip(chosen, values, strict=True))

    def isolated(self, targets: Sequence[Sum]) -> list[Sum]:
        """Those of the targets whose size follows from what is known.

        An unknown that is none in every survey that fits is left out. Then a sum is always the
        same exactly where it cannot be changed by anything that changes none of the known sums.
        """
        if not targets:
            return []
        free = self._free_unknowns()
        if not free.any():
            return list(targets)
        rows = np.array([self.row_of(target)[free] for target in targets])
        moved = np.abs(rows @ _null_space(self._matrix[:, free])).max(axis=1, initial=0.0)
        return [target for target, at in zip(targets, moved, strict=True) if at < EXACT]

    def _free_unknowns(self) -> NDArray[np.bool_]:
        """Which unknowns are more than none in some survey that fits.

        One linear programme tells all: of multiples of surveys that fit, added up, as many
        unknowns as possible are to be at least 1.
        """
        count = len(self.unknowns)
        matrix, sizes = csr_array(self._matrix), csr_array(-self._sizes[:, None])
        nothing = csr_array((matrix.shape[0], count))
        one = identity(count, format="csr")
        found = linprog(
            np.concatenate([np.zeros(count + 1), -np.ones(count)]),
            A_eq=hstack([matrix, sizes, nothing]),
            b_eq=np.zeros(matrix.shape[0]),
            A_ub=hstack([-one, csr_array((count, 1)), one]),
            b_ub=np.zeros(count),
            bounds=[(0, None)] * (count + 1) + [(0, 1)] * count,
            method="highs",
        )
        assert found.success, found.message
        free: NDArray[np.bool_] = found.x[count + 1 :] > 0.5
        return free

    def bounds(self, target: Sum) -> tuple[float, float]:
        """The smallest and the largest size that fits what is known."""
        row = self.row_of(target)
        lowest, highest = (self._best(sign * row) for sign in (1, -1))
        return lowest, -highest

    def _best(self, row: Vector) -> float:
        found: Any = linprog(row, A_eq=self._matrix, b_eq=self._sizes, method="highs")
        assert found.success, found.message
        return float(found.fun)


def _null_space(matrix: Vector) -> Vector:
    _left, sizes, right = np.linalg.svd(matrix, full_matrices=True)
    rank = int((sizes > EXACT).sum())
    null: Vector = right[rank:].T
    return null
