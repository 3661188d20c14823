"""Where a link leads: who opens it sees a form, or why there is none."""

import enum
import re
from dataclasses import dataclass
from datetime import date

from app.foundation import clock
from app.foundation.database import Database
from app.foundation.errors import NotFound
from app.foundation.memory import Memory
from app.surveys.models import SurveyState
from app.surveys.queries import (
    get_entry_link,
    get_questionnaire,
    unscoped_find_workspace_of,
)
from app.surveys.schemas import EntryLink, Questionnaire

_SLUG = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Access(enum.StrEnum):
    """Whether a survey can be answered by a link now."""

    OPEN = "open"
    NOT_YET = "not_yet"
    CLOSED = "closed"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Entrance:
    """A link and the survey behind it."""

    link: EntryLink
    questionnaire: Questionnaire

    @property
    def today(self) -> date:
        return clock.today(self.questionnaire.time_zone)

    @property
    def access(self) -> Access:
        if self.link.is_revoked:
            return Access.REVOKED
        survey = self.questionnaire
        if survey.is_open_on(self.today):
            return Access.OPEN
        is_early = survey.opens_on is not None and self.today < survey.opens_on
        if survey.state is SurveyState.DRAFT or (
            survey.state is SurveyState.PUBLISHED and is_early
        ):
            return Access.NOT_YET
        return Access.CLOSED


async def get_entrance(database: Database, memory: Memory, slug: str) -> Entrance:
    """Where `slug` leads, as it was at most two seconds ago; NotFound where it leads nowhere."""
    if not _SLUG.fullmatch(slug):
        raise NotFound
    return await memory.recall(("slug", slug), lambda: _look_up(database, slug))


def recall_entrance(memory: Memory, slug: str) -> Entrance | None:
    """What `get_entrance` would give without asking the database."""
    found: Entrance | None = memory.find(("slug", slug))
    return found


async def _look_up(database: Database, slug: str) -> Entrance:
    workspace_id = await unscoped_find_workspace_of(database.look_ups(), slug)
    if workspace_id is None:
        raise NotFound
    look_ups = database.look_ups(workspace_id)
    link = await get_entry_link(look_ups, workspace_id, slug)
    return Entrance(link, await get_questionnaire(look_ups, workspace_id, link.survey_id))
