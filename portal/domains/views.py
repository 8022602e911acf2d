"""Settings, Domains: which are the organization's own, and how that is proved."""

import datetime as dt
import uuid
from typing import Any

from flask import Response, abort, g, make_response, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.limits import limited
from portal.domain.access import Permission
from portal.domain.emails import shown
from portal.domain.errors import RuleError
from portal.domain.plans import Feature
from portal.domain.policies import PolicyKind
from portal.domains import queries, service
from portal.domains.blueprint import ALL, ONE, bp
from portal.domains.forms import DomainForm
from portal.domains.page import host_of, line_of
from portal.extensions import db
from portal.policies.service import revoked_by
from portal.web import fragments, notices
from portal.web.access import actor, can, requires

__all__ = ["bp"]

PIECE = "domains/_domain.html"
_MANAGE, _OWN = Permission.DOMAINS_MANAGE, Feature.CLAIMED_DOMAINS


def _myself() -> str:
    return str(current_user.account_id)


ADDING = (("60 per hour", _myself),)
# Each asks somebody else's name servers.
CHECKING = (("10 per minute", _myself), ("100 per hour", _myself))


@bp.get(ALL)
@requires(_MANAGE)
def index(organization_id: uuid.UUID) -> str:
    """All of them with their state."""
    rows = queries.domains(db.session(), organization_id)
    return render_template(
        "domains/index.html",
        lines=[line_of(row, _now()) for row in rows],
        new_url=url_for("domains.new", organization_id=organization_id) if _included() else "",
    )


@bp.get(f"{ALL}/new")
@requires(_MANAGE, feature=_OWN)
def new(organization_id: uuid.UUID) -> Response:
    """A domain, to be named; and what comes of verifying it."""
    return _form_page(DomainForm(), organization_id)


@bp.post(f"{ALL}/new")
@requires(_MANAGE, feature=_OWN)
@limited(ADDING)
def add(organization_id: uuid.UUID) -> AnyResponse:
    """Put it in the list, and show the record to publish."""
    form = DomainForm()
    try:
        name = form.wanted()
        domain_id = service.add(db.session(), actor(), organization_id, name)
    except RuleError as error:
        db.session.rollback()
        form.blame(error)
        return _form_page(form, organization_id, 422)
    told = _("%(domain)s is in the list. Publish the record now.", domain=shown(name))
    saved = notices.add(told)
    db.session.commit()
    return fragments.done(_url("domain", organization_id, domain_id), saved)


@bp.get(ONE)
@requires(_MANAGE)
def domain(organization_id: uuid.UUID, domain_id: uuid.UUID) -> Response:
    """The record to publish, where it goes, and what was found."""
    row = _find(organization_id, domain_id)
    return fragments.respond("domains/domain.html", PIECE, **_shown(organization_id, row))


@bp.post(f"{ONE}/check")
@requires(_MANAGE, feature=_OWN)
@limited(CHECKING)
def check(organization_id: uuid.UUID, domain_id: uuid.UUID) -> AnyResponse:
    """Have it looked up now, by the worker."""
    row = _find(organization_id, domain_id)
    service.ask(db.session(), actor(), row)
    saved = notices.add(_("The name servers are being asked. The answer is here in a moment."))
    db.session.commit()
    return fragments.done(_url("domain", organization_id, domain_id), saved)


@bp.get(f"{ONE}/remove")
@requires(_MANAGE)
def remove(organization_id: uuid.UUID, domain_id: uuid.UUID) -> str:
    """What removing it ends."""
    row = _find(organization_id, domain_id)
    session = db.session()
    confirms, blocks = queries.depending(session, organization_id)
    verified = [
        each for each in queries.domains(session, organization_id) if each.verified_at is not None
    ]
    return render_template(
        "domains/remove.html",
        line=line_of(row, _now()),
        confirms=confirms and row.verified_at is not None,
        blocks=blocks and row.verified_at is not None,
        is_last=[each.id for each in verified] == [row.id],
        back_url=_url("domain", organization_id, domain_id),
        url=_url("remove_submit", organization_id, domain_id),
    )


@bp.post(f"{ONE}/remove")
@requires(_MANAGE)
def remove_submit(organization_id: uuid.UUID, domain_id: uuid.UUID) -> AnyResponse:
    """It is no domain of the organization any more."""
    row, saved = _find(organization_id, domain_id), ""
    if service.remove(db.session(), actor(), row):
        saved = notices.add(_("%(domain)s is removed.", domain=shown(row.domain)))
    db.session.commit()
    return fragments.done(url_for("domains.index", organization_id=organization_id), saved)


def _included() -> bool:
    """Whether the plan has domains; what a larger one left behind can be read and removed."""
    return bool(g.plan.has(_OWN))


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _find(organization_id: uuid.UUID, domain_id: uuid.UUID) -> Any:
    row = queries.domain(db.session(), organization_id, domain_id)
    if row is None:
        abort(404)
    return row


def _url(endpoint: str, organization_id: uuid.UUID, domain_id: uuid.UUID) -> str:
    return url_for(f"domains.{endpoint}", organization_id=organization_id, domain_id=domain_id)


def _shown(organization_id: uuid.UUID, row: Any) -> dict[str, Any]:
    here: dict[str, Any] = {"organization_id": organization_id}
    return {
        "line": line_of(row, _now()),
        "host": host_of(row.domain),
        "check_url": _url("check", organization_id, row.id) if _included() else "",
        "remove_url": _url("remove", organization_id, row.id),
        "back_url": url_for("domains.index", **here),
        **_single(organization_id),
    }


def _single(organization_id: uuid.UUID) -> dict[str, Any]:
    """Whether verifying turns Single organization on, and whom that would shut out."""
    session = db.session()
    kind = PolicyKind.SINGLE_ORGANIZATION
    is_on = queries.single_is_on(session, organization_id)
    looks = can(Permission.POLICIES_READ)
    return {
        "single_is_on": is_on,
        "revoked": 0 if is_on else revoked_by(session, organization_id, kind),
        "policy_url": url_for("policies.policy", organization_id=organization_id, kind=kind.value)
        if looks
        else "",
    }


def _form_page(form: DomainForm, organization_id: uuid.UUID, status: int = 200) -> Response:
    body = render_template(
        "domains/new.html",
        form=form,
        back_url=url_for("domains.index", organization_id=organization_id),
        **_single(organization_id),
    )
    return make_response(body, status)
