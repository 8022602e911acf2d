"""A name server on this machine, over UDP and TCP, that answers as the test says."""

import socketserver
import struct
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from portal.domains.lookup import Resolver

SERVFAIL, REFUSED, SILENT, NONSENSE = "servfail", "refused", "silent", "nonsense"


@dataclass
class NameServer:
    """`zones` holds by domain its TXT records: texts, or tuples of strings of one record.

    `aliases` leads from name to name; `moods` makes a domain fail in one of the ways above. What
    is in none of them does not exist. `asked` lists (domain, "udp" or "tcp").
    """

    port: int = 0
    zones: dict[str, list[str | tuple[str, ...]]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    moods: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def resolver(self):
        return Resolver((("127.0.0.1", self.port),), 3)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def publish(self, domain, *texts):
        self.zones[domain] = list(texts)

    def answer(self, wire, way):
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        [question] = query.question
        name = question.name.to_text(omit_final_dot=True).lower()
        self.asked.append((name, way))
        mood = self.moods.get(name)
        if mood == SILENT:
            return None
        if mood == NONSENSE:
            return wire[:2] + b"\xff" * 20
        response = dns.message.make_response(query, recursion_available=True)
        if mood:
            response.set_rcode(dns.rcode.from_text(mood.upper()))
        else:
            self._fill(response, question.name, name)
        found = response.to_wire()
        if way == "udp" and len(found) > 512:
            response = dns.message.make_response(query, recursion_available=True)
            response.flags |= dns.flags.TC
            found = response.to_wire()
        return found

    def _fill(self, response, asked, name):
        while name in self.aliases:
            target = self.aliases[name]
            response.answer.append(dns.rrset.from_text(asked, 60, "IN", "CNAME", f"{target}."))
            asked, name = response.answer[-1][0].target, target
        if name in ("", "."):
            response.answer.append(dns.rrset.from_text(".", 60, "IN", "NS", "a.root.example."))
        elif name not in self.zones:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif records := self.zones[name]:
            texts = [" ".join(map(_quoted, _strings(each))) for each in records]
            response.answer.append(dns.rrset.from_text(asked, 60, "IN", "TXT", *texts))


def _strings(record):
    return (record,) if isinstance(record, str) else record


def _quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class _Udp(socketserver.BaseRequestHandler):
    def handle(self):
        wire, sock = self.request
        found = self.server.names.answer(wire, "udp")
        if found:
            sock.sendto(found, self.client_address)


class _Tcp(socketserver.StreamRequestHandler):
    def handle(self):
        [length] = struct.unpack("!H", self.rfile.read(2))
        found = self.server.names.answer(self.rfile.read(length), "tcp")
        if found:
            self.wfile.write(struct.pack("!H", len(found)) + found)


class _UdpServer(socketserver.ThreadingUDPServer):
    daemon_threads = True


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def serving(names):
    """Both servers at one port, as long as the block lasts."""
    for _try in range(20):
        udp = _UdpServer(("127.0.0.1", 0), _Udp)
        names.port = udp.server_address[1]
        try:
            tcp = _TcpServer(("127.0.0.1", names.port), _Tcp)
        except OSError:
            udp.server_close()
            continue
        break
    servers = [udp, tcp]
    for server in servers:
        server.names = names
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield names
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


@pytest.fixture
def name_server():
    with serving(NameServer()) as names:
        yield names
