"""Another master password: the browser wraps the user key anew, and nothing else changes."""

from flask import make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.accounts import address, password_rules, passwords, service, sign_in
from portal.accounts.blueprint import bp
from portal.accounts.forms import PasswordChangeForm
from portal.accounts.limits import PASSWORD_AGAIN, limited
from portal.accounts.password_words import rules
from portal.accounts.service import ChangedKey
from portal.accounts.steps import errors_of, onward
from portal.domain.errors import RuleError
from portal.extensions import db
from portal.web import notices
from portal.web.access import signed_in
from portal.web.answers import json_errors, wants_json
from portal.web.forms import sentence
from portal.web.languages import language
from portal.web.logs import trace


@bp.get("/profile/password")
@signed_in
def change_password() -> str | Response:
    """The old one, and the new one twice."""
    if not current_user.has_keys:
        return redirect(url_for("accounts.account_keys"), 303)
    return _page(PasswordChangeForm())


@bp.post("/profile/password")
@limited(PASSWORD_AGAIN)
@signed_in
def change_password_submit() -> Response:
    """Store the new hash and the user key under the new password; all other sessions end."""
    form = PasswordChangeForm()
    changed = form.changed_key() if form.validate() else None
    if changed is None:
        form.form_errors.append(_("Your browser did not make the keys. Load the page again."))
        return _refused(form)
    found = password_rules.demands(db.session(), current_user.account_id)
    try:
        password_rules.check(found, form.password_rules.data)
    except RuleError as error:
        form.blame(error)
        return _refused(form)
    was_temporary = current_user.has_temporary_password
    if not _is_proved(form, changed):
        return _refused(form)
    stored = passwords.store(changed.signin_hash)
    # A new address that waits was wrapped with the old password.
    address.drop_waiting(db.session(), current_user.account_id)
    service.change_password(
        db.session(),
        current_user.account_id,
        changed,
        stored=stored,
        keep=current_user.session_id,
        locale=language(),
        trace=trace(),
    )
    password_rules.declare(db.session(), current_user.account_id, found)
    password_rules.release(db.session(), current_user.account_id)
    sign_in.strengthen(method="password")
    saved = notices.add(_("Your master password is changed. All other browsers are signed out."))
    db.session.commit()
    landing = url_for("accounts.home" if was_temporary else "accounts.profile", saved=saved)
    return onward(landing, signed_in=True)


def _is_proved(form: PasswordChangeForm, changed: ChangedKey) -> bool:
    """The present password is right, and the new one is none that somebody else knows."""
    proof = sign_in.check_password(current_user.email, form.signin_hash.data or "")
    if proof[0] != current_user.account_id or not proof[1]:
        sign_in.refused(current_user.account_id, "password")
        form.form_errors.append(_("That is not your master password."))
        return False
    # Same address, same derivation: the same hash is the same password.
    if current_user.has_temporary_password and changed.signin_hash == form.signin_hash.data:
        form.form_errors.append(_("Choose another master password than the temporary one."))
        return False
    return True


def _refused(form: PasswordChangeForm) -> Response:
    return errors_of(form) if wants_json() else make_response(_page(form), 422)


def _page(form: PasswordChangeForm) -> str:
    for name in ("signin_hash", "new_signin_hash", "protected_user_key"):
        form[name].data = ""
    found = password_rules.demands(db.session(), current_user.account_id)
    form.password_rules.data = ""
    return render_template("accounts/password.html", form=form, rules=rules(found))


@bp.post("/session/password-rules")
@limited(PASSWORD_AGAIN)
@signed_in
def declare_password() -> Response:
    """A browser's word that the password it has just signed in with meets what is asked of it."""
    found = password_rules.demands(db.session(), current_user.account_id)
    try:
        password_rules.check(found, request.form.get("password_rules"))
    except RuleError as error:
        return json_errors({"": sentence(error.text)}, 422)
    password_rules.declare(db.session(), current_user.account_id, found)
    password_rules.release(db.session(), current_user.account_id)
    db.session.commit()
    return make_response("", 204)
