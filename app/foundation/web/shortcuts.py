"""The few busiest requests, answered without being routed.

Finding a route and solving its dependencies costs several times as much as taking an answer in. A
shortcut calls the very function that the route would call. What is not as usual it leaves to the
app, which then does as if there were no shortcut; what it raises is answered by the app's handlers.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fastapi import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Take = Callable[[Request, str], Awaitable[Response | None]]


@dataclass(frozen=True, slots=True)
class Shortcut:
    """To the route of `method` at `path`, which has one parameter: `take` is given its text and
    answers, or returns None before anything has happened."""

    method: str
    path: str
    take: Take

    @property
    def around(self) -> tuple[str, str]:
        """What stands before the parameter and behind it."""
        before, _brace, rest = self.path.partition("{")
        return before, rest.partition("}")[2]


class Shortcuts:
    """Tries shortcuts in their order before the app."""

    def __init__(self, app: ASGIApp, shortcuts: Sequence[Shortcut]) -> None:
        self.app = app
        self._shortcuts = [(*shortcut.around, shortcut) for shortcut in shortcuts]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._find(scope) if scope["type"] == "http" else None
        if found is not None:
            shortcut, value = found
            request = _Request(scope, receive)
            response: Response | None
            try:
                response = await shortcut.take(request, value)
            except Exception as error:
                response = await _explain(request, error)
            if response is not None:
                scope["route"] = shortcut  # the log names its path
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _find(self, scope: Scope) -> tuple[Shortcut, str] | None:
        path: str = scope["path"]
        for before, behind, shortcut in self._shortcuts:
            if path.startswith(before) and path.endswith(behind):
                value = path[len(before) : len(path) - len(behind)]
                if value and "/" not in value and scope["method"] == shortcut.method:
                    return shortcut, value
        return None


class _Request(Request):
    """Its body is the one that has been read already; for the app it is still there to be read."""

    async def body(self) -> bytes:
        read: bytes = self.scope["state"]["body"]
        return read


async def _explain(request: Request, error: Exception) -> Response:
    """As the app does. It knows what to do with any error."""
    handlers = request.app.exception_handlers
    handler = next(handlers[kind] for kind in type(error).__mro__ if kind in handlers)
    answer: Response = await handler(request, error)
    return answer
