"""The TXT records of a domain, asked of the resolver; never inside a transaction.

What a name server says is somebody else's text: only strings of a bounded number and size are
looked at, an alias is followed by the resolver alone, and whatever is not a plain yes or no (a
failure, a refusal, nonsense, silence) is no answer.
"""

from dataclasses import dataclass

import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver

from portal.config import Settings
from portal.domain.claimed_domains import Answer, answer_in

# A zone with more than that has no room for one record that matters.
RECORDS = 200
LENGTH = 1000


class NoResolver(Exception):
    """The system names no name server that could be asked."""


@dataclass(frozen=True)
class Resolver:
    """Whom to ask, and how long to wait in seconds."""

    servers: tuple[tuple[str, int], ...] = ()
    timeout: int = 5

    @classmethod
    def of(cls, settings: Settings) -> "Resolver":
        return cls(settings.dns_servers, settings.dns_timeout)

    def look(self, domain: str, token: str) -> Answer:
        """Whether the domain has the record of that token."""
        try:
            values = self._texts(domain)
        except dns.resolver.NXDOMAIN:
            return Answer.NO_DOMAIN
        except (NoResolver, dns.exception.DNSException, OSError, ValueError):
            return Answer.NO_ANSWER
        return answer_in(values, token)

    def try_it(self) -> None:
        """Ask for the root's name servers; raises what went wrong, for the operator."""
        self._resolver().resolve(dns.name.root, dns.rdatatype.NS, search=False)

    def _texts(self, domain: str) -> list[str]:
        name = dns.name.from_text(f"{domain}.", origin=None)
        found = self._resolver().resolve(
            name, dns.rdatatype.TXT, raise_on_no_answer=False, search=False
        )
        return [_text(record) for record in list(found.rrset or ())[:RECORDS]]

    def _resolver(self) -> dns.resolver.Resolver:
        try:
            resolver = dns.resolver.Resolver(configure=not self.servers)
        except dns.resolver.NoResolverConfiguration as error:
            raise NoResolver(str(error)) from None
        if self.servers:
            resolver.nameservers = [
                dns.nameserver.Do53Nameserver(address, port) for address, port in self.servers
            ]
        # A cache would answer "Check now" with what was true before the record was published.
        resolver.cache = None
        resolver.timeout = min(2.0, self.timeout)
        resolver.lifetime = self.timeout
        return resolver


def _text(record: object) -> str:
    """The strings of one record are one text (RFC 7208, 3.3, as everybody does it)."""
    strings: tuple[bytes, ...] = getattr(record, "strings", ())
    return b"".join(strings)[:LENGTH].decode("utf-8", "replace")
