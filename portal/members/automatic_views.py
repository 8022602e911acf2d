"""Automatic confirmation: the organization's choice, and what an unlocked browser sends."""

import uuid
from dataclasses import asdict

from flask import Response, jsonify, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.freshness import fresh
from portal.crypto.fingerprint import fingerprint_phrase
from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.domain.plans import Feature
from portal.extensions import db
from portal.members import automatic as service
from portal.members import confirmation
from portal.members.blueprint import ALL, bp
from portal.organizations.key_rings import ring_of
from portal.web import fragments, notices
from portal.web.access import actor, requires
from portal.web.formats import number
from portal.web.forms import sentence

PAGE = "/organizations/<uuid:organization_id>/settings/members"
WAITING = f"{ALL}/automatic"
_SETTINGS, _OWN_DOMAINS = Permission.ORGANIZATION_SETTINGS, Feature.CLAIMED_DOMAINS


@bp.get(PAGE)
@requires(_SETTINGS, feature=_OWN_DOMAINS)
def rules(organization_id: uuid.UUID) -> Response:
    """Whether members are confirmed automatically, and what that needs."""
    return _page(organization_id)


@bp.get(f"{PAGE}/on")
@requires(_SETTINGS, feature=_OWN_DOMAINS)
@fresh
def turn_on(organization_id: uuid.UUID) -> AnyResponse:
    """What is given up by it."""
    terms = service.terms_of(db.session(), organization_id)
    back = url_for("members.rules", organization_id=organization_id)
    if terms.is_on or terms.lacking:
        return fragments.done(back)
    page = render_template(
        "members/automatic_on.html", domains=sorted(terms.domains), url=request.path, back_url=back
    )
    return make_response(page)


@bp.post(f"{PAGE}/on")
@requires(_SETTINGS, feature=_OWN_DOMAINS)
@fresh
def turn_on_submit(organization_id: uuid.UUID) -> AnyResponse:
    """Let unlocked browsers confirm from now on."""
    try:
        turned = service.turn(db.session(), actor(), organization_id, on=True)
    except RuleError as error:
        db.session.rollback()
        return _page(organization_id, 409, sentence(error.text))
    saved = notices.add(_("Automatic confirmation is on.")) if turned else ""
    db.session.commit()
    return fragments.done(url_for("members.rules", organization_id=organization_id), saved)


@bp.post(f"{PAGE}/off")
@requires(_SETTINGS, feature=_OWN_DOMAINS)
def turn_off(organization_id: uuid.UUID) -> AnyResponse:
    """Everybody is confirmed by hand again."""
    turned = service.turn(db.session(), actor(), organization_id, on=False)
    saved = notices.add(_("Automatic confirmation is off.")) if turned else ""
    db.session.commit()
    return fragments.done(url_for("members.rules", organization_id=organization_id), saved)


@bp.get(WAITING)
@requires(Permission.MEMBERS_CONFIRM)
def automatic(organization_id: uuid.UUID) -> Response:
    """Whom this browser may confirm now, and the wrapped keys by which it can."""
    session = db.session()
    found = service.waiting(session, organization_id, _after())
    ring = ring_of(session, actor()) if found.members else None
    opens = ring is not None and ring.opens_organization
    answer = jsonify(
        ring=asdict(ring) if ring and opens else None,
        members=[
            {
                "id": row.id,
                "account_id": row.account_id,
                "public_key": row.public_key,
                "phrase": fingerprint_phrase(str(row.account_id), row.public_key),
            }
            for row in found.members
            if opens
        ],
        after=found.after,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post(WAITING)
@requires(Permission.MEMBERS_CONFIRM)
def confirm_automatically(organization_id: uuid.UUID) -> Response:
    """Hand over the key that this browser wrapped, to each who still waits."""
    handed = {
        member: service.Handed(
            request.form.get(f"public_key-{member}", ""),
            request.form.get(f"wrapped_key-{member}", ""),
        )
        for member in _sent()
    }
    version = request.form.get("key_version", "")
    done = service.confirm(db.session(), actor(), organization_id, handed, key_version=version)
    for changed in done.changed:
        confirmation.raise_alarm(db.session(), actor(), changed)
    db.session.commit()
    answer = jsonify(confirmed=done.confirmed, said=_said(done.confirmed))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _said(count: int) -> str:
    if not count:
        return ""
    return str(
        ngettext(
            "%(count)s member was confirmed automatically.",
            "%(count)s members were confirmed automatically.",
            count,
            count=number(count),
        )
    )


def _sent() -> list[uuid.UUID]:
    """The members for whom a key came; what is no id was sent by nobody's browser."""
    found = []
    for name in request.form:
        if name.startswith("wrapped_key-"):
            member = _id(name.removeprefix("wrapped_key-"))
            found += [member] if member else []
    return found[: service.BATCH]


def _after() -> uuid.UUID | None:
    return _id(request.args.get("after", ""))


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _page(organization_id: uuid.UUID, status: int = 200, warning: str = "") -> Response:
    terms = service.terms_of(db.session(), organization_id)
    page = render_template(
        "members/automatic.html",
        is_on=terms.is_on,
        holds=terms.holds,
        lacking=[sentence(told) for told in terms.lacking],
        domains=sorted(terms.domains),
        warning=warning,
        on_url=url_for("members.turn_on", organization_id=organization_id),
        off_url=url_for("members.turn_off", organization_id=organization_id),
    )
    return make_response(page, status)
