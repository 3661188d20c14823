"""Links to a survey: made, revoked, led elsewhere. A printed code outlives what it led to."""

import uuid

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.schemas import Actor
from app.foundation import clock
from app.foundation.errors import Conflict, InvalidParam, NotFound
from app.foundation.tokens import new_id, random_text
from app.foundation.translation import mark
from app.surveys.inputs import LinkInput
from app.surveys.models import Channel, DimensionSource, Link, Survey, SurveyLink
from app.surveys.queries import get_questionnaire, get_survey, lock_survey
from app.surveys.rules import check_name, refuse
from app.surveys.schemas import Questionnaire
from app.surveys.segments import find_segment_problems

SLUG_LENGTH = 12  # 71 bits: nobody guesses a link
LINK_CHANNELS = (Channel.LINK, Channel.QR, Channel.EMAIL, Channel.EMBED)


async def insert_default_link(session: AsyncSession, survey: Survey) -> SurveyLink:
    """The link that is the survey's own address, without preset values."""
    return await _insert(session, survey, "", Channel.LINK, {}, is_default=True)


async def _insert(
    session: AsyncSession,
    survey: Survey,
    name: str,
    channel: Channel,
    preset: dict[str, str],
    is_default: bool = False,
) -> SurveyLink:
    slug = random_text(SLUG_LENGTH)
    link = SurveyLink(
        workspace_id=survey.workspace_id,
        id=new_id(),
        survey_id=survey.id,
        slug=slug,
        name=name,
        channel=channel,
        preset=preset,
        is_default=is_default,
        created_at=clock.now(),
    )
    session.add(link)
    session.add(Link(slug=slug, workspace_id=survey.workspace_id, survey_id=survey.id))
    await session.flush()
    return link


async def create_link(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    given: LinkInput,
) -> SurveyLink:
    """A further link; Invalid where it presets what the survey does not take from links."""
    survey = await get_survey(session, workspace_id, survey_id)
    name = check_name("name", given.name)
    if given.channel not in LINK_CHANNELS:
        refuse([InvalidParam("channel", mark("Choose link, qr, email or embed."))])
    _check_preset(await get_questionnaire(session, workspace_id, survey_id), given.preset)
    link = await _insert(session, survey, name, given.channel, dict(given.preset))
    record_event(session, workspace_id, actor, "link.created", link.id, {"survey": str(survey.id)})
    return link


def _check_preset(questionnaire: Questionnaire, preset: dict[str, str]) -> None:
    problems = find_segment_problems(questionnaire, preset, "preset")
    for dimension in questionnaire.dimensions:
        if dimension.key in preset and dimension.source is not DimensionSource.LINK:
            reason = mark("This dimension does not take its values from links.")
            problems.append(InvalidParam(f"preset.{dimension.key}", reason))
    refuse(problems)


async def _lock_link(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, link_id: uuid.UUID
) -> SurveyLink:
    link = await session.scalar(
        select(SurveyLink)
        .where(
            SurveyLink.workspace_id == workspace_id,
            SurveyLink.survey_id == survey_id,
            SurveyLink.id == link_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if link is None:
        raise NotFound
    return link


async def revoke_link(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    link_id: uuid.UUID,
) -> SurveyLink:
    """The link leads nowhere from now on; whoever opens it is told so. A survey whose own link is
    revoked gets another."""
    survey = await lock_survey(session, workspace_id, survey_id)
    link = await _lock_link(session, workspace_id, survey_id, link_id)
    if link.revoked_at is not None:
        return link
    link.revoked_at = clock.now()
    await _replace_default(session, survey, link)
    record_event(session, workspace_id, actor, "link.revoked", link.id)
    return link


async def _replace_default(session: AsyncSession, survey: Survey, link: SurveyLink) -> None:
    if link.is_default:
        link.is_default = False
        await session.flush()
        await insert_default_link(session, survey)


async def repoint_link(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    link_id: uuid.UUID,
    target_id: uuid.UUID,
) -> SurveyLink:
    """The link leads to the workspace's survey `target_id` from now on, address unchanged.

    Its preset values stay with it: what the target does not declare is dropped when somebody
    answers. Conflict for a revoked link.
    """
    survey = await lock_survey(session, workspace_id, survey_id)
    target = await get_survey(session, workspace_id, target_id)
    link = await _lock_link(session, workspace_id, survey_id, link_id)
    if link.revoked_at is not None:
        raise Conflict(mark("This link was revoked; make a new one."))
    if target.id == survey.id:
        return link
    await _replace_default(session, survey, link)
    link.survey_id = target.id
    await session.execute(
        update(Link)
        .where(Link.slug == link.slug, Link.workspace_id == workspace_id)
        .values(survey_id=target.id)
    )
    record_event(
        session, workspace_id, actor, "link.repointed", link.id,
        {"from": str(survey.id), "to": str(target.id)},
    )  # fmt: skip
    await session.flush()
    return link
