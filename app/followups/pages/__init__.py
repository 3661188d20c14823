"""HTML routes: noting events and actions, goals and benchmarks, rates beside the score."""

from fastapi import APIRouter

from app.followups.pages import annotations, goals, indicators

router = APIRouter(include_in_schema=False)
for part in (annotations, goals, indicators):
    router.include_router(part.router)
