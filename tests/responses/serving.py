"""A server process of its own: `python -m tests.responses.serving FD` serves what the environment
names on an inherited listening socket."""

import os
import socket
import sys

from app.foundation.settings import read_settings
from app.foundation.web.server import run_server
from app.main import create_app


async def nothing() -> None:
    """Nobody waits to hear that the server is ready: the socket already listens."""


if __name__ == "__main__":
    settings = read_settings(os.environ)
    listener = socket.socket(fileno=int(sys.argv[1]))
    run_server(create_app(settings), listener, nothing)
