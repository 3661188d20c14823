"""Verbs of a survey's life: create, edit, publish, close, word anew."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, replace

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.schemas import Actor
from app.foundation import clock
from app.foundation.errors import Conflict, InvalidParam
from app.foundation.questions import Executor
from app.foundation.tokens import new_id
from app.foundation.translation import mark
from app.surveys.dimensions import insert_dimension
from app.surveys.inputs import SurveyChanges, SurveyInput, Texts, VersionInput
from app.surveys.links import insert_default_link
from app.surveys.models import DimensionSource, Metric, Survey, SurveyState, SurveyVersion
from app.surveys.queries import get_questionnaire, get_version, lock_survey
from app.surveys.rules import CheckedSurvey, by_language, check_survey
from app.surveys.wording import PURPOSE, SUBJECT, fill_subject, parse_language

# What stands once the first answer is in, by the names of `CheckedSurvey`.
FROZEN = (
    "languages",
    "wording",
    "min_group_size",
    "retention_months",
    "privacy_url",
    "asks_contact",
)


async def create_survey(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, given: SurveyInput
) -> Survey:
    """A draft with its first wording, its dimensions and its default link; Invalid names every
    input that cannot be accepted."""
    checked = check_survey(given)
    survey = Survey(
        workspace_id=workspace_id,
        id=new_id(),
        state=SurveyState.DRAFT,
        metric=Metric.NPS,
        version_number=1,
        has_answers=False,
        shows_steps=True,
        created_at=clock.now(),
    )
    _apply(survey, checked)
    session.add(survey)
    await session.flush()
    _insert_version(session, survey, checked.wording)
    for position, dimension in enumerate(given.dimensions):
        await insert_dimension(session, survey, dimension, position)
    await insert_default_link(session, survey)
    record_event(session, workspace_id, actor, "survey.created", survey.id, {"name": survey.name})
    await session.flush()
    return survey


def _apply(survey: Survey, checked: CheckedSurvey) -> None:
    for name, value in asdict(checked).items():
        if name != "wording":
            setattr(survey, name, value)


def _insert_version(
    session: AsyncSession, survey: Survey, wording: dict[str, dict[str, str]]
) -> None:
    session.add(
        SurveyVersion(
            workspace_id=survey.workspace_id,
            survey_id=survey.id,
            number=survey.version_number,
            wording=wording,
            created_at=clock.now(),
        )
    )


async def edit_survey(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    changes: SurveyChanges,
) -> Survey:
    """The survey with `changes` made; Conflict where they touch what the first answer froze."""
    survey = await lock_survey(session, workspace_id, survey_id)
    version = await get_version(session, workspace_id, survey)
    before = _stored(survey, version)
    after = check_survey(_merge(before, changes))
    changed = [name for name in asdict(after) if getattr(before, name) != getattr(after, name)]
    if survey.has_answers:
        _refuse_frozen([name for name in changed if name in FROZEN])
    _apply(survey, after)
    if "wording" in changed:
        _reword(session, survey, version, after.wording)
    if changed:
        record_event(session, workspace_id, actor, "survey.edited", survey.id, {"changed": changed})
    await session.flush()
    return survey


def _stored(survey: Survey, version: SurveyVersion) -> CheckedSurvey:
    return CheckedSurvey(
        name=survey.name,
        languages=survey.languages,
        default_language=survey.default_language,
        wording=version.wording,
        min_group_size=survey.min_group_size,
        retention_months=survey.retention_months,
        privacy_url=survey.privacy_url,
        contact=survey.contact,
        opens_on=survey.opens_on,
        closes_on=survey.closes_on,
        embed_origins=survey.embed_origins,
        thanks_urls=survey.thanks_urls,
        support=survey.support,
        asks_contact=survey.asks_contact,
    )


def _merge(before: CheckedSurvey, changes: SurveyChanges | VersionInput) -> SurveyInput:
    """The whole survey as it would be. A language that goes takes its texts along."""
    given = changes.model_dump(exclude_unset=True)
    fields = {name: value for name, value in asdict(before).items() if name != "wording"}
    fields |= {
        name: value
        for name, value in given.items()
        if value is not None or name in ("opens_on", "closes_on")
    }
    fields["thanks_urls"] = {**before.thanks_urls, **(given.get("thanks_urls") or {})}
    languages = [parse_language(tag) or tag for tag in fields["languages"]]
    if given.get("default_language") is None and before.default_language not in languages:
        fields["default_language"] = next(iter(languages), None)
    fields["subject"] = _merge_subject(before, given.get("subject"), languages)
    fields["wording"] = _merge_texts(before, given.get("wording") or {}, languages)
    return SurveyInput.model_validate(fields)


def _merge_subject(before: CheckedSurvey, given: Texts | None, languages: Sequence[str]) -> Texts:
    if isinstance(given, str):
        return given
    kept = {tag: texts[SUBJECT] for tag, texts in before.wording.items() if tag in languages}
    merged = {**kept, **by_language(given or {}, languages)}
    return merged or before.wording[before.default_language][SUBJECT]


def _merge_texts(
    before: CheckedSurvey, given: dict[str, dict[str, str]], languages: Sequence[str]
) -> dict[str, dict[str, str]]:
    merged = {
        tag: {name: text for name, text in texts.items() if name != SUBJECT}
        for tag, texts in before.wording.items()
        if tag in languages
    }
    for tag, texts in given.items():
        known = parse_language(tag) or tag
        merged[known] = {**merged.get(known, {}), **texts}
    return merged


def _refuse_frozen(names: Sequence[str]) -> None:
    if names:
        raise Conflict(
            mark(
                "The survey has answers, so its wording and its promise stand. A new version may"
                " have another wording; for another promise, make a new survey."
            ),
            invalid_params=[InvalidParam(name, FROZEN_REASON) for name in names],
        )


FROZEN_REASON = mark("This stands since the first answer came in.")


def _reword(
    session: AsyncSession,
    survey: Survey,
    version: SurveyVersion,
    wording: dict[str, dict[str, str]],
) -> None:
    """A draft was read by nobody. Later somebody may have the form open, and their answer must
    keep the wording they saw: that version stays, and a new one begins."""
    if survey.state == SurveyState.DRAFT and not survey.has_answers:
        version.wording = wording
        return
    survey.version_number = version.number + 1
    _insert_version(session, survey, wording)


async def make_version(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    given: VersionInput,
) -> SurveyVersion:
    """A new wording, asked from now on; earlier answers keep theirs.

    Conflict where it would change the purpose that people who answered were told.
    """
    survey = await lock_survey(session, workspace_id, survey_id)
    version = await get_version(session, workspace_id, survey)
    before = _stored(survey, version)
    after = check_survey(_merge(before, given))
    if survey.has_answers:
        after = replace(after, wording=_keep_purpose(before.wording, after.wording))
    _apply(survey, after)
    survey.version_number = version.number + 1
    _insert_version(session, survey, after.wording)
    record_event(
        session, workspace_id, actor, "survey.version_made", survey.id,
        {"number": survey.version_number},
    )  # fmt: skip
    await session.flush()
    return await get_version(session, workspace_id, survey)


def _keep_purpose(
    before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]
) -> dict[str, dict[str, str]]:
    """The new wording with the purpose as it was read before, even under a new subject."""
    told = fill_subject(before)
    kept = {}
    for language, texts in after.items():
        kept[language] = texts
        if language in before and texts[PURPOSE] != before[language][PURPOSE]:
            _refuse_frozen([f"wording.{language}.{PURPOSE}"])
        if language in before and texts[SUBJECT] != before[language][SUBJECT]:
            kept[language] = {**texts, PURPOSE: told[language][PURPOSE]}
    return kept


async def publish_survey(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, survey_id: uuid.UUID
) -> Survey:
    """The survey takes answers from now on, or from `opens_on`; also opens a closed one again.

    Conflict where the form would ask a question that has no answers to choose from.
    """
    survey = await lock_survey(session, workspace_id, survey_id)
    if survey.state == SurveyState.PUBLISHED:
        return survey
    questionnaire = await get_questionnaire(session, workspace_id, survey_id)
    for dimension in questionnaire.dimensions:
        if dimension.source is DimensionSource.QUESTION and not dimension.offered:
            raise Conflict(
                mark("The question “%(key)s” needs values to choose from before publication."),
                values={"key": dimension.key},
            )
    survey.state = SurveyState.PUBLISHED
    record_event(session, workspace_id, actor, "survey.published", survey.id)
    await session.flush()
    return survey


async def close_survey(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, survey_id: uuid.UUID
) -> Survey:
    """The survey takes no more answers; publishing opens it again. Conflict for a draft."""
    survey = await lock_survey(session, workspace_id, survey_id)
    if survey.state == SurveyState.DRAFT:
        raise Conflict(mark("The survey is a draft; it was never published."))
    if survey.state == SurveyState.PUBLISHED:
        survey.state = SurveyState.CLOSED
        record_event(session, workspace_id, actor, "survey.closed", survey.id)
        await session.flush()
    return survey


async def mark_answered(session: Executor, workspace_id: uuid.UUID, survey_id: uuid.UUID) -> None:
    """Freeze wording and promise, in the transaction that stores the first answer.

    Waits for an edit that is under way, and an edit waits for it. Harmless when repeated.
    """
    names = {"workspace_id": workspace_id, "survey_id": survey_id}
    await session.execute(_MARK_ANSWERED, names)


_MARK_ANSWERED = text(
    """
    UPDATE surveys SET has_answers = true
    WHERE workspace_id = :workspace_id AND id = :survey_id AND NOT has_answers
    """
)
