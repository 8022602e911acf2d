"""The page on which an unlocked browser recovers an account."""

import uuid
from typing import Any

from flask import abort, jsonify, make_response, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.freshness import fresh
from portal.accounts.limits import PASSWORD_AGAIN, limited
from portal.accounts.passwords import Busy
from portal.accounts.steps import busy
from portal.crypto.kdf import KDF
from portal.domain.access import Permission
from portal.domain.emails import shown
from portal.domain.errors import RuleError
from portal.domain.plans import Feature
from portal.extensions import db
from portal.organizations.key_rings import opening_of
from portal.recovery import carrying_out, queries
from portal.recovery.blueprint import ONE, bp
from portal.recovery.forms import TemporaryPasswordForm
from portal.web.access import actor, requires
from portal.web.answers import json_errors
from portal.web.forms import sentence
from portal.web.session import no_store

bp.register_error_handler(Busy, busy)


@bp.get(f"{ONE}/carry-out")
@requires(Permission.MEMBERS_RECOVER, feature=Feature.ACCOUNT_RECOVERY)
@fresh
def carry_out(organization_id: uuid.UUID, recovery_id: uuid.UUID) -> Response:
    """What happens now; the page carries the keys, wrapped, for these two people alone."""
    here: dict[str, Any] = {"organization_id": organization_id, "recovery_id": recovery_id}
    back_url = url_for("recovery.one", **here)
    if queries.request(db.session(), organization_id, recovery_id) is None:
        abort(404)
    try:
        _found, member = carrying_out.check(db.session(), actor(), organization_id, recovery_id)
    except RuleError as error:
        page = render_template(
            "recovery/not_now.html", refused=sentence(error.text), back_url=back_url
        )
        return no_store(make_response(page, 409))
    opening = opening_of(db.session(), actor())
    body = render_template(
        "recovery/carry_out.html",
        member=member,
        name=member.name or shown(member.email),
        kdf=KDF,
        opening=opening,
        key_ring=opening.ring,
        url=url_for("recovery.carry_out", **here),
        back_url=back_url,
    )
    return no_store(make_response(body))


@bp.post(f"{ONE}/carry-out")
@requires(Permission.MEMBERS_RECOVER, feature=Feature.ACCOUNT_RECOVERY)
@limited(PASSWORD_AGAIN)
@fresh
def carry_out_submit(organization_id: uuid.UUID, recovery_id: uuid.UUID) -> Response:
    """JSON: the temporary master password takes effect, or why not."""
    if queries.request(db.session(), organization_id, recovery_id) is None:
        abort(404)
    # Nothing is locked while the hash is made.
    db.session.rollback()
    form = TemporaryPasswordForm()
    key = form.changed_key() if form.validate() else None
    if key is None:
        text = _("Your browser did not make the keys. Load the page again.")
        return json_errors({"": text}, 422)
    made = carrying_out.temporary(key, form.email.data or "", form.public_key.data or "")
    try:
        carrying_out.carry_out(db.session(), actor(), organization_id, recovery_id, made)
    except RuleError as error:
        db.session.rollback()
        return json_errors({"": sentence(error.text)}, 409)
    db.session.commit()
    return no_store(jsonify({"done": True}))
