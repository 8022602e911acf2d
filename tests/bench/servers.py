"""The portal and its anchor, each a real server process with one worker, and what they cost."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Server:
    """A running server: its address and its processes."""

    url: str
    process: psutil.Process

    def cpu(self) -> float:
        """User and system seconds of all its processes so far."""
        return sum(sum(p.cpu_times()[:2]) for p in self._family())

    def memory(self) -> float:
        """Megabytes, shared pages counted by their share (PSS)."""
        return sum(p.memory_full_info().pss for p in self._family()) / 1e6

    def _family(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    target: str, *, workers: int = 1, probe: str = "/healthz", **env: str
) -> Iterator[Server]:
    """Run Granian on `target` with the settings in `env`; stops it at the end."""
    port = free_port()
    url = f"http://localhost:{port}"
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
        "--port", str(port), "--workers", str(workers), "--blocking-threads", "8",
        "--no-ws", "--log-level", "error", target,
    ]  # fmt: skip
    environment = {**os.environ, "PORTAL_BASE_URL": url, "PORTAL_LOG_LEVEL": "ERROR", **env}
    with subprocess.Popen(command, cwd=ROOT, env=environment) as child:
        try:
            wait_for(url + probe)
            yield Server(url, psutil.Process(child.pid))
        finally:
            child.terminate()
            child.wait(20)


def wait_for(url: str, seconds: float = 20) -> None:
    """Until the address answers at all; raises TimeoutError."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(url)
