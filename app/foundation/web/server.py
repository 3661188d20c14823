"""Serves the app with uvicorn: a port taken early, a graceful end, and word when it is ready."""

import errno
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import FrameType

import uvicorn
from fastapi import FastAPI

from app.foundation.errors import StartupError
from app.foundation.settings import Settings

GRACE_SECONDS = 20
BACKLOG = 2048
# A slow client must not hold a connection for ever; the proxy in front has limits of its own.
KEEP_ALIVE_SECONDS = 30


def take_port(settings: Settings) -> socket.socket:
    """Listen on host and port at once, before anything slow or lasting has begun."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        # Two sockets may be bound to one port; only one of them may listen.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartupError(_why_not(settings, error)) from error
    return listener


def _why_not(settings: Settings, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {settings.port} is in use; choose another with PORT."
    return f"Honne cannot listen on {settings.host}:{settings.port} ({error.strerror})."


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, app: FastAPI, when_ready: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(config)
        self.app = app
        self.when_ready = when_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            await self.when_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Balancers should stop sending before the listener goes.
        self.app.state.is_stopping = True
        super().handle_exit(sig, frame)


def run_server(
    app: FastAPI, listener: socket.socket, when_ready: Callable[[], Awaitable[None]]
) -> None:
    """Serve until SIGINT or SIGTERM; requests that were accepted are finished first."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        # Who may speak for a client is decided in `addresses`, by TRUSTED_PROXIES.
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        backlog=BACKLOG,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http="httptools",
        ws="none",
        lifespan="on",
    )
    # Once everything is finished uvicorn raises the signal again; being asked to stop is no error.
    with suppress(KeyboardInterrupt):
        _Server(config, app, when_ready).run(sockets=[listener])
