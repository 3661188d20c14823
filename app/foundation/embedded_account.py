"""As whom the Postgres that comes along runs: it refuses to be root, and its data are private to
their owner."""

import os
import pwd
from contextlib import suppress
from pathlib import Path

from app.foundation.errors import StartupError

ROOT_UID = 0
WITHOUT_RIGHTS = ("postgres", "nobody")


def account_for(data_dir: Path) -> pwd.struct_passwd | None:
    """The account that Postgres gets from root; None where it runs as this process does.

    Raises `StartupError` where the data are somebody else's. Not even root does anything there:
    what it made would be closed to whoever Honne runs as.
    """
    owner = _owner(data_dir / "postgres" / "cluster", data_dir / "postgres")
    if os.geteuid() != ROOT_UID:
        _require(data_dir, owner, [os.geteuid()])
        return None
    owner = _owner(data_dir) if owner is None else owner
    accounts = _accounts_without_rights()
    _require(data_dir, owner, [ROOT_UID, *(account.pw_uid for account in accounts)])
    return next((account for account in accounts if account.pw_uid == owner), accounts[0])


def _owner(*places: Path) -> int | None:
    """Whose the first of them is that is there; of one closed to us, whose the folder around is."""
    for place in places:
        try:
            return place.stat().st_uid
        except PermissionError:
            return _owner(*place.parents)
        except (FileNotFoundError, NotADirectoryError):
            continue
    return None


def _accounts_without_rights() -> list[pwd.struct_passwd]:
    accounts = []
    for name in WITHOUT_RIGHTS:
        with suppress(KeyError):
            accounts.append(pwd.getpwnam(name))
    if not accounts:
        raise StartupError("Postgres cannot run as root; start Honne as another user.")
    return accounts


def _require(data_dir: Path, owner: int | None, allowed: list[int]) -> None:
    if owner is None or owner in allowed:
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = str(owner)
    if name in WITHOUT_RIGHTS and _owner(data_dir) == ROOT_UID:
        name = "root"  # who runs Honne there, and gave them away
    raise StartupError(
        f"The data in {data_dir} belong to the account {name}; run this as that account, "
        "or set HONNE_DATA_DIR to another directory."
    )
