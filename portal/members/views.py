"""The members of an organization: invited again, by another address, confirmed."""

import uuid

from flask import Response, make_response, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.limits import limited
from portal.crypto.fingerprint import fingerprint_phrase
from portal.domain.access import Permission
from portal.domain.emails import same_domain
from portal.domain.errors import RuleError
from portal.domain.states import MemberState
from portal.extensions import db
from portal.members import (
    automatic_views,
    bulk_views,
    confirmation,
    import_views,
    invitation_views,
    invite_views,
    list_views,
    member_views,
    own_views,
    queries,
    seat_views,
    service,
)
from portal.members.blueprint import INVITING, ONE, bp, find, manager
from portal.members.confirmation import KeyChanged
from portal.members.forms import AddressForm, ConfirmForm
from portal.organizations.key_rings import opening_of
from portal.organizations.keys import KeysExist
from portal.organizations.people import row_of
from portal.web import fragments, notices
from portal.web.access import actor, requires
from portal.web.forms import sentence


@bp.post(f"{ONE}/invitation")
@requires(Permission.MEMBERS_INVITE)
@limited(INVITING)
def resend(organization_id: uuid.UUID, member_id: uuid.UUID) -> Response:
    """Send the invitation once more; the link in the earlier mail dies."""
    find(organization_id, member_id)
    address = service.resend(
        db.session(), actor(), organization_id=organization_id, member_id=member_id
    )
    saved = notices.add(_("A new invitation is on its way to %(address)s.", address=address))
    db.session.commit()
    return fragments.done(url_for("members.index", organization_id=organization_id), saved)


@bp.get(f"{ONE}/address")
@requires(Permission.MEMBERS_INVITE)
def address(organization_id: uuid.UUID, member_id: uuid.UUID) -> Response:
    """Another address for somebody who has not accepted yet."""
    member = find(organization_id, member_id)
    return _address_page(member, AddressForm(member.email))


@bp.post(f"{ONE}/address")
@requires(Permission.MEMBERS_INVITE)
@limited(INVITING)
def replace_address(organization_id: uuid.UUID, member_id: uuid.UUID) -> Response:
    """Send the invitation to the new address; the old link dies."""
    member = find(organization_id, member_id)
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
                by=manager(),
            )
        except RuleError as error:
            form.blame(error)
        else:
            saved = notices.add(_sent_to(member, email))
            db.session.commit()
            return fragments.done(url_for("members.index", organization_id=organization_id), saved)
    db.session.rollback()
    return _address_page(member, form, status=422)


@bp.post(f"{ONE}/address/fields/email")
@requires(Permission.MEMBERS_INVITE)
def check_address(organization_id: uuid.UUID, member_id: uuid.UUID) -> Response:
    """The address field as a submit would bring it back. Changes nothing."""
    member = find(organization_id, member_id)
    form = AddressForm(member.email)
    form.check("email")
    return _address_page(member, form, alone=True)


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


@bp.get(f"{ONE}/confirm")
@requires(Permission.MEMBERS_CONFIRM)
def confirm(organization_id: uuid.UUID, member_id: uuid.UUID) -> AnyResponse:
    """The fingerprint phrase to compare, and the button that hands over the key."""
    return _confirm_page(find(organization_id, member_id), ConfirmForm(formdata=None))


@bp.post(f"{ONE}/confirm")
@requires(Permission.MEMBERS_CONFIRM)
def confirm_submit(organization_id: uuid.UUID, member_id: uuid.UUID) -> AnyResponse:
    """Hand over the organization key that the confirmer's browser wrapped."""
    member = find(organization_id, member_id)
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


# The other pages register themselves on `bp`.
__all__ = [
    "automatic_views",
    "bp",
    "bulk_views",
    "import_views",
    "invitation_views",
    "invite_views",
    "list_views",
    "member_views",
    "own_views",
    "seat_views",
]
