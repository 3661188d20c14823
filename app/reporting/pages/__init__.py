"""HTML routes of what answers mean, each part in a module of its own."""

from fastapi import APIRouter

from app.reporting.pages import dashboard, results

router = APIRouter(include_in_schema=False)
for part in (dashboard, results):
    router.include_router(part.router)
