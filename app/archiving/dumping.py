"""pg_dump and pg_restore, as commands that either do all of it or say in a line why not.

What they write and read goes through this process, so that they end with it: a restore whose
command was killed is rolled back, and not finished behind everybody's back.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.foundation.embedded import binary
from app.foundation.errors import StartupError

CHUNK = 1 << 20


def dump_database(url: str, file: Path, snapshot: str) -> tuple[int, str]:
    """Write all that the exported `snapshot` shows to a new `file`, in the custom format, and wait
    until the disk has it. Returns how many bytes were written, and their SHA-256 in hex."""
    length, found = 0, sha256()
    file.touch(mode=0o600, exist_ok=False)
    with (
        file.open("wb") as target,
        _running("pg_dump", url, "--format=custom", f"--snapshot={snapshot}") as process,
    ):
        assert process.stdout is not None
        while chunk := process.stdout.read(CHUNK):
            found.update(chunk)
            length += target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    return length, found.hexdigest()


def load_dump(url: str, file: Path) -> None:
    """Load a dump in one transaction; whoever loads it owns what it makes."""
    arguments = ("--single-transaction", "--exit-on-error", "--no-owner")
    with file.open("rb") as source, _running("pg_restore", url, *arguments) as process:
        assert process.stdin is not None
        # Where it ends early, its own words are better than that the pipe is broken.
        with suppress(BrokenPipeError):
            shutil.copyfileobj(source, process.stdin, CHUNK)
        with suppress(BrokenPipeError):
            process.stdin.close()


@contextmanager
def _running(program: str, url: str, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    address = url.replace("+psycopg", "", 1)
    password = conninfo_to_dict(address).get("password")
    # Everybody on the machine may read a command line, hence no password in it.
    secret = {"PGPASSWORD": str(password)} if password else {}
    target = f"--dbname={make_conninfo(address, password=None)}"
    with (
        TemporaryFile("w+") as errors,
        subprocess.Popen(
            [_find(program), target, "--no-password", *arguments],
            env={**os.environ, "LC_ALL": "C.UTF-8", **secret},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        ) as process,
    ):
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        code = process.wait()
        errors.seek(0)
        _refuse_failure(program, code, errors.read())


def _refuse_failure(program: str, code: int, said: str) -> None:
    if code != 0:
        lines = said.strip().splitlines()
        reason = next((line for line in lines if "error:" in line), said.strip() or f"exit {code}")
        raise StartupError(f"{program} failed ({reason.removeprefix(f'{program}: ')}).")


def _find(program: str) -> str:
    """Of the Postgres at hand, or where only its client programs are installed, on the path."""
    with suppress(StartupError):
        if (found := binary(program)).exists():
            return str(found)
    if on_path := shutil.which(program):
        return on_path
    raise StartupError(f"{program} was not found; install Postgres's client programs.")
