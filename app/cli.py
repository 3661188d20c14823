"""`honne`: start it, look after it, bring answers in."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from importlib import import_module
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory
from typing import Annotated, TypeVar

# Nothing of what is imported goes again: looking for what might takes an eighth of the start.
gc.disable()

import typer

import app.accounts.commands
import app.archiving.backup_commands
import app.archiving.commands
import app.demo.commands
import app.foundation.commands
import app.responses.commands
from app.accounts.models import LinkPurpose, User
from app.accounts.people import clean_email
from app.accounts.queries import unscoped_find_user_by_email, unscoped_has_users
from app.accounts.sign_in_links import make_sign_in_link
from app.accounts.workspaces import create_owner as add_owner
from app.accounts.workspaces import create_workspace as add_workspace
from app.accounts.workspaces import first_run_token
from app.demo.loading import open_demo
from app.foundation.database import Database
from app.foundation.embedded import embedded_postgres, keep_running
from app.foundation.errors import HonneError, StartupError
from app.foundation.logs import configure_logging
from app.foundation.migrate import check_schema
from app.foundation.migrate import migrate as upgrade_schema
from app.foundation.settings import Settings, read_settings
from app.foundation.supervision import Program, supervise
from app.foundation.web.server import run_server, take_metrics_port, take_port

gc.freeze()
gc.enable()

cli = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Honne: anonymous NPS surveys. Settings come from the environment; see README.md.",
)
LOWEST_PRIORITY = 19
STOPPED_CODE = 128 + signal.SIGTERM
Result = TypeVar("Result")


@cli.command()
def serve(
    workers: Annotated[
        int, typer.Option(min=1, help="server processes; about one for each processor core")
    ] = 1,
) -> None:
    """Serve Honne; with its own Postgres unless DATABASE_URL is set."""
    _end_when_asked()
    settings = _settings().with_workers(workers)
    with ExitStack() as stack:
        listener = stack.enter_context(take_port(settings))
        metrics: list[socket] = []
        reports: Path | None = None
        if settings.metrics_port:
            metrics.append(stack.enter_context(take_metrics_port(settings)))
            reports = Path(stack.enter_context(TemporaryDirectory(prefix="honne-metrics-")))
        ready = stack.enter_context(_running_database(settings, meanwhile=_load_product))
        server, background = _server(ready, listener, reports), _background(ready, metrics, reports)
        beside = [background, *([_watch(ready)] if settings.is_embedded else [])]
        supervise(
            [*[server] * workers, *(_without(listener, program) for program in beside)],
            lambda: _run(ready, lambda database: _announce(database, ready)),
            # From now on only the servers hold it, and nobody knocks in vain once they are gone.
            listener.close,
            settings.stop_delay_s,
        )


def _load_product() -> None:
    """Import what only a server needs, once for all its processes: half of all code."""
    gc.disable()
    for name in ("app.main", "app.foundation.web.background"):
        import_module(name)
    gc.freeze()
    gc.enable()


def _without(listener: socket, program: Program) -> Program:
    """The program in a process that does not hold the port open."""

    def run(ready: Callable[[], None]) -> None:
        listener.close()
        program.run(ready)

    return Program(program.name, run)


def _server(settings: Settings, listener: socket, reports: Path | None) -> Program:
    from app.main import create_app

    def run(ready: Callable[[], None]) -> None:
        async def announce() -> None:
            ready()

        run_server(create_app(settings), [listener], announce, reports)

    return Program("server", run)


def _background(settings: Settings, metrics: list[socket], reports: Path | None) -> Program:
    from app.foundation.web.background import create_background
    from app.main import JOBS

    def run(ready: Callable[[], None]) -> None:
        async def announce() -> None:
            ready()

        os.nice(LOWEST_PRIORITY)
        run_server(create_background(settings, JOBS, reports), metrics, announce, reports)

    return Program("background", run)


def _watch(settings: Settings) -> Program:
    """The process that starts the embedded Postgres again where it dies."""

    def run(ready: Callable[[], None]) -> None:
        signals: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, _frame: signals.append(received))
        ready()
        keep_running(settings.data_dir, lambda: bool(signals))

    return Program("postgres", run)


async def _announce(database: Database, settings: Settings) -> None:
    print(f"serving:   {settings.public_url}", flush=True)
    async with database.transaction() as session:
        if not await unscoped_has_users(session):
            address = f"{settings.public_url}/first-run?token={first_run_token(settings)}"
            print(f"first run: {address}", flush=True)


@cli.command()
def demo() -> None:
    """Serve Honne with a demo workspace; prints where to look and how to get in."""
    _end_when_asked()
    settings = _settings(quiet=True)
    with (
        take_port(settings) as listener,
        _running_database(settings, migrating=True, meanwhile=_load_product) as ready,
    ):
        from app.main import JOBS, create_app

        access = _run(ready, lambda database: open_demo(database, ready))

        async def announce() -> None:
            print(f"form:      {access.form_url}")
            print(f"dashboard: {access.sign_in_url}")
            print(f"api docs:  {ready.public_url}/api/docs")
            print(f"api key:   {access.api_key}", flush=True)

        run_server(create_app(ready, jobs=JOBS), [listener], announce)


@cli.command()
def migrate() -> None:
    """Bring the database's schema up to this version."""
    with _running_database(_settings(), migrating=True):
        print("The database is up to date.")


