"""Serves the app with uvicorn: a port taken early, a graceful end, and word when it is ready."""

import asyncio
import errno
import gc
import logging
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from app.foundation.errors import StartupError
from app.foundation.settings import Settings
from app.foundation.tally import write_snapshot
from app.foundation.web.protocol import OnePieceProtocol

logger = logging.getLogger("honne.metrics")

GRACE_SECONDS = 20
BACKLOG = 2048
# A slow client must not hold a connection for ever; the proxy in front has limits of its own.
KEEP_ALIVE_SECONDS = 30
TICKS_A_SECOND = 10  # uvicorn's
SWITCH_EVERY_S = 0.0005
LAST_ARRIVALS_S = 0.2
GARBAGE_AFTER = 20_000  # objects


def take_port(settings: Settings) -> socket.socket:
    """Listen on host and port at once, before anything slow or lasting has begun."""
    return listen(settings.host, settings.port, "PORT")


def take_metrics_port(settings: Settings) -> socket.socket:
    """The same for Prometheus."""
    return listen(settings.metrics_host, settings.metrics_port, "METRICS_PORT")


def listen(host: str, port: int, variable: str) -> socket.socket:
    """A socket that listens; the StartupError names the `variable` to change."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Two sockets may be bound to one port; only one of them may listen.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartupError(_why_not(host, port, variable, error)) from error
    return listener


def _why_not(host: str, port: int, variable: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use; choose another with {variable}."
    return f"Honne cannot listen on {host}:{port} ({error.strerror})."


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        app: Starlette,
        when_ready: Callable[[], Awaitable[None]],
        report_to: Path | None,
    ) -> None:
        super().__init__(config)
        self.app = app
        self.when_ready = when_ready
        self.report_to = report_to
        self.is_reporting = True
        self.stop_at: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            await self.when_ready()
            # What has been loaded stays: to look through it would stop every answer for 0.1 s.
            gc.collect()
            gc.freeze()
            # An answer under way is hundreds of objects and no cycle: to look through all that are
            # under way after every 700 new ones took a twelfth of the time.
            gc.set_threshold(GARBAGE_AFTER, 20, 50)

    async def on_tick(self, counter: int) -> bool:
        if self.report_to and counter % TICKS_A_SECOND == 0:
            self._report(self.report_to)
        if self.stop_at is not None and time.monotonic() >= self.stop_at:
            self.should_exit = True
        return await super().on_tick(counter)

    def _report(self, folder: Path) -> None:
        """A disk without room for the numbers is no reason to answer nobody: said once."""
        try:
            write_snapshot(folder)
        except OSError as error:
            if self.is_reporting:
                extra = {"error": error.strerror, "folder": str(folder)}
                logger.warning("metrics stand still", extra=extra)
            self.is_reporting = False
        else:
            self.is_reporting = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Connections that are idle are closed a moment after the door: a request that is on its
        way on one of them is read first, and then finished."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        await asyncio.sleep(LAST_ARRIVALS_S)
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Say first that the server is not ready any more, so that balancers send elsewhere; then
        take no more connections. Who asks again, or presses Ctrl-C, does not wait for that."""
        self.app.state.is_stopping = True
        if sig != signal.SIGTERM or self.stop_at is not None or not self.started:
            super().handle_exit(sig, frame)
            return
        self._captured_signals.append(sig)
        self.stop_at = time.monotonic() + self.app.state.settings.stop_delay_s


def run_server(
    app: Starlette,
    listeners: Sequence[socket.socket],
    when_ready: Callable[[], Awaitable[None]],
    report_to: Path | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; requests that were accepted are finished first.

    `app.state` has `settings` and `is_stopping`. Without listeners only the app's lifespan runs.
    Each second the process's numbers are left in the folder `report_to`.
    """
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
        http=OnePieceProtocol,
        ws="none",
        lifespan="on",
    )
    # A thread that packs an export gives the interpreter back to those who wait for an answer ten
    # times as soon as it would.
    sys.setswitchinterval(SWITCH_EVERY_S)
    # Once everything is finished uvicorn raises the signal again; being asked to stop is no error.
    with suppress(KeyboardInterrupt):
        _Server(config, app, when_ready, report_to).run(sockets=list(listeners))
