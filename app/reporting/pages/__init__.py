"""HTML routes of what answers mean, each part in a module of its own."""

from fastapi import APIRouter

from app.reporting.pages import dashboard, files, results, several

router = APIRouter(include_in_schema=False)
for part in (dashboard, files, results, several):
    router.include_router(part.router)
