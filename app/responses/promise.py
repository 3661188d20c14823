"""The promise to respondents, rule by rule: a name, a sentence with the survey's own numbers, and
what enforces it. `docs/privacy.md` and the privacy page of every survey are made from this list."""

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from babel.dates import format_date

from app.foundation.translation import (
    Plural,
    babel_locale,
    current_language,
    isolate,
    mark,
    mark_plural,
    phrase,
)
from app.foundation.translation import gettext as _
from app.surveys.models import DimensionSource
from app.surveys.schemas import Questionnaire
from app.surveys.wording import PURPOSE

# What the results of groups are made of is decided above this package, in `app.reporting`.
ALIKE_BELOW = 20


class Part(enum.StrEnum):
    """The headings that the rules stand under."""

    WHY = mark("Who asks, and what for")
    STORED = mark("What is stored")
    SEEN = mark("Who sees what")
    GONE = mark("How long it stays, and how you delete it")


@dataclass(frozen=True, slots=True)
class Rule:
    """`name` and `sentence` are in a respondent's words; `enforced_by` names what enforces them.

    `numbers` fills the sentence with the survey's values; `applies` says whether it has any.
    """

    part: Part
    name: str
    sentence: str | Plural
    enforced_by: tuple[str, ...]
    numbers: Callable[[Questionnaire], Mapping[str, object]] = lambda _survey: {}
    applies: Callable[[Questionnaire], bool] = lambda _survey: True

    def sentence_for(self, survey: Questionnaire) -> str:
        """The rule as it holds for `survey`, in the reader's language."""
        return phrase(self.sentence, self.numbers(survey))


@dataclass(frozen=True, slots=True)
class Promise:
    """One numbered sentence on a privacy page; the number is the rule's in `RULES`, from 1."""

    number: int
    part: Part
    name: str
    sentence: str


def promises_of(survey: Questionnaire) -> list[Promise]:
    """Everything that is promised for answers to `survey`, in the reader's language."""
    return [
        Promise(number_of(rule), rule.part, _(rule.name), rule.sentence_for(survey))
        for rule in RULES
        if rule.applies(survey)
    ]


def number_of(rule: Rule) -> int:
    """From 1; two sentences of which only one can apply are the same rule."""
    return list(dict.fromkeys(rule.name for rule in RULES)).index(rule.name) + 1


def _asker(survey: Questionnaire) -> Mapping[str, object]:
    texts = survey.wording.get(current_language()) or survey.wording[survey.default_language]
    return {"name": isolate(survey.workspace_name), "purpose": texts[PURPOSE]}


def groups_of(survey: Questionnaire) -> Sequence[str]:
    """The labels of the dimensions that a link or the form fills, in the reader's language."""
    return [
        dimension.label_in(current_language())
        for dimension in survey.dimensions
        if dimension.source is not DimensionSource.API
    ]


def _groups(survey: Questionnaire) -> Mapping[str, object]:
    return {"groups": _(", ").join(groups_of(survey))}


def _minimum(survey: Questionnaire) -> Mapping[str, object]:
    return {"count": survey.min_group_size}


def _held_since(survey: Questionnaire) -> Mapping[str, object]:
    return {"day": format_date(survey.held_since, format="long", locale=babel_locale())}


