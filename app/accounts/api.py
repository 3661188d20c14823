"""JSON routes: the workspace a key belongs to, its keys, and its audit log."""

import uuid
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from starlette.responses import Response

from app.accounts.access import ApiAdmin, ApiAuditor, ApiReader, ApiWriter
from app.accounts.audit_queries import AuditFilter, list_audit_events
from app.accounts.audit_shapes import VERIFYING, AuditLine, AuditLineList, AuditQuery
from app.accounts.brand_shapes import BrandInput, BrandShape
from app.accounts.brands import change_brand, change_logo, get_brand, get_logo, remove_logo
from app.accounts.models import ApiKey, LogoType, Scope
from app.accounts.queries import get_workspace, list_api_keys
from app.accounts.workspace_deletion import delete_workspace
from app.foundation.web.openapi import ListMeta, NoQuery, OnceEach, Paging, problems

router = APIRouter(prefix="/api/v1")

EXAMPLE_WORKSPACE: JsonDict = {
    "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "name": "Acme",
    "time_zone": "Asia/Tokyo",
    "locale": "ja",
    "created_at": "2026-01-05T09:00:00Z",
}
EXAMPLE_KEY: JsonDict = {
    "id": "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b",
    "name": "CRM",
    "hint": "x7Qp",
    "scopes": ["read", "write"],
    "created_at": "2026-01-05T09:00:00Z",
    "expires_at": "2027-01-05T09:00:00Z",
    "last_used_on": "2026-06-30",
}


class WorkspaceShape(BaseModel):
    """A workspace. Days (`since`, `answered_on`, …) are days in its `time_zone`."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE_WORKSPACE})

    id: uuid.UUID
    name: str
    time_zone: Annotated[str, Field(description="IANA name")]
    locale: str
    created_at: datetime


class ApiKeyShape(BaseModel):
    """An API key without its secret; `hint` is its last four characters."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE_KEY})

    id: uuid.UUID
    name: str
    hint: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_on: date | None = Field(description="A day of the workspace")


