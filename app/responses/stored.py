"""What is stored, table by table: about whom, what for and for how long.

One list for three readers: the tests (every table, and every column of a table about answers, must
be in it), `docs/privacy.md`, and the privacy page of each survey. Words that respondents read are
marked for translation; what a program alone writes is described to developers only.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.foundation.translation import Plural, mark, mark_plural


class About(enum.StrEnum):
    """Whom a table is about. Answers and their counts are explained to respondents as well."""

    ANSWER = "one answer"
    COUNTS = "counts of answers"
    SURVEY = "a survey"
    MEMBER = "a member"
    WORKSPACE = "a workspace"


@dataclass(frozen=True, slots=True)
class Kept:
    """For how long: in words, and which function ends it (dotted; empty: nothing does by itself).

    `%(num)s` in the words is the survey's retention in months.
    """

    words: str | Plural
    ended_by: str = ""


RETENTION = Kept(
    mark_plural(
        "%(num)s month from the day of your answer", "%(num)s months from the day of your answer"
    ),
    "app.responses.retention.delete_expired",
)
LEFT_ADDRESS = Kept(mark("until the team deletes it, or the answer is deleted"), RETENTION.ended_by)
NEXT_DAY = Kept(
    mark("until the day after your answer is over"),
    "app.responses.jobs.expire_submission_keys",
)
ROLLED_UP = Kept(
    mark_plural(
        "%(num)s month from the end of the month", "%(num)s months from the end of the month"
    ),
    "app.reporting.rollup.roll_up_month",
)
WITH_SURVEY = Kept(mark("as long as the survey"))
DAY_AFTER = Kept("until the end of the day after the request", NEXT_DAY.ended_by)
WITH_SURVEY_OR_WORKSPACE = Kept("as long as the survey; of several surveys, the workspace")
WITH_WORKSPACE = Kept("as long as the workspace")
WITH_PERSON = Kept("as long as the account or the workspace")
SESSION = Kept("12 idle hours, or 7 days at most", "app.accounts.jobs.expire_sign_ins")
AN_HOUR = Kept("until it was used, or an hour", "app.accounts.jobs.expire_sign_ins")


@dataclass(frozen=True, slots=True)
class Note:
    """What one table is for; `columns` maps each column to what it holds, for tables about
    answers and their counts. `is_only_asked`: it holds nothing of surveys that ask for no contact.
    """

    about: About
    words: str
    kept: Kept
    columns: Mapping[str, str] = field(default_factory=dict)
    is_only_asked: bool = False


_SURVEY = mark("Which survey it answers")
_WORDING = mark("Which wording of the questions you saw")
_NUMBER = mark("A random number of the answer, which tells neither who gave it nor when")
_SCORE = mark("Your score")
_WORDS = mark("Your words")
_LANGUAGE = mark("The language of the form")
_CHANNEL = mark("The kind of link you came by")
_DAY = mark("The day, without the time")
_GROUPS = mark("The groups that the form or the link names")
_STANDING = mark("Whether the team left the answer out of its figures, and why")
_HELD = mark("If your answer waits for the team, because a program might have sent it: why")
_MARKS = mark("Marks by which the team sorts comments: tags and a star")
_FILE = mark("If the answer came in with a file: which file")
_ADDRESS = mark("Your e-mail address, if you left one, beside your answer")
_RETRY = mark("A random number, so that sending twice is one answer")

_HOW_MANY = {f"score_{score}": f"How many answers of score {score}" for score in range(11)}
_OF_SURVEY = {"workspace_id": "Whose survey", "survey_id": "Which survey"}
_OF_GROUP = {
    "segment_set_id": "Which combination of groups",
    "language": "Which language",
    "channel": "Which kind of link",
}

NOTES: Mapping[str, Note] = {
    "responses": Note(
        About.ANSWER,
        "The answers, one row each.",
        RETENTION,
        {
            "score": _SCORE,
            "comment": _WORDS,
            "answered_on": _DAY,
            "language": _LANGUAGE,
            "channel": _CHANNEL,
            "segment_set_id": _GROUPS,
            "workspace_id": _SURVEY,
            "survey_id": _SURVEY,
            "version_id": _WORDING,
            "id": _NUMBER,
            "standing": _STANDING,
            "exclusion_reason": _STANDING,
            "hold_reason": _HELD,
            "is_late_change": _STANDING,
            "is_starred": _MARKS,
            "import_id": _FILE,
        },
    ),
    "submission_keys": Note(
        About.ANSWER,
        "What makes a retry the same answer.",
        NEXT_DAY,
        {
            "workspace_id": _RETRY,
            "survey_id": _RETRY,
            "key": _RETRY,
            "response_id": _RETRY,
            "number": _RETRY,
        },
    ),
    "response_contacts": Note(
        About.ANSWER,
        "The e-mail addresses that respondents chose to leave, where a survey asks for one.",
        LEFT_ADDRESS,
        {"workspace_id": _ADDRESS, "response_id": _ADDRESS, "address": _ADDRESS},
        is_only_asked=True,
    ),
    "comment_terms": Note(
        About.ANSWER,
        "The words and phrases of a comment, for counting what comments are about.",
        RETENTION,
        {
            "workspace_id": _SURVEY,
            "response_id": _NUMBER,
            "comment_hash": _WORDS,
            "keys": _WORDS,
            "written": _WORDS,
            "rules": _WORDS,
        },
    ),
    "response_tags": Note(
        About.ANSWER,
        "Which tags the team has put on an answer.",
        RETENTION,
        {"workspace_id": _MARKS, "response_id": _MARKS, "tag_id": _MARKS},
    ),
    "segment_sets": Note(
        About.COUNTS,
        mark("Which combinations of groups there are"),
        WITH_SURVEY,
        _OF_SURVEY
        | {"id": "A hash of the survey and the groups", "labels": "The groups, as declared"},
    ),
    "daily_counts": Note(
        About.COUNTS,
        mark("How many answers of each score there were, by day and combination of groups"),
        ROLLED_UP,
        _OF_SURVEY
        | {"answered_on": "The day", "standing": "Whether they enter the figures"}
        | _OF_GROUP
        | _HOW_MANY,
    ),
    "day_totals": Note(
        About.COUNTS,
        mark("How many answers of each score there were, by day and combination of groups"),
        ROLLED_UP,
        _OF_SURVEY
        | {"answered_on": "The day", "standing": "Whether they enter the figures"}
        | _HOW_MANY,
    ),
    "closed_counts": Note(
        About.COUNTS,
        mark("How many answers of each score there were, by month and combination of groups"),
        ROLLED_UP,
        {"workspace_id": "Whose survey", "edition_id": "Which survey, or which late file of it"}
        | {"month": "The month, as its first day"}
        | _OF_GROUP
        | _HOW_MANY,
    ),
    "published_figures": Note(
        About.COUNTS,
        mark("The results of groups that were large enough to be shown, by whole months"),
        Kept(
            mark("as long as the survey; those of two groups combined go with the counts"),
            "app.reporting.rollup.roll_up_month",
        ),
        _OF_SURVEY
        | {
            "id": "A random number",
            "edition_id": "Which survey, or which late file of it",
            "first_month": "From which month",
            "last_month": "To which month",
            "width": "How many labels are combined: one or two",
            "labels": "One or two labels: a group, the language or the kind of link",
            "promoters": "How many promoters",
            "passives": "How many passives",
            "detractors": "How many detractors",
            "scores": "How many answers of each score, where that may be told",
        },
    ),
    "month_totals": Note(
        About.COUNTS,
        mark("How many answers of each score everybody gave, by month"),
        WITH_SURVEY,
        _OF_SURVEY
        | {"month": "The month, as its first day", "standing": "Whether they enter the figures"}
        | _HOW_MANY,
    ),
    "editions": Note(
        About.COUNTS,
        mark("Up to which month the results of groups are settled"),
        WITH_SURVEY,
        _OF_SURVEY
        | {
            "id": "A random number",
            "import_id": "The late file it is of, if any",
            "closed_through": "The last month that is closed",
            "published_through": "The last month that is published",
            "paired_through": "The last month whose pairs are published",
        },
    ),
    "deletions": Note(
        About.COUNTS,
        mark("How many answers were deleted on which day, and why"),
        WITH_SURVEY,
        _OF_SURVEY | {"deleted_on": "The day", "reason": "Why", "responses": "How many answers"},
    ),
    "surveys": Note(About.SURVEY, "What is asked and what is promised.", WITH_SURVEY),
    "survey_versions": Note(About.SURVEY, "The wording as it stood.", WITH_SURVEY),
    "segment_dimensions": Note(About.SURVEY, "The ways to group answers.", WITH_SURVEY),
    "segment_values": Note(About.SURVEY, "The groups that are declared.", WITH_SURVEY),
    "survey_links": Note(About.SURVEY, "Its links and what they preset.", WITH_SURVEY),
    "links": Note(About.SURVEY, "Where a link leads.", WITH_SURVEY),
    "tags": Note(About.SURVEY, "The words a team sorts answers by.", WITH_SURVEY),
    "imports": Note(
        About.SURVEY,
        "Files of answers that were brought in: name, hash, numbers of rows, and when.",
        WITH_SURVEY,
    ),
    "annotations": Note(
        About.WORKSPACE,
        "Events and improvement actions that members note beside the score: title, day, note, "
        "link; of an action what is expected of it, which member owns it, when it is due and done.",
        WITH_WORKSPACE,
    ),
    "survey_goals": Note(About.SURVEY, "The NPS to be reached, and by when.", WITH_SURVEY),
    "benchmarks": Note(
        About.WORKSPACE,
        "NPS figures of others that members entered, with source and day.",
        WITH_WORKSPACE,
    ),
    "indicators": Note(
        About.WORKSPACE,
        "Churn, retention and revenue retention by month, as members or programs entered them: of "
        "all customers or of a segment, never of one person.",
        WITH_WORKSPACE,
    ),
    "saved_views": Note(
        About.SURVEY,
        "Filters of a dashboard, or of several surveys together, that managers saved under a name.",
        WITH_SURVEY_OR_WORKSPACE,
    ),
    "shared_reports": Note(
        About.SURVEY,
        "Read-only links to a report, as hashes, with the filter they show; how often each was "
        "opened, and nothing of who did.",
        WITH_SURVEY_OR_WORKSPACE,
    ),
    "workspaces": Note(About.WORKSPACE, "Its name, time zone and language.", WITH_WORKSPACE),
    "brands": Note(
        About.WORKSPACE,
        "The name, colour and logo that respondents see; a logo is pixels and nothing else.",
        WITH_WORKSPACE,
    ),
    "api_keys": Note(
        About.WORKSPACE, "Keys to the API, as hashes; the day of last use.", WITH_WORKSPACE
    ),
    "idempotency_records": Note(
        About.WORKSPACE,
        "What a program was answered under its Idempotency-Key; of answers only their ids, never "
        "what was written. A day and no moment.",
        DAY_AFTER,
    ),
    "audit_events": Note(
        About.WORKSPACE, "Who did what; respondents never appear in it.", WITH_WORKSPACE
    ),
    "audit_heads": Note(About.WORKSPACE, "The last line of the audit log.", WITH_WORKSPACE),
    "member_invitations": Note(About.WORKSPACE, "Offers of membership, as hashes.", WITH_WORKSPACE),
    "users": Note(
        About.MEMBER, "E-mail address, name, language, password as an argon2id hash.", WITH_PERSON
    ),
    "memberships": Note(About.MEMBER, "Who belongs to which workspace, as what.", WITH_PERSON),
    "sessions": Note(
        About.MEMBER, "Signed-in browsers, as hashes; neither address nor agent.", SESSION
    ),
    "sign_in_links": Note(About.MEMBER, "Links that sign in once, as hashes.", AN_HOUR),
}


def things_stored(asks_contact: bool = True) -> list[tuple[str, Kept]]:
    """What is stored of an answer, in a respondent's words and each once; then what is counted.
    `asks_contact`: for a survey with a box for an address."""
    single = [
        (words, note.kept)
        for note in NOTES.values()
        if note.about is About.ANSWER and (asks_contact or not note.is_only_asked)
        for words in note.columns.values()
    ]
    counted = [(note.words, note.kept) for note in NOTES.values() if note.about is About.COUNTS]
    return list(dict.fromkeys([*single, *counted]))
