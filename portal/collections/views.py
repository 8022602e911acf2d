"""The collections of an organization: the list, and a new one."""

import uuid
from typing import Any

from flask import Response, abort, g, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.collections import (
    collection_views,
    many_views,
    queries,
    service,
    settings_views,
    starter_views,
)
from portal.collections.blueprint import (
    ALL,
    AT_ONCE,
    bp,
    keeper,
    levels,
    line,
    offered,
    shares,
    unassigned,
    words,
)
from portal.collections.forms import CollectionForm
from portal.domain.access import Permission
from portal.domain.collection_rules import Keeper
from portal.domain.errors import RuleError
from portal.domain.plans import Feature
from portal.extensions import db
from portal.organizations.key_rings import Opening, opening_of
from portal.organizations.messages import message
from portal.organizations.queries import setup_facts
from portal.organizations.setup import SetupView, setup_view
from portal.web import fragments, notices
from portal.web.access import actor, can, requires

ONLY_DEFAULT = 1


@bp.get(ALL)
@requires(Permission.ORGANIZATION_READ)
def index(organization_id: uuid.UUID) -> Response:
    """The list in the order of creation; the browser that can read the names makes the tree."""
    opening, by = opening_of(db.session(), actor()), keeper(organization_id)
    found = queries.listed(
        db.session(), organization_id, actor().account_id, everything=by.sees_all
    )
    rows = [line(by, row) for row in found[: queries.LIMIT]]
    return fragments.respond(
        "collections/index.html",
        "collections/_table.html",
        url=url_for("collections.index", organization_id=organization_id),
        rows=rows,
        limit=queries.LIMIT if len(found) > queries.LIMIT else 0,
        at_once=AT_ONCE,
        unassigned=unassigned(by),
        has_keys=queries.has_keys(db.session(), organization_id),
        may_create=by.may_create,
        manages=any(row.may_manage or row.may_delete for row in rows),
        begins=len(rows) <= ONLY_DEFAULT and can(Permission.COLLECTIONS_CREATE),
        key_ring=opening.ring,
        recovery_url=_recovery_url(organization_id),
        opening=opening,
        message=message(organization_id),
        setup=_setup(organization_id),
    )


def _recovery_url(organization_id: uuid.UUID) -> str:
    """A member's own account recovery; empty for others, and on a plan without it."""
    if actor().via_provider or not g.plan.has(Feature.ACCOUNT_RECOVERY):
        return ""
    return url_for("recovery.own", organization_id=organization_id)


def _setup(organization_id: uuid.UUID) -> SetupView | None:
    """The steps for whoever may act on them."""
    if not can(Permission.MEMBERS_READ):
        return None
    found = setup_facts(db.session(), organization_id)
    if found is None:
        abort(404)
    return setup_view(organization_id, *found, can=can)


@bp.get(f"{ALL}/new")
@requires(Permission.COLLECTIONS_OWN)
def new(organization_id: uuid.UUID) -> Response:
    """A collection, to be named and shared."""
    by, opening = _maker(organization_id), opening_of(db.session(), actor())
    return _form_page(CollectionForm(), organization_id, by, opening)


@bp.post(f"{ALL}/new")
@requires(Permission.COLLECTIONS_OWN)
def create(organization_id: uuid.UUID) -> AnyResponse:
    """Make it, and go to its page."""
    by, form = _maker(organization_id), CollectionForm()
    try:
        with db.session().begin_nested():
            made = service.create(db.session(), actor(), by, organization_id, form.wanted())
            service.share(db.session(), actor(), by, made, shares(), made.version)
    except RuleError as error:
        form.blame(error)
        opening = opening_of(db.session(), actor())
        return _form_page(form, organization_id, by, opening, 422)
    saved = notices.add(_("The collection is there now."))
    db.session.commit()
    here = {"organization_id": organization_id, "collection_id": made.id}
    return fragments.done(url_for("collections.collection", **here), saved)


def _maker(organization_id: uuid.UUID) -> Keeper:
    by = keeper(organization_id)
    if not by.may_create:
        abort(403)
    return by


def _form_page(
    form: CollectionForm,
    organization_id: uuid.UUID,
    by: Keeper,
    opening: Opening,
    status: int = 200,
) -> Response:
    found = opening.ring.organization
    form["key_version"].data = found.version if found else ""
    given: dict[str, Any] = {
        f"{kind}-{each}": level.value if level else ""
        for kind, chosen in (("group", shares().groups), ("member", shares().members))
        for each, level in chosen.items()
    }
    body = render_template(
        "collections/new.html",
        form=form,
        opening=opening,
        key_ring=opening.ring,
        has_keys=queries.has_keys(db.session(), organization_id),
        may_share=can(Permission.COLLECTIONS_MANAGE),
        needs_manager=by.via_provider and not by.settings.admins_reach_all,
        offered=offered(organization_id, None) if can(Permission.COLLECTIONS_MANAGE) else [],
        given=given,
        levels=levels(),
        words=words(),
        back_url=url_for("collections.index", organization_id=organization_id),
    )
    return Response(body, status, mimetype="text/html")


# The other pages register themselves on `bp`.
__all__ = ["bp", "collection_views", "many_views", "settings_views", "starter_views"]
