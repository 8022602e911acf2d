"""`/invitations/<token>`: what somebody finds who opens a mailed invitation.

GET and HEAD change nothing, because mail scanners open every link first; a button's POST does.
"""

from typing import Any

from flask import Response, current_app, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts import password_rules, sign_in
from portal.accounts import service as accounts
from portal.accounts.asked import check_new_account
from portal.accounts.limits import limited
from portal.accounts.password_words import rules
from portal.accounts.passwords import Busy
from portal.accounts.service import AccountKeys
from portal.accounts.steps import busy, errors_of, onward
from portal.crypto.tokens import LinkSigner
from portal.domain.access import Role
from portal.domain.emails import shown
from portal.domain.errors import RuleError, refuse
from portal.domain.invitations import Invitation, Purpose, Spent, Standing
from portal.domain.password_rules import Demand
from portal.domain.states import ProviderPersonState
from portal.extensions import db
from portal.members import acceptance, conditions, service
from portal.members.acceptance import OwnersKeys
from portal.members.blueprint import bp
from portal.members.conditions import Obstacle, needs_second_factor
from portal.members.forms import AcceptForm, JoinForm
from portal.organizations.keys import INCOMPLETE
from portal.providers import invitations as provider_invitations
from portal.recovery import enrolment
from portal.recovery.enrolment import RecoveryKey
from portal.web import notices
from portal.web.access import public
from portal.web.answers import wants_json
from portal.web.forms import sentence
from portal.web.fragments import done
from portal.web.keyring import KeyRing, ProviderKeys
from portal.web.logs import trace
from portal.web.session import no_store
from portal.web.source import source

_FINDERS = {Purpose.MEMBER: acceptance.find, Purpose.PROVIDER: provider_invitations.find}
_STATUS = {Standing.UNKNOWN: 404, Standing.CLOSED: 409}
ANSWERING = (("20 per minute", source),)
ASKING = (("10 per hour", source),)
bp.register_error_handler(Busy, busy)


@bp.get("/invitations/<token>")
@public
def invitation(token: str) -> Response:
    """The page that fits the link and the person who opened it."""
    return _page(token, _read(token))


@bp.post("/invitations/<token>/join")
@public
@limited(ANSWERING)
def join(token: str) -> AnyResponse:
    """Create an account for the invited address, and accept with it."""
    found = _read(token)
    if found is None or found.standing is not Standing.WAITING or found.has_account:
        return _open_again(token)
    form = JoinForm()
    if form.validate():
        try:
            return _entered(token, found, *_new_account(found, form), form.recovery_key())
        except Spent:
            return _open_again(token)
        except RuleError as error:
            if needs_second_factor(error):
                return _set_up_first(token, found, *_new_account(found, form)[:2])
            form.blame(error)
    db.session.rollback()
    if wants_json():
        return errors_of(form)
    return _join_page(token, found, form, status=422)


@bp.post("/invitations/<token>/accept")
@public
@limited(ANSWERING)
def accept(token: str) -> AnyResponse:
    """Accept with the account that is signed in; only the right one's button leads here."""
    found = _read(token)
    if found is None or found.standing is not Standing.WAITING or not _is_addressee(found):
        return _open_again(token)
    try:
        landing = _spend(token, found, None, AcceptForm().owners_keys())
    except Spent:
        return _open_again(token)
    except Obstacle as error:
        db.session.rollback()
        return _accept_page(token, found, error, status=409)
    saved = notices.add(_("You have joined %(place)s.", place=found.place))
    db.session.commit()
    return done(landing, saved)


@bp.post("/invitations/<token>/ask")
@public
@limited(ASKING)
def ask(token: str) -> AnyResponse:
    """Ask for a new link. The answer is the same whatever the link was worth."""
    link = _signers()[Purpose.MEMBER].read(token)
    if link:
        service.ask_again(db.session(), link, trace=trace())
    link = _signers()[Purpose.PROVIDER].read(token)
    if link:
        provider_invitations.ask_again(db.session(), link, trace=trace())
    db.session.commit()
    return redirect(url_for("members.asked"), 303)


@bp.post("/invitations/<token>/switch")
@public
def switch(token: str) -> AnyResponse:
    """Sign the wrong account out and open the link again."""
    sign_in.stop(everywhere=False)
    db.session.commit()
    response = redirect(url_for("members.invitation", token=token), 303)
    response.headers["Clear-Site-Data"] = '"storage"'
    return response


