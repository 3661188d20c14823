"""HTML routes of surveys: making them, their segments, sharing them."""

from fastapi import APIRouter

from app.surveys.pages import dimensions, embedding, sharing, surveys

router = APIRouter(include_in_schema=False)
for part in (surveys, dimensions, sharing, embedding):
    router.include_router(part.router)
