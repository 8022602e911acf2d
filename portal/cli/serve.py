"""The portal's processes under one parent: the web server and the worker. `bin/run` calls it.

Run as a file, on the standard library alone: importing the portal costs more than a second, which
a restart would wait for twice. Whatever needs the portal is done by `flask prepare`, and only when
there is something to prepare. The parent opens no database while children start.
"""

import argparse
import ctypes
import errno
import os
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORKERS = 2
THREADS = 8
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
# A child that lived this long had started well: its next failure is a new one.
HEALTHY_AFTER_SECONDS = 60.0
GRACE_SECONDS = 25.0
_PR_SET_PDEATHSIG = 1
_LOOPBACK_FOR = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True)
class Options:
    """Where to serve. `tls` is the name that the certificate is for, if any."""

    host: str
    port: int
    instance: Path
    base_url: str
    database_url: str
    tls: str

    @property
    def certificate(self) -> Path:
        """The folder in which `flask prepare` leaves the certificate."""
        return self.instance / "tls" / self.tls.replace(":", "-")


def options(arguments: list[str], env: Mapping[str, str]) -> Options:
    """What the command line and the settings say; `flask prepare` checks the settings in full."""
    parser = argparse.ArgumentParser(prog="bin/run", description="Start the Provider Portal.")
    parser.add_argument(
        "--tls",
        metavar="NAME",
        default="",
        help="serve https for NAME, certified here",
    )
    tls = parser.parse_args(arguments).tls.lower()
    port = env.get("PORTAL_PORT") or env.get("PORT") or "8000"
    if not port.isdigit():
        raise Refusal(f"PORTAL_PORT must be a whole number, not {port!r}.")
    name = f"[{tls}]" if ":" in tls else tls
    standard = f"http://localhost:{port}"
    return Options(
        host=env.get("PORTAL_HOST") or "127.0.0.1",
        port=int(port),
        instance=Path(env.get("PORTAL_INSTANCE") or "instance").absolute(),
        base_url=f"https://{name}:{port}" if tls else env.get("PORTAL_BASE_URL") or standard,
        database_url=env.get("PORTAL_DATABASE_URL") or "",
        tls=tls,
    )


class Refusal(Exception):
    """The portal cannot start; the text says why and what to do."""


def main(arguments: list[str]) -> int:
    """Prepare where needed, then serve until told to stop. Returns the exit status."""
    try:
        chosen = options(arguments, os.environ)
        refuse_used_port(chosen.host, chosen.port)
    except Refusal as refusal:
        print(f"bin/run: {refusal}", file=sys.stderr)
        return 1
    env = {**os.environ, "PORTAL_INSTANCE": str(chosen.instance), "PYTHONPATH": str(ROOT)}
    if chosen.tls:
        env["PORTAL_BASE_URL"] = chosen.base_url
    flask = [sys.executable, "-m", "flask", "--app", "wsgi"]
    if chosen.tls or not is_settled(chosen):
        tls = ["--tls", chosen.tls] if chosen.tls else []
        prepared = subprocess.run([*flask, "prepare", *tls], env=env, cwd=ROOT, check=False)
        if prepared.returncode:
            return prepared.returncode
    web = Child("The web server", [sys.executable, "-m", "granian", *granian(chosen)], env)
    worker = Child("The worker", [*flask, "worker"], env)
    return Supervisor(web, [worker], say=_say).run(Announcement(chosen))


