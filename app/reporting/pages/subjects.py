"""What views and links are kept of: the dashboard of a survey, or several surveys together."""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from pydantic import ValidationError
from starlette.responses import Response

from app.accounts.access import WorkspaceManager
from app.accounts.schemas import Member
from app.followups.words import survey_base
from app.foundation import clock
from app.foundation.errors import Invalid, NotFound
from app.foundation.translation import gettext
from app.reporting.asked_together import ask_stored, ask_together, without_left_out
from app.reporting.filter_words import describe_filter
from app.reporting.page_filters import DashboardQuery, Preset, SeveralQuery, read_page_filter
from app.reporting.pages.dashboard import dashboard_page
from app.reporting.pages.reading_several import SEVERAL
from app.reporting.pages.several import several_page
from app.reporting.pages.typed import refusal_of
from app.reporting.pages.view_forms import ViewForm
from app.reporting.stored_queries import as_given, query_text, read_query
from app.reporting.views import EVERYTHING
from app.surveys.queries import get_questionnaire
from app.surveys.schemas import Questionnaire

Words = Sequence[tuple[str, str]]
OF_THE_PAGE = {"done"}  # what an address says of the page itself, and not of its filter


class Subject(ABC):
    """A page under a filter, for managers; `base` is its address, `survey_id` None for several."""

    member: Member
    base: str
    survey_id: uuid.UUID | None

    @property
    @abstractmethod
    def text(self) -> str:
        """The query as it was asked; empty where nothing was."""

    @abstractmethod
    async def check(self) -> str:
        """The query to be kept; Invalid where the page cannot show it."""

    @abstractmethod
    async def words(self) -> Words:
        """What the page shows, and the day last; nothing where nothing was asked for."""

    @abstractmethod
    async def words_of(self, queries: Sequence[str]) -> list[str]:
        """What kept queries show, without the day; empty where they can show it no more."""

    @abstractmethod
    async def page(self, request: Request, status: int, form: ViewForm) -> Response:
        """The page with the form of a view that was refused."""

    @property
    def href(self) -> str:
        """Where the page is."""
        return f"{self.base}?{self.text}" if self.text else self.base


@dataclass(frozen=True, slots=True)
class OneSurvey(Subject):
    """The dashboard of a survey."""

    member: Member
    base: str
    survey: Questionnaire
    query: DashboardQuery

    @property
    def survey_id(self) -> uuid.UUID:  # type: ignore[override]
        return self.survey.survey_id

    @property
    def text(self) -> str:
        return query_text(self.query)

    @property
    def href(self) -> str:
        return f"{self.base}?{self.text or EVERYTHING}"

    async def check(self) -> str:
        self._describe(self.query)
        return self.text

    async def words(self) -> Words:
        return self._describe(self.query)

    async def words_of(self, queries: Sequence[str]) -> list[str]:
        return [self._words_of(query) for query in queries]

    def _words_of(self, text: str) -> str:
        try:
            words = self._describe(read_query(DashboardQuery, text))[1:-1]
        except (ValueError, Invalid):
            return ""
        return gettext(", ").join(value for _name, value in words)

    def _describe(self, query: DashboardQuery) -> Words:
        today = clock.today(self.survey.time_zone)
        asked, preset = read_page_filter(query, self.survey, today, Preset.ALL)
        return describe_filter(self.survey, asked, preset, today)

    async def page(self, request: Request, status: int, form: ViewForm) -> Response:
        return await dashboard_page(request, self.member, self.survey_id, self.query, status, form)


@dataclass(frozen=True, slots=True)
class SeveralSurveys(Subject):
    """The page of several surveys together."""

    member: Member
    base: str
    query: SeveralQuery
    survey_id: None = None

    @property
    def text(self) -> str:
        return query_text(self.query)

    async def check(self) -> str:
        asked = await ask_together(self.member.session, self.member.workspace_id, self.query)
        return query_text(without_left_out(self.query, asked))

    async def words(self) -> Words:
        if not self.query.survey:
            return ()
        asked = await ask_together(self.member.session, self.member.workspace_id, self.query)
        return asked.filter_words()

    async def words_of(self, queries: Sequence[str]) -> list[str]:
        found = await ask_stored(self.member.session, self.member.workspace_id, queries)
        return [
            gettext(", ").join(value for _name, value in asked.filter_words()[:-1])
            if asked and asked.is_whole
            else ""
            for asked in found
        ]

    async def page(self, request: Request, status: int, form: ViewForm) -> Response:
        return await several_page(request, self.member, self.query, status, form)


async def _subject(request: Request, member: WorkspaceManager) -> Subject:
    """By the route: that of a survey, or that of several."""
    pairs = [pair for pair in request.query_params.multi_items() if pair[0] not in OF_THE_PAGE]
    survey_id = request.path_params.get("survey_id")
    try:
        if survey_id is None:
            query = SeveralQuery.model_validate(as_given(SeveralQuery, pairs))
            return SeveralSurveys(member, SEVERAL.format(workspace=member.workspace_id), query)
        of_one = DashboardQuery.model_validate(as_given(DashboardQuery, pairs))
    except ValidationError as error:
        raise refusal_of(error) from None
    survey = await get_questionnaire(member.session, member.workspace_id, _id(survey_id))
    return OneSurvey(member, survey_base(member, survey.survey_id), survey, of_one)


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFound from None


ManagedSubject = Annotated[Subject, Depends(_subject)]
