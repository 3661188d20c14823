"""The Postgres that comes along: started on a data directory, stopped by its last user.

It listens on a socket in a private folder and on no address. `keep_running` starts a server that
dies in use, or is asked to stop by somebody else, again within seconds. One that runs in another
container on the same data is used, and never stopped: who is in there does that.
"""

import fcntl
import hashlib
import logging
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg

from app.foundation.embedded_account import ROOT_UID, account_for
from app.foundation.embedded_binaries import find_binaries
from app.foundation.embedded_postmaster import LOCK, Postmaster
from app.foundation.errors import StartupError, unwritable

logger = logging.getLogger("honne.database")

OWNER = "honne_owner"
RUNTIME_LOGIN = "honne_app"
DATABASE = "honne"
SOCKET_PATH_LIMIT = 90  # the kernel allows 107 bytes, the file name takes up to 17
START_TIMEOUT_S = 600  # replaying the log after a crash takes its time
STOP_TIMEOUT_S = 60  # what is in memory only is written first; docs/operations.md says it
CONNECT_WITHIN_S = 10
LOOK_EVERY_S = 0.5
STOPPED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
Work = Callable[[], None]

# Pages go to the log as they are: to compress them by pglz, all that the wheel's build knows, took
# up to a fifth of the processor time of a large import.
CONFIGURATION = """\
listen_addresses = ''
unix_socket_permissions = 0700
fsync = on
synchronous_commit = on
max_connections = 100
shared_buffers = 256MB
max_wal_size = 2GB
random_page_cost = 1.1
timezone = 'UTC'
log_timezone = 'UTC'
log_statement = none
log_min_duration_statement = -1
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_min_error_statement = panic
log_error_verbosity = terse
track_commit_timestamp = off
"""


@dataclass(frozen=True, slots=True)
class Addresses:
    """SQLAlchemy URLs of the same database for the owner (migrations) and the application."""

    owner_url: str
    runtime_url: str


@contextmanager
def embedded_postgres(
    data_dir: Path, configuration: str = "", meanwhile: Work = lambda: None
) -> Iterator[Addresses]:
    """Run Postgres on `data_dir`/postgres for as long as somebody uses it. `meanwhile` is called
    while it starts, and not where it runs already.

    Several processes may enter at once; the last to leave stops the server. A server that outlived
    its killed user is taken over, and a crashed one recovers by itself. Raises `StartupError`.
    """
    server = _Server(data_dir, configuration, meanwhile)
    with _use(server):
        yield server.addresses()


def keep_running(data_dir: Path, is_over: Callable[[], bool]) -> None:
    """Start the server again whenever it dies (killed, out of memory, its disk full), until
    `is_over`. For a thread or a process beside those that use the server."""
    server = _Server(data_dir, "", lambda: None)
    while not is_over():
        time.sleep(LOOK_EVERY_S)
        if not server.is_serving():
            _start_again(server, is_over)


def _start_again(server: "_Server", is_over: Callable[[], bool]) -> None:
    with (server.root / "starting.lock").open("w") as starting, _locked(starting):
        if is_over() or server.is_serving():
            return
        logger.error("the embedded Postgres is gone; starting it again")
        try:
            server.start()
        except (StartupError, OSError) as error:
            logger.error("the embedded Postgres does not start", extra={"error": str(error)})


def binary(name: str) -> Path:
    """A program of the same Postgres (pgbench, pg_dump …), for measurements and backups."""
    return find_binaries() / name


def has_cluster(data_dir: Path) -> bool:
    """Whether Postgres was ever set up there. Raises `StartupError` where it is somebody else's."""
    account_for(data_dir)
    return _cluster(data_dir).exists()


def _cluster(data_dir: Path) -> Path:
    return data_dir / "postgres" / "cluster"