def is_settled(chosen: Options) -> bool:
    """Whether the SQLite file has the newest revision and somebody in it: nothing to prepare.

    Of another database nothing is known before the portal is loaded, so the answer is no.
    """
    file = chosen.instance / "portal.db"
    if chosen.database_url or not file.exists():
        return False
    newest = max(found.name for found in (ROOT / "migrations" / "versions").glob("[0-9]*.py"))
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
            (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            people = connection.execute("SELECT 1 FROM accounts LIMIT 1").fetchone()
    except (sqlite3.Error, TypeError):
        return False
    return people is not None and newest.startswith(f"{revision}_")


def refuse_used_port(host: str, port: int) -> None:
    """Raise Refusal with a sentence when nobody could listen there."""
    try:
        with closing(_socket(host)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise Refusal(_port_trouble(error, host, port)) from error


def _port_trouble(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use; is the portal running already? "
            f"Stop what uses it, or choose another port: PORTAL_PORT={port + 1} bin/run"
        )
    if error.errno == errno.EACCES:
        return f"Port {port} is reserved for root. Choose one above 1023, and a proxy before it."
    return f"The portal cannot listen on {host}, port {port}: {error.strerror}."


def _socket(host: str) -> socket.socket:
    return socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)


def granian(chosen: Options) -> Iterator[str]:
    """The web server's arguments."""
    yield from ("--interface", "wsgi", "--no-ws", "--log-level", "error")
    yield from ("--host", chosen.host, "--port", str(chosen.port))
    yield from ("--workers", str(WORKERS), "--blocking-threads", str(THREADS))
    yield from ("--respawn-failed-workers", "--respawn-interval", "0.2")
    yield from ("--workers-kill-timeout", "20")
    if chosen.tls:
        yield from ("--ssl-certificate", str(chosen.certificate / "server.pem"))
        yield from ("--ssl-keyfile", str(chosen.certificate / "server.key"))
        # Light browsers on old systems speak no 1.3.
        yield from ("--ssl-protocol-min", "tls1.2")
    yield "wsgi:app"


class Announcement:
    """Says once that the portal answers. Called again and again until it returns true."""

    def __init__(self, chosen: Options) -> None:
        self._chosen = chosen
        self._asked: socket.socket | None = None

    def __call__(self) -> bool:
        """Whether the portal answers by now; never waits."""
        if not self._asked:
            self._asked = self._ask()
        if not self._asked or not self._has_answer(self._asked):
            return False
        self._asked.close()
        print(f"The Provider Portal is at {self._chosen.base_url} (Ctrl-C stops it).")
        note = self._chosen.instance / "demo.txt"
        if note.exists():
            print(note.read_text().strip())
        sys.stdout.flush()
        return True

    def _ask(self) -> socket.socket | None:
        host = self._chosen.host
        asked = _socket(host)
        if asked.connect_ex((_LOOPBACK_FOR.get(host, host), self._chosen.port)):
            asked.close()
            return None
        if not self._chosen.tls:
            asked.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        return asked

    def _has_answer(self, asked: socket.socket) -> bool:
        # Over https a listening server has to do: its certificate is not ours to judge here.
        return bool(self._chosen.tls or select.select([asked], [], [], 0)[0])


Say = Callable[[str], None]


class Child:
    """One program that ought to run. `name` is how messages call it."""

    def __init__(self, name: str, command: list[str], env: Mapping[str, str]) -> None:
        self.name = name
        self._command = command
        self._env = dict(env)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._quick_deaths = 0
        self._due = 0.0

    def tend(self, now: float, say: Say) -> None:
        """Notice a death, start when due. `now` is `time.monotonic()`."""
        if self._process and self._process.poll() is not None:
            self.sweep()
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

    def sweep(self) -> None:
        """End what it has started and left behind.

        A web server that is killed leaves its workers, which would go on serving beside the next
        one, with the code of their day.
        """
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)

    def is_running(self) -> bool:
        """Whether it is there right now."""
        return self._process is not None and self._process.poll() is None

    def _start(self, now: float) -> None:
        self._started = now
        self._process = subprocess.Popen(
            self._command,
            env=self._env,
            cwd=ROOT,
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
    """Runs children until SIGTERM, SIGINT or SIGHUP; a second signal ends them at once.

    The `others` start when `first` is ready, so that it has the processor for itself.
    """

    def __init__(
        self, first: Child, others: Iterable[Child], *, say: Say, grace: float = GRACE_SECONDS
    ) -> None:
        self._first = first
        self._children = [first, *others]
        self._say = say
        self._grace = grace

    def run(self, is_ready: Callable[[], bool]) -> int:
        """Start and watch. Returns the exit status: 0 when all ended by themselves, else 1.

        `is_ready` is asked a few times a second until it says so. A first child that dies before
        that would die again: the portal gives up.
        """
        ready = False
        with _signals() as wait:
            self._first.tend(time.monotonic(), self._say)
            while True:
                ready = ready or is_ready()
                now = time.monotonic()
                if ready:
                    for child in self._children:
                        child.tend(now, self._say)
                elif not self._first.is_running():
                    self._say(f"{self._first.name} could not start; the reason stands above.")
                    return 1
                if wait(self._pause(now) if ready else 0.05).intersection(STOP_SIGNALS):
                    return self._end(wait)

    def _pause(self, now: float) -> float | None:
        pauses = (child.due_in(now) for child in self._children)
        return min((pause for pause in pauses if pause is not None), default=None)

    def _end(self, wait: Callable[[float | None], set[int]]) -> int:
        try:
            return self._end_gently(wait)
        finally:
            for child in self._children:
                child.sweep()

    def _end_gently(self, wait: Callable[[float | None], set[int]]) -> int:
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


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
