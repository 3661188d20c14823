"""JSON routes of tags and stars: the list of a survey, and the marks of its answers."""

import uuid

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.accounts.access import ApiReader, ApiWriter
from app.accounts.idempotency import create_once
from app.accounts.schemas import ApiClient
from app.foundation.web.openapi import NoQuery, problems
from app.responses.marking import Marks, get_marks, mark_response, mark_responses
from app.responses.tag_shapes import (
    MarkedShape,
    MarksInput,
    MarksShape,
    MergerInput,
    TagInput,
    TagShape,
)
from app.responses.tags import create_tag, delete_tag, merge_tag, rename_tag
from app.surveys.queries import get_questionnaire

router = APIRouter(prefix="/api/v1/surveys/{survey_id}", tags=["tags"], dependencies=[NoQuery])


@router.post(
    "/tags",
    summary="Create a tag",
    status_code=201,
    response_model=TagShape,
    responses=problems(400, 404, 409, 422),
)
async def create(
    request: Request, client: ApiWriter, survey_id: uuid.UUID, given: TagInput
) -> Response:
    """At most fifty in a survey, of at most forty characters. Upper and lower case are alike."""

    async def make() -> TagShape:
        return TagShape.of(
            await create_tag(
                client.session, client.workspace_id, client.actor, survey_id, given.name
            )
        )

    return await create_once(request, client, make)


@router.patch("/tags/{tag_id}", summary="Rename a tag", responses=problems(400, 404, 422))
async def rename(
    client: ApiWriter, survey_id: uuid.UUID, tag_id: uuid.UUID, given: TagInput
) -> TagShape:
    """Its answers keep it, under the new name."""
    return TagShape.of(
        await rename_tag(
            client.session, client.workspace_id, client.actor, survey_id, tag_id, given.name
        )
    )


@router.put(
    "/tags/{tag_id}/merger", summary="Merge a tag into another", responses=problems(400, 404, 422)
)
async def merge(
    client: ApiWriter, survey_id: uuid.UUID, tag_id: uuid.UUID, given: MergerInput
) -> TagShape:
    """Its answers get the other tag in its place, and it is gone. Answers with the other one."""
    return TagShape.of(
        await merge_tag(
            client.session, client.workspace_id, client.actor, survey_id, tag_id, given.into
        )
    )


@router.delete(
    "/tags/{tag_id}", summary="Delete a tag", status_code=204, responses=problems(404, 422)
)
async def delete(client: ApiWriter, survey_id: uuid.UUID, tag_id: uuid.UUID) -> None:
    """It is taken off its answers, which stay."""
    await delete_tag(client.session, client.workspace_id, client.actor, survey_id, tag_id)


@router.put("/marks", summary="Mark many answers", responses=problems(400, 404, 413, 415, 422))
async def mark_many(client: ApiWriter, survey_id: uuid.UUID, given: MarksInput) -> MarkedShape:
    """Put tags on up to 1,000 answers, take tags off, set or remove stars. 404 for an unknown tag;
    unknown answers are passed over, since one may just have been erased."""
    await get_questionnaire(client.session, client.workspace_id, survey_id)
    marks = Marks(given.add_tags, given.remove_tags, given.starred)
    number = await mark_responses(
        client.session, client.workspace_id, client.actor, survey_id, given.response_ids, marks
    )
    return MarkedShape(response_count=number)


@router.get(
    "/responses/{response_id}/marks",
    summary="Read an answer's marks",
    responses=problems(404, 422),
)
async def read(client: ApiReader, survey_id: uuid.UUID, response_id: uuid.UUID) -> MarksShape:
    """Its tags by name, and whether it is starred. The ids are those of the list by day."""
    return await _marks(client, survey_id, response_id)


@router.put(
    "/responses/{response_id}/tags/{tag_id}",
    summary="Put a tag on an answer",
    responses=problems(404, 422),
)
async def put_on(
    client: ApiWriter, survey_id: uuid.UUID, response_id: uuid.UUID, tag_id: uuid.UUID
) -> MarksShape:
    """Nothing changes where the answer has it already."""
    return await _mark(client, survey_id, response_id, Marks(add=[tag_id]))


@router.delete(
    "/responses/{response_id}/tags/{tag_id}",
    summary="Take a tag off an answer",
    responses=problems(404, 422),
)
async def take_off(
    client: ApiWriter, survey_id: uuid.UUID, response_id: uuid.UUID, tag_id: uuid.UUID
) -> MarksShape:
    """Nothing changes where the answer has it not."""
    return await _mark(client, survey_id, response_id, Marks(remove=[tag_id]))


@router.put("/responses/{response_id}/star", summary="Star an answer", responses=problems(404, 422))
async def star(client: ApiWriter, survey_id: uuid.UUID, response_id: uuid.UUID) -> MarksShape:
    """Starred comments come first on the dashboard."""
    return await _mark(client, survey_id, response_id, Marks(is_starred=True))


@router.delete(
    "/responses/{response_id}/star", summary="Remove a star", responses=problems(404, 422)
)
async def unstar(client: ApiWriter, survey_id: uuid.UUID, response_id: uuid.UUID) -> MarksShape:
    """Nothing changes where there is none."""
    return await _mark(client, survey_id, response_id, Marks(is_starred=False))


async def _mark(
    client: ApiClient, survey_id: uuid.UUID, response_id: uuid.UUID, marks: Marks
) -> MarksShape:
    await mark_response(client.session, client.workspace_id, survey_id, response_id, marks)
    return await _marks(client, survey_id, response_id)


async def _marks(client: ApiClient, survey_id: uuid.UUID, response_id: uuid.UUID) -> MarksShape:
    return MarksShape.of(
        await get_marks(client.session, client.workspace_id, survey_id, response_id)
    )
