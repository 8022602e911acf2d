"""One's own account recovery: what it means, being enrolled, and stopping what others asked for."""

import uuid
from typing import Any

from flask import abort, jsonify, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.crypto.fingerprint import fingerprint_phrase
from portal.domain.access import Permission
from portal.domain.account_recovery import Stage
from portal.domain.errors import RuleError
from portal.domain.plans import Feature
from portal.extensions import db
from portal.recovery import enrolment, queries, service, words
from portal.recovery.blueprint import OWN, bp
from portal.recovery.enrolment import RecoveryKey
from portal.recovery.forms import EnrolForm
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.answers import json_errors, wants_json
from portal.web.forms import sentence
from portal.web.fragments import done
from portal.web.paths import own_path
from portal.web.session import no_store

_FEATURE = Feature.ACCOUNT_RECOVERY


@bp.get(OWN)
@requires(Permission.ORGANIZATION_READ, feature=_FEATURE)
def own(organization_id: uuid.UUID) -> Response:
    """What it means, the organization's phrase, and the way in or out."""
    return _page(organization_id)


@bp.post(OWN)
@requires(Permission.ORGANIZATION_READ, feature=_FEATURE)
def enrol(organization_id: uuid.UUID) -> Response:
    """Keep the key that the member's browser wrapped."""
    form = EnrolForm()
    try:
        form.validate()
        enrolment.enrol(
            db.session(),
            actor(),
            organization_id,
            RecoveryKey(form.wrapped_user_key.data or "", form.organization_public_key.data or ""),
        )
    except RuleError as error:
        return _refused(organization_id, error)
    saved = notices.add(_("You are enrolled in account recovery."))
    db.session.commit()
    here = url_for("recovery.own", organization_id=organization_id)
    after = own_path(request.form.get("next"), here)
    if wants_json():
        mark = "&" if "?" in after else "?"
        return no_store(jsonify({"next": f"{after}{mark}saved={saved}"}))
    return done(after, saved)


@bp.post(f"{OWN}/withdraw")
@requires(Permission.ORGANIZATION_READ, feature=_FEATURE)
def withdraw(organization_id: uuid.UUID) -> Response:
    """Drop the key again."""
    try:
        enrolment.withdraw(db.session(), actor(), organization_id)
    except RuleError as error:
        return _refused(organization_id, error)
    saved = notices.add(_("You are no longer enrolled in account recovery."))
    db.session.commit()
    return done(url_for("recovery.own", organization_id=organization_id), saved)


@bp.post(f"{OWN}/stop")
@requires(Permission.ORGANIZATION_READ, feature=_FEATURE)
def stop(organization_id: uuid.UUID) -> Response:
    """The member stops a recovery of their own account."""
    try:
        service.stop_own(db.session(), actor(), organization_id)
    except RuleError as error:
        return _refused(organization_id, error)
    saved = notices.add(_("The recovery of your account is stopped."))
    db.session.commit()
    return done(url_for("recovery.own", organization_id=organization_id), saved)


def _refused(organization_id: uuid.UUID, error: RuleError) -> Response:
    db.session.rollback()
    text = sentence(error.text)
    if wants_json():
        return json_errors({"": text}, 422)
    return _page(organization_id, text, 409)


def _page(organization_id: uuid.UUID, refused: str = "", status: int = 200) -> Response:
    session = db.session()
    member = queries.member_of(session, organization_id, actor().account_id)
    if member is None and not actor().via_provider:
        abort(404)
    policy = queries.policy(session, organization_id)
    found: Any = queries.open_request(session, organization_id, member.id) if member else None
    phrase = ""
    if member and member.organization_public_key:
        phrase = fingerprint_phrase(str(organization_id), member.organization_public_key)
    running = words.row_of(found) if found else None
    body = render_template(
        "recovery/own.html",
        member=member,
        is_enrolled=bool(member and queries.is_current(member)),
        was_enrolled=bool(member and member.enrolled_at),
        policy=policy,
        phrase=phrase,
        running=running if running and running.stage is not Stage.EXPIRED else None,
        url=url_for("recovery.own", organization_id=organization_id),
        next=own_path(request.values.get("next"), ""),
        back_url=url_for("collections.index", organization_id=organization_id),
        refused=refused,
    )
    return make_response(body, status)
