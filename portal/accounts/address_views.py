"""Changing the e-mail address: asked for in the profile, confirmed from the new mailbox."""

from flask import make_response, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.accounts import address, passwords, sign_in
from portal.accounts.blueprint import bp
from portal.accounts.forms import AddressChangeForm
from portal.accounts.freshness import fresh, refuse_stale
from portal.accounts.limits import PASSWORD_AGAIN, asked_address, limited
from portal.accounts.service import ChangedKey
from portal.crypto.tokens import Link, LinkSigner
from portal.domain.emails import normalise, shown
from portal.domain.errors import RuleError
from portal.extensions import db
from portal.web import notices
from portal.web.access import public, signed_in
from portal.web.fragments import done
from portal.web.languages import language
from portal.web.logs import trace
from portal.web.source import source

ANSWERING = (("20 per minute", source),)


@bp.get("/profile/address")
@signed_in
@fresh
def change_address() -> str:
    """The new address, and the master password, for which the old one is the salt."""
    return _page(AddressChangeForm(formdata=None))


@bp.post("/profile/address")
@limited((*PASSWORD_AGAIN, ("10 per day", asked_address)))
@signed_in
def change_address_submit() -> Response:
    """Keep what waits and send both mails."""
    if not current_user.has_keys and (stale := refuse_stale(url_for("accounts.change_address"))):
        return stale
    form = AddressChangeForm()
    key = form.changed_key() if form.validate() and _is_another(form) else None
    if current_user.has_keys and not form.errors and not _is_proved(form, key):
        form.form_errors.append(_("That is not your master password."))
    if form.errors:
        return make_response(_page(form), 422)
    after = normalise(form.email.data or "")
    address.ask(
        db.session(),
        current_user.account_id,
        before=current_user.email,
        after=after,
        key=key,
        stored=passwords.store(key.signin_hash) if key else None,
        locale=language(),
        trace=trace(),
    )
    saved = notices.add(_("Open the link that was sent to %(address)s.", address=shown(after)))
    db.session.commit()
    return done(url_for("accounts.profile"), saved)


def _is_another(form: AddressChangeForm) -> bool:
    if normalise(form.email.data or "") != current_user.email:
        return True
    form.email.errors = [*form.email.errors, _("This is your present address.")]
    return False


def _is_proved(form: AddressChangeForm, key: ChangedKey | None) -> bool:
    if key is None:
        return False
    found, right, _second = sign_in.check_password(current_user.email, form.signin_hash.data or "")
    if right and found == current_user.account_id:
        return True
    sign_in.refused(current_user.account_id, "password")
    return False


def _page(form: AddressChangeForm) -> str:
    for name in ("signin_hash", "new_signin_hash", "protected_user_key"):
        form[name].data = ""
    return render_template("accounts/address.html", form=form)


@bp.get("/address-changes/<token>")
@public
def confirm_address(token: str) -> Response:
    """What the link in the new mailbox leads to; its button confirms."""
    return _answer(token, address.CONFIRM)


@bp.post("/address-changes/<token>")
@public
@limited(ANSWERING)
def confirm_address_submit(token: str) -> Response:
    """Swap, and sign out everywhere."""
    link = _link(token, address.CONFIRM)
    if link is None:
        return _answer(token, address.CONFIRM)
    try:
        address.confirm(db.session(), link, trace())
    except RuleError as error:
        db.session.rollback()
        return _answer(token, address.CONFIRM, refused=error)
    db.session.commit()
    return make_response(render_template("accounts/address_done.html", is_changed=True))


@bp.get("/address-changes/<token>/cancel")
@public
def cancel_address(token: str) -> Response:
    """What the link in the old mailbox leads to; its button cancels."""
    return _answer(token, address.CANCEL)


@bp.post("/address-changes/<token>/cancel")
@public
@limited(ANSWERING)
def cancel_address_submit(token: str) -> Response:
    """Everything stays as it was."""
    link = _link(token, address.CANCEL)
    if link is None or not address.cancel(db.session(), link, trace()):
        return _answer(token, address.CANCEL)
    db.session.commit()
    return make_response(render_template("accounts/address_done.html", is_changed=False))


def _link(token: str, purpose: str) -> Link | None:
    return LinkSigner(sign_in.secret_keys(), purpose).read(token)


def _answer(token: str, purpose: str, refused: RuleError | None = None) -> Response:
    link = _link(token, purpose)
    change = address.find(db.session(), link) if link else None
    is_taken = refused is not None and refused.message == address.TAKEN
    body = render_template(
        "accounts/address_answer.html",
        token=token,
        change=change,
        is_taken=is_taken,
        cancels=purpose == address.CANCEL,
        old=shown(change.old_email) if change else "",
        new=shown(change.new_email) if change else "",
    )
    return make_response(body, 409 if is_taken else 200 if change else 410)
