"""Server processes of their own: `python -m tests.responses.serving FD` serves what the environment
names on an inherited listening socket."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from app.foundation.logs import configure_logging
from app.foundation.settings import Settings, read_settings
from app.foundation.web.server import run_server
from app.main import create_app

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def server_processes(
    settings: Settings, count: int, log_level: str = "ERROR", log: Path = Path(os.devnull)
) -> Iterator[list[str]]:
    """The addresses of `count` processes that serve the same database, on ports of their own."""
    environment = os.environ | {
        "DATABASE_URL": settings.database_url,
        "DATABASE_OWNER_URL": settings.database_owner_url,
        "SECRET_KEY": settings.secret_key,
        "LOG_LEVEL": log_level,
    }
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    with log.open("w") as output:
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.responses.serving", str(listener.fileno())],
                pass_fds=[listener.fileno()],
                env=environment,
                cwd=ROOT,
                stdout=output,
                stderr=output,
            )
            for listener in listeners
        ]
    try:
        yield [f"http://127.0.0.1:{listener.getsockname()[1]}" for listener in listeners]
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(timeout=30) for process in processes]
        for listener in listeners:
            listener.close()
    # uvicorn raises the signal again once it has finished everything.
    assert codes == [-signal.SIGTERM] * count


async def nothing() -> None:
    """Nobody waits to hear that the server is ready: the socket already listens."""


if __name__ == "__main__":
    settings = read_settings(os.environ)
    configure_logging(settings.log_level)
    listener = socket.socket(fileno=int(sys.argv[1]))
    run_server(create_app(settings, open_at_least=timedelta(0)), [listener], nothing)
