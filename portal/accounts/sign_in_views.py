"""Signing in with the master password, the second factor at sign-in, and signing out."""

import uuid
from typing import Any

from flask import (
    Response,
    after_this_request,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts import asked, password_rules, proofs, service, sign_in
from portal.accounts.blueprint import bp
from portal.accounts.forms import CodeForm, SignInForm
from portal.accounts.limits import PARAMETERS, SECOND_FACTOR, SIGN_IN, limited
from portal.accounts.password_words import rules
from portal.accounts.steps import errors_of, next_path, onward, wrong_code
from portal.crypto.kdf import KDF
from portal.database import reading
from portal.domain.emails import normalise
from portal.extensions import db
from portal.web.access import public
from portal.web.answers import wants_json

ADDRESS_COOKIE = "portal_address"
_YEAR = 365 * 86400


@bp.get("/sign-in", endpoint="sign_in")
@public
def sign_in_page() -> str | AnyResponse:
    """The master password, or the way to a code."""
    if current_user.is_authenticated and not current_user.pending:
        return redirect(next_path(), 303)
    address = request.cookies.get(ADDRESS_COOKIE, "")
    form = SignInForm(formdata=None, email=address, remember_address=bool(address))
    return _page(form)


def _page(form: SignInForm) -> str:
    return render_template("accounts/sign_in.html", form=form, next=next_path())


@bp.post("/sign-in")
@limited(SIGN_IN)
@public
def sign_in_submit() -> AnyResponse:
    """The hash of the master password; the answer is the same whoever does not exist."""
    form = SignInForm()
    if not form.validate():
        return _refuse(form)
    if not form.signin_hash.data:
        form.form_errors.append(
            _("The master password works only with scripts. Send yourself a code instead.")
        )
        return _refuse(form)
    address = form.email.data or ""
    account_id, right, second = sign_in.check_password(address, form.signin_hash.data)
    if not right or account_id is None:
        sign_in.refused(account_id, "password")
        form.form_errors.append(
            _("This address and this master password do not belong together. Check both.")
        )
        return _refuse(form)
    _remember(address if form.remember_address.data else "")
    return enter(account_id, method="password", second_factor=second)


def enter(account_id: uuid.UUID, *, method: str, second_factor: bool) -> AnyResponse:
    """The first step was right: in, or on to the second factor."""
    url = next_path()
    sign_in.start(account_id, method=method, pending=second_factor)
    if method == "password" and password_rules.due(db.session(), account_id):
        password_rules.hold(db.session(), current_user.session_id)
    if not second_factor:
        url = _first_page(url)
    db.session.commit()
    if second_factor:
        return onward(url_for("accounts.second_factor", next=url), signed_in=False)
    return onward(url, signed_in=True, **_to_check(account_id))


def _to_check(account_id: uuid.UUID) -> dict[str, Any]:
    """The rules that the browser tries on the password whose hash it has just sent."""
    if not wants_json() or current_user.method != "password":
        return {}
    found = password_rules.due(db.session(), account_id)
    return {"password_rules": rules(found).answer} if found else {}


def _first_page(url: str) -> str:
    """Where to go now that the vault opens: an organization may have a question first."""
    if current_user.method != "password":
        return url
    return asked.first_page(db.session(), current_user.account_id, url)


def _refuse(form: SignInForm) -> AnyResponse:
    if wants_json():
        return errors_of(form)
    form.signin_hash.data = ""
    return make_response(_page(form), 422)


def _remember(address: str) -> None:
    @after_this_request
    def keep(response: Response) -> Response:
        if address:
            response.set_cookie(
                ADDRESS_COOKIE,
                address,
                max_age=_YEAR,
                secure=current_app.extensions["settings"].https,
                httponly=True,
                samesite="Lax",
            )
        else:
            response.delete_cookie(ADDRESS_COOKIE)
        return response


@bp.post("/sign-in/parameters")
@limited(PARAMETERS)
@public
def sign_in_parameters() -> Response:
    """How to derive the hash; an address without an account gets what new accounts have."""
    email = request.form.get("email", "")
    with reading():
        iterations = service.kdf_iterations(db.session(), sign_in.secret_keys(), email)
    # The salt is the stored form of the address, whatever spelling was typed.
    answer = jsonify(kdf=KDF, iterations=iterations, email=normalise(email))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.route("/sign-in/second-factor", methods=["GET", "POST"])
@limited(SECOND_FACTOR, shared="second-factor")
@public
def second_factor() -> str | AnyResponse:
    """The second step of signing in, for a session that has passed the first."""
    if not current_user.is_authenticated:
        return redirect(url_for("accounts.sign_in", next=next_path()), 303)
    if not current_user.pending:
        return redirect(next_path(), 303)
    form = CodeForm()
    page = {"form": form, "next": next_path()}
    if request.method != "POST":
        return render_template("accounts/second_factor.html", **page)
    if form.validate():
        if proofs.second_factor_is_right(form.code.data or ""):
            sign_in.strengthen(second_factor=True)
            url = _first_page(next_path())
            db.session.commit()
            return onward(url, signed_in=True, **_to_check(current_user.account_id))
        form.code.errors = [wrong_code()]
        sign_in.refused(current_user.account_id, "second_factor")
    if wants_json():
        return errors_of(form)
    form.code.data = ""
    return make_response(render_template("accounts/second_factor.html", **page), 422)


@bp.post("/sign-out")
@public
def sign_out() -> AnyResponse:
    """End this session; the browser forgets what it stored, the unlocked key included."""
    return _leave(everywhere=False)


@bp.post("/sign-out/everywhere")
@public
def sign_out_everywhere() -> AnyResponse:
    """End all sessions of the person, this one included."""
    return _leave(everywhere=True)


def _leave(*, everywhere: bool) -> AnyResponse:
    sign_in.stop(everywhere=everywhere)
    db.session.commit()
    response = redirect(url_for("accounts.sign_in"), 303)
    response.headers["Clear-Site-Data"] = '"storage"'
    response.headers["Cache-Control"] = "no-store"
    return response
