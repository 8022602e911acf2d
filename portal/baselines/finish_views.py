"""Finish in the browser: a client's collections that a baseline asks for, sealed and made."""

import uuid

from flask import Response, render_template, request, url_for
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from portal.baselines import finish
from portal.baselines.blueprint import bp
from portal.baselines.finish import Waiting
from portal.collections import queries as collections
from portal.collections.blueprint import keeper
from portal.crypto.envelope import looks_sealed
from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.extensions import db
from portal.organizations.key_rings import opening_of
from portal.web import fragments, notices
from portal.web.access import actor, requires
from portal.web.formats import number
from portal.web.forms import sentence

PAGE = "/organizations/<uuid:organization_id>/collections/of-the-baseline"


@bp.get(PAGE, endpoint="finish")
@requires(Permission.COLLECTIONS_CREATE)
def finish_page(organization_id: uuid.UUID) -> Response:
    """The names of what waits, to be sealed here."""
    return _page(organization_id, _waiting(organization_id))


@bp.post(PAGE, endpoint="finish_submit")
@requires(Permission.COLLECTIONS_CREATE)
def finish_submit(organization_id: uuid.UUID) -> AnyResponse:
    """Make them, all or none."""
    found = _waiting(organization_id)
    if found is None:
        return _page(organization_id, None, status=409)
    try:
        made = finish.make(
            db.session(),
            actor(),
            keeper(organization_id),
            organization_id,
            found,
            _sealed(found),
            request.form.get("key_version", ""),
        )
    except RuleError as error:
        db.session.rollback()
        status = 409 if isinstance(error, finish.Changed) else 422
        return _page(organization_id, _waiting(organization_id), sentence(error.text), status)
    text = ngettext(
        "%(count)s collection is there now.",
        "%(count)s collections are there now.",
        made,
        count=number(made),
    )
    saved = notices.add(text)
    db.session.commit()
    return fragments.done(url_for("collections.index", organization_id=organization_id), saved)


def _waiting(organization_id: uuid.UUID) -> Waiting | None:
    return finish.waiting(db.session(), actor().provider_id, organization_id)


def _sealed(found: Waiting) -> dict[str, str]:
    """What came, by external id; a place of the page names its own, so that none is mixed up."""
    form, sealed = request.form, {}
    for at in range(len(form)):
        external_id, name = form.get(f"for-{at}"), form.get(f"collection-{at}", "")
        if external_id is None:
            break
        if name:
            sealed[external_id] = name
    return sealed


def _page(
    organization_id: uuid.UUID, found: Waiting | None, problem: str = "", status: int = 200
) -> Response:
    opening = opening_of(db.session(), actor())
    key = opening.ring.organization
    names = sorted(found.names.items()) if found else []
    body = render_template(
        "baselines/finish.html",
        baseline=found.baseline if found else "",
        rows=[
            {"at": at, "external_id": external_id, "name": name, "sealed": _kept(external_id)}
            for at, (external_id, name) in enumerate(names)
        ],
        key_version=key.version if key else "",
        problem=problem,
        opening=opening,
        key_ring=opening.ring,
        has_keys=collections.has_keys(db.session(), organization_id),
        back_url=url_for("collections.index", organization_id=organization_id),
    )
    return Response(body, status, mimetype="text/html")


def _kept(external_id: str) -> str:
    """What came back sealed; clear text is not sent back."""
    form = request.form
    for at in range(len(form)):
        if form.get(f"for-{at}") == external_id:
            sealed = form.get(f"collection-{at}", "")
            return sealed if looks_sealed(sealed, 2) else ""
    return ""
