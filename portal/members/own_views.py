"""One's own place in an organization, and giving it up."""

import uuid

from flask import abort, make_response, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.accounts.freshness import fresh
from portal.domain.access import Permission
from portal.domain.errors import N_, RuleError
from portal.domain.membership import LAST_OWNER
from portal.extensions import db
from portal.members import changes, queries
from portal.members.blueprint import bp
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.forms import sentence
from portal.web.fragments import done

NO_MEMBER = N_("You are no member here: you came by way of your provider.")
LEAVE = "/organizations/<uuid:organization_id>/leave"


@bp.get(LEAVE)
@requires(Permission.ORGANIZATION_READ)
@fresh
def leave(organization_id: uuid.UUID) -> Response:
    """What leaving means; the last owner reads what comes first."""
    if actor().via_provider:
        return _page(organization_id, sentence(RuleError(NO_MEMBER).text))
    member = queries.find_own(db.session(), organization_id, actor().account_id)
    if member is None:
        abort(404)
    held = changes.look(db.session(), organization_id)
    is_last = changes.standing_of(member, actor(), held).is_last_owner
    return _page(organization_id, sentence(RuleError(LAST_OWNER).text) if is_last else "")


@bp.post(LEAVE)
@requires(Permission.ORGANIZATION_READ)
@fresh
def leave_submit(organization_id: uuid.UUID) -> Response:
    """Give the place up, and go on with what else one has."""
    if actor().via_provider:
        return _page(organization_id, sentence(RuleError(NO_MEMBER).text), 409)
    name = current_user.place.organization_name
    try:
        changes.leave(db.session(), actor(), organization_id)
    except RuleError as error:
        db.session.rollback()
        return _page(organization_id, sentence(error.text), 409)
    saved = notices.add(_("You have left %(organization)s.", organization=name))
    db.session.commit()
    return done(url_for("accounts.home"), saved)


def _page(organization_id: uuid.UUID, refused: str, status: int = 200) -> Response:
    body = render_template(
        "members/leave.html",
        organization_id=organization_id,
        name=current_user.place.organization_name,
        refused=refused,
    )
    return make_response(body, status)
