"""Ports of this machine that nobody uses."""

import contextlib
import socket
import time
from collections.abc import Callable


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_open(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody accepts connections there."""
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0


def wait_until_open(
    port: int, *, seconds: float = 120, alive: Callable[[], bool] = lambda: True
) -> None:
    """Wait for a server; gives up early when `alive` says that there is none any more."""
    deadline = time.monotonic() + seconds
    while not is_open(port):
        if not alive():
            raise RuntimeError("the server ended before it listened; the reason stands above")
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing listens on 127.0.0.1:{port} after {seconds} s")
        time.sleep(0.03)
