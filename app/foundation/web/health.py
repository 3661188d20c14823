"""Health: is the process alive, and can it answer right now?"""

from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.foundation.errors import Unavailable
from app.foundation.translation import mark

router = APIRouter(prefix="/health", include_in_schema=False)


class Health(BaseModel):
    """`status` is always `ok`: anything else is an error answer."""

    status: str = "ok"


@router.get("/live", summary="The process runs")
async def get_liveness() -> Health:
    return Health()


@router.get("/ready", summary="Honne can answer")
async def get_readiness(request: Request) -> Health:
    """503 where the database is away or the server is about to stop."""
    if request.app.state.is_stopping:
        raise Unavailable(mark("The server is stopping."))
    try:
        async with request.app.state.database.transaction() as session:
            await session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        raise Unavailable(
            mark("The database is away for a moment."), headers={"Retry-After": "5"}
        ) from error
    return Health()