class ApiKeyList(BaseModel):
    """A page of keys."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"data": [EXAMPLE_KEY], "meta": {"limit": 50, "next_cursor": None}}
        }
    )

    data: list[ApiKeyShape]
    meta: ListMeta


@router.get(
    "/workspace",
    tags=["workspace"],
    summary="Read the workspace of this key",
    responses=problems(422),
    dependencies=[NoQuery],
)
async def read_workspace(client: ApiReader) -> WorkspaceShape:
    """Which workspace the key belongs to."""
    workspace = await get_workspace(client.session, client.workspace_id)
    return WorkspaceShape.model_validate(workspace, from_attributes=True)


PICTURE = {"schema": {"type": "string", "format": "binary"}}
UPLOAD = {
    "requestBody": {
        "required": True,
        "content": dict.fromkeys(("image/png", "image/jpeg", "image/webp", "image/gif"), PICTURE),
    }
}


@router.get(
    "/brand",
    tags=["workspace"],
    summary="Read how forms look",
    responses=problems(422),
    dependencies=[NoQuery],
)
async def read_brand(client: ApiReader) -> BrandShape:
    """The name, colour and logo that respondents see on every form of the workspace."""
    return BrandShape.of(await get_brand(client.session, client.workspace_id))


@router.put(
    "/brand",
    tags=["workspace"],
    summary="Change the name and the colour on forms",
    responses=problems(400, 422),
    dependencies=[NoQuery],
)
async def put_brand(client: ApiWriter, given: BrandInput) -> BrandShape:
    """Forms show both within seconds. The logo stays as it is."""
    await change_brand(
        client.session,
        client.workspace_id,
        client.actor,
        name=given.name or "",
        accent=given.accent or "",
    )
    return BrandShape.of(await get_brand(client.session, client.workspace_id))


@router.put(
    "/brand/logo",
    tags=["workspace"],
    summary="Change the logo on forms",
    responses=problems(413, 422),
    openapi_extra=UPLOAD,
    dependencies=[NoQuery],
)
async def put_logo(request: Request, client: ApiWriter) -> BrandShape:
    """The body is the file itself: PNG, JPEG, WebP or GIF (its first frame) of at most 2 MB and
    4,096 pixels a side. Kept are its pixels, in at most 480 × 128 and 20,000 bytes; no metadata."""
    content = await request.body()
    await change_logo(client.session, client.workspace_id, client.actor, content)
    return BrandShape.of(await get_brand(client.session, client.workspace_id))


@router.get(
    "/brand/logo",
    tags=["workspace"],
    summary="Read the logo",
    responses={
        **problems(404, 422),
        200: {"content": {kind.value: PICTURE for kind in LogoType}},
    },
    response_class=Response,
    dependencies=[NoQuery],
)
async def read_logo(client: ApiReader) -> Response:
    """The picture as forms show it; 404 where there is none."""
    content, kind = await get_logo(client.session, client.workspace_id)
    return Response(content, media_type=kind.value)


@router.delete(
    "/brand/logo",
    tags=["workspace"],
    summary="Remove the logo",
    status_code=204,
    responses=problems(422),
    dependencies=[NoQuery],
)
async def delete_logo(client: ApiWriter) -> None:
    """Forms show the name instead."""
    await remove_logo(client.session, client.workspace_id, client.actor)


@router.get("/api_keys", tags=["workspace"], summary="List API keys", responses=problems(422))
async def list_keys(client: ApiReader, query: Paging) -> ApiKeyList:
    """Keys that were not revoked, the newest first. Owners make and revoke keys in Honne itself."""
    page = await list_api_keys(client.session, client.workspace_id, query.limit, query.cursor)
    return ApiKeyList(
        data=[_shape(key) for key in page.rows],
        meta=ListMeta(limit=query.limit, next_cursor=page.next_cursor),
    )


def _shape(key: ApiKey) -> ApiKeyShape:
    return ApiKeyShape(
        id=key.id,
        name=key.name,
        hint=key.hint,
        scopes=[Scope(scope) for scope in key.scopes],
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_on=key.last_used_on,
    )


@router.get(
    "/audit_events",
    tags=["workspace"],
    summary="Read the audit log",
    description=VERIFYING,
    responses=problems(422),
    dependencies=[OnceEach],
)
async def list_events(client: ApiAuditor, query: Annotated[AuditQuery, Query()]) -> AuditLineList:
    asked = AuditFilter(
        time_zone=client.time_zone, since=query.since, until=query.until, action=query.action
    )
    page = await list_audit_events(
        client.session, client.workspace_id, asked, query.limit, query.cursor
    )
    return AuditLineList(
        data=[AuditLine.of(entry) for entry in page.rows],
        meta=ListMeta(limit=query.limit, next_cursor=page.next_cursor),
    )


class WorkspaceDeletionQuery(BaseModel):
    """Which workspace is meant, so that the wrong key deletes nothing."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="The name of the workspace, just as it is.", examples=["Acme"])


class WorkspaceDeletionShape(BaseModel):
    """What is being deleted."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"id": EXAMPLE_WORKSPACE["id"], "name": "Acme", "accounts_deleted": 3}
        }
    )

    id: uuid.UUID
    name: str
    accounts_deleted: int = Field(description="Of people who belong to no other workspace")


@router.delete(
    "/workspace",
    tags=["workspace"],
    summary="Delete the workspace with everything in it",
    status_code=202,
    responses=problems(409, 422),
    dependencies=[OnceEach],
)
async def delete_workspace_of_key(
    client: ApiAdmin, query: Annotated[WorkspaceDeletionQuery, Query()]
) -> WorkspaceDeletionShape:
    """Cannot be undone. From this answer on nothing of the workspace can be reached: this key, too,
    is refused and the links of its surveys lead nowhere. Its rows are deleted within minutes, large
    workspaces within hours. 409 while one of its surveys is under legal hold."""
    workspace = await get_workspace(client.session, client.workspace_id)
    gone = await delete_workspace(client.session, client.workspace_id, query.name)
    return WorkspaceDeletionShape(id=workspace.id, name=workspace.name, accounts_deleted=len(gone))
