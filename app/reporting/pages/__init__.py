"""HTML routes of what answers mean, each part in a module of its own."""

from fastapi import APIRouter

from app.reporting.pages import (
    actions,
    beside,
    dashboard,
    files,
    files_several,
    marks,
    results,
    several,
    shared,
    sharing,
    tags,
    views,
)

router = APIRouter(include_in_schema=False)
for part in (
    actions,
    beside,
    dashboard,
    files,
    results,
    marks,
    tags,
    several,
    files_several,
    sharing,
    shared,
    views,
):
    router.include_router(part.router)