@bp.get("/invitations/asked")
@public
def asked() -> Response:
    """What happens after asking."""
    return no_store(make_response(render_template("members/asked.html")))


def _signers() -> dict[Purpose, LinkSigner]:
    keys = current_app.extensions["settings"].secret_keys
    return {purpose: LinkSigner(keys, purpose) for purpose in Purpose}


def _read(token: str) -> Invitation | None:
    for purpose, signer in _signers().items():
        link = signer.read(token)
        if link:
            return _FINDERS[purpose](db.session(), link)
    return None


def _is_addressee(found: Invitation) -> bool:
    return _is_inside() and bool(current_user.email == found.email)


def _is_inside() -> bool:
    signed_in = current_user.is_authenticated and not current_user.pending
    return bool(signed_in and not current_user.has_temporary_password)


def _page(token: str, found: Invitation | None) -> Response:
    standing = found.standing if found else Standing.UNKNOWN
    if found and standing is Standing.USED and _accepted_it(found):
        return _inside_page(found)
    if found is None or standing is not Standing.WAITING:
        status = _STATUS.get(standing, 410)
        return _render("over", status, token=token, standing=standing.value, invitation=found)
    if _is_inside():
        if not _is_addressee(found):
            return _render("wrong_account", token=token, invitation=found)
        return _accept_page(token, found, _obstacle(found))
    if found.has_account:
        return _render("sign_in_first", token=token, invitation=found)
    return _newcomers_page(token, found)


def _newcomers_page(token: str, found: Invitation) -> Response:
    try:
        check_new_account(db.session(), found.email, found.tenant_id)
    except RuleError as error:
        return _render("blocked", 403, invitation=found, reason=sentence(error.text))
    return _join_page(token, found, JoinForm(formdata=None))


def _obstacle(found: Invitation) -> Obstacle | None:
    if not found.is_member:
        return None
    coming = acceptance.coming_by(found, current_user.account_id)
    return conditions.obstacle(db.session(), coming, conditions.Step.ACCEPT)


def _accept_page(
    token: str, found: Invitation, obstacle: Obstacle | None, status: int = 200
) -> Response:
    """The button that accepts, or what stands against it and what helps."""
    key_ring = _key_ring(found) if current_user.has_keys and not obstacle else None
    here = url_for("members.invitation", token=token)
    helps = bool(obstacle and needs_second_factor(obstacle))
    return _render(
        "accept",
        status,
        token=token,
        invitation=found,
        key_ring=key_ring,
        obstacle=sentence(obstacle.text) if obstacle else "",
        set_up_url=url_for("accounts.set_up_second_factor", next=here) if helps else "",
    )


def _accepted_it(found: Invitation) -> bool:
    return _is_inside() and bool(current_user.account_id == found.account_id)


def _inside_page(found: Invitation) -> Response:
    """For whoever used the link: the way in; a provider's person may have to wait for somebody."""
    if not found.is_member and not found.is_confirmed:
        waiting = url_for("providers.waiting", provider_id=found.tenant_id)
        return done(waiting, request.args.get("saved", ""))
    return _render("accepted", invitation=found, home=_home(found))


def _join_page(token: str, found: Invitation, form: JoinForm, *, status: int = 200) -> Response:
    return _render(
        "join",
        status,
        token=token,
        invitation=found,
        form=form,
        key_ring=_key_ring(found),
        rules=rules(_demands(found)),
        enrolling=enrolment.offer(db.session(), found.tenant_id) if found.is_member else None,
    )


def _demands(found: Invitation) -> list[Demand]:
    """What the inviting organization asks of a new master password."""
    if not found.is_member:
        return []
    return password_rules.demands_of(db.session(), found.tenant_id, found.role)


def _key_ring(found: Invitation) -> KeyRing | None:
    """What an owner's browser makes the organization's keys with; None where they are not due."""
    if not found.makes_keys or found.provider_id is None:
        return None
    provider = ProviderKeys(found.provider_id, None, None, found.provider_public_key)
    return KeyRing(provider=provider)


def _render(name: str, status: int = 200, **context: Any) -> Response:
    body = render_template(f"members/{name}.html", invited_as=_invited_as, **context)
    return no_store(make_response(body, status))