class _Server:
    def __init__(self, data_dir: Path, configuration: str, meanwhile: Work) -> None:
        self.root = data_dir.absolute()
        self.cluster = _cluster(self.root)
        self.home = self.cluster.parent
        self.log = self.home / "server.log"
        self.binaries = find_binaries()
        self.account = account_for(self.root)
        self.postmaster = Postmaster(self.cluster, self.socket_dir)
        self.configuration = CONFIGURATION + configuration
        self.meanwhile = meanwhile

    def prepare(self) -> None:
        """Make the folders; as root, hand the cluster to an account Postgres will run under."""
        try:
            for folder in (self.home, self.socket_dir):
                self._make_private(folder)
            lock = self.home / LOCK
            lock.touch()
            if self.account:
                os.chown(lock, self.account.pw_uid, self.account.pw_gid, follow_symlinks=False)
                _let_pass(self.home)
                _let_pass(self.binaries)
        except OSError as error:
            raise unwritable(self.root, error) from error

    def _make_private(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_public = self.root not in folder.parents
        if is_public and (folder.is_symlink() or folder.stat().st_uid not in self.own_uids):
            raise StartupError(f"{folder} was made by somebody else; remove it.")
        # What is root's own was made just now, or by a run that was killed before it came to this.
        if self.account and folder.stat().st_uid == ROOT_UID:
            os.chown(folder, self.account.pw_uid, self.account.pw_gid)

    @property
    def own_uids(self) -> set[int]:
        return {os.geteuid()} | ({self.account.pw_uid} if self.account else set())

    @property
    def socket_dir(self) -> Path:
        inside = self.home / "socket"
        # Postgres reads a comma as the next folder, and a quotation mark ends its setting.
        is_plain = not set("',") & set(str(inside))
        if is_plain and len(os.fsencode(inside)) <= SOCKET_PATH_LIMIT:
            return inside
        name = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"honne-{os.getuid()}-{name}"

    def start(self) -> None:
        """Initialise the cluster where it is new, start it where it stands."""
        self.prepare()
        if not self.cluster.exists():
            self._initialise()
        self._make_database()

    def _launch(self) -> None:
        with self.postmaster.replaced() as lock:
            if lock is None:
                return
            (self.cluster / "postgresql.auto.conf").write_text(
                f"{self.configuration}unix_socket_directories = '{self.socket_dir}'\n"
            )
            self._run(
                "pg_ctl", "start", "-w", "-t", str(START_TIMEOUT_S), "-s", "-D", str(self.cluster),
                "-l", str(self.log), meanwhile=self.meanwhile, inherited=[lock.fileno()],
            )  # fmt: skip

    def _initialise(self) -> None:
        """Into a folder of another name first: an interrupted start leaves no half cluster."""
        unfinished = self.home / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._run(
            "initdb", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-U", OWNER,
            "--data-checksums", "-D", str(unfinished),
        )  # fmt: skip
        unfinished.rename(self.cluster)

    def stop(self) -> None:
        try:
            self._run(
                "pg_ctl", "stop", "-w", "-t", str(STOP_TIMEOUT_S), "-m", "fast", "-s",
                "-D", str(self.cluster),
            )  # fmt: skip
        except StartupError:
            if self.postmaster.is_here():  # and did not end by itself meanwhile
                raise

    def is_serving(self) -> bool:
        return self.postmaster.is_running() and not self.postmaster.is_stopping()

    def addresses(self) -> Addresses:
        return Addresses(self._url(OWNER), self._url(RUNTIME_LOGIN))

    def _url(self, login: str) -> str:
        socket = quote(str(self.socket_dir), safe="")
        return f"postgresql+psycopg://{login}@/{DATABASE}?host={socket}"

    def _make_database(self) -> None:
        with self._connect() as connection:
            if not connection.execute(
                "SELECT 1 FROM pg_roles WHERE rolname = %s", [RUNTIME_LOGIN]
            ).fetchone():
                connection.execute(f"CREATE ROLE {RUNTIME_LOGIN} LOGIN")
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _connect(self) -> psycopg.Connection:
        """A connection to a server that runs, started where need be: one that looked alive may
        just have been killed, and one that somebody else started may still be recovering."""
        patient_until = time.monotonic() + CONNECT_WITHIN_S
        while True:
            # Whoever of us stops it holds the same lock as who starts it: this was somebody else.
            if self.postmaster.is_here() and self.postmaster.is_stopping():
                self.stop()
            if not self.postmaster.is_running():
                self._launch()
            try:
                return psycopg.connect(
                    host=str(self.socket_dir), user=OWNER, dbname="postgres", autocommit=True
                )
            except psycopg.OperationalError as error:
                reason = str(error).strip().splitlines()[0]
            is_coming = "the database system is" in reason and "shutting down" not in reason
            if not is_coming and time.monotonic() > patient_until:
                raise StartupError(f"The embedded Postgres cannot be reached ({reason}).")
            time.sleep(LOOK_EVERY_S / 5)

    def _run(
        self,
        program: str,
        *arguments: str,
        meanwhile: Work = lambda: None,
        inherited: Sequence[int] = (),
    ) -> None:
        done = self._call(program, arguments, meanwhile, inherited)
        if done.returncode != 0:
            said = done.stderr.strip() or done.stdout.strip() or "no reason given"
            last = said.splitlines()[-1]
            raise StartupError(f"The embedded Postgres failed ({program}: {last}); see {self.log}")

    def _call(
        self, program: str, arguments: Sequence[str], meanwhile: Work, inherited: Sequence[int]
    ) -> "subprocess.CompletedProcess[str]":
        identity = (
            {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
            if self.account
            else {}
        )
        # Files, not pipes: the postmaster inherits them and would hold a pipe open for ever.
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            with subprocess.Popen(
                [self.binaries / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
                pass_fds=inherited,
                start_new_session=True,  # Ctrl-C in the terminal must not reach Postgres first
                **identity,  # type: ignore[call-overload]
            ) as process:
                try:
                    meanwhile()
                    code = process.wait()
                except BaseException:
                    process.kill()
                    raise
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(process.args, code, out.read(), err.read())


@contextmanager
def _use(server: _Server) -> Iterator[None]:
    """Hold a share of the server: a lock file says who is first and who is last."""
    _make_private_root(server.root)
    with (
        (server.root / "starting.lock").open("w") as starting,
        (server.root / "users.lock").open("w") as users,
    ):
        try:
            with _locked(starting):
                fcntl.flock(users, fcntl.LOCK_SH)
                server.start()
            yield
        finally:
            with _undisturbed(), _locked(starting):
                _leave(server, users)


def _leave(server: _Server, users: IO[str]) -> None:
    """Stop what runs, be it half started, unless somebody else still uses the server."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    server.postmaster.wait_until_seen()
    if server.postmaster.is_here():  # and not in another container, where its number means nobody
        server.stop()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Who is asked to end, or asked again, does so afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _locked(file: IO[str]) -> Iterator[None]:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _make_private_root(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
        (root / "starting.lock").touch()
    except OSError as error:
        raise unwritable(root, error) from error


def _let_pass(path: Path) -> None:
    """Allow others to walk through (not to list) the folders above `path`."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
