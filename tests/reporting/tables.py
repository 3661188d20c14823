"""The tables of a page by their captions, each row as the texts of its cells."""

from html.parser import HTMLParser


class _Tables(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[str, list[list[str]]] = {}
        self._rows: list[list[str]] = []
        self._caption = ""
        self._in: str | None = None
        self._ignored = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._rows, self._caption = [], dict(attrs).get("aria-label") or ""
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("th", "td"):
            self._in = "cell"
            self._rows[-1].append("")
        elif tag == "caption":
            self._in = "caption"
        elif tag in ("svg", "small"):
            self._ignored += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self.found[self._caption.strip()] = self._rows
        elif tag in ("th", "td", "caption"):
            self._in = None
        elif tag in ("svg", "small"):
            self._ignored -= 1

    def handle_data(self, data: str) -> None:
        if self._ignored:
            return
        if self._in == "cell":
            self._rows[-1][-1] += data
        elif self._in == "caption":
            self._caption += data


def tables_of(html: str) -> dict[str, list[list[str]]]:
    """Charts and small print inside of cells are left out."""
    parser = _Tables()
    parser.feed(html)
    return {
        caption: [[" ".join(cell.split()) for cell in row] for row in rows]
        for caption, rows in parser.found.items()
    }
