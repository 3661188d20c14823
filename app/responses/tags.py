"""The tags of a survey: made, renamed, merged, deleted. `marking` puts them on answers.

No name of a tag and no answer's id is written to the audit log: it outlives both.
"""

import unicodedata
import uuid
from collections.abc import Sequence

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.schemas import Actor
from app.foundation.errors import Invalid, InvalidParam, NotFound
from app.foundation.tokens import new_id
from app.foundation.translation import mark
from app.responses.models import Response
from app.responses.tag_models import MAX_TAGS, TAG_NAME_LIMIT, ResponseTag, Tag
from app.responses.texts import is_storable
from app.surveys.queries import lock_survey

SEPARATOR = ";"  # between the names in a cell of a CSV file


async def list_tags(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> Sequence[Tag]:
    """The tags of a survey by name, at most `MAX_TAGS`; none where there is no such survey."""
    found = await session.scalars(
        select(Tag)
        .where(Tag.workspace_id == workspace_id, Tag.survey_id == survey_id)
        .order_by(Tag.folded)
    )
    return found.all()


async def get_tag(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, tag_id: uuid.UUID
) -> Tag:
    """A tag of the survey; NotFound where it has none with that id."""
    tag = await session.scalar(
        select(Tag).where(
            Tag.workspace_id == workspace_id, Tag.survey_id == survey_id, Tag.id == tag_id
        )
    )
    if tag is None:
        raise NotFound
    return tag


async def create_tag(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, survey_id: uuid.UUID, name: str
) -> Tag:
    """A further tag; Invalid for a name that cannot be one or is there, and past `MAX_TAGS`."""
    name = clean_tag_name(name)
    await lock_survey(session, workspace_id, survey_id)
    present = await list_tags(session, workspace_id, survey_id)
    _refuse_twin(name, present)
    if len(present) >= MAX_TAGS:
        reason = mark("A survey has at most %(limit)s tags; merge or delete some.")
        raise _refused("name", reason, limit=MAX_TAGS)
    return await _insert(session, workspace_id, actor, survey_id, name)


async def find_tag(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, name: str
) -> Tag | None:
    """The survey's tag of that name, if there is one; upper and lower case are alike."""
    return await session.scalar(
        select(Tag).where(
            Tag.workspace_id == workspace_id,
            Tag.survey_id == survey_id,
            Tag.folded == _fold(name),
        )
    )


async def provide_tag(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, survey_id: uuid.UUID, name: str
) -> Tag:
    """The tag of that name, made where there is none; Invalid as in `create_tag`."""
    name = clean_tag_name(name)
    found = await find_tag(session, workspace_id, survey_id, name)
    return found or await create_tag(session, workspace_id, actor, survey_id, name)


async def rename_tag(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    tag_id: uuid.UUID,
    name: str,
) -> Tag:
    """Give the tag another name; Invalid for one that cannot be, or that another tag has."""
    name = clean_tag_name(name)
    await lock_survey(session, workspace_id, survey_id)
    tag = await get_tag(session, workspace_id, survey_id, tag_id)
    present = await list_tags(session, workspace_id, survey_id)
    _refuse_twin(name, [other for other in present if other.id != tag_id])
    if tag.name != name:
        tag.name, tag.folded = name, _fold(name)
        record_event(session, workspace_id, actor, "tag.renamed", tag_id)
        await session.flush()
    return tag


async def merge_tag(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    tag_id: uuid.UUID,
    into_id: uuid.UUID,
) -> Tag:
    """Give the answers of a tag another one in its place, and delete it; returns the other."""
    await lock_survey(session, workspace_id, survey_id)
    await _lock_tag(session, workspace_id, survey_id, tag_id)
    if into_id == tag_id:
        raise _refused("into", mark("Choose another tag to merge this one into."))
    try:
        into = await get_tag(session, workspace_id, survey_id, into_id)
    except NotFound:
        raise _refused("into", mark("The survey has no such tag.")) from None
    ids = await _hold_answers(session, workspace_id, tag_id)
    values = {"workspace_id": workspace_id, "tag_id": tag_id, "into_id": into_id}
    await session.execute(_PASS_ON, values)
    await _delete(session, workspace_id, tag_id)
    details = {"into": str(into_id), "responses": len(ids)}
    record_event(session, workspace_id, actor, "tag.merged", tag_id, details)
    return into


async def delete_tag(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    tag_id: uuid.UUID,
) -> None:
    """Delete the tag and take it off its answers; NotFound where the survey has none such."""
    await lock_survey(session, workspace_id, survey_id)
    await _lock_tag(session, workspace_id, survey_id, tag_id)
    await _delete(session, workspace_id, tag_id)
    record_event(session, workspace_id, actor, "tag.deleted", tag_id)


def clean_tag_name(text: str) -> str:
    """A name as it is stored: in one line, without space around it. Invalid where nothing is left,
    for more than `TAG_NAME_LIMIT` characters, and for the sign that stands between names."""
    name = " ".join(text.split())
    if not name:
        raise _refused("name", mark("Write a name for the tag."))
    if len(name) > TAG_NAME_LIMIT:
        reason = mark("A tag has at most %(limit)s characters.")
        raise _refused("name", reason, limit=TAG_NAME_LIMIT)
    if SEPARATOR in name or not is_storable(name) or not name.isprintable():
        raise _refused("name", mark("Write letters, digits and signs other than a semicolon."))
    return name


def _fold(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _refuse_twin(name: str, present: Sequence[Tag]) -> None:
    if _fold(name) in {tag.folded for tag in present}:
        raise _refused("name", mark("The survey has a tag with this name."))


def _refused(param: str, reason: str, **values: object) -> Invalid:
    return Invalid(
        mark("See which inputs were refused."),
        invalid_params=[InvalidParam(param, reason, values)],
    )


async def _insert(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, survey_id: uuid.UUID, name: str
) -> Tag:
    tag = Tag(
        workspace_id=workspace_id, id=new_id(), survey_id=survey_id, name=name, folded=_fold(name)
    )
    session.add(tag)
    record_event(session, workspace_id, actor, "tag.created", tag.id)
    await session.flush()
    return tag


async def _lock_tag(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, tag_id: uuid.UUID
) -> None:
    """Nobody puts the tag on an answer any more, until this transaction ends."""
    query = select(Tag.id).where(
        Tag.workspace_id == workspace_id, Tag.survey_id == survey_id, Tag.id == tag_id
    )
    if await session.scalar(query.with_for_update()) is None:
        raise NotFound


async def _hold_answers(
    session: AsyncSession, workspace_id: uuid.UUID, tag_id: uuid.UUID
) -> Sequence[uuid.UUID]:
    """The answers that have the tag, kept from being deleted meanwhile."""
    found = await session.scalars(
        select(Response.id)
        .join(
            ResponseTag,
            (ResponseTag.workspace_id == Response.workspace_id)
            & (ResponseTag.response_id == Response.id),
        )
        .where(
            Response.workspace_id == workspace_id,
            ResponseTag.workspace_id == workspace_id,
            ResponseTag.tag_id == tag_id,
        )
        .order_by(Response.id)
        .with_for_update(read=True, key_share=True, of=Response)
    )
    return found.all()


_PASS_ON = text(
    "INSERT INTO response_tags (workspace_id, response_id, tag_id)"
    " SELECT workspace_id, response_id, :into_id FROM response_tags"
    " WHERE workspace_id = :workspace_id AND tag_id = :tag_id"
    " ON CONFLICT (workspace_id, response_id, tag_id) DO NOTHING"
)


async def _delete(session: AsyncSession, workspace_id: uuid.UUID, tag_id: uuid.UUID) -> None:
    await session.execute(
        delete(Tag)
        .where(Tag.workspace_id == workspace_id, Tag.id == tag_id)
        .execution_options(synchronize_session=False)
    )
