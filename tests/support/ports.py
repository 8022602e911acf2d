"""Ports of this machine that nobody uses."""

import contextlib
import random
import socket
import time
from collections.abc import Callable
from pathlib import Path

_GIVEN_AWAY = Path("/proc/sys/net/ipv4/ip_local_port_range")
# Not the generator that each test starts from the same seed: parallel runs must not meet.
_CHOICE = random.SystemRandom()


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago.

    Below those that the kernel gives to outgoing connections, which would take one away before its
    server listens.
    """
    low = int(_GIVEN_AWAY.read_text().split()[0]) if _GIVEN_AWAY.exists() else 32768
    for _try in range(1000):
        port = _CHOICE.randrange(low // 2, low)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")


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
