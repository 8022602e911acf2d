"""`bin/bench`: what the Clients page costs, as ratios against the anchor in the same run.

Absolute times say more about the machine than about the portal; the ratios hold. Nothing here
passes or fails, except `tests/bench/test_calls.py`, which counts calls and runs with the tests.
"""

import argparse
import gzip
import http.client
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import click

from tests.bench.calls import count_calls, count_statements
from tests.bench.data import Instance, make_instance
from tests.bench.servers import Server, serving

BLOCK = 20
FRAGMENT = {"HX-Request": "true", "HX-Target": "section#clients-table"}


@dataclass
class Figure:
    """What one kind of request cost: CPU seconds in all, wall seconds of each, its body."""

    cpu: float = 0.0
    walls: list[float] = field(default_factory=list)
    body: bytes = b""

    @property
    def cpu_ms(self) -> float:
        return self.cpu / len(self.walls) * 1000

    @property
    def p50_ms(self) -> float:
        return statistics.median(self.walls) * 1000


@dataclass(frozen=True)
class Peer:
    """One kind of request to one server."""

    name: str
    server: Server
    path: str
    headers: dict[str, str]


def ask(peer: Peer, connection: http.client.HTTPConnection) -> bytes:
    """One GET; anything but a 200 ends the run."""
    try:
        connection.request("GET", peer.path, headers=peer.headers)
        answer = connection.getresponse()
    except http.client.RemoteDisconnected:
        # The server closed a connection that had been idle for long.
        connection.close()
        connection.request("GET", peer.path, headers=peer.headers)
        answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{peer.name}: {peer.path} answered {answer.status}")
    return body


def measure(peers: list[Peer], requests: int) -> dict[str, Figure]:
    """Blocks of requests to all peers in random order, so that a noisy moment hits them alike."""
    figures = {peer.name: Figure() for peer in peers}
    connections = {
        peer.name: http.client.HTTPConnection(urlsplit(peer.server.url).netloc) for peer in peers
    }
    for peer in peers:
        for _ in range(BLOCK):
            figures[peer.name].body = ask(peer, connections[peer.name])
    blocks = [peer for peer in peers for _ in range(max(1, requests // BLOCK))]
    random.Random(1).shuffle(blocks)
    for peer in blocks:
        figure, before = figures[peer.name], peer.server.cpu()
        for _ in range(BLOCK):
            began = time.perf_counter()
            ask(peer, connections[peer.name])
            figure.walls.append(time.perf_counter() - began)
        figure.cpu += peer.server.cpu() - before
    return figures


def peers_of(portal: Server, anchor: Server, instance: Instance) -> list[Peer]:
    """The page and the fragment of the portal, and the anchor."""
    clients = f"/providers/{instance.provider_id}/clients"
    cookie = {"Cookie": instance.cookie}
    return [
        Peer("limit", anchor, "/", {"X-Token": instance.token}),
        Peer("page, 100 rows", portal, f"{clients}?size=100", cookie),
        Peer("fragment, 100 rows", portal, f"{clients}?size=100", cookie | FRAGMENT),
        Peer("page, 50 rows", portal, clients, cookie),
        Peer("fragment, 50 rows", portal, clients, cookie | FRAGMENT),
        Peer("search, 50 rows", portal, f"{clients}?q=an", cookie),
        Peer("by seats, descending", portal, f"{clients}?sort=-assigned", cookie),
    ]


def report(clients: int, figures: dict[str, Figure], portal: Server) -> None:
    """One table a size."""
    limit = figures["limit"]
    click.echo(f"\n{clients:,} clients")
    click.echo(f"{'':24}{'CPU ms':>9}{'x limit':>9}{'p50 ms':>9}{'raw kB':>9}{'gzip kB':>9}")
    for name, figure in figures.items():
        ratio = figure.cpu_ms / limit.cpu_ms if limit.cpu else float("nan")
        raw, packed = len(figure.body) / 1000, len(gzip.compress(figure.body, 6)) / 1000
        click.echo(
            f"{name:24}{figure.cpu_ms:9.2f}{ratio:9.2f}{figure.p50_ms:9.2f}{raw:9.1f}{packed:9.1f}"
        )
    click.echo(f"memory of the portal (PSS, one worker): {portal.memory():.0f} MB")


def run(sizes: list[int], requests: int, say: Callable[[str], None] = click.echo) -> None:
    """Measure each size and print the growth from the first to the last."""
    grown: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for clients in sizes:
            instance = make_instance(Path(folder) / str(clients), clients)
            with (
                serving("wsgi:app", **instance.environment) as portal,
                serving("tests.bench.anchor:app", probe="/", **instance.environment) as anchor,
            ):
                figures = measure(peers_of(portal, anchor, instance), requests)
                report(clients, figures, portal)
            for name, figure in figures.items():
                grown.setdefault(name, []).append(figure.cpu_ms)
            say(f"calls for one page of 100 rows: {count_calls(instance):,} (at most 20,000)")
            say(f"statements: page {count_statements(instance)} (at most 3)")
    if len(sizes) > 1:
        say(f"\ngrowth of CPU from {sizes[0]:,} to {sizes[-1]:,} clients (goal: at most 1.5)")
        for name, values in grown.items():
            say(f"{name:24}{values[-1] / values[0]:9.2f}")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("--clients", default="1000,10000", help="sizes, by comma")
    parser.add_argument("--requests", type=int, default=200, help="requests of each kind")
    options = parser.parse_args()
    run([int(size) for size in options.clients.split(",")], options.requests)


if __name__ == "__main__":
    main()
