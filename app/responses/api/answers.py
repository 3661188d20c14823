"""JSON routes that take answers in, leave them out of the figures, and erase them."""

import time
import uuid
from collections.abc import Callable, Sequence
from functools import lru_cache

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from app.accounts.access import (
    ApiAdmin,
    ApiCollector,
    ApiReader,
    ApiWriter,
    bearer,
    identify_collector,
)
from app.accounts.idempotency import Reminder, create_once
from app.accounts.schemas import ApiCaller, ApiClient
from app.foundation import clock
from app.foundation.errors import InvalidParam
from app.foundation.translation import mark
from app.foundation.web.openapi import IDEMPOTENCY_KEY, ListMeta, NoQuery, Paging, problems
from app.responses.actions import exclude_response, include_response, release_response
from app.responses.contacts import delete_contact, get_contact
from app.responses.deletion_shapes import DeletionList, DeletionShape, RetentionShape
from app.responses.deletions import list_deletions
from app.responses.erasure import erase_response
from app.responses.inputs import (
    BatchInput,
    ErasureInput,
    ExclusionInput,
    HeldExclusionInput,
    ReleaseInput,
    ResponseInput,
    find_problems,
    new_answer,
    read_rows,
    refuse,
    require_taking,
)
from app.responses.models import DeletionReason
from app.responses.models import Response as StoredResponse
from app.responses.queries import get_responses
from app.responses.receipts import NoReceipt, read_receipt, write_receipt
from app.responses.retention import get_outlook
from app.responses.reviewing import count_held, exclude_held, release_held
from app.responses.schemas import NewAnswer, StoredAnswer
from app.responses.shapes import (
    BatchShape,
    ContactShape,
    HeldShape,
    RecordedShape,
    ResponseShape,
    ReviewedShape,
)
from app.responses.storing import store_answers, tally_stored
from app.surveys.holds import hold_survey, release_survey
from app.surveys.queries import get_questionnaire
from app.surveys.schemas import Questionnaire

router = APIRouter(prefix="/api/v1", tags=["responses"], dependencies=[NoQuery])
retention = APIRouter(prefix="/api/v1", tags=["retention"])

JSON = ("application/json", "application/json; charset=utf-8")


@router.post(
    "/surveys/{survey_id}/responses",
    summary="Record an answer",
    status_code=201,
    response_model=RecordedShape,
    responses=problems(400, 404, 409, 413, 415, 422, 503),
)
async def record(
    request: Request, caller: ApiCollector, survey_id: uuid.UUID, given: ResponseInput
) -> Response:
    """Answered once the answer is durable. Today's answers need an open survey (409); answers of
    past days (`answered_on`) are imports and are also taken after it has closed."""
    questionnaire = await _recall_questionnaire(request, caller, survey_id)

    def check() -> list[NewAnswer]:
        today = clock.today(questionnaire.time_zone)
        refuse(find_problems(questionnaire, today, given))
        require_taking(questionnaire, today, [given])
        return [new_answer(questionnaire, today, given)]

    return await _store(request, caller, check, lambda recorded: recorded[0])


async def record_directly(request: Request, survey_id: str) -> Response | None:
    """`record` for a request that is as it should be; None for one that FastAPI has to judge."""
    if request.scope["query_string"] or request.headers.get("content-type") not in JSON:
        return None
    try:
        known_id = _read_id(survey_id)
        given = ResponseInput.model_validate_json(await request.body())
    except ValueError:
        return None
    caller = await identify_collector(request, await bearer(request))
    return await record(request, caller, known_id, given)


@lru_cache(1_024)
def _read_id(text: str) -> uuid.UUID:
    """Of a survey, in the one usual way of writing it; ValueError for all others."""
    found = uuid.UUID(text)
    if str(found) != text:
        raise ValueError
    return found


@router.post(
    "/surveys/{survey_id}/responses/batch",
    summary="Record many answers",
    status_code=201,
    response_model=BatchShape,
    responses=problems(400, 404, 409, 413, 415, 422, 503),
)
async def record_batch(
    request: Request, caller: ApiCollector, survey_id: uuid.UUID, given: BatchInput
) -> Response:
    """Up to 1,000 answers, stored all or none. Where one is refused, `invalid_params` names every
    bad row, such as `responses.3.score`."""
    questionnaire = await _recall_questionnaire(request, caller, survey_id)

    def check() -> list[NewAnswer]:
        today = clock.today(questionnaire.time_zone)
        rows, found = read_rows(given.responses)
        for place, row in rows.items():
            found += find_problems(questionnaire, today, row, f"responses.{place}.")
        refuse(found)
        require_taking(questionnaire, today, rows.values())
        return [new_answer(questionnaire, today, row) for row in rows.values()]

    return await _store(request, caller, check, BatchShape.of)


