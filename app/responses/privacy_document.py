"""Writes docs/privacy.md from the rules and the notes: `python -m app.responses.privacy_document`.

A test compares the file with `document`, so it cannot be forgotten.
"""

import re
from collections.abc import Iterator

from app.foundation.paths import ROOT
from app.foundation.translation import Plural
from app.responses.promise import RULES, Rule, number_of
from app.responses.stored import NOTES, About, Note

PATH = ROOT / "docs" / "privacy.md"

HEAD = """\
# What is stored, for how long, and by which rules

This page is written by `python -m app.responses.privacy_document` from `app/responses/promise.py`
and `app/responses/stored.py`; edit those. The privacy page of every survey, `/s/…/privacy`, shows
the same rules under the same numbers, with the numbers of that survey, in the reader's language.

## The rules

*Slanted* words stand for values of the survey.
"""

LIMITS = """\
## What the tables do not show, and a copy of the server might

`tests/privacy` sends a respondent through a real server and looks for every trace of the request
in all tables, all logs, a `pg_dump` and the files of the cluster. Address, agent, cookie, referrer
and undeclared values are in none of them. What else a copy holds, so that nobody is misled:

- **Old versions of a row.** An answer that was amended or deleted can no longer be read through the
  database. In the files of the server its old version stays until Postgres vacuums the table and
  recycles its write-ahead log, and in a backup for as long as that is kept. Encrypt backups, and
  keep them for a shorter time than answers.
- **The order of writing.** Postgres knows for each row the transaction that wrote it and the place
  where it stands, and so between which acts of members, whose moments the audit log holds, it came.
  Once the next day is over, the answers from forms and the counts beside them are therefore written
  anew in random order (`app/responses/mixing.py`). Until then, for answers that a program sent
  without a submission key, and in old versions of rows, a copy of the files shows the order.
- **The write-ahead log** holds the moment of each commit until it is recycled. An archive of it is
  a record of who answered when for whoever knows the rest: do not keep one longer than you need.
- **The server's own log.** For its database Honne sets `log_error_verbosity`,
  `log_parameter_max_length` and `log_parameter_max_length_on_error`, as far as its owner may, and
  says at every start what it could not set. `track_commit_timestamp` must stay off.
- **Honne's own log** has the second and the route of each request of a member or a program, and no
  line for what respondents send or for the answers that programs send, whatever became of them.
- **Whatever stands in front.** A reverse proxy may log addresses and moments; switch that off for
  `/s/`, and for what programs send to `/api/v1/surveys/…/responses`.
"""


def document() -> str:
    """The page in Markdown."""
    return "\n".join([HEAD, *_rules(), "", *_about_answers(), *_others(), LIMITS])


def _rules() -> Iterator[str]:
    yield "| No. | Rule | What respondents read | Enforced by |"
    yield "| --- | --- | --- | --- |"
    for rule in RULES:
        code = ", ".join(f"`{name}`" for name in rule.enforced_by)
        yield f"| {number_of(rule)} | {rule.name} | {_with_values(rule)} | {code} |"


def _with_values(rule: Rule) -> str:
    return re.sub(r"%\((\w+)\)s", r"*\1*", _words(rule.sentence))


def _words(text: str | Plural) -> str:
    return text.plural if isinstance(text, Plural) else text


def _about_answers() -> Iterator[str]:
    yield "## Stored about answers\n"
    yield "No column of these tables holds a moment: days and months only.\n"
    for table, note in NOTES.items():
        if note.about in (About.ANSWER, About.COUNTS):
            yield f"### `{table}`: {note.about.value}\n"
            yield f"{note.words.rstrip('.')}. Kept {_kept(note)}.\n"
            yield "| Column | What it holds |"
            yield "| --- | --- |"
            yield from (f"| `{name}` | {words} |" for name, words in note.columns.items())
            yield ""


def _others() -> Iterator[str]:
    yield "## Stored about surveys, members and workspaces\n"
    yield "| Table | About | What it holds | Kept |"
    yield "| --- | --- | --- | --- |"
    for table, note in NOTES.items():
        if note.about not in (About.ANSWER, About.COUNTS):
            yield f"| `{table}` | {note.about.value} | {note.words} | {_kept(note)} |"
    yield ""


def _kept(note: Note) -> str:
    words = _words(note.kept.words).replace("%(num)s", "*retention*")
    return f"{words}; `{note.kept.ended_by}`" if note.kept.ended_by else words


if __name__ == "__main__":
    PATH.write_text(document(), encoding="utf-8")
