"""pg_dump and pg_restore, as commands that either do all of it or say in a line why not."""

import os
import subprocess
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.foundation.embedded import binary
from app.foundation.errors import StartupError


def dump_database(url: str, file: Path, snapshot: str) -> None:
    """Write all that the exported `snapshot` shows to a new `file`, in the custom format."""
    file.touch(mode=0o600, exist_ok=False)
    _run("pg_dump", url, "--format=custom", f"--snapshot={snapshot}", f"--file={file}")


def load_dump(url: str, file: Path) -> None:
    """Load a dump in one transaction; whoever loads it owns what it makes."""
    _run(
        "pg_restore", url,
        "--single-transaction", "--exit-on-error", "--no-owner", str(file),
    )  # fmt: skip


def _run(program: str, url: str, *arguments: str) -> None:
    address = url.replace("+psycopg", "", 1)
    password = conninfo_to_dict(address).get("password")
    # Everybody on the machine may read a command line, hence no password in it.
    target = make_conninfo(address, password=None)
    secret = {"PGPASSWORD": str(password)} if password else {}
    command = [_find(program), f"--dbname={target}", "--no-password", *arguments]
    done = subprocess.run(
        command,
        env={**os.environ, "LC_ALL": "C.UTF-8", **secret},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = [line for line in done.stderr.strip().splitlines() if "error:" in line]
        reason = (said or done.stderr.strip().splitlines() or ["no reason given"])[0]
        raise StartupError(f"{reason.removeprefix(f'{program}: ')} ({program})")


def _find(program: str) -> str:
    try:
        found = binary(program)
    except StartupError:
        found = Path(program)
    if not found.exists():
        raise StartupError(f"{program} was not found; install Postgres's client programs.")
    return str(found)
