"""Recoveries of one's own account, in whatever organization: looked at and stopped.

It needs no place in the organization any more: somebody whose access was revoked can stop it, too.
"""

import uuid

from flask import make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.domain.errors import RuleError
from portal.extensions import db
from portal.recovery import queries, service, words
from portal.recovery.blueprint import bp
from portal.web import notices
from portal.web.access import signed_in
from portal.web.forms import sentence
from portal.web.fragments import done
from portal.web.logs import trace
from portal.web.paths import own_path
from portal.web.session import no_store


@bp.get("/profile/account-recovery")
@signed_in
def mine() -> Response:
    """What is open for the person's account, each with the button that stops it."""
    return _page()


@bp.post("/profile/account-recovery")
@signed_in
def stop_mine() -> Response:
    """Stop one of them."""
    try:
        organization_id = uuid.UUID(request.form.get("organization", ""))
    except ValueError:
        organization_id = uuid.UUID(int=0)
    try:
        service.stop_mine(db.session(), current_user.account_id, organization_id, trace=trace())
    except RuleError as error:
        db.session.rollback()
        return _page(sentence(error.text), 409)
    saved = notices.add(_("The recovery of your account is stopped."))
    db.session.commit()
    return done(
        url_for("recovery.mine", next=own_path(request.form.get("next"), "") or None), saved
    )


def _page(refused: str = "", status: int = 200) -> Response:
    found = queries.open_for(db.session(), current_user.account_id)
    rows = [(words.row_of(row), row.organization, row.organization_id) for row in found]
    body = render_template(
        "recovery/mine.html",
        rows=[(row, name, key) for row, name, key in rows if row.is_open],
        refused=refused,
        next=own_path(request.values.get("next"), ""),
        url=url_for("recovery.mine"),
        profile_url=url_for("accounts.profile"),
    )
    return no_store(make_response(body, status))
