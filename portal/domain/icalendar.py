"""Calendars as RFC 5545 has them: only what a feed of dates needs."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

LINE_OCTETS = 75
# The calendar's own text: control characters are forbidden in values, and line ends are `\n`.
_CONTROLS = {number: None for number in (*range(32), 127) if number not in {9, 10}}
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})
# A calendar holds at least one component (section 3.6), also when nothing ends.
_NOTHING = (
    "BEGIN:VTIMEZONE",
    "TZID:Etc/UTC",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0000",
    "END:STANDARD",
    "END:VTIMEZONE",
)


@dataclass(frozen=True)
class CalendarEvent:
    """A moment. `uid` stays the same for as long as it is about the same thing.

    `made_at` is when it was last written down, `url` an address in ASCII.
    """

    uid: str
    starts_at: dt.datetime
    made_at: dt.datetime
    summary: str
    url: str


def calendar(product: str, name: str, events: Sequence[CalendarEvent]) -> bytes:
    """The whole file in UTF-8. `product` names the program (PRODID), `name` the calendar."""
    return b"".join(fold(line) for line in _lines(product, name, events))


def _lines(product: str, name: str, events: Sequence[CalendarEvent]) -> Iterator[str]:
    yield "BEGIN:VCALENDAR"
    yield "VERSION:2.0"
    yield f"PRODID:{text(product)}"
    yield "CALSCALE:GREGORIAN"
    # RFC 7986, and what programs read that are older than it.
    yield f"NAME:{text(name)}"
    yield f"X-WR-CALNAME:{text(name)}"
    yield "REFRESH-INTERVAL;VALUE=DURATION:PT6H"
    yield "X-PUBLISHED-TTL:PT6H"
    yield from _NOTHING if not events else _events(events)
    yield "END:VCALENDAR"


def _events(events: Iterable[CalendarEvent]) -> Iterator[str]:
    for event in events:
        yield "BEGIN:VEVENT"
        yield f"UID:{text(event.uid)}"
        yield f"DTSTAMP:{instant(event.made_at)}"
        yield f"DTSTART:{instant(event.starts_at)}"
        yield f"SUMMARY:{text(event.summary)}"
        yield f"URL:{event.url}"
        # Nobody is busy because something ends.
        yield "TRANSP:TRANSPARENT"
        yield "END:VEVENT"


def text(value: str) -> str:
    """A value of the type TEXT (section 3.3.11)."""
    plain = value.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)
    return plain.translate(_ESCAPES)


def instant(value: dt.datetime) -> str:
    """A moment in UTC (section 3.3.5, form 2)."""
    return value.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def fold(line: str) -> bytes:
    """One content line: at most 75 octets a line, no letter cut in two (section 3.1)."""
    raw = line.encode()
    parts = []
    while len(raw) > LINE_OCTETS:
        end = LINE_OCTETS
        # 10xxxxxx continues a letter of UTF-8.
        while raw[end] & 0xC0 == 0x80:
            end -= 1
        parts.append(raw[:end])
        raw = b" " + raw[end:]
    return b"\r\n".join([*parts, raw]) + b"\r\n"
