"""Leaving a provider of one's own accord."""

import uuid

from flask import make_response, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.freshness import fresh
from portal.domain.access import Permission, Role
from portal.domain.errors import RuleError
from portal.domain.staff import LAST_ADMIN
from portal.extensions import db
from portal.providers import queries, staff
from portal.providers.blueprint import bp
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.forms import sentence
from portal.web.fragments import done


@bp.get("/providers/<uuid:provider_id>/leave")
@requires(Permission.CLIENTS_READ)
@fresh
def leave(provider_id: uuid.UUID) -> AnyResponse:
    """What leaving means; the last admin reads what comes first."""
    is_admin = actor().role is Role.PROVIDER_ADMIN
    is_last = is_admin and queries.count_admins(db.session(), provider_id) == 1
    return _page(provider_id, sentence(RuleError(LAST_ADMIN).text) if is_last else "")


@bp.post("/providers/<uuid:provider_id>/leave")
@requires(Permission.CLIENTS_READ)
@fresh
def leave_submit(provider_id: uuid.UUID) -> AnyResponse:
    """Give the place up, and go on with what else one has."""
    name = current_user.place.provider_name
    try:
        staff.leave(db.session(), actor())
    except RuleError as error:
        db.session.rollback()
        return _page(provider_id, sentence(error.text), 409)
    saved = notices.add(_("You have left %(provider)s.", provider=name))
    db.session.commit()
    return done(url_for("accounts.home"), saved)


def _page(provider_id: uuid.UUID, refused: str, status: int = 200) -> AnyResponse:
    place = current_user.place
    body = render_template(
        "providers/leave.html", provider_id=provider_id, place=place, refused=refused
    )
    return make_response(body, status)
