"""HTML routes of answers: the form for respondents, and what becomes of answers for members."""

from fastapi import APIRouter

from app.responses.pages import (
    answering,
    deletions,
    embedding,
    erasing,
    logos,
    previewing,
    privacy,
    saving,
)

router = APIRouter(include_in_schema=False)
for part in (answering, logos, deletions, embedding, erasing, previewing, privacy, saving):
    router.include_router(part.router)
