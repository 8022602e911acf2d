"""One collection: who reaches it, its name, and its end."""

import uuid
from typing import Any

from flask import Response, abort, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.collections import queries, service
from portal.collections.blueprint import (
    ONE,
    after,
    bp,
    find,
    group,
    keeper,
    levels,
    line,
    managed,
    offered,
    person,
    shares,
    words,
)
from portal.collections.forms import CollectionForm
from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.extensions import db
from portal.organizations.key_rings import opening_of, ring_of
from portal.web import fragments, notices
from portal.web.access import actor, requires
from portal.web.forms import sentence


def _holders(row: Any) -> dict[str, Any]:
    """One page of those who are assigned."""
    groups, members = queries.holders(db.session(), row.organization_id, row.id, after())
    shown = members[: queries.HOLDERS]
    more = len(members) > queries.HOLDERS
    return {
        "holders": [*map(group, groups), *map(person, shown)],
        "first": after() is None,
        "next": shown[-1].id if more else None,
        "level_names": dict(levels()),
    }


@bp.get(ONE)
@requires(Permission.ORGANIZATION_READ)
def collection(organization_id: uuid.UUID, collection_id: uuid.UUID) -> AnyResponse:
    """What it is and who reaches it; its menu for whoever asks for that alone."""
    by = keeper(organization_id)
    row = find(organization_id, collection_id, by)
    seen = line(by, row)
    if fragments.wants("collections/_menu.html"):
        return fragments.piece("collections/_menu.html", line=seen)
    may_look = seen.may_manage or by.sees_all
    return Response(
        render_template(
            "collections/collection.html",
            line=seen,
            key_ring=ring_of(db.session(), actor()),
            back_url=url_for("collections.index", organization_id=organization_id),
            **(_holders(row) if may_look else {"holders": None}),
        ),
        mimetype="text/html",
    )


@bp.get(f"{ONE}/name")
@requires(Permission.COLLECTIONS_OWN)
def name(organization_id: uuid.UUID, collection_id: uuid.UUID) -> Response:
    """Name and external id, to be changed."""
    _by, row, seen = managed(organization_id, collection_id)
    form = CollectionForm(
        data={
            "sealed_name": row.sealed_name or "",
            "external_id": row.external_id,
            "version": row.version,
        }
    )
    return _name_page(form, seen)


@bp.post(f"{ONE}/name")
@requires(Permission.COLLECTIONS_OWN)
def save_name(organization_id: uuid.UUID, collection_id: uuid.UUID) -> AnyResponse:
    """Store them; refused if somebody else was faster."""
    _by, row, seen = managed(organization_id, collection_id)
    form = CollectionForm()
    try:
        service.rename(db.session(), actor(), row, form.wanted(), form.seen)
    except RuleError as error:
        form.blame(error)
        form["version"].data = str(row.version)
        return _name_page(form, seen, 409 if isinstance(error, service.Changed) else 422)
    saved = notices.add(_("The collection is saved."))
    db.session.commit()
    return fragments.done(seen.url, saved)


def _name_page(form: CollectionForm, seen: Any, status: int = 200) -> Response:
    opening = opening_of(db.session(), actor())
    found = opening.ring.organization
    form["key_version"].data = found.version if found else ""
    body = render_template(
        "collections/name.html",
        form=form,
        line=seen,
        opening=opening,
        key_ring=opening.ring,
        has_keys=seen.sealed_name is not None,
    )
    return Response(body, status, mimetype="text/html")


@bp.get(f"{ONE}/access")
@requires(Permission.COLLECTIONS_OWN)
def access(organization_id: uuid.UUID, collection_id: uuid.UUID) -> Response:
    """A level for each group and member who reaches it, and for those who could."""
    _by, row, seen = managed(organization_id, collection_id)
    return _access_page(row, seen)


@bp.post(f"{ONE}/access")
@requires(Permission.COLLECTIONS_OWN)
def save_access(organization_id: uuid.UUID, collection_id: uuid.UUID) -> AnyResponse:
    """Give and take what was chosen; whoever is not on the page keeps what they have."""
    by, row, seen = managed(organization_id, collection_id)
    form = CollectionForm()
    try:
        changed = service.share(db.session(), actor(), by, row, shares(), form.seen)
    except RuleError as error:
        form.blame(error)
        status = 409 if isinstance(error, service.Changed) else 422
        return _access_page(row, seen, form, status)
    saved = notices.add(_("Who reaches the collection is saved.")) if changed else ""
    db.session.commit()
    return fragments.done(seen.url, saved)


def _access_page(
    row: Any, seen: Any, form: CollectionForm | None = None, status: int = 200
) -> Response:
    chosen = shares()
    body = render_template(
        "collections/access.html",
        line=seen,
        problems=form.form_errors if form else [],
        version=row.version,
        key_ring=ring_of(db.session(), actor()),
        offered=offered(row.organization_id, row.id),
        given={
            f"{kind}-{each}": level.value if level else "none"
            for kind, some in (("group", chosen.groups), ("member", chosen.members))
            for each, level in some.items()
        },
        levels=levels(),
        words=words(),
        **_holders(row),
    )
    return Response(body, status, mimetype="text/html")


@bp.get(f"{ONE}/delete")
@requires(Permission.COLLECTIONS_OWN)
def delete(organization_id: uuid.UUID, collection_id: uuid.UUID) -> str:
    """Who loses what with it."""
    row, seen = _deletable(organization_id, collection_id)
    return _delete_page(row, seen)


@bp.post(f"{ONE}/delete")
@requires(Permission.COLLECTIONS_OWN)
def delete_submit(organization_id: uuid.UUID, collection_id: uuid.UUID) -> AnyResponse:
    """Delete it."""
    row, seen = _deletable(organization_id, collection_id)
    try:
        service.remove(db.session(), actor(), row)
    except RuleError as error:
        return Response(_delete_page(row, seen, error), 422, mimetype="text/html")
    saved = notices.add(_("The collection is deleted."))
    db.session.commit()
    return fragments.done(url_for("collections.index", organization_id=organization_id), saved)


def _deletable(organization_id: uuid.UUID, collection_id: uuid.UUID) -> tuple[Any, Any]:
    by = keeper(organization_id)
    row = find(organization_id, collection_id, by)
    seen = line(by, row)
    if not seen.may_delete:
        abort(403)
    return row, seen


def _delete_page(row: Any, seen: Any, error: RuleError | None = None) -> str:
    return render_template(
        "collections/delete.html",
        rows=[row],
        problem=sentence(error.text) if error else "",
        action=f"{seen.url}/delete",
        key_ring=ring_of(db.session(), actor()),
        back_url=seen.url,
    )
