"""The curious manager at the front door: asks everything that may be asked, and writes it down."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations, product
from typing import Any

import httpx

from app.reporting.buckets import add_months, month_end
from tests.responses.scene import Scene

Labels = frozenset[tuple[str, str]]
Run = tuple[date, date]
"""First and last day of consecutive months."""

SELECTORS: Mapping[str, tuple[str, ...]] = {
    "segment.plan": ("free", "pro", "none"),
    "segment.age": ("young", "old", "none"),
    "language": ("en", "ja"),
    "channel": ("link", "import"),
}
CELL = re.compile(r"<t[dh][^>]*>\s*(?:<[^>]+>\s*)*([0-9,]+)\s*(?:</[^>]+>\s*)*</t[dh]>")


def all_labels() -> Iterator[Labels]:
    """Nothing, every label, and every two labels of different selectors."""
    yield frozenset()
    for width in (1, 2):
        for chosen in combinations(SELECTORS, width):
            for values in product(*(SELECTORS[name] for name in chosen)):
                yield frozenset(zip(chosen, values, strict=True))


@dataclass
class Reading:
    """All that could be read at one moment.

    `figures` are the numbers of answers by labels and the months that they are of, `totals`
    everybody's by day, `rows` the lists by labels, `pages` the numbers in tables of dashboards.
    """

    figures: dict[tuple[Labels, tuple[Run, ...]], set[int]] = field(
        default_factory=lambda: defaultdict(set)
    )
    totals: dict[date, int] = field(default_factory=dict)
    rows: dict[Labels, list[dict[str, Any]]] = field(default_factory=dict)
    files: dict[Labels, list[list[str]]] = field(default_factory=dict)
    pages: dict[Labels, set[int]] = field(default_factory=dict)

    def note(self, labels: Labels, found: Mapping[str, Any]) -> None:
        """One figure. Beside late answers the same months may have several, of one or the other."""
        if found["suppressed"] or not labels:
            return
        runs = tuple(
            (date.fromisoformat(run["since"]), date.fromisoformat(run["until"]))
            for run in found["covered"]
        )
        self.figures[labels, runs].add(found["response_count"])


@dataclass
class Manager:
    """Who has a reader's key and Bob's browser. `asked` counts the questions."""

    api: httpx.AsyncClient
    page: httpx.AsyncClient
    scene: Scene
    workspace: str
    months: tuple[date, ...]
    asked: int = 0

    async def read(self, *, full: bool, windows: bool = False) -> Reading:
        """Read everything there is: `full` also the lists of every two labels, and with `windows`
        all figures of single labels once more by every window of days. Splits of one label give
        the figures of two anyway."""
        reading = Reading()
        for labels in all_labels():
            if full or len(labels) < 2:
                await self._read_figures(reading, labels, {})
                await self._read_rows(reading, labels)
            if len(labels) < 2:
                await self._read_splits(reading, labels)
                await self._read_page(reading, labels)
                for window in self._windows() if windows else ():
                    await self._read_figures(reading, labels, window)
        return reading

    def _windows(self) -> Iterator[dict[str, str]]:
        """Runs of whole months, and days that cut months."""
        for first, last in combinations([*self.months, add_months(self.months[-1], 1)], 2):
            until = month_end(add_months(last, -1))
            yield {"since": first.isoformat(), "until": until.isoformat()}
        yield {"since": self.months[0].replace(day=2).isoformat()}
        yield {"until": self.months[-1].replace(day=17).isoformat()}

    async def _get(self, client: httpx.AsyncClient, path: str, query: Any) -> httpx.Response:
        self.asked += 1
        return await client.get(path, params=query)

    async def _metrics(self, query: Mapping[str, str]) -> dict[str, Any]:
        asked = {"survey_id": str(self.scene.survey_id), **query}
        answer = await self._get(self.api, "/api/v1/metrics", asked)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def _read_figures(
        self, reading: Reading, labels: Labels, window: Mapping[str, str]
    ) -> None:
        interval = "month" if labels else "day"
        found = await self._metrics({**dict(labels), **window, "interval": interval})
        reading.note(labels, found)
        for point in found["series"]:
            if labels:
                reading.note(labels, point)
            else:
                self._note_total(reading, point)

    def _note_total(self, reading: Reading, point: Mapping[str, Any]) -> None:
        if point["response_count"]:
            reading.totals[date.fromisoformat(point["since"])] = point["response_count"]

    async def _read_splits(self, reading: Reading, labels: Labels) -> None:
        for selector in SELECTORS.keys() - dict(labels).keys():
            name = selector.removeprefix("segment.")
            found = await self._metrics({**dict(labels), "group_by": name})
            for group in found["groups"]:
                reading.note(labels | {(selector, group["key"])}, group)

    async def _read_rows(self, reading: Reading, labels: Labels) -> None:
        """The list, page by page, and the file."""
        path = f"/api/v1/surveys/{self.scene.survey_id}/responses"
        rows: list[dict[str, Any]] = []
        query: dict[str, str] | None = {**dict(labels), "limit": "40"}
        while query is not None:
            body = (await self._get(self.api, path, query)).json()
            rows += body["data"]
            cursor = body["meta"]["next_cursor"]
            query = {**query, "cursor": cursor} if cursor else None
        reading.rows[labels] = rows
        if len(labels) > 1:
            return
        file = await self._get(self.api, f"{path}.csv", dict(labels))
        hidden = file.status_code == 409
        lines = [] if hidden else list(csv.reader(io.StringIO(file.text.removeprefix("\ufeff"))))
        reading.files[labels] = lines[1:]

    async def _read_page(self, reading: Reading, labels: Labels) -> None:
        path = f"/w/{self.workspace}/surveys/{self.scene.survey_id}"
        page = await self._get(self.page, path, {**dict(labels), "period": "all"})
        assert page.status_code == 200
        reading.pages[labels] = {int(text.replace(",", "")) for text in CELL.findall(page.text)}
