"""Where a request comes from, for limits and for the event log."""

import ipaddress

from flask import request


def source() -> str:
    """The caller's address; IPv6 cut to its /64, since one line usually owns all of that."""
    return cut(request.remote_addr or "")


def cut(address: str) -> str:
    """`2001:db8::1` -> `2001:db8::/64`; an IPv4 address stays; anything else is `unknown`."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 6:
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
