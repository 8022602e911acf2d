"""What a message is before it is put into words, and what it is made with."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Payload = Mapping[str, Any]


class Outdated(Exception):
    """The mail need not be sent any more; the text says why, for the operator."""


@dataclass(frozen=True)
class Office:
    """What messages are made with. `url_for` gives an absolute URL of this portal."""

    secret_keys: tuple[str, ...] = field(repr=False)
    url_for: Callable[..., str]


@dataclass(frozen=True)
class Letter:
    """A message before it is put into words.

    `name` is that of its templates, `to` the address, `sender` the provider's name or empty.
    `facts` fill the templates; `until` is the moment a link or code ends, told in `time_zone`.
    `leave_url` takes the reader off a list of mails (RFC 8058), empty where it is no list.
    """

    name: str
    to: str
    locale: str
    sender: str
    facts: Mapping[str, Any]
    until: dt.datetime | None = None
    time_zone: str = "UTC"
    leave_url: str = ""
