"""What a respondent sends: read strictly, judged kindly."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from app.foundation.errors import BadRequest
from app.foundation.translation import gettext as _
from app.responses.models import COMMENT_MAX_LENGTH, FINAL
from app.responses.texts import TooLong, Unstorable, clean_comment, showable
from app.surveys.ways import clean_email

MAX_FIELDS = 50
SEGMENT_PREFIX = "segment."
# Nobody sees this field; no browser or password manager knows what would belong there.
TRAP = "subject"
EMAIL = "email"
_NUMBER = re.compile("[1-9][0-9]{0,4}")
SCORE_TEXTS = {str(score): score for score in range(11)}


@dataclass(frozen=True, slots=True)
class FormInput:
    """The fields as they were sent; `segments` maps dimension key to what was chosen, and `trap`
    is what a program wrote where people see nothing. `email` is the address somebody leaves,
    and `number` how often the score was saved early."""

    ticket: str = ""
    score: str = ""
    comment: str = ""
    segments: Mapping[str, str] = field(default_factory=dict)
    email: str = ""
    trap: str = ""
    number: str = ""

    @property
    def shown_comment(self) -> str:
        return showable(self.comment)


@dataclass(frozen=True, slots=True)
class FormError:
    """A sentence about one control; about the page as a whole where `name` is empty."""

    name: str
    message: str


def parse_form(body: bytes) -> dict[str, str]:
    """The fields of a URL-encoded body; bytes that are no UTF-8 stay recognisable as such."""
    try:
        pairs = parse_qsl(
            body.decode(errors="surrogateescape"),
            keep_blank_values=True,
            errors="surrogateescape",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as error:
        raise BadRequest from error
    return dict(pairs)


def read_form(fields: Mapping[str, str]) -> FormInput:
    """The fields the form has; any others are left alone."""
    return FormInput(
        ticket=showable(fields.get("ticket", "")),
        score=showable(fields.get("score", "")),
        comment=fields.get("comment", ""),
        segments={
            showable(name.removeprefix(SEGMENT_PREFIX)): showable(value)
            for name, value in fields.items()
            if name.startswith(SEGMENT_PREFIX)
        },
        email=showable(fields.get(EMAIL, "")),
        trap=showable(fields.get(TRAP, "")),
        number=showable(fields.get("number", "")),
    )


@dataclass(frozen=True, slots=True)
class EarlyScore:
    """A score to be saved before anything is sent; of several, the highest `number` counts."""

    score: int
    number: int


def read_early(given: FormInput) -> EarlyScore | None:
    """The score and its number, 1 up to what is final, or None where either is wrong."""
    score = SCORE_TEXTS.get(given.score)
    if score is None or not _NUMBER.fullmatch(given.number) or int(given.number) >= FINAL:
        return None
    return EarlyScore(score, int(given.number))


@dataclass(frozen=True, slots=True)
class CheckedForm:
    """Score, comment and address ready to be stored; the address is empty where the form asked for
    one and none was left, and None where it did not ask."""

    score: int
    comment: str | None
    address: str | None


def check_form(given: FormInput, asks_contact: bool = False) -> CheckedForm | list[FormError]:
    """What is ready to be stored, or what is wrong, in the reader's language."""
    errors = []
    score = SCORE_TEXTS.get(given.score)
    if score is None:
        errors.append(FormError("score", _("Choose a number from 0 to 10.")))
    comment = None
    try:
        comment = clean_comment(given.comment)
    except TooLong as error:
        message = _("Shorten your text: it has %(count)s characters, and %(limit)s fit.")
        numbers = {"count": error.length, "limit": COMMENT_MAX_LENGTH}
        errors.append(FormError("comment", message % numbers))
    except Unstorable:
        message = _("Your text holds a character that cannot be saved. Remove it and send again.")
        errors.append(FormError("comment", message))
    address = _address(given.email) if asks_contact else None
    if asks_contact and address is None:
        errors.append(FormError(EMAIL, _("Check your e-mail address, or leave the field empty.")))
    return errors if errors or score is None else CheckedForm(score, comment, address)


def _address(typed: str) -> str | None:
    return clean_email(typed) if typed.strip() else ""


def ticket_error() -> FormError:
    """Said where the page was open for too long or did not come from us."""
    return FormError(
        "", _("This page had been open for too long. Your answer is still here: send it again.")
    )
