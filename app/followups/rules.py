"""What may be noted: every rule on the input of API and forms, each problem named."""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from app.followups.inputs import SOURCE_LIMIT, AnnotationInput, BenchmarkInput, GoalInput
from app.followups.models import NOTE_LIMIT, TITLE_LIMIT, AnnotationKind
from app.foundation.errors import InvalidParam
from app.foundation.translation import mark
from app.surveys.rules import refuse
from app.surveys.ways import is_web_address
from app.surveys.wording import MISSING, clean_text, find_text_problems

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
NOT_AN_ACTION = mark("Only an action has this.")
NO_MEMBER = mark("Choose a member of the workspace.")
OUT_OF_POINTS = mark("Write points from −100 to +100.")


def check_annotation(given: AnnotationInput, today: date) -> AnnotationInput:
    """`given` with its texts cleaned; Invalid names everything that is wrong with it.

    `today` is the workspace's: nothing is done in the future.
    """
    cleaned = given.model_copy(
        update={name: clean_text(getattr(given, name)) for name in ("title", "note", "hypothesis")}
        | {"link": given.link.strip()}
    )
    refuse([*_text_problems(cleaned), *_day_problems(cleaned, today), *_kind_problems(cleaned)])
    return cleaned


def _text_problems(given: AnnotationInput) -> Iterator[InvalidParam]:
    yield from find_name_problems("title", given.title)
    yield from find_text_problems("note", given.note, NOTE_LIMIT, is_long=True)
    yield from find_text_problems("hypothesis", given.hypothesis, NOTE_LIMIT, is_long=True)
    if given.link and not is_web_address(given.link):
        yield InvalidParam("link", mark("Write an address that begins with https:// or http://."))


def find_name_problems(path: str, name: str, limit: int = TITLE_LIMIT) -> list[InvalidParam]:
    """What is wrong with a text of one line that has to be there."""
    return find_text_problems(path, name, limit) if name else [InvalidParam(path, MISSING)]


def _day_problems(given: AnnotationInput, today: date) -> Iterator[InvalidParam]:
    for name in ("begins_on", "due_on", "done_on"):
        yield from find_day_problems(name, getattr(given, name))
    for name in ("due_on", "done_on"):
        day = getattr(given, name)
        if day and day < given.begins_on:
            yield InvalidParam(name, mark("Choose a day on or after the one it begins."))
    if given.done_on and given.done_on > today:
        yield InvalidParam("done_on", mark("What is done was done today or before."))


def find_day_problems(path: str, day: date | None) -> list[InvalidParam]:
    """Days are bounded, so that periods around them exist."""
    if day is None or FIRST_DAY <= day <= LAST_DAY:
        return []
    return [InvalidParam(path, mark("Choose a day from the year 2000 to 2099."))]


def _kind_problems(given: AnnotationInput) -> Iterator[InvalidParam]:
    if given.kind == AnnotationKind.ACTION:
        return
    for name in ("hypothesis", "owner_id", "due_on", "done_on"):
        if getattr(given, name):
            yield InvalidParam(name, NOT_AN_ACTION)


def check_goal(given: GoalInput) -> None:
    """Invalid where the goal is no NPS or its day none of this century."""
    problems = find_day_problems("reach_by", given.reach_by)
    if not -100 <= given.nps <= 100:
        problems.append(InvalidParam("nps", OUT_OF_POINTS))
    refuse(problems)


FIGURES = ("average", "lower_quartile", "median", "upper_quartile")
QUARTILES = FIGURES[1:]


def check_benchmark(given: BenchmarkInput) -> BenchmarkInput:
    """`given` with its texts cleaned; Invalid names everything that is wrong with it."""
    cleaned = given.model_copy(
        update={name: clean_text(getattr(given, name)) for name in ("name", "source")}
    )
    refuse(
        [
            *find_name_problems("name", cleaned.name),
            *find_name_problems("source", cleaned.source, SOURCE_LIMIT),
            *find_day_problems("as_of", cleaned.as_of),
            *_figure_problems(cleaned),
        ]
    )
    return cleaned


def _figure_problems(given: BenchmarkInput) -> Iterator[InvalidParam]:
    known = [name for name in FIGURES if getattr(given, name) is not None]
    if not known:
        yield InvalidParam("average", mark("Give at least one of the four figures."))
    for name in known:
        if not -100 <= getattr(given, name) <= 100:
            yield InvalidParam(name, OUT_OF_POINTS)
    quartiles = [name for name in QUARTILES if name in known]
    for lower, upper in pairwise(quartiles):
        if getattr(given, lower) > getattr(given, upper):
            yield InvalidParam(upper, mark("Quartiles rise: this one is below the one before."))
