"""Schemathesis' check of valid data, told what no schema can say; and what its walks leave out.

Loaded by schemathesis itself. A request that fits the schema may still be refused, but only for
these reasons, each by name: the original check takes no reason, or any.
"""

import re
from typing import Any

import schemathesis

UNSAYABLE = {
    "4.0 is an integer to JSON Schema, and none to an API that takes no 4.5": r"Input should be a"
    r" valid integer",
    "a cursor is one that a list has given out": r"This cursor is not one that we gave out.*",
    "which dimensions and values a survey declares": r"The survey declares no such.*"
    r"|The segment dimension declares no such value\.",
    "which dimensions take values from links": r"This dimension does not take its values.*",
    "which languages a survey is asked in": r"The survey is not asked in this language\."
    r"|Choose one of the survey's languages\.",
    "which tags name a language": r"Write a language tag such as.*",
    "languages are equal whatever their case": r"Name 1 to \d+ languages, each once\.",
    "what day it is": r"Send a day from 2000-01-01 to today.*",
    "two days have an order": r"The last day lies before the first\.|Choose a day on or after.*",
    "the calendar's years are bounded where it is reckoned with": r"Give a day from 1900.*"
    r"|Write a day from 1900 to 2199.*",
    "a receipt has a check value": r"This is not a receipt.*",
    "what the workspace is called": r"Type the name of the workspace just as it is shown\.",
    "keys of a list differ from each other": r"This key is there twice\.",
    "no more than two may be combined": r"Combine at most two of segments, language and channel\.",
    "at most two dimensions are asked": r"At most \d+ dimensions may be asked on the form\.",
    "things add up with those that are there": r"At most \d+ (values|dimensions)\."
    r"|A survey has at most \d+ tags; merge or delete some\.",
    "what a tag may be called, and what others are": r"Write letters, digits and signs other than a"
    r" semicolon\.|Write a name for the tag\.|The survey has (a tag with this name|no such tag)\."
    r"|Choose another tag to merge this one into\.",
    "marks stand by the day": r"Tags and stars cannot be combined with segments.*",
    "subgroups are not shown by single weeks": r"Subgroups are shown by whole months.*",
    "which characters can be seen, and what is but space": r"Leave out control characters\."
    r"|Write this on one line\.|Use 1 to 80 visible characters.*"
    r"|Leave out NUL and half surrogate pairs\.|This contains characters that cannot be shown\."
    r"|Say why, in plain words\.",
    "which texts there are, how long, and which a language has no words for": r"There is no such"
    r" text\.|Write at most \d+ characters\.|Write something here\.",
    "how many words a search has": r"Search for at most ten words at once\.",
    "how addresses are written": r"Write an address that begins with.*|Write the address of a.*",
    "which groups there are": r"There is no such group.*",
    "who belongs to a workspace": r"Choose a member of the workspace\.",
    "what depends on another member": r"Only an action has this\.|This belongs to another metric\."
    r"|Write the percentage, or all the figures.*|Give the percentage or the figures.*"
    r"|Give at least one of the four figures\.|Write a number from 0 to 100\.",
    "what depends on another parameter": r"Give several surveys to compare them\.",
    "figures have an order": r"Quartiles rise.*|More was lost than there was\."
    r"|There was nothing at the start.*",
    "what has not happened yet": r"What is done was done today or before\."
    r"|This month has not begun yet\.|Choose a day from the year 2000 to 2099\.",
    "which keys were used, and for what": r"This key was already used for another request\.",
    "which segment values a workspace declares": r"No survey of the workspace declares.*"
    r"|This metric is there twice.*",
}
_EXCUSES = re.compile("|".join(f"(?:{pattern})" for pattern in UNSAYABLE.values()), re.DOTALL)
REFUSED = (400, 413, 415, 422)


@schemathesis.hook
def before_call(
    _context: schemathesis.HookContext, case: schemathesis.Case[Any], _kwargs: dict[str, Any]
) -> None:
    """On a walk what was created is deleted again: an answer that is given once more under its key
    would name what is gone. `test_repeats` walks over the repeats themselves."""
    if case.meta is not None and case.meta.phase.name == "stateful":
        case.headers.pop("Idempotency-Key", None)


@schemathesis.check
def valid_data_is_refused_only_for_what_no_schema_says(
    _context: schemathesis.CheckContext,
    response: schemathesis.Response,
    case: schemathesis.Case[Any],
) -> None:
    """Stands in for `positive_data_acceptance`."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if response.status_code in REFUSED:
        params = response.json().get("invalid_params", [])
        others = [param for param in params if not _EXCUSES.fullmatch(param["reason"])]
        assert params, f"{response.status_code} for valid data, and no reason"
        assert not others, f"{response.status_code} for what the schema could say: {others}"