def _invited_as(found: Invitation) -> str:
    """Who invites whom as what; a sentence for each role, since languages bend it."""
    known = {"inviter": found.inviter, "address": shown(found.email)}
    sentences = {
        Role.OWNER: _("%(inviter)s invites %(address)s to join as owner.", **known),
        Role.ADMIN: _("%(inviter)s invites %(address)s to join as admin.", **known),
        Role.CUSTOM: _("%(inviter)s invites %(address)s to join with a custom role.", **known),
        Role.USER: _("%(inviter)s invites %(address)s to join as user.", **known),
        Role.PROVIDER_ADMIN: _(
            "%(inviter)s invites %(address)s to join as provider admin.", **known
        ),
        Role.SERVICE_USER: _("%(inviter)s invites %(address)s to join as service user.", **known),
    }
    return str(sentences[found.role])


def _open_again(token: str) -> AnyResponse:
    """The link is worth something else by now: show what, by its own page."""
    db.session.rollback()
    return onward(url_for("members.invitation", token=token), signed_in=False)


def _new_account(
    found: Invitation, form: JoinForm
) -> tuple[str, AccountKeys | None, OwnersKeys | None]:
    """(name, keys, the organization's keys) of a form; raises `RuleError` for half of them."""
    keys = form.keys() if form.has_keys else None
    if form.has_keys and keys is None:
        raise refuse(INCOMPLETE)
    if keys:
        password_rules.check(_demands(found), form.password_rules.data)
    return str(form.name.data), keys, form.owners_keys() if keys else None


def _entered(
    token: str,
    found: Invitation,
    name: str,
    keys: AccountKeys | None,
    owners: OwnersKeys | None,
    recovery: RecoveryKey | None,
) -> AnyResponse:
    landing = _spend(token, found, (name, keys), owners, recovery)
    if keys:
        saved = notices.add(_("Welcome. You have joined %(place)s.", place=found.place))
    else:
        saved = notices.add(
            _(
                "You have joined %(place)s. Your account has no master password yet: you sign in "
                "with a code by e-mail.",
                place=found.place,
            ),
            "warning",
        )
    db.session.commit()
    mark = "&" if "?" in landing else "?"
    return onward(f"{landing}{mark}saved={saved}", signed_in=True)


def _spend(
    token: str,
    found: Invitation,
    newcomer: tuple[str, AccountKeys | None] | None,
    owners: OwnersKeys | None,
    recovery: RecoveryKey | None = None,
) -> str:
    """Accept, sign a newcomer in, and say where to go."""

    def account() -> Any:
        if newcomer is None:
            return accounts.find_by_email(db.session(), found.email)
        return _create(found, *newcomer)

    landing = url_for("members.invitation", token=token)
    if found.is_member:
        landing = _home(found)
        who = acceptance.accept(
            db.session(), found, account, trace=trace(), keys=owners, recovery=recovery
        )
    else:
        who, state = provider_invitations.accept(db.session(), found, account, trace=trace())
        if state is ProviderPersonState.CONFIRMED:
            landing = url_for("providers.keys", provider_id=found.tenant_id)
    if newcomer is not None:
        # The mailed link proves the mailbox, as a code would; the password is new either way.
        sign_in.start(who.id, method="password" if newcomer[1] else "code", pending=False)
    return landing


def _create(found: Invitation, name: str, keys: AccountKeys | None) -> Any:
    locale = get_locale()
    made = accounts.create_account(
        db.session(),
        email=found.email,
        name=name,
        locale=locale.language if locale else None,
        keys=keys,
        trace=trace(),
        invited_by=found.tenant_id,
    )
    if keys:
        password_rules.declare(db.session(), made.id, _demands(found))
    return made


def _set_up_first(
    token: str, found: Invitation, name: str, keys: AccountKeys | None
) -> AnyResponse:
    """An account without a place yet: its owner sets up a second factor, then accepts."""
    db.session.rollback()
    who = _create(found, name, keys)
    sign_in.start(who.id, method="password" if keys else "code", pending=False)
    told = _(
        "Your account is there. %(place)s requires two-step sign-in: set up a second factor, then "
        "accept the invitation.",
        place=found.place,
    )
    saved = notices.add(told, "warning")
    db.session.commit()
    here = url_for("members.invitation", token=token)
    landing = url_for("accounts.set_up_second_factor", next=here, saved=saved)
    return onward(landing, signed_in=True)


def _home(found: Invitation) -> str:
    if found.is_member:
        return url_for("collections.index", organization_id=found.tenant_id)
    return url_for("clients.index", provider_id=found.tenant_id)
