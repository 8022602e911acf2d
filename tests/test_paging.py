"""Pages by cursors: nothing is shown twice or left out, however the list changes meanwhile."""

import uuid
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from portal.clients.listing import Listing, Sort
from portal.clients.queries import clients_page
from portal.domain.access import Scope
from portal.domain.paging import Cursor
from portal.domain.plans import Plan
from portal.models import Organization
from portal.web.paging import CursorSigner
from tests.support.clients import make_provider, organization

KEYS = ("the newest key of all the keys there are", "an older key that still has to verify")
HERE = Cursor("name", False, "acme_%é", uuid.uuid4(), backwards=True)

# Few values, so that many rows are equal in the column that they are sorted by.
ROWS = st.tuples(
    st.sampled_from(["Acme", "acme", "Ácme", "Beta", "beta 10", "Zoé", "Ötzi", "a%b"]),
    st.integers(1, 3),
    st.integers(0, 3),
    st.sampled_from(list(Plan)),
    st.integers(0, 4),
)
CHANGES = st.lists(
    st.one_of(st.tuples(st.just("add"), ROWS), st.tuples(st.just("remove"), st.integers(0, 30))),
    max_size=3,
)


def row(provider, values):
    name, seats, used, plan, done = values
    return organization(
        provider.id,
        name,
        seats=seats,
        seats_used=min(seats, used),
        plan=plan,
        setup_done=done,
    )


class Changing:
    """A list that changes between the looks at it; knows what was there all the time."""

    def __init__(self, session, provider, first):
        self.session, self.provider = session, provider
        self.there = [row(provider, values) for values in first]
        session.add_all(self.there)
        session.flush()
        self.stable = {client.id.hex for client in self.there}

    def change(self, changes):
        for kind, what in changes:
            if kind == "add":
                self.there.append(row(self.provider, what))
                self.session.add(self.there[-1])
            elif self.there:
                gone = self.there.pop(what % len(self.there))
                self.stable.discard(gone.id.hex)
                self.session.flush()
                self.session.execute(delete(Organization).where(Organization.id == gone.id))
                self.session.expunge(gone)
            self.session.flush()

    def walk(self, listing, changes, *, start=None, way="next"):
        """The ids page by page, with one change after each; and the last page."""
        seen, cursor = [], start
        while True:
            page = clients_page(self.session, Scope(self.provider.id), listing, cursor)
            assert len(page.rows) <= listing.size
            ids = [found.hex for found in page.rows]
            seen = seen + ids if way == "next" else ids + seen
            cursor = getattr(page, way)
            if cursor is None:
                return seen, page
            self.change(changes.pop() if changes else [])


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", list(Sort))
def test_every_row_that_stays_is_shown_once_in_both_directions(database, sort, descending):
    listing = Listing(sort=sort, descending=descending)
    provider = make_provider(database)

    @settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(ROWS, max_size=14), st.lists(CHANGES, max_size=12), st.integers(1, 5))
    def pages_are_right(first, changes, size):
        with database.session() as session, session.begin_nested() as attempt:
            clients = Changing(session, provider, first)
            shown, last = clients.walk(replace(listing, size=size), list(changes))
            assert len(shown) == len(set(shown))
            assert clients.stable <= set(shown)
            if last.rows:
                back = replace(listing, size=size)
                end = last.previous
                before = {found.hex for found in last.rows}
                clients.stable -= before
                if end:
                    again, _ = clients.walk(back, list(changes), start=end, way="previous")
                    assert len(again) == len(set(again))
                    assert clients.stable <= set(again)
            attempt.rollback()
            session.expunge_all()

    pages_are_right()


@pytest.mark.parametrize("sort", list(Sort))
def test_down_is_up_turned_round(database, sort):
    provider = make_provider(database)
    for number in range(9):
        database.add(row(provider, (f"Client {number % 4}", 1 + number % 3, 1, Plan.TEAMS, 2)))
    with database.session() as session:
        up = clients_page(session, Scope(provider.id), Listing(sort=sort), None)
        down = clients_page(session, Scope(provider.id), Listing(sort=sort, descending=True), None)
    assert [found.hex for found in up.rows] == [found.hex for found in down.rows][::-1]
    assert (up.previous, up.next) == (None, None)


def test_a_cursor_comes_back_as_it_went():
    signer = CursorSigner(KEYS, "clients")
    assert signer.read(signer.write(HERE), sort="name", descending=False) == HERE


@pytest.mark.parametrize(
    "text",
    ["", "x", "WyJuYW1lIl0.AAAA", "☃", "a.b.c", CursorSigner(KEYS, "members").write(HERE)],
)
def test_a_cursor_that_is_not_ours_is_none(text):
    assert CursorSigner(KEYS, "clients").read(text, sort="name", descending=False) is None


def test_a_changed_cursor_is_none():
    signer = CursorSigner(KEYS, "clients")
    good = signer.write(HERE)
    for position, sign in enumerate(good[:-1]):
        changed = good[:position] + ("A" if sign != "A" else "B") + good[position + 1 :]
        assert signer.read(changed, sort="name", descending=False) is None


@pytest.mark.parametrize(("sort", "descending"), [("used", False), ("name", True)])
def test_a_cursor_of_another_order_is_none(sort, descending):
    signer = CursorSigner(KEYS, "clients")
    assert signer.read(signer.write(HERE), sort=sort, descending=descending) is None


def test_a_cursor_signed_with_an_older_key_still_reads():
    old = CursorSigner(KEYS[1:], "clients").write(HERE)
    assert CursorSigner(KEYS, "clients").read(old, sort="name", descending=False) == HERE
