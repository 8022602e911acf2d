"""Ending a live session of somebody of the provider, where no grant can be ended."""

import uuid

from flask import make_response, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.limits import limited
from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.domain.provider_access import AccessMode
from portal.extensions import db
from portal.grants import queries, sessions
from portal.grants.blueprint import ALL, bp, end_of
from portal.web import fragments, notices
from portal.web.access import actor, requires


def _myself() -> str:
    return str(current_user.account_id)


# Somebody who signs the provider out again and again means "Never".
ENDING = (("30 per hour", _myself),)


@bp.get(f"{ALL}/sessions/<uuid:visit>/end")
@requires(Permission.PROVIDER_ACCESS_DECIDE)
def end_session(organization_id: uuid.UUID, visit: uuid.UUID) -> AnyResponse:
    """What ending it means; one that is over, or never was in here, leads back."""
    found = sessions.find(db.session(), organization_id, visit)
    back_url = url_for("grants.index", organization_id=organization_id)
    if found is None or queries.mode(db.session(), organization_id) is not AccessMode.ALWAYS:
        return fragments.done(back_url)
    here = end_of(organization_id, visit)
    page = render_template("grants/end_session.html", name=found.name, here=here, back_url=back_url)
    return make_response(page)


@bp.post(f"{ALL}/sessions/<uuid:visit>/end")
@requires(Permission.PROVIDER_ACCESS_DECIDE)
@limited(ENDING)
def end_session_submit(organization_id: uuid.UUID, visit: uuid.UUID) -> AnyResponse:
    """Sign the browser out."""
    try:
        name = sessions.end(db.session(), actor(), organization_id, visit)
        told = _("%(person)s is signed out.", person=name)
    except RuleError:
        db.session.rollback()
        told = _("That session is over already.")
    saved = notices.add(told)
    db.session.commit()
    return fragments.done(url_for("grants.index", organization_id=organization_id), saved)
