"""JSON routes: the workspace a key belongs to, its keys, and its audit log."""

import uuid
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from app.accounts.access import ApiAdmin, ApiAuditor, ApiReader
from app.accounts.audit_queries import AuditFilter, list_audit_events
from app.accounts.audit_shapes import VERIFYING, AuditLine, AuditLineList, AuditQuery
from app.accounts.models import ApiKey, Scope
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