RULES: Sequence[Rule] = (
    Rule(
        Part.WHY,
        mark("Purpose"),
        mark("%(name)s asks this survey. %(purpose)s"),
        ("app.surveys.actions.FROZEN",),
        _asker,
    ),
    Rule(
        Part.WHY,
        mark("The promise stands"),
        mark(
            "Once somebody has answered, nobody can change the purpose, the group minimum, the time"
            " that answers are kept, the privacy policy or whether you are asked for an address."
        ),
        ("app.surveys.actions.FROZEN",),
    ),
    Rule(
        Part.STORED,
        mark("Nothing about you"),
        mark(
            "Your name, your address, your device, your IP address and cookies are not stored with"
            " an answer, nor anywhere beside it."
        ),
        ("app.responses.models.Response", "app.responses.stored.NOTES"),
        applies=lambda survey: not survey.asks_contact,
    ),
    Rule(
        Part.STORED,
        mark("Nothing about you"),
        mark(
            "Unless you leave your e-mail address, nothing is stored with an answer, or anywhere"
            " beside it, that says who you are: no name, no address, no device, no IP address, no"
            " cookies."
        ),
        ("app.responses.models.Response", "app.responses.stored.NOTES"),
        applies=lambda survey: survey.asks_contact,
    ),
    Rule(
        Part.STORED,
        mark("An address only if you leave it"),
        mark(
            "You may leave an e-mail address so that the team can contact you. It is kept by"
            " itself, can be deleted by itself, and goes with your answer. Those who manage the"
            " survey then see your answer together with it, by day and never with your groups."
        ),
        ("app.responses.models.ResponseContact", "app.reporting.listing.list_responses"),
        applies=lambda survey: survey.asks_contact,
    ),
    Rule(
        Part.STORED,
        mark("The day, not the time"),
        mark("Of the moment you answer only the day is stored, by the calendar of %(zone)s."),
        ("app.responses.models.Response.answered_on", "app.foundation.clock.today"),
        lambda survey: {"zone": survey.time_zone.replace("_", " ")},
    ),
    Rule(
        Part.STORED,
        mark("Groups from a list"),
        mark(
            "Groups are stored only from lists that the team has declared (%(groups)s). Whatever"
            " else a link says is dropped, or stored as “other”."
        ),
        ("app.surveys.segments.accept_segments",),
        _groups,
        applies=lambda survey: bool(groups_of(survey)),
    ),
    Rule(
        Part.STORED,
        mark("Groups from a list"),
        mark("No groups are stored, whatever the link says."),
        ("app.surveys.segments.accept_segments",),
        applies=lambda survey: not groups_of(survey),
    ),
    Rule(
        Part.STORED,
        mark("Saved as soon as chosen"),
        mark(
            "Where your browser runs scripts, your score is stored as soon as you choose it, before"
            " you send anything. Your words, and whatever else you fill in, are stored only once"
            " you send them."
        ),
        ("app.responses.pages.saving.save_early",),
    ),
    Rule(
        Part.STORED,
        mark("Sent twice, counted once"),
        mark(
            "A random number makes sure that sending twice is one answer. Once the day after your"
            " answer is over it is deleted, and the order in which answers came is erased."
        ),
        ("app.responses.jobs.expire_submission_keys", "app.responses.mixing.mix_answers"),
    ),
    Rule(
        Part.STORED,
        mark("Programs kept apart"),
        mark(
            "To notice programs that answer in great numbers, the server counts in its memory how"
            " many answers come from one network. The count is kept under a code that nobody can"
            " turn back, and it is gone within the hour. An answer that a program might have sent"
            " is kept apart until the team has looked at it."
        ),
        ("app.responses.suspicion.Suspicion",),
    ),
    Rule(
        Part.STORED,
        mark("No trace in the logs"),
        mark(
            "Opening or sending this form leaves no line in the logs of this software. Where"
            " something breaks, the line about that says neither who nor what."
        ),
        ("app.foundation.web.edge.RequestContext", "app.foundation.server_logs.quieten"),
    ),
    Rule(
        Part.SEEN,
        mark("Everybody by day"),
        mark("The team sees the overall result of all answers at once, day by day."),
        ("app.reporting.queries.load_daily_totals",),
    ),
    Rule(
        Part.SEEN,
        mark("Words as written"),
        mark("The team reads your words as you wrote them. Leave out what would tell who you are."),
        ("app.responses.texts.clean_comment",),
    ),
    Rule(
        Part.SEEN,
        mark("Group minimum"),
        mark(
            "The result of a group is shown only where at least %(count)s of its people have"
            " answered."
        ),
        ("app.reporting.ladders.Ladders",),
        _minimum,
    ),
    Rule(
        Part.SEEN,
        mark("Whole months"),
        mark(
            "The results of groups are shown by whole months, after these have ended, and do not"
            " move when a single answer is changed or deleted later."
        ),
        ("app.responses.closing.settled_before",),
    ),
    Rule(
        Part.SEEN,
        mark("No remainder"),
        mark(
            "Where a hidden result could be worked out from those that are shown, further ones are"
            " hidden until it cannot."
        ),
        ("app.reporting.decisions.Decisions",),
    ),
    Rule(
        Part.SEEN,
        mark("Groups that are all alike"),
        mark(
            "Where fewer than %(count)s people of a group all gave high scores, all middling ones"
            " or all low ones, their single scores are not shown."
        ),
        ("app.reporting.decisions.GUARDED_BELOW",),
        lambda _survey: {"count": ALIKE_BELOW},
    ),
    Rule(
        Part.SEEN,
        mark("Day or group, never both"),
        mark(
            "A single answer is shown with its day or with its groups and month, never with both."
        ),
        ("app.reporting.publication.RowScope",),
    ),
    Rule(
        Part.SEEN,
        mark("No way around"),
        mark(
            "Nobody on the team can switch these rules off. Whoever runs the server can read what"
            " is stored, as listed on this page, and no more than that."
        ),
        ("app.reporting.publication",),
    ),
    Rule(
        Part.GONE,
        mark("Retention"),
        mark_plural(
            "Your answer is deleted after %(num)s month; only its count remains.",
            "Your answer is deleted after %(num)s months; only its count remains.",
        ),
        ("app.responses.jobs.enforce_retention",),
        lambda survey: {"num": survey.retention_months},
    ),
    Rule(
        Part.GONE,
        mark("Legal hold"),
        mark(
            "Since %(day)s there is a legal hold on this survey: until it ends, answers are not"
            " deleted for their age. You can still delete yours."
        ),
        ("app.surveys.holds.hold_survey",),
        _held_since,
        applies=lambda survey: survey.held_since is not None,
    ),
    Rule(
        Part.GONE,
        mark("Deletion with the receipt"),
        mark(
            "After you have answered you are shown a receipt. With it you can delete your answer at"
            " any time, without saying who you are. Results of groups that are shown by then stay"
            " as they are."
        ),
        ("app.responses.erasure.erase_response",),
    ),
    Rule(
        Part.GONE,
        mark("Somebody to ask"),
        mark("Questions: %(contact)s"),
        ("app.surveys.models.Survey.contact",),
        lambda survey: {"contact": isolate(survey.contact)},
        applies=lambda survey: bool(survey.contact),
    ),
    Rule(
        Part.GONE,
        mark("Somebody who helps"),
        mark("This form cannot answer. If you need help: %(support)s"),
        ("app.surveys.models.Survey.support",),
        lambda survey: {"support": isolate(survey.support)},
        applies=lambda survey: bool(survey.support),
    ),
)
