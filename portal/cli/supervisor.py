"""Keeps child processes alive until told to stop: restarts with back-off, ends them gently.

Knows nothing of the portal. The parent opens no database: it only starts programs and waits.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
# A child that lived this long had started well: its next failure is a new one.
HEALTHY_AFTER_SECONDS = 60.0
GRACE_SECONDS = 25.0
_PR_SET_PDEATHSIG = 1

Say = Callable[[str], None]


class Child:
    """One program that ought to run. `name` is how messages call it."""

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], folder: Path
    ) -> None:
        self.name = name
        self._command = command
        self._env = dict(env)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._quick_deaths = 0
        self._due = 0.0

    def tend(self, now: float, say: Say) -> None:
        """Notice a death, start when due. `now` is `time.monotonic()`."""
        if self._process and self._process.poll() is not None:
            self._bury(self._process.returncode, now, say)
        if not self._process and now >= self._due:
            self._start(now)

    def due_in(self, now: float) -> float | None:
        """Seconds until it has to be started again; None while it runs."""
        return None if self._process else max(0.0, self._due - now)

    def send(self, number: signal.Signals) -> None:
        """Pass a signal on; one that has ended gets none."""
        if self._process:
            # Popen looks whether it still runs, so a number that was given away is never hit.
            self._process.send_signal(number)

    def is_running(self) -> bool:
        """Whether it is there right now."""
        return self._process is not None and self._process.poll() is None

    def _start(self, now: float) -> None:
        self._started = now
        self._process = subprocess.Popen(
            self._command,
            env=self._env,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            # A Ctrl-C in the terminal reaches the parent alone, which then ends its children.
            start_new_session=True,
            # Safe: the parent has one thread and this calls one function of the C library.
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )

    def _bury(self, status: int, now: float, say: Say) -> None:
        self._process = None
        if now - self._started > HEALTHY_AFTER_SECONDS:
            self._quick_deaths = 0
        pause = min(FIRST_PAUSE_SECONDS * 2**self._quick_deaths, LONGEST_PAUSE_SECONDS)
        self._quick_deaths += 1
        self._due = now + pause
        say(f"{self.name} {describe(status)}; it starts again in {pause:g} s.")


class Supervisor:
    """Runs its children until SIGTERM, SIGINT or SIGHUP; a second signal ends them at once."""

    def __init__(
        self, children: Iterable[Child], *, say: Say, grace: float = GRACE_SECONDS
    ) -> None:
        self._children = list(children)
        self._say = say
        self._grace = grace

    def run(self, on_ready: Callable[[], bool]) -> int:
        """Start and watch. Returns the exit status: 0 when all ended by themselves, else 1.

        `on_ready` is asked a few times a second until it says true; it announces the portal.
        """
        ready = False
        with _signals() as wait:
            while True:
                now = time.monotonic()
                for child in self._children:
                    child.tend(now, self._say)
                ready = ready or on_ready()
                if wait(self._pause(now, ready=ready)).intersection(STOP_SIGNALS):
                    return self._end(wait)

    def _pause(self, now: float, *, ready: bool) -> float | None:
        pauses = [pause for child in self._children if (pause := child.due_in(now)) is not None]
        if not ready:
            pauses.append(0.05)
        return min(pauses, default=None)

    def _end(self, wait: Callable[[float | None], set[int]]) -> int:
        for child in self._children:
            child.send(signal.SIGTERM)
        deadline = time.monotonic() + self._grace
        while running := [child for child in self._children if child.is_running()]:
            left = deadline - time.monotonic()
            if left <= 0 or wait(left).intersection(STOP_SIGNALS):
                for child in running:
                    self._say(f"{child.name} did not end in time and is killed.")
                    child.send(signal.SIGKILL)
                return 1
        return 0


def describe(status: int) -> str:
    """How a process ended, in words, from its return code."""
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"


@contextmanager
def _signals() -> Iterator[Callable[[float | None], set[int]]]:
    """A function that waits (seconds, or None for ever) and returns the signals that came."""
    watched = (*STOP_SIGNALS, signal.SIGCHLD)
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    # The handlers do nothing: that they exist makes Python write the number into the pipe, which
    # ends the wait below. Nothing can arrive between a check and the wait and be missed.
    before = {number: signal.signal(number, lambda *_: None) for number in watched}
    previous = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def wait(seconds: float | None) -> set[int]:
        select.select([reader], [], [], seconds)
        try:
            return set(os.read(reader, 1024))
        except BlockingIOError:
            return set()

    try:
        yield wait
    finally:
        signal.set_wakeup_fd(previous)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)


# Looked up before any fork: a child must not load libraries.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def _end_with_parent() -> None:
    # Else a killed parent leaves children behind that hold the port.
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
