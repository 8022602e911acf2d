"""The calendar feed: what a program reads in it, and whom its address opens it for."""

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from portal.accounts.sessions import hash_token
from portal.domain.attention import AttentionKind
from portal.domain.icalendar import fold, text
from portal.domain.scope import Level, Reach
from portal.domain.states import ProviderPersonState
from portal.models import (
    Account,
    Attention,
    AuthSession,
    ClientAccess,
    ProviderPerson,
    RateLimit,
    utc_now,
)
from portal.web.logs import configure_logs
from tests.support.browsing import Browser
from tests.support.clients import make_provider, persona
from tests.support.eventlog import all_told
from tests.support.radar import client_of, ends, limit, many, row_of, technician, url_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


@pytest.fixture
def ada(database):
    return persona(database)


@pytest.fixture
def acme(database, ada):
    return client_of(database, ada)


def made(ada):
    """The path of the address that the page shows once."""
    page = ada.browser.post(url_of(ada, "/calendar"))
    return re.sub(r"^https?://[^/]+", "", page.text("#calendar-address"))


def read(database, path, *, status=200, **headers):
    """What a program gets that knows nothing but the address."""
    answer = Browser(database.app).client.get(path, headers=headers)
    assert answer.status_code == status
    return answer


def events_of(answer):
    """The events as their lines say them: a dictionary each, values unescaped."""
    unfolded = answer.data.decode().replace("\r\n ", "")
    found, event = [], {}
    for line in unfolded.split("\r\n"):
        name, _colon, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            event = {}
        elif line == "END:VEVENT":
            found.append(event)
        else:
            event[name] = re.sub(r"\\(.)", lambda sign: {"n": "\n"}.get(sign[1], sign[1]), value)
    return found


def moment_of(value):
    return dt.datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)


# The format


@given(TEXTS)
def test_folded_lines_are_short_whole_letters_and_come_together_again(value):
    folded = fold(f"SUMMARY:{text(value)}")
    assert folded.endswith(b"\r\n")
    lines = folded[:-2].split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert all(line.startswith(b" ") for line in lines[1:])
    for line in lines:
        line.decode()
    assert folded[:-2].replace(b"\r\n ", b"").decode() == f"SUMMARY:{text(value)}"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a;b,c\\d", "a\\;b\\,c\\\\d"),
        ("one\r\ntwo\nthree\rfour", "one\\ntwo\\nthree\\nfour"),
        ("END:VEVENT\r\nBEGIN:VALARM", "END:VEVENT\\nBEGIN:VALARM"),
        ("bell\x07 null\x00", "bell null"),
        ('"quoted": as it is', '"quoted": as it is'),
    ],
)
def test_signs_that_mean_something_are_escaped(value, written):
    assert text(value) == written


def test_every_line_ends_as_the_format_wants_it(ada, acme, database):
    ends(database, ada.provider, acme, label=f"{'é' * 200}@acme.example")
    body = read(database, made(ada)).data
    assert body.endswith(b"END:VCALENDAR\r\n")
    assert body.count(b"\n") == body.count(b"\r\n") == body.count(b"\r")
    assert max(map(len, body.split(b"\r\n"))) <= 75


def test_a_calendar_in_which_nothing_ends_is_still_one(ada, database):
    answer = read(database, made(ada))
    assert answer.content_type == "text/calendar; charset=utf-8"
    lines = answer.data.decode().split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert "BEGIN:VEVENT" not in lines
    assert "BEGIN:VTIMEZONE" in lines, "section 3.6: at least one component"


# What it says


def test_an_event_says_what_ends_whose_when_and_where_to_go(ada, acme, database):
    due = dt.datetime(2031, 3, 30, 1, 30, tzinfo=dt.UTC)
    row = ends(database, ada.provider, acme, due_at=due)
    (event,) = events_of(read(database, made(ada)))
    assert event["SUMMARY"] == "Acme Ltd: The invitation of zoe@acme.example ends"
    assert moment_of(event["DTSTART"]) == due
    assert event["UID"] == f"invited-{row.subject_id}@localhost"
    assert event["URL"] == f"http://localhost/organizations/{acme.id}/members"
    assert event["TRANSP"] == "TRANSPARENT"
    assert abs(moment_of(event["DTSTAMP"]) - utc_now()) < dt.timedelta(minutes=5)


def test_the_same_thing_keeps_its_event_when_it_ends_later(ada, acme, database):
    first = ends(database, ada.provider, acme)
    path = made(ada)
    (before,) = events_of(read(database, path))
    with database.session() as session:
        session.delete(session.get_one(Attention, (first.provider_id, first.id)))
    ends(database, ada.provider, acme, subject_id=first.subject_id, days=8)
    (after,) = events_of(read(database, path))
    assert before["UID"] == after["UID"]
    assert before["DTSTART"] < after["DTSTART"]


def test_it_speaks_the_language_of_its_person_not_of_the_program(ada, acme, database):
    ends(database, ada.provider, acme, AttentionKind.TRIAL)
    path = made(ada)
    database.run(update(Account).values(locale="fr"))
    answer = read(database, path, **{"Accept-Language": "en"})
    (event,) = events_of(answer)
    assert event["SUMMARY"] == "Acme Ltd\u00a0: L\u2019essai prend fin"


def test_it_holds_five_hundred_events_and_forgets_what_is_long_over(
    ada, acme, database, statements
):
    ends(database, ada.provider, acme, days=-8)
    ends(database, ada.provider, acme, days=-6)
    path = made(ada)
    read(database, path)
    statements.clear()
    assert len(events_of(read(database, path))) == 1
    cost = len(statements)
    many(database, ada.provider, acme, 600)
    statements.clear()
    found = events_of(read(database, path))
    assert len(found) == 500
    assert len(statements) == cost


