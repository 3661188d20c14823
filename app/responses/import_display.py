"""What somebody at a terminal sees of an import: progress and complaints on stderr, results on
stdout."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import typer

from app.responses.csv_reading import CsvFile
from app.responses.importing import ImportReport
from app.responses.models import Import
from app.scoring import Distribution, nps_of

VALUES_SHOWN = 10
UPDATE_BYTES = 64 * 1024


@contextmanager
def bytes_read(size: int) -> Iterator[Callable[[int], None]]:
    """A progress bar over a reading of `size` bytes; tell it the place in the file."""
    from rich.console import Console  # noqa: PLC0415 (slow to import)
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("Reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        task = bar.add_task("", total=size)
        shown = 0

        def tell(place: int) -> None:
            nonlocal shown
            if place >= shown + UPDATE_BYTES:
                shown = place
                bar.update(task, completed=place)

        yield tell


def print_report(report: ImportReport, source: CsvFile, *, is_dry: bool) -> None:
    """The figures of what was stored, or would be."""
    for line in _lines(report, source, is_dry):
        typer.echo(line)
    print_bad_rows(report)


def _lines(report: ImportReport, source: CsvFile, is_dry: bool) -> Iterator[str]:
    delimiter = {"\t": "tab"}.get(source.delimiter, source.delimiter)
    yield f"file:      {source.path.name} (encoding {source.encoding}, delimiter {delimiter})"
    yield (
        f"rows:      {report.row_count:,} (unscored {report.unscored_count:,}, "
        f"bad {report.bad_count:,})"
    )
    verb = "to store:" if is_dry else "stored:  "
    yield f"{verb}  {report.stored_count:,} answers, {report.comment_count:,} with a comment"
    if report.first_day and report.last_day:
        yield f"days:      {report.first_day} to {report.last_day}"
    yield from _score_lines(report)
    for key, values in report.declared.items():
        yield f"declared:  {key}: {_listed([value.key for value in values])}"
    for key, number in report.other_counts.items():
        yield f"other:     {key}: {number:,} answers with a value that is not declared"
    if report.import_id:
        yield f"import:    {report.import_id}"


def _score_lines(report: ImportReport) -> Iterator[str]:
    answers = Distribution(tuple(report.scores))
    nps = nps_of(answers)
    if nps is not None:
        yield (
            f"NPS:       {nps.value:+.2f} ({answers.promoters:,} promoters, "
            f"{answers.passives:,} passives, {answers.detractors:,} detractors)"
        )
        yield f"scores:    {'  '.join(f'{s}: {n:,}' for s, n in enumerate(report.scores))}"


def print_bad_rows(report: ImportReport) -> None:
    """The first bad rows, each with its line and reason, on stderr."""
    for bad in report.bad_rows:
        typer.echo(f"line {bad.line}: {bad.reason}", err=True)
    if more := report.bad_count - len(report.bad_rows):
        typer.echo(f"… and {more:,} more bad rows", err=True)


def print_imports(imports: Sequence[Import]) -> None:
    """One line for each import: id, moment, figures, file."""
    for one in imports:
        undone = f", undone {one.undone_at:%Y-%m-%d}" if one.undone_at else ""
        typer.echo(
            f"{one.id}  {one.created_at:%Y-%m-%d %H:%M} UTC  stored {one.stored:,}, "
            f"unscored {one.unscored:,}, skipped {one.skipped:,}{undone}  {one.file_name}"
        )


def _listed(names: Sequence[str]) -> str:
    more = len(names) - VALUES_SHOWN
    return ", ".join(names[:VALUES_SHOWN]) + (f" and {more} more" if more > 0 else "")
