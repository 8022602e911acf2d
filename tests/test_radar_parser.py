"""The calendar read by a program that others wrote: what goes in comes out."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from portal.domain.icalendar import CalendarEvent, calendar
from tests.support.clients import persona
from tests.support.radar import client_of, ends
from tests.test_radar_calendar import TEXTS, made, read

NOW = dt.datetime(2026, 11, 22, 10, 30, tzinfo=dt.UTC)


@given(st.lists(TEXTS, max_size=4), TEXTS)
def test_a_parser_reads_back_what_was_written(summaries, name):
    written = calendar(
        "-//x//y//EN",
        name,
        [
            CalendarEvent(f"{n}@portal.example", NOW, NOW, each, "https://portal.example/x")
            for n, each in enumerate(summaries)
        ],
    )
    found = Calendar.from_ical(written)
    seen = [str(event["SUMMARY"]) for event in found.walk("VEVENT")]
    assert seen == [_as_told(each) for each in summaries]
    assert all(event.decoded("DTSTART") == NOW for event in found.walk("VEVENT"))
    assert found["VERSION"] == "2.0"


def _as_told(value):
    """Line ends are one kind, and control characters are no text (section 3.3.11)."""
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        char for char in value if char in "\n\t" or (ord(char) > 31 and ord(char) != 127)
    )


def test_a_parser_finds_every_event_of_the_feed(database):
    ada = persona(database)
    acme = client_of(database, ada, "Zoë, Söhne; & Co")
    row = ends(database, ada.provider, acme, label=f"{'é' * 120}@acme.example")
    (event,) = Calendar.from_ical(read(database, made(ada)).data).walk("VEVENT")
    assert event["SUMMARY"] == f"Zoë, Söhne; & Co: The invitation of {row.label} ends"
    assert event.decoded("DTSTART") == row.due_at.replace(microsecond=0)
    assert event["UID"] == f"invited-{row.subject_id}@localhost"


def test_a_parser_takes_a_calendar_in_which_nothing_ends(database):
    found = Calendar.from_ical(read(database, made(persona(database))).data)
    assert found.walk("VEVENT") == []
    assert len(found.subcomponents) == 1
