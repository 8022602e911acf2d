"""One page of the Clients table: as it is looked at, and as it is shown again after a mistake."""

import uuid
from typing import Any

from flask import Response, current_app, url_for
from flask_login import current_user

from portal.clients import mark_queries, queries, table
from portal.clients.listing import Listing
from portal.clients.mark_queries import Marks
from portal.clients.table_parts import Asked, Table
from portal.domain.paging import Cursor, Page
from portal.extensions import db
from portal.web.access import actor
from portal.web.fragments import respond
from portal.web.paging import CursorSigner, signer

PAGE, FRAGMENT = "clients/index.html", "clients/_table.html"


def marks_of(provider_id: uuid.UUID) -> Marks:
    """The provider's tags, and the saved views that the person sees."""
    return mark_queries.marks(db.session(), provider_id, actor().account_id)


def rows_at(listing: Listing, at: str, counted: Any = None) -> Page[Any] | None:
    """The rows from the cursor `at` on; None if it leads nowhere."""
    cursor = _signer().read(at, sort=listing.sort, descending=listing.descending)
    page = first_rows(listing, counted, cursor) if cursor else None
    return page if page and page.rows else None


def first_rows(listing: Listing, counted: Any = None, cursor: Cursor | None = None) -> Page[Any]:
    """The rows from the first one on. `counted` is what the frame counts, asked along."""
    return queries.clients_page(db.session(), actor().scope, listing, cursor, counted)


def shown(page: Page[Any], listing: Listing, marks: Marks, **more: Any) -> Table:
    """What the template shows of `page`; `more` as `table.build` has it."""
    return table.build(
        page,
        listing,
        marks=marks,
        total=current_user.place.clients_count if actor().scope.is_whole else None,
        write_cursor=_signer().write,
        **more,
    )


def again(provider_id: uuid.UUID, listing: Listing, at: str, asked: Asked) -> Response:
    """The page of the table that a refused change was sent from; the first if that is gone."""
    marks = marks_of(provider_id)
    listing = marks.known(listing)
    page = rows_at(listing, at) if at else None
    if page is None:
        at, page = "", first_rows(listing)
    url = url_for("clients.index", provider_id=provider_id)
    return respond(
        PAGE,
        FRAGMENT,
        status=422,
        table=shown(page, listing, marks, url=url, at=at, asked=asked),
        provider_id=provider_id,
        is_limited=actor().scope.is_limited,
    )


def _signer() -> CursorSigner:
    return signer(current_app.extensions["settings"].secret_keys, "clients")
