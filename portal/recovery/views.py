"""Recoveries of an organization: asked for, decided on, and the owner's switch."""

import uuid
from typing import Any

from flask import Response as FlaskResponse
from flask import abort, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.accounts import asked
from portal.accounts.freshness import fresh
from portal.accounts.limits import limited
from portal.domain import account_recovery as rules
from portal.domain.access import Permission
from portal.domain.account_recovery import Stage, Step
from portal.domain.emails import shown
from portal.domain.errors import Message, RuleError
from portal.domain.plans import Feature
from portal.extensions import db
from portal.recovery import (
    carrying_out_views,
    mine_views,
    owed,
    own_views,
    queries,
    service,
    stop_views,
    telling,
    words,
)
from portal.recovery.blueprint import ALL, HERE, ONE, bp
from portal.recovery.forms import AskForm, ProviderForm
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.forms import sentence
from portal.web.fragments import done

_FEATURE = Feature.ACCOUNT_RECOVERY


def _myself() -> str:
    return str(current_user.account_id)


# Each one mails the member and everybody who could approve.
ASKING = (("20 per hour", _myself),)
_STEPS = {step.value: step for step in (Step.APPROVE, Step.DECLINE, Step.WITHDRAW)}


@bp.get(ALL)
@requires(Permission.MEMBERS_RECOVER, feature=_FEATURE)
def index(organization_id: uuid.UUID) -> str:
    """What is open, what was, and who could act."""
    session = db.session()
    running, past = queries.requests(session, organization_id)
    rows = [words.row_of(row) for row in running]
    return render_template(
        "recovery/index.html",
        policy=queries.policy(session, organization_id),
        running=[row for row in rows if row.is_open],
        past=[row for row in rows if not row.is_open] + [words.row_of(row) for row in past],
        helpers=[row.name for row in queries.helpers(session, organization_id)],
        provider_may=queries.provider_may(session, organization_id),
        members_url=url_for("members.index", organization_id=organization_id),
        provider_url=url_for("recovery.provider_access", organization_id=organization_id),
        policy_url=url_for(
            "policies.policy", organization_id=organization_id, kind="account_recovery"
        ),
    )


@bp.get(f"{HERE}/members/<uuid:member_id>/recovery")
@requires(Permission.MEMBERS_RECOVER, feature=_FEATURE)
@fresh
def ask(organization_id: uuid.UUID, member_id: uuid.UUID) -> Response:
    """What a recovery does, who could approve it, and the reason."""
    found = queries.open_request(db.session(), organization_id, member_id)
    if found is not None and words.row_of(found).is_open:
        here: dict[str, Any] = {"organization_id": organization_id, "recovery_id": found.id}
        return done(url_for("recovery.one", **here))
    return _ask_page(organization_id, member_id, AskForm(formdata=None))


@bp.post(f"{HERE}/members/<uuid:member_id>/recovery")
@requires(Permission.MEMBERS_RECOVER, feature=_FEATURE)
@limited(ASKING)
@fresh
def ask_submit(organization_id: uuid.UUID, member_id: uuid.UUID) -> Response:
    """Open it; the mail to the member is queued with it."""
    form = AskForm()
    if not form.validate():
        return _ask_page(organization_id, member_id, form, 422)
    try:
        recovery_id = service.ask(
            db.session(), actor(), organization_id, member_id, reason=str(form.reason.data)
        )
    except RuleError as error:
        db.session.rollback()
        form.blame(error)
        return _ask_page(organization_id, member_id, form, 409)
    saved = notices.add(_("The recovery is asked for. The mail to the member is on its way."))
    db.session.commit()
    here: dict[str, Any] = {"organization_id": organization_id, "recovery_id": recovery_id}
    return done(url_for("recovery.one", **here), saved)


def _ask_page(
    organization_id: uuid.UUID, member_id: uuid.UUID, form: AskForm, status: int = 200
) -> FlaskResponse:
    session = db.session()
    member = queries.member(session, organization_id, member_id)
    if member is None:
        abort(404)
    seconds = service.approvers(session, member, asked_by=actor().account_id)
    refused = _refusal(organization_id, member)
    body = render_template(
        "recovery/ask.html",
        form=form,
        name=member.name or shown(member.email),
        refused="" if form.errors else refused,
        may_ask=not refused,
        seconds=[row.name for row in seconds],
        back_url=url_for("members.member", organization_id=organization_id, member_id=member_id),
    )
    return make_response(body, status)


def _refusal(organization_id: uuid.UUID, member: queries.Found) -> str:
    """Why this actor cannot ask for this member, as a sentence; empty where they can."""
    session = db.session()
    if queries.policy(session, organization_id) is None:
        return sentence(Message(service.NOT_ON))
    by = service.helper(session, actor(), organization_id)
    may = queries.provider_may(session, organization_id)
    try:
        rules.check_request(by, queries.target_of(member), provider_may=may)
    except RuleError as error:
        return sentence(error.text)
    return ""