async def _recall_questionnaire(
    request: Request, caller: ApiCaller, survey_id: uuid.UUID
) -> Questionnaire:
    """The survey as it was at most two seconds ago."""
    state = request.app.state

    async def look_up() -> Questionnaire:
        look_ups = state.database.look_ups(caller.workspace_id)
        return await get_questionnaire(look_ups, caller.workspace_id, survey_id)

    found: Questionnaire = await state.memory.recall(
        ("survey", caller.workspace_id, survey_id), look_up
    )
    return found


async def _store(
    request: Request,
    caller: ApiCaller,
    check: Callable[[], Sequence[NewAnswer]],
    shape: Callable[[Sequence[RecordedShape]], BaseModel],
) -> Response:
    """Store what `check` lets pass: with other callers' answers, or, where an Idempotency-Key asks
    for it, in one transaction with the record of that key."""
    state = request.app.state

    def shape_all(answers: Sequence[StoredAnswer | StoredResponse]) -> BaseModel:
        secret_key = state.settings.secret_key
        return shape(
            [
                RecordedShape.recorded(answer, write_receipt(secret_key, answer.id))
                for answer in answers
            ]
        )

    if IDEMPOTENCY_KEY not in request.headers:
        stored = await state.intake.submit(caller.workspace_id, check())
        return Response(shape_all(stored).model_dump_json(), 201, media_type="application/json")
    made: list[StoredAnswer] = []
    started = 0.0
    async with state.database.transaction(caller.workspace_id) as session:

        async def create() -> BaseModel:
            nonlocal started
            started = time.perf_counter()  # what came before was waiting, not storing
            made.extend(await store_answers(session, caller.workspace_id, check()))
            return shape_all(made)

        async def recall(ids: str) -> BaseModel:
            found = map(uuid.UUID, ids.split())
            return shape_all(await get_responses(session, caller.workspace_id, list(found)))

        # The record outlives a deleted answer by a day, hence it may not hold what was written.
        reminder = Reminder(lambda: " ".join(str(answer.id) for answer in made), recall)
        answer = await create_once(request, ApiClient(caller, session), create, reminder)
    if made:
        tally_stored(made, started)
    return answer


@router.put(
    "/surveys/{survey_id}/responses/{response_id}/exclusion",
    summary="Leave an answer out",
    responses=problems(400, 404, 415, 422),
)
async def exclude(
    client: ApiWriter, survey_id: uuid.UUID, response_id: uuid.UUID, given: ExclusionInput
) -> ResponseShape:
    """Out of every figure, with a reason, until it is taken back in. The answer itself stays."""
    return ResponseShape.of(
        await exclude_response(
            client.session,
            client.workspace_id,
            client.actor,
            survey_id,
            response_id,
            given.reason,
        )
    )


@router.delete(
    "/surveys/{survey_id}/responses/{response_id}/exclusion",
    summary="Take an answer back in",
    responses=problems(404, 422),
)
async def include(client: ApiWriter, survey_id: uuid.UUID, response_id: uuid.UUID) -> ResponseShape:
    """Back into the figures. An answer that was never left out stays as it is."""
    return ResponseShape.of(
        await include_response(
            client.session, client.workspace_id, client.actor, survey_id, response_id
        )
    )


@router.put(
    "/surveys/{survey_id}/responses/{response_id}/release",
    summary="Count a held answer",
    responses=problems(404, 422),
)
async def release_one(
    client: ApiWriter, survey_id: uuid.UUID, response_id: uuid.UUID
) -> ResponseShape:
    """Into the figures. An answer that is not held stays as it is. To leave a held answer out, use
    `PUT …/exclusion`. Once its month is closed it counts for everybody, and in no subgroup."""
    return ResponseShape.of(
        await release_response(
            client.session, client.workspace_id, client.actor, survey_id, response_id
        )
    )


@router.get(
    "/surveys/{survey_id}/held_responses",
    summary="Count what is held",
    responses=problems(404, 422),
)
async def read_held(client: ApiReader, survey_id: uuid.UUID) -> HeldShape:
    """Answers by open links that a program might have sent. They are in no figure until they are
    released. `GET …/responses?standing=held` lists them."""
    await get_questionnaire(client.session, client.workspace_id, survey_id)
    return HeldShape.of(await count_held(client.session, client.workspace_id, survey_id))


