"""The members of an organization: listed, invited again, confirmed."""

import uuid

from flask import Response, abort, make_response, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.limits import limited
from portal.crypto.fingerprint import fingerprint_phrase
from portal.domain.access import Permission
from portal.domain.emails import same_domain
from portal.domain.errors import RuleError
from portal.domain.states import MemberState
from portal.extensions import db
from portal.members import confirmation, invitation_views, queries, service
from portal.members.blueprint import bp
from portal.members.confirmation import KeyChanged
from portal.members.forms import AddressForm, ConfirmForm
from portal.organizations.key_rings import opening_of
from portal.organizations.keys import KeysExist
from portal.organizations.people import row_of, rows_of
from portal.outbox.queries import mail_states
from portal.web import fragments, notices
from portal.web.access import actor, requires
from portal.web.forms import sentence


def _myself() -> str:
    return str(current_user.account_id)


INVITING = (("5 per minute", _myself), ("300 per day", _myself))


@bp.get("/organizations/<uuid:organization_id>/members")
@requires(Permission.MEMBERS_READ)
def index(organization_id: uuid.UUID) -> Response:
    """Everybody who has a place, and how their invitation fares."""
    found = queries.listed(db.session(), organization_id)
    mails = mail_states(db.session(), [row.id for row in found])
    return fragments.respond(
        "members/index.html", "members/_table.html", rows=rows_of(found, mails)
    )


@bp.post("/organizations/<uuid:organization_id>/members/<uuid:member_id>/invitation")
@requires(Permission.MEMBERS_INVITE)
@limited(INVITING)
def resend(organization_id: uuid.UUID, member_id: uuid.UUID) -> Response:
    """Send the invitation once more; the link in the earlier mail dies."""
    _find(organization_id, member_id)
    address = service.resend(
        db.session(), actor(), organization_id=organization_id, member_id=member_id
    )
    saved = notices.add(_("A new invitation is on its way to %(address)s.", address=address))
    db.session.commit()
    return fragments.done(url_for("members.index", organization_id=organization_id), saved)


@bp.get("/organizations/<uuid:organization_id>/members/<uuid:member_id>/address")
@requires(Permission.MEMBERS_INVITE)
def address(organization_id: uuid.UUID, member_id: uuid.UUID) -> Response:
    """Another address for somebody who has not accepted yet."""
    member = _find(organization_id, member_id)
    return _address_page(member, AddressForm(member.email))


@bp.post("/organizations/<uuid:organization_id>/members/<uuid:member_id>/address")
@requires(Permission.MEMBERS_INVITE)
@limited(INVITING)
def replace_address(organization_id: uuid.UUID, member_id: uuid.UUID) -> Response:
    """Send the invitation to the new address; the old link dies."""
    member = _find(organization_id, member_id)
    form = AddressForm(member.email)
    if form.validate():
        email = str(form.email.data)
        try:
            service.replace_address(
                db.session(),
                actor(),
                organization_id=organization_id,
                member_id=member_id,
                before=member.email,
                email=email,
            )
        except RuleError as error:
            form.blame(error)
        else:
            saved = notices.add(_sent_to(member, email))
            db.session.commit()
            return fragments.done(url_for("members.index", organization_id=organization_id), saved)
    db.session.rollback()
    return _address_page(member, form, status=422)


@bp.post("/organizations/<uuid:organization_id>/members/<uuid:member_id>/address/fields/email")
@requires(Permission.MEMBERS_INVITE)
def check_address(organization_id: uuid.UUID, member_id: uuid.UUID) -> Response:
    """The address field as a submit would bring it back. Changes nothing."""
    member = _find(organization_id, member_id)
    form = AddressForm(member.email)
    form.check("email")
    return _address_page(member, form, alone=True)


def _find(organization_id: uuid.UUID, member_id: uuid.UUID) -> queries.Found:
    member = queries.find(db.session(), organization_id, member_id)
    if member is None:
        abort(404)
    return member


def _sent_to(member: queries.Found, email: str) -> str:
    if same_domain(email, member.billing_email):
        return str(_("The invitation is on its way to %(address)s.", address=email))
    told = _(
        "The invitation is on its way to %(address)s. Its domain differs from the billing "
        "e-mail's, %(billing)s.",
        address=email,
        billing=member.billing_email,
    )
    return str(told)


def _address_page(
    member: queries.Found, form: AddressForm, *, status: int = 200, alone: bool = False
) -> Response:
    warning = _warning(member, form)
    if alone:
        return fragments.piece("members/_address.html", member=member, form=form, warning=warning)
    body = render_template("members/address.html", member=member, form=form, warning=warning)
    return make_response(body, status)


def _warning(member: queries.Found, form: AddressForm) -> str:
    typed = form.email.data or ""
    if "@" not in typed or form.email.errors or same_domain(typed, member.billing_email):
        return ""
    told = _(
        "Its domain differs from the billing e-mail's, %(billing)s.",
        billing=member.billing_email,
    )
    return str(told)


@bp.get("/organizations/<uuid:organization_id>/members/<uuid:member_id>/confirm")
@requires(Permission.MEMBERS_CONFIRM)
def confirm(organization_id: uuid.UUID, member_id: uuid.UUID) -> AnyResponse:
    """The fingerprint phrase to compare, and the button that hands over the key."""
    return _confirm_page(_find(organization_id, member_id), ConfirmForm(formdata=None))


@bp.post("/organizations/<uuid:organization_id>/members/<uuid:member_id>/confirm")
@requires(Permission.MEMBERS_CONFIRM)
def confirm_submit(organization_id: uuid.UUID, member_id: uuid.UUID) -> AnyResponse:
    """Hand over the organization key that the confirmer's browser wrapped."""
    member = _find(organization_id, member_id)
    form = ConfirmForm()
    try:
        form.validate()
        confirmation.confirm(
            db.session(),
            actor(),
            member,
            public_key=form.public_key.data or "",
            wrapped_key=form.wrapped_key.data or "",
            keys=form.organization_keys(),
            key_version=form.key_version.data or "",
        )
    except KeyChanged as changed:
        db.session.rollback()
        confirmation.raise_alarm(db.session(), actor(), changed)
        db.session.commit()
        return _confirm_page(member, form, status=409, alarm=sentence(changed.text))
    except RuleError as error:
        form.blame(error)
        db.session.rollback()
        return _confirm_page(member, form, status=409 if isinstance(error, KeysExist) else 422)
    name = member.name or member.email
    saved = notices.add(_("%(name)s is confirmed and holds the key now.", name=name))
    db.session.commit()
    return fragments.done(url_for("members.index", organization_id=organization_id), saved)


def _confirm_page(
    member: queries.Found, form: ConfirmForm, *, status: int = 200, alarm: str = ""
) -> Response:
    phrase = ""
    if member.public_key:
        phrase = fingerprint_phrase(str(member.account_id), member.public_key)
    opening = opening_of(db.session(), actor())
    # Whatever arrived: what is wrapped next is wrapped with the key of this page.
    form.key_version.data = opening.ring.organization.version if opening.ring.organization else ""
    body = render_template(
        "members/confirm.html",
        member=row_of(member, None),
        organization_name=member.organization_name,
        form=form,
        phrase=phrase,
        public_key=member.public_key,
        account_id=member.account_id,
        is_waiting=member.state is MemberState.ACCEPTED,
        key_ring=opening.ring,
        opening=opening,
        alarm=alarm,
    )
    return make_response(body, status)


# The pages of mailed invitations register themselves on `bp`.
__all__ = ["bp", "invitation_views"]