@bp.get(ONE)
@requires(Permission.MEMBERS_RECOVER, feature=_FEATURE)
@fresh
def one(organization_id: uuid.UUID, recovery_id: uuid.UUID) -> Response:
    """One recovery: where it stands, and what this person can do about it."""
    return _page(organization_id, recovery_id)


@bp.post(ONE)
@requires(Permission.MEMBERS_RECOVER, feature=_FEATURE)
@fresh
def decide(organization_id: uuid.UUID, recovery_id: uuid.UUID) -> Response:
    """Approve, decline or withdraw it."""
    if queries.request(db.session(), organization_id, recovery_id) is None:
        abort(404)
    step = _STEPS.get(request.form.get("step", ""))
    if step is None:
        return _page(organization_id, recovery_id, sentence(Message(rules.UNKNOWN)), 422)
    try:
        service.decide(db.session(), actor(), organization_id, recovery_id, step)
    except RuleError as error:
        db.session.rollback()
        return _page(organization_id, recovery_id, sentence(error.text), 409)
    told = {
        Step.APPROVE: _("The recovery is approved."),
        Step.DECLINE: _("The recovery is declined."),
        Step.WITHDRAW: _("The recovery is withdrawn."),
    }
    saved = notices.add(told[step])
    db.session.commit()
    here: dict[str, Any] = {"organization_id": organization_id, "recovery_id": recovery_id}
    return done(url_for("recovery.one", **here), saved)


@bp.post(f"{ONE}/tell")
@requires(Permission.MEMBERS_RECOVER, feature=_FEATURE)
@limited(ASKING)
@fresh
def tell_again(organization_id: uuid.UUID, recovery_id: uuid.UUID) -> Response:
    """Send the mail that tells the member once more."""
    if queries.request(db.session(), organization_id, recovery_id) is None:
        abort(404)
    try:
        telling.send_again(db.session(), actor(), organization_id, recovery_id)
    except RuleError as error:
        db.session.rollback()
        return _page(organization_id, recovery_id, sentence(error.text), 409)
    saved = notices.add(_("The mail is on its way."))
    db.session.commit()
    here: dict[str, Any] = {"organization_id": organization_id, "recovery_id": recovery_id}
    return done(url_for("recovery.one", **here), saved)


def _page(
    organization_id: uuid.UUID, recovery_id: uuid.UUID, refused: str = "", status: int = 200
) -> FlaskResponse:
    session = db.session()
    found = queries.request(session, organization_id, recovery_id)
    if found is None:
        abort(404)
    member = queries.member(session, organization_id, found.member_id)
    if member is None:
        abort(404)
    row = words.row_of(found)
    mine = actor().account_id
    seconds = service.approvers(session, member, asked_by=found.asked_by)
    here: dict[str, Any] = {"organization_id": organization_id, "recovery_id": recovery_id}
    body = render_template(
        "recovery/one.html",
        row=row,
        mail=words.mail_line(telling.mail_of(session, found)) if row.is_untold else None,
        tell_url=url_for("recovery.tell_again", **here),
        refused=refused,
        seconds=[each.name for each in seconds],
        may_approve=row.stage is Stage.NEEDS_APPROVAL
        and any(each.account_id == mine for each in seconds),
        asked_by_me=found.asked_by == mine,
        is_one_of_two=mine in (found.asked_by, found.approved_by),
        url=row.url,
        carry_out_url=url_for("recovery.carry_out", **here),
        back_url=url_for("recovery.index", organization_id=organization_id),
    )
    return make_response(body, status)


@bp.get(f"{ALL}/provider")
@requires(Permission.RECOVERY_BY_PROVIDER, feature=_FEATURE)
@fresh
def provider_access(organization_id: uuid.UUID) -> str:
    """The owner's switch: whether the provider's people may recover plain users."""
    may = queries.provider_may(db.session(), organization_id)
    return _provider_page(organization_id, ProviderForm(formdata=None, provider_may=may))


@bp.post(f"{ALL}/provider")
@requires(Permission.RECOVERY_BY_PROVIDER, feature=_FEATURE)
@fresh
def provider_access_submit(organization_id: uuid.UUID) -> Response:
    """Move it."""
    may = bool(ProviderForm().provider_may.data)
    moved = service.let_provider(db.session(), actor(), organization_id, may)
    saved = notices.add(_("The setting is saved.")) if moved else ""
    db.session.commit()
    return done(url_for("recovery.index", organization_id=organization_id), saved)


def _provider_page(organization_id: uuid.UUID, form: ProviderForm) -> str:
    return render_template(
        "recovery/provider.html",
        form=form,
        url=url_for("recovery.provider_access", organization_id=organization_id),
        back_url=url_for("recovery.index", organization_id=organization_id),
    )


def init_recovery() -> None:
    """Whoever signs in or unlocks sees who asks for their account, then the enrolment due."""
    asked.FIRST_PAGE[:] = [owed.running, owed.page]


# The other pages register themselves on `bp`.
__all__ = ["bp", "carrying_out_views", "init_recovery", "mine_views", "own_views", "stop_views"]
