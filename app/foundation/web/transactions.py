"""One request, one transaction: committed before the answer leaves, rolled back by any error."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.database import Database


async def transaction(request: Request) -> AsyncIterator[AsyncSession]:
    """The request's transaction, as the runtime role and in no workspace yet."""
    database: Database = request.app.state.database
    async with database.transaction() as session:
        yield session


# The default scope would commit only after the client had been told that all went well.
Transaction = Annotated[AsyncSession, Depends(transaction, scope="function")]
