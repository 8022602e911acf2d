"""What decides how the statement of a page of clients is written: each is made once."""

from typing import NamedTuple

from sqlalchemy import Uuid, bindparam

from portal.clients.listing import Listing, SeatsLeft, Sort
from portal.domain.access import Scope
from portal.domain.names import name_ci
from portal.domain.paging import Cursor
from portal.providers.stuck import Bound
from portal.providers.waiting import Wanted

_PROVIDER, _PERSON = bindparam("provider_id", type_=Uuid()), bindparam("person_id", type_=Uuid())
# Stored is what is still to do; people read what is done.
_REVERSED = {Sort.SETUP}


class Shape(NamedTuple):
    """All that changes the words of the statement; the rest of a listing is parameters."""

    sort: Sort
    downwards: bool
    beside: bool
    words: bool
    plan: bool
    status: bool
    tag: bool
    seats_left: SeatsLeft | None
    setup_open: bool
    no_owner: bool
    deviates: bool
    limited: bool
    hiding: bool
    waiting: Wanted | None

    @property
    def is_counted(self) -> bool:
        """Whether the provider's own number of clients says nothing about these."""
        return any(self[3:13])

    @property
    def scope(self) -> Bound:
        """The scope with its ids left open."""
        return Bound(_PROVIDER, _PERSON if self.limited else None, not self.hiding)


def shape_of(
    scope: Scope,
    listing: Listing,
    cursor: Cursor | None,
    waiting: Wanted | None = None,
) -> Shape:
    """The shape of one page; with `waiting` it counts that as well."""
    descending = listing.descending != (listing.sort in _REVERSED)
    return Shape(
        sort=listing.sort,
        # Walking back through an ascending list is walking on through a descending one.
        downwards=descending != (cursor is not None and cursor.backwards),
        beside=cursor is not None,
        words=bool(listing.search and name_ci(listing.search)),
        plan=listing.plan is not None,
        status=listing.status is not None,
        tag=listing.tag is not None,
        seats_left=listing.seats_left,
        setup_open=listing.setup_open,
        no_owner=listing.no_owner,
        deviates=listing.deviates,
        limited=scope.is_limited,
        hiding=not scope.sees_hidden,
        waiting=waiting,
    )