@cli.command()
def create_workspace(
    name: str,
    time_zone: Annotated[str, typer.Option(help="IANA name; decides an answer's day")] = "UTC",
    locale: Annotated[str, typer.Option(help="en or ja")] = "en",
) -> None:
    """Make a workspace; prints its id."""

    async def make(database: Database) -> str:
        async with database.transaction() as session:
            return str((await add_workspace(session, name, time_zone, locale)).id)

    with open_settings() as settings:
        print(_run(settings, make))


@cli.command()
def create_owner(
    workspace: Annotated[str, typer.Option(help="the workspace's id")],
    email: str,
    name: Annotated[str, typer.Option()] = "",
    locale: Annotated[str, typer.Option(help="en or ja")] = "en",
) -> None:
    """Make somebody an owner of a workspace; prints a link to set their password."""
    workspace_id = app.responses.commands.parse_id(workspace)

    async def make(database: Database) -> User:
        async with database.transaction() as session:
            return await add_owner(
                session,
                workspace_id,
                name=name or email.partition("@")[0],
                email=email,
                password=None,
                locale=locale,
            )

    with open_settings() as settings:
        _run(settings, make)
        print(_run(settings, lambda database: _password_link(database, settings, email)))


@cli.command()
def reset_password(email: str) -> None:
    """Print a link, good once and for an hour, to set a new password."""
    with open_settings() as settings:
        print(_run(settings, lambda database: _password_link(database, settings, email)))


async def _password_link(database: Database, settings: Settings, email: str) -> str:
    async with database.transaction() as session:
        user = await unscoped_find_user_by_email(session, clean_email(email))
        if user is None:
            raise StartupError(f"Nobody here has the address {email}.")
        return await make_sign_in_link(
            session, settings, user, next_path="/", purpose=LinkPurpose.RESET_PASSWORD
        )


@contextmanager
def open_settings() -> Iterator[Settings]:
    """Settings whose database runs and has this version's schema; for one command."""
    with _running_database(_settings(quiet=True)) as ready:
        yield ready


@contextmanager
def _running_database(
    settings: Settings, *, migrating: bool = False, meanwhile: Callable[[], None] = lambda: None
) -> Iterator[Settings]:
    """`meanwhile` is called while a database of our own starts."""
    if settings.is_embedded:
        with embedded_postgres(settings.data_dir, meanwhile=meanwhile) as addresses:
            ready = settings.with_database(addresses.runtime_url, addresses.owner_url)
            upgrade_schema(ready)
            yield ready
        return
    if migrating:
        upgrade_schema(settings)
    check_schema(settings)
    yield settings


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        await database.close()


def _run(settings: Settings, work: Callable[[Database], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        async with _database(settings) as database:
            return await work(database)

    return asyncio.run(run())


def _settings(*, quiet: bool = False) -> Settings:
    """The environment's settings, and logs at their level; `quiet` starts from WARNING."""
    environ = {"LOG_LEVEL": "WARNING", **os.environ} if quiet else dict(os.environ)
    settings = read_settings(environ)
    configure_logging(settings.log_level)
    return settings


class _Stopped(SystemExit):
    """A command was asked to end: at its work, or after it, while its Postgres stops. Like an exit,
    it passes through all code."""


def _stop(*_signal: object) -> None:
    raise _Stopped


def _hang_up(*_signal: object) -> None:
    """The terminal is gone: to end as by SIGTERM is to stop what was started, too."""
    signal.raise_signal(signal.SIGTERM)


def _end(*_signal: object) -> None:
    raise SystemExit(0)


def _end_when_asked() -> None:
    """A server is there to be stopped, even while it starts: no failure, as it is elsewhere."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)


app.accounts.commands.register(cli, open_settings)
app.responses.commands.register(cli, open_settings)
app.archiving.commands.register(cli, open_settings)
app.archiving.backup_commands.register(cli)
app.foundation.commands.register(cli, open_settings)
app.demo.commands.register(cli, open_settings)


def main() -> None:
    """Run the command line. What the operator must mend is one line and exit code 2; a command
    that was stopped by SIGTERM or SIGHUP says so, with the code that a shell gives the first."""
    signal.signal(signal.SIGTERM, _stop)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # by nohup
        signal.signal(signal.SIGHUP, _hang_up)
    try:
        cli(prog_name="honne")
    except _Stopped:
        sys.exit(_complain("stopped; look whether it was done before you repeat it", STOPPED_CODE))
    except StartupError as error:
        sys.exit(_complain(str(error)))
    except HonneError as error:
        reasons = [param.text("en") for param in error.invalid_params]
        sys.exit(_complain(" ".join([error.text("en") or error.title, *reasons])))


def _complain(line: str, code: int = 2) -> int:
    print(f"honne: {line}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
