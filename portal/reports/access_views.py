"""The member access report: who reaches which collection, and each collection's people."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Response as FlaskResponse
from flask import abort, current_app, g, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.domain.access import Permission
from portal.domain.collection_access import Level
from portal.domain.plans import Feature
from portal.extensions import db
from portal.members.words import way_of, why
from portal.organizations.key_rings import ring_of
from portal.reports import access_queries as queries
from portal.reports.blueprint import ALL, bp
from portal.reports.listing import AccessList
from portal.web import csv, fragments
from portal.web.access import actor, can, requires
from portal.web.paging import signer

COLLECTIONS = 50


def _address(base: str, query: dict[str, str]) -> str:
    return f"{base}?{urlencode(query)}" if query else base


@bp.get(f"{ALL}/access")
@requires(Permission.REPORTS_READ)
def access(organization_id: uuid.UUID) -> Response:
    """Each confirmed member with each collection that they reach, and what gives it."""
    wanted, session = AccessList.read(request.args), db.session()
    url = url_for("reports.access", organization_id=organization_id)
    signs = signer(current_app.extensions["settings"].secret_keys, "member-access")
    text = request.args.get("cursor", "")
    cursor = signs.read(text, sort=queries.SORT, descending=False) if text else None
    page = queries.page(session, organization_id, wanted, cursor)
    ways = queries.ways(session, organization_id, page.rows)

    def beside(place: Any) -> str | None:
        return _address(url, {**wanted.query, "cursor": signs.write(place)}) if place else None

    return fragments.respond(
        "reports/access.html",
        "reports/_access.html",
        organization_id=organization_id,
        url=url,
        wanted=wanted,
        one=_one(organization_id, wanted.collection),
        all_url=_address(url, wanted.but(collection=None).query),
        clear_url=_address(url, wanted.but(words="", level=None, group=None).query),
        rows=[(row, why(row, _groups(ways, row))) for row in page.rows],
        links=can(Permission.MEMBERS_READ),
        levels=[(level.value, _(level.label), level is wanted.level) for level in Level],
        groups=_choices(organization_id, wanted),
        key_ring=ring_of(session, actor()),
        previous_url=beside(page.previous),
        next_url=beside(page.next),
        csv_url=_address(f"{url}.csv", wanted.query),
    )


def _one(organization_id: uuid.UUID, collection_id: uuid.UUID | None) -> Any:
    """The collection that alone is asked for; 404 where there is none."""
    if collection_id is None:
        return None
    found = queries.collection(db.session(), organization_id, collection_id)
    if found is None:
        abort(404)
    return found


def _choices(organization_id: uuid.UUID, wanted: AccessList) -> list[tuple[str, str, bool]]:
    if not g.plan.has(Feature.GROUPS):
        return []
    found = queries.group_names(db.session(), organization_id)
    return [(str(row.id), row.name, row.id == wanted.group) for row in found]


def _groups(ways: queries.Ways, row: Any) -> Sequence[str]:
    return [way_of(way) for way in ways.get((row.id, row.collection_id), ())]


@bp.get(f"{ALL}/access.csv")
@requires(Permission.REPORTS_READ)
def access_csv(organization_id: uuid.UUID) -> FlaskResponse:
    """What the report finds, read while it is sent; collections by their ids."""
    header = [_("E-mail address"), _("Name"), _("Role"), _("External id"), _("Collection id")]
    header += [_("External id of the collection"), _("Permission"), _("Why")]
    lines = _lines(organization_id, AccessList.read(request.args))
    return csv.download("member-access.csv", header, lines)


def _lines(organization_id: uuid.UUID, wanted: AccessList) -> Iterator[tuple[str, ...]]:
    for rows, ways in queries.in_batches(db.session(), organization_id, wanted):
        for row in rows:
            yield (
                row.email,
                row.name or "",
                _(row.role.label),
                row.external_id,
                _("All collections") if row.by_role else str(row.collection_id),
                row.collection_external_id or "",
                _(row.level.label),
                why(row, _groups(ways, row)),
            )


@bp.get(f"{ALL}/collections")
@requires(Permission.REPORTS_READ)
def by_collection(organization_id: uuid.UUID) -> Response:
    """Each collection with how many reach it; its link is the access report of it alone."""
    text, session = request.args.get("after", ""), db.session()
    try:
        after = uuid.UUID(text) if text else None
    except ValueError:
        abort(400)
    found = queries.collections(session, organization_id, after, COLLECTIONS)
    rows = found[:COLLECTIONS]
    url = url_for("reports.by_collection", organization_id=organization_id)
    more = len(found) > COLLECTIONS
    return fragments.respond(
        "reports/collections.html",
        "reports/_collections.html",
        organization_id=organization_id,
        rows=rows,
        key_ring=ring_of(session, actor()),
        first_url=url if after else None,
        next_url=f"{url}?after={rows[-1].id}" if more else None,
        csv_url=f"{url}.csv",
    )


@bp.get(f"{ALL}/collections.csv")
@requires(Permission.REPORTS_READ)
def by_collection_csv(organization_id: uuid.UUID) -> FlaskResponse:
    """All collections as a file."""
    found = queries.collections(db.session(), organization_id, None, None)
    header = [_("Collection id"), _("External id"), _("Groups"), _("Members"), _("Who manage it")]
    lines = [(str(row.id), row.external_id, row.groups, row.members, row.managers) for row in found]
    return csv.download("collection-access.csv", header, lines)
