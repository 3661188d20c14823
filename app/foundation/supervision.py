"""Several processes that do one job: started together, replaced when they die, stopped together.

The parent does nothing else, so that it can always make another child of itself: it has no thread,
no event loop and no connection. Children are forks, hence they share what was imported. They hear
of a killed parent by a pipe that nobody writes to, and end at once: a port is never held by one.
"""

import gc
import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

from app.foundation.errors import StartupError

logger = logging.getLogger("honne.processes")

READY = b"."
STEADY_AFTER_S = 5.0  # a process that lived for less is replaced after a pause
LONGEST_PAUSE_S = 10.0
KILL_AFTER_S = 45.0  # beyond what a server takes to finish its requests
STOPPED = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Program:
    """What a child does until SIGTERM. `run` calls its argument once it is ready."""

    name: str
    run: Callable[[Callable[[], None]], None]


@dataclass(slots=True)
class _Place:
    """Where a program runs; `pid` 0 while it is to be started, at `start_at` (monotonic)."""

    program: Program
    pid: int = 0
    started_at: float = 0.0
    start_at: float = 0.0
    pause_s: float = 0.5


def supervise(
    programs: Sequence[Program],
    when_ready: Callable[[], None],
    when_stopping: Callable[[], None] = lambda: None,
    stop_delay_s: float = 0,
) -> None:
    """Run each program in a process of its own until SIGTERM or SIGINT; replace those that die.

    `when_ready` is called once all have said that they are ready, `when_stopping` once nothing
    more will be started: then to let go of what only the children should hold. They may serve for
    `stop_delay_s` yet before they begin to end. Raises StartupError where one ends before it was
    ready. A program that keeps dying is started again ever more slowly.
    """
    _Supervisor(programs, when_ready, when_stopping, stop_delay_s).run()


class _Supervisor:
    def __init__(
        self,
        programs: Sequence[Program],
        when_ready: Callable[[], None],
        when_stopping: Callable[[], None],
        stop_delay_s: float,
    ) -> None:
        self.places = [_Place(program) for program in programs]
        self.when_ready = when_ready
        self.when_stopping = when_stopping
        self.end_within_s = stop_delay_s + KILL_AFTER_S
        self.stop_signal = 0
        self.is_ready = False
        self.lifeline = os.pipe()
        self.readiness = os.pipe()
        self.wake_up = os.pipe()
        for end in (*self.wake_up, self.readiness[0]):
            os.set_blocking(end, False)

    def run(self) -> None:
        gc.freeze()  # what is there stays in pages that all processes share
        before = {number: signal.signal(number, self._stop) for number in STOPPED}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, _hear)
        signal.set_wakeup_fd(self.wake_up[1], warn_on_full_buffer=False)
        try:
            self._keep_running()
        finally:
            self.when_stopping()
            self._end_all()
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)
            for end in (*self.lifeline, *self.readiness, *self.wake_up):
                os.close(end)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self.stop_signal = self.stop_signal or number

    def _keep_running(self) -> None:
        waiting_for = len(self.places)
        while not self.stop_signal:
            self._start_due()
            select.select([self.wake_up[0], self.readiness[0]], [], [], self._next_start())
            _drain(self.wake_up[0])
            self._reap()
            waiting_for -= len(_drain(self.readiness[0]))
            if waiting_for <= 0 and not self.is_ready:
                self.is_ready = True
                self.when_ready()

    def _start_due(self) -> None:
        for place in self.places:
            if not place.pid and place.start_at <= time.monotonic():
                place.started_at = time.monotonic()
                place.pid = self._fork(place.program)

    def _next_start(self) -> float | None:
        """Seconds until a process is to be started again; None where all run."""
        due = [place.start_at for place in self.places if not place.pid]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _fork(self, program: Program) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        # A child has its parent's handlers at first, which would take a signal and do nothing.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPED)
        try:
            return os.fork() or self._be(program)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPED)

    def _be(self, program: Program) -> NoReturn:
        """The life of a child, which never returns into what its parent was doing."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (*STOPPED, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPED)
            os.close(self.lifeline[1])
            threading.Thread(target=_end_with_parent, args=[self.lifeline[0]], daemon=True).start()
            program.run(lambda: _say(self.readiness[1]))
            code = 0
        except BaseException:
            logger.exception("process failed", extra={"program": program.name})
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        """Note which children have ended, and when to start them again."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for place in self.places:
                if place.pid == pid:
                    self._replace(place, os.waitstatus_to_exitcode(status))

    def _replace(self, place: _Place, code: int) -> None:
        place.pid = 0
        if self.stop_signal:
            return
        if not self.is_ready:
            raise StartupError("A server process ended before it was ready; see the log.")
        lived_s = time.monotonic() - place.started_at
        place.pause_s = 0.5 if lived_s > STEADY_AFTER_S else min(2 * place.pause_s, LONGEST_PAUSE_S)
        place.start_at = time.monotonic() + (0.0 if lived_s > STEADY_AFTER_S else place.pause_s)
        logger.error("process died", extra={"program": place.program.name, "exit_code": code})

    def _end_all(self) -> None:
        """Pass the signal on and wait; what does not end in time is killed."""
        self._signal_all(self.stop_signal or signal.SIGTERM)
        deadline = time.monotonic() + self.end_within_s
        while any(place.pid for place in self.places):
            if time.monotonic() > deadline:
                self._signal_all(signal.SIGKILL)
            select.select([self.wake_up[0]], [], [], 0.2)
            _drain(self.wake_up[0])
            self.stop_signal = self.stop_signal or signal.SIGTERM
            self._reap()

    def _signal_all(self, number: int) -> None:
        for place in self.places:
            if place.pid:
                os.kill(place.pid, number)


def _hear(_number: int, _frame: FrameType | None) -> None:
    """A child ended: without a handler the signal would not wake the parent."""


def _drain(end: int) -> bytes:
    try:
        return os.read(end, 4096)
    except BlockingIOError:
        return b""


def _say(end: int) -> None:
    os.write(end, READY)


def _end_with_parent(lifeline: int) -> None:
    """Nobody writes to it: reading ends when the parent is gone."""
    os.read(lifeline, 1)
    os._exit(1)
