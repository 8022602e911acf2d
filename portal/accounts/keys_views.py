"""Unlocking and locking the vault, and the keys of an account that has none yet."""

from typing import Any

from flask import (
    Response,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts import asked, password_rules, service, sign_in, vault
from portal.accounts.blueprint import bp
from portal.accounts.forms import KeysForm
from portal.accounts.freshness import fresh
from portal.accounts.password_words import rules
from portal.accounts.steps import errors_of, next_path, onward
from portal.crypto.fingerprint import fingerprint_phrase
from portal.domain.errors import RuleError
from portal.extensions import db
from portal.web.access import signed_in
from portal.web.answers import wants_json
from portal.web.logs import trace
from portal.web.session import SEEN_MESSAGES, no_store


@bp.route("/unlock", methods=["GET", "POST"])
@signed_in
def unlock() -> str | AnyResponse:
    """The master password opens the vault in the browser; an account without keys makes them."""
    if not current_user.has_keys:
        return redirect(url_for("accounts.account_keys", next=next_path()), 303)
    # Scripts never send this form.
    error = _("Unlocking needs scripts.") if request.method == "POST" else ""
    after = asked.first_page(db.session(), current_user.account_id, next_path())
    page = render_template("accounts/unlock.html", next=after, error=error)
    return make_response(page, 422 if error else 200)


def _material(secret: str | None, status: int, **more: Any) -> Response:
    state = {
        "secret": secret,
        "locked": secret is None,
        "lock_minutes": current_user.lock_minutes,
        "signs_out": current_user.signs_out,
    }
    answer = jsonify(vault.material(db.session(), current_user) | state | more)
    answer.status_code = status
    return no_store(answer)


@bp.route("/session/vault", methods=["GET", "POST"], endpoint="vault")
@signed_in
def session_vault() -> Response:
    """GET: the live session secret, or 409 while locked. POST: a new one, unlocking."""
    if request.method != "POST" or not current_user.has_keys:
        secret = vault.live_secret(db.session(), sign_in.sealer("vault"), current_user)
        return _material(secret, 200 if secret else 409)
    secret = vault.unlock(db.session(), sign_in.sealer("vault"), current_user)
    # Whoever came in by a code, or before an organization asked, types the password here.
    found = password_rules.due(db.session(), current_user.account_id)
    if found:
        password_rules.hold(db.session(), current_user.session_id)
    # What is told in a vault is told again to whoever opens it.
    session.pop(SEEN_MESSAGES, None)
    answer = _material(secret, 200, password_rules=rules(found).answer if found else None)
    db.session.commit()
    return answer


@bp.post("/session/lock")
@signed_in
def lock() -> AnyResponse:
    """Drop the session secret."""
    vault.lock(db.session(), current_user.session_id)
    db.session.commit()
    if wants_json():
        return make_response("", 204)
    return redirect(next_path(), 303)


@bp.route("/profile/keys", methods=["GET", "POST"])
@signed_in
@fresh
def account_keys() -> str | AnyResponse:
    """Choose a master password; the browser makes the keys from it."""
    form = KeysForm()
    if request.method != "POST":
        return _keys_page(form)
    keys = form.keys() if form.validate() else None
    if keys is None:
        form.form_errors.append(_("Your browser did not make the keys. Load the page again."))
        return errors_of(form) if wants_json() else make_response(_keys_page(form), 422)
    found = password_rules.demands(db.session(), current_user.account_id)
    try:
        password_rules.check(found, form.password_rules.data)
    except RuleError as error:
        form.blame(error)
        return errors_of(form) if wants_json() else make_response(_keys_page(form), 422)
    service.store_keys(db.session(), current_user.account_id, keys, trace())
    password_rules.declare(db.session(), current_user.account_id, found)
    sign_in.strengthen(method="password")
    db.session.commit()
    return onward(next_path("accounts.profile"), signed_in=True)


def _keys_page(form: KeysForm) -> str:
    phrase = ""
    if current_user.has_keys:
        phrase = fingerprint_phrase(str(current_user.account_id), current_user.public_key)
    found = password_rules.demands(db.session(), current_user.account_id)
    form.password_rules.data = ""
    return render_template(
        "accounts/keys.html",
        form=form,
        next=next_path("accounts.profile"),
        phrase=phrase,
        rules=rules(found),
    )
