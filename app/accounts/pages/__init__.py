"""HTML routes: signing in, one's own account, and who may do what in a workspace."""

from fastapi import APIRouter

from app.accounts.pages import (
    account,
    api_keys,
    audit,
    brand,
    first_run,
    joining,
    members,
    sign_in,
    workspace,
    workspace_deletion,
)

router = APIRouter(include_in_schema=False)
for part in (
    account,
    api_keys,
    audit,
    brand,
    first_run,
    joining,
    members,
    sign_in,
    workspace,
    workspace_deletion,
):
    router.include_router(part.router)