@router.put(
    "/surveys/{survey_id}/held_responses/release",
    summary="Count held answers",
    responses=problems(400, 404, 415, 422),
)
async def release_all(
    client: ApiWriter, survey_id: uuid.UUID, given: ReleaseInput
) -> ReviewedShape:
    """All that are held, or those held for one reason."""
    await get_questionnaire(client.session, client.workspace_id, survey_id)
    number = await release_held(
        client.session, client.workspace_id, client.actor, survey_id, given.hold_reason
    )
    return ReviewedShape(response_count=number)


@router.put(
    "/surveys/{survey_id}/held_responses/exclusion",
    summary="Leave held answers out",
    responses=problems(400, 404, 415, 422),
)
async def exclude_all(
    client: ApiWriter, survey_id: uuid.UUID, given: HeldExclusionInput
) -> ReviewedShape:
    """All that are held, or those held for one reason; each can be taken back in by itself."""
    await get_questionnaire(client.session, client.workspace_id, survey_id)
    number = await exclude_held(
        client.session,
        client.workspace_id,
        client.actor,
        survey_id,
        given.reason,
        given.hold_reason,
    )
    return ReviewedShape(response_count=number)


@router.get(
    "/surveys/{survey_id}/responses/{response_id}/contact",
    summary="Read the address left with an answer",
    responses=problems(404, 422),
)
async def read_contact(
    client: ApiWriter, survey_id: uuid.UUID, response_id: uuid.UUID
) -> ContactShape:
    """For answers whose `has_contact` is true; 404 for others. Needs a key with the scope `write`,
    as members see addresses only if they manage the survey."""
    return ContactShape.model_validate(
        await get_contact(client.session, client.workspace_id, survey_id, response_id)
    )


@router.delete(
    "/surveys/{survey_id}/responses/{response_id}/contact",
    summary="Delete the address left with an answer",
    status_code=204,
    responses=problems(404, 422),
)
async def forget_contact(client: ApiWriter, survey_id: uuid.UUID, response_id: uuid.UUID) -> None:
    """For good, and alone: the answer stays, and is counted as before."""
    await delete_contact(client.session, client.workspace_id, client.actor, survey_id, response_id)


@router.post(
    "/surveys/{survey_id}/erasures",
    summary="Erase an answer by its receipt",
    status_code=204,
    responses=problems(400, 404, 413, 415, 422),
)
async def erase(
    request: Request, client: ApiWriter, survey_id: uuid.UUID, given: ErasureInput
) -> None:
    """Forwards the wish of the person who answered: their answer is deleted for good, and counted
    no more. 422 for what is no receipt, 404 for one whose answer is not there (any more). A receipt
    holds a check value of 96 bits: nobody erases an answer by guessing.

    Figures of subgroups that were published for past months stay as they are.
    """
    try:
        response_id = read_receipt(request.app.state.settings.secret_key, given.receipt)
    except NoReceipt:
        refuse([InvalidParam("receipt", mark("This is not a receipt; look for a wrong letter."))])
        raise
    await erase_response(
        client.session, client.workspace_id, response_id, DeletionReason.API, survey_id
    )


@retention.get(
    "/surveys/{survey_id}/deletions",
    summary="List deletions, and what goes next",
    responses=problems(404, 422),
)
async def read_deletions(client: ApiReader, survey_id: uuid.UUID, query: Paging) -> DeletionList:
    """How many answers were deleted on which day and why, the latest day first."""
    outlook = await get_outlook(client.session, client.workspace_id, survey_id)
    page = await list_deletions(
        client.session, client.workspace_id, survey_id, query.limit, query.cursor
    )
    return DeletionList(
        data=[DeletionShape.model_validate(row) for row in page.rows],
        meta=ListMeta(limit=query.limit, next_cursor=page.next_cursor),
        retention=RetentionShape.of(outlook),
    )


@retention.put(
    "/surveys/{survey_id}/hold",
    summary="Put a survey under legal hold",
    responses=problems(404, 422),
    dependencies=[NoQuery],
)
async def hold(client: ApiAdmin, survey_id: uuid.UUID) -> RetentionShape:
    """Nothing is deleted for its age until the hold ends, and the form says so. Use it only where
    the law obliges you to keep evidence. Needs a key with the scope `admin`."""
    await hold_survey(client.session, client.workspace_id, client.actor, survey_id)
    return RetentionShape.of(await get_outlook(client.session, client.workspace_id, survey_id))


@retention.delete(
    "/surveys/{survey_id}/hold",
    summary="End a legal hold",
    responses=problems(404, 422),
    dependencies=[NoQuery],
)
async def release(client: ApiAdmin, survey_id: uuid.UUID) -> RetentionShape:
    """What is past its time is deleted within minutes. Needs a key with the scope `admin`."""
    await release_survey(client.session, client.workspace_id, client.actor, survey_id)
    return RetentionShape.of(await get_outlook(client.session, client.workspace_id, survey_id))
