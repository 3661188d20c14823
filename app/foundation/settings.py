"""One frozen object with everything the environment may say. README documents each variable."""

import ipaddress
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.foundation.embedded_account import account_for
from app.foundation.errors import StartupError, unwritable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

VARIABLES = (
    "DATABASE_CONNECTIONS",
    "DATABASE_OWNER_URL",
    "DATABASE_REPLICA_URL",
    "DATABASE_URL",
    "HONNE_DATA_DIR",
    "HOST",
    "LOG_LEVEL",
    "METRICS_HOST",
    "METRICS_PORT",
    "PORT",
    "PUBLIC_URL",
    "SECRET_KEY",
    "SLOW_STATEMENT_MS",
    "STOP_DELAY_S",
    "TRUSTED_PROXIES",
)
SECRET_KEY_MIN_LENGTH = 32
SECRET_KEY_FILE = "secret_key"
# Of 97: up to 7 processes' intakes take 3 more each while they wait for locks, and a dozen is for
# jobs and commands.
MOST_EMBEDDED_CONNECTIONS = 60
LEAST_CONNECTIONS = 8  # of a server process: to write answers, look up, show and export at once
# Pages lead to one another by path alone, so an address with a path of its own would lose it.
PUBLIC_ADDRESS = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[^\s/?#@:\[\]]+)(?::[0-9]{1,5})?")
# Before the first @, what Postgres's own programs read as the end of a password, or not at all.
UNESCAPED = re.compile(r"://[^@]*([/ ]|%(?![0-9A-Fa-f]{2}))[^@]*@")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where Honne listens, where it keeps its data and which key seals its secrets.

    `database_url` is empty until the embedded Postgres has started; see `with_database`.
    `public_url` has no trailing slash. `connections` is how many connections to the database all
    `workers` (server processes) together may hold. A statement that takes `slow_statement_ms` or
    longer is logged. `metrics_port` 0 means that no metrics are served, an empty `replica_url` that
    there is no replica.
    """

    host: str
    port: int
    public_url: str
    data_dir: Path
    database_url: str
    database_owner_url: str
    secret_key: str
    trusted_proxies: tuple[Network, ...]
    log_level: str
    replica_url: str = ""
    connections: int = 40
    workers: int = 1
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 0
    slow_statement_ms: int = 500
    stop_delay_s: int = 1

    @property
    def is_embedded(self) -> bool:
        """True where nothing was said about a database, so Honne brings its own."""
        return not self.database_url

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    def with_database(self, url: str, owner_url: str) -> "Settings":
        """The same settings, with the embedded server's addresses."""
        return replace(self, database_url=url, database_owner_url=owner_url)

    def with_workers(self, workers: int) -> "Settings":
        """The same settings for `workers` server processes that share the connections."""
        if workers < 1 or self.connections < workers * LEAST_CONNECTIONS:
            raise StartupError(
                f"{workers} workers need {workers * LEAST_CONNECTIONS} connections or more to the "
                f"database; DATABASE_CONNECTIONS allows {self.connections}."
                if workers > 0
                else "At least one worker is needed."
            )
        return replace(self, workers=workers)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from the environment; a `StartupError` names the variable that is wrong."""
    host = environ.get("HOST") or "127.0.0.1"
    port = _number("PORT", environ.get("PORT") or "8000", 1, 65535)
    database_url = _database_url("DATABASE_URL", environ.get("DATABASE_URL", ""))
    owner_url = _database_url("DATABASE_OWNER_URL", environ.get("DATABASE_OWNER_URL", ""))
    data_dir = read_data_dir(environ)
    return Settings(
        host=host,
        port=port,
        public_url=_public_url(environ.get("PUBLIC_URL") or f"http://127.0.0.1:{port}"),
        data_dir=data_dir,
        database_url=database_url,
        database_owner_url=owner_url or database_url,
        secret_key=_secret_key(environ.get("SECRET_KEY", ""), database_url, data_dir),
        trusted_proxies=_networks(environ.get("TRUSTED_PROXIES", "")),
        log_level=_log_level(environ.get("LOG_LEVEL") or "INFO"),
        replica_url=_database_url("DATABASE_REPLICA_URL", environ.get("DATABASE_REPLICA_URL", "")),
        connections=_connections(environ.get("DATABASE_CONNECTIONS") or "40", database_url),
        metrics_host=environ.get("METRICS_HOST") or "127.0.0.1",
        metrics_port=_number("METRICS_PORT", environ.get("METRICS_PORT") or "0", 0, 65535),
        slow_statement_ms=_number(
            "SLOW_STATEMENT_MS", environ.get("SLOW_STATEMENT_MS") or "500", 0, 3_600_000
        ),
        stop_delay_s=_number("STOP_DELAY_S", environ.get("STOP_DELAY_S") or "1", 0, 600),
    )


def read_data_dir(environ: Mapping[str, str]) -> Path:
    """Where the embedded Postgres and the secret key live, or would."""
    return Path(environ.get("HONNE_DATA_DIR") or "data").expanduser().absolute()


def is_loopback(host: str) -> bool:
    """True for localhost and addresses that never leave the machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _number(name: str, text: str, least: int, most: int) -> int:
    if text.isascii() and text.isdigit() and least <= int(text) <= most:
        return int(text)
    raise StartupError(f"{name} must be a number from {least} to {most}, not {text!r}.")


def _connections(text: str, database_url: str) -> int:
    connections = _number("DATABASE_CONNECTIONS", text, 8, 10_000)
    if not database_url and connections > MOST_EMBEDDED_CONNECTIONS:
        raise StartupError(
            f"The Postgres that comes along has {MOST_EMBEDDED_CONNECTIONS} connections for server "
            f"processes; DATABASE_CONNECTIONS asks for {connections}. Set DATABASE_URL for more."
        )
    return connections


def _public_url(url: str) -> str:
    # In lower case, as browsers write the Origin it is compared with.
    address = url.rstrip("/").lower()
    found = PUBLIC_ADDRESS.fullmatch(address)
    if found is None:
        raise StartupError(f"PUBLIC_URL must look like https://survey.example, not {url!r}.")
    if found[1] == "http" and not is_loopback(found[2].strip("[]")):
        raise StartupError(
            "PUBLIC_URL is plain http on a public address; put TLS in front and use https."
        )
    return address


def _database_url(name: str, url: str) -> str:
    if not url:
        return ""
    for scheme in ("postgresql+psycopg://", "postgresql://", "postgres://"):
        if url.startswith(scheme):
            return _readable(name, "postgresql+psycopg://" + url.removeprefix(scheme))
    raise StartupError(f"{name} must begin with postgresql://.")


def _readable(name: str, url: str) -> str:
    try:
        parsed = make_url(url)
        # Else a part of the password is looked up as a host, and shown as one that is not there.
        if "@" in (parsed.host or "") or (parsed.password and UNESCAPED.search(url)):
            raise ValueError
    except (ArgumentError, ValueError):
        # Without the value: it holds a password.
        raise StartupError(
            f"{name} must look like postgresql://user:password@host:5432/database; "
            "write special characters of the password as %XX."
        ) from None
    return url


def _secret_key(given: str, database_url: str, data_dir: Path) -> str:
    if given:
        if len(given) < SECRET_KEY_MIN_LENGTH:
            raise StartupError(
                f"SECRET_KEY must have at least {SECRET_KEY_MIN_LENGTH} characters; "
                'make one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
            )
        return given
    if database_url:
        raise StartupError("SECRET_KEY is required together with DATABASE_URL.")
    return _kept_secret_key(data_dir)


def _kept_secret_key(data_dir: Path) -> str:
    """The embedded default's own key, made once and kept beside its data."""
    account_for(data_dir)  # refuses somebody else's directory before anything is made in it
    path = data_dir / SECRET_KEY_FILE
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(48))
        return path.read_text()
    except OSError as error:
        raise unwritable(data_dir, error) from error


def _write_once(path: Path, text: str) -> None:
    """Whole or not at all, and by the first of several processes that start side by side."""
    with NamedTemporaryFile("w", dir=path.parent) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(
            ipaddress.ip_network(part.strip(), strict=False)
            for part in text.split(",")
            if part.strip()
        )
    except ValueError as error:
        raise StartupError(
            f"TRUSTED_PROXIES must list addresses or networks like 10.0.0.0/8 ({error})."
        ) from error


def _log_level(text: str) -> str:
    if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise StartupError(f"LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not {text!r}.")
    return text.upper()