def test_a_program_that_has_it_already_is_told_so(ada, acme, database):
    ends(database, ada.provider, acme)
    path = made(ada)
    first = read(database, path)
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = read(database, path, status=304, **{"If-None-Match": first.headers["ETag"]})
    assert again.data == b""
    packed = {"Accept-Encoding": "gzip, br"}
    etag = read(database, path, **packed).headers["ETag"]
    read(database, path, status=304, **packed, **{"If-None-Match": etag})
    ends(database, ada.provider, acme)
    read(database, path, **{"If-None-Match": first.headers["ETag"]})


# Whom it opens for


def test_the_address_is_shown_once_and_kept_as_a_hash(ada, database):
    page = ada.browser.post(url_of(ada, "/calendar"))
    assert page.response.headers["Cache-Control"] == "no-store"
    token = re.search(r"/calendar/([\w-]{43})\.ics$", page.text("#calendar-address"))[1]
    assert row_of(database, ada).calendar_token_hash == hash_token(token)
    later = ada.browser.get(url_of(ada, "/calendar"))
    assert token not in later.response.text
    assert "Replace the address" in later


def test_a_replaced_address_opens_nothing_and_the_new_one_does(ada, database):
    old, new = made(ada), made(ada)
    assert old != new
    read(database, old, status=404)
    read(database, new)
    kinds = [
        told for told in ("create", "replace") if all_told(database, f"provider:calendar:{told}")
    ]
    assert kinds == ["create", "replace"]


def test_an_address_that_was_switched_off_opens_nothing(ada, database):
    path = made(ada)
    page = ada.browser.get(url_of(ada, "/calendar"))
    answer = ada.browser.submit(page, "Switch off the address")
    assert "switched off" in ada.browser.follow(answer)
    read(database, path, status=404)
    ada.browser.post(url_of(ada, "/calendar/off"), status=303)
    assert len(all_told(database, "provider:calendar:delete")) == 1


def test_nobody_makes_an_address_from_a_session_that_was_left_open(ada, database):
    database.run(update(AuthSession).values(authenticated_at=utc_now() - dt.timedelta(minutes=11)))
    answer = ada.browser.post(url_of(ada, "/calendar"), status=303)
    assert "/reauthenticate" in answer.location
    assert row_of(database, ada).calendar_token_hash is None


@pytest.mark.parametrize(
    "columns",
    [
        {"state": ProviderPersonState.SUSPENDED},
        {"state": ProviderPersonState.ACCEPTED},
        {"access_ends_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)},
        {"reach": Reach.ONLY},
    ],
)
def test_it_is_closed_for_whoever_has_no_part_in_it_any_more(ada, database, columns):
    path = made(ada)
    database.run(update(ProviderPerson).values(**columns))
    read(database, path, status=404)


def test_it_ends_where_the_scope_ends_at_the_moment_it_is_asked(ada, acme, database):
    other = client_of(database, ada, "Beta Ltd")
    tech = technician(database, ada.provider)
    for client in (acme, other):
        ends(database, ada.provider, client)
    ends(database, ada.provider, None, label="new@northwind.example")
    path = made(tech)
    assert len(events_of(read(database, path))) == 2, "the provider's own people are not theirs"
    limit(database, tech, acme, other)
    database.run(
        update(ClientAccess)
        .where(ClientAccess.organization_id == acme.id)
        .values(until_at=utc_now())
    )
    (event,) = events_of(read(database, path))
    assert event["SUMMARY"].startswith("Beta Ltd: ")


def test_who_may_only_read_sees_no_people_of_the_provider(ada, database):
    ends(database, ada.provider, None, label="new@northwind.example", subject_id=ada.account.id)
    path = made(ada)
    assert len(events_of(read(database, path))) == 1
    database.run(update(ProviderPerson).values(level=Level.READ_ONLY))
    assert events_of(read(database, path)) == []


def test_a_token_opens_nothing_at_another_provider(ada, database):
    path = made(ada)
    other = make_provider(database, "Southwind")
    read(database, path.replace(str(ada.provider.id), str(other.id)), status=404)


def test_whoever_is_signed_in_elsewhere_reads_it_as_well(ada, database):
    path = made(ada)
    stranger = persona(database)
    assert stranger.browser.client.get(path).status_code == 200


@pytest.mark.parametrize("token", ["x", "a" * 43, "é", "a" * 5000, "%00"])
def test_a_guess_opens_nothing(ada, database, token):
    made(ada)
    read(database, f"/providers/{ada.provider.id}/calendar/{token}.ics", status=404)


def test_a_program_that_asks_all_the_time_is_told_to_wait(ada, database):
    path = made(ada)
    client = Browser(database.app).client
    answers = [client.get(path).status_code for _ in range(61)]
    assert answers == [200] * 60 + [429]
    assert client.head(path).status_code == 429
    token = path.rpartition("/")[2].removesuffix(".ics")
    keys = database.all(select(RateLimit.key))
    assert keys
    assert not any(token in key for key in keys)


def test_the_token_stands_in_no_log(ada, database, capfd):
    configure_logs("DEBUG")
    try:
        path = made(ada)
        read(database, path)
        read(database, path.replace(".ics", "x.ics"), status=404)
    finally:
        configure_logs("ERROR")
    log = "".join(capfd.readouterr())
    assert '"/providers/<uuid:provider>/calendar/<token>.ics"' in log
    assert path.rpartition("/")[2].removesuffix(".ics") not in log
