"""Asking once more who is there: before keys and second factor, and before strong pages."""

from flask import make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.accounts import proofs, sign_in
from portal.accounts.blueprint import bp
from portal.accounts.code_views import refusal_text
from portal.accounts.codes import Refusal
from portal.accounts.forms import CodeForm, PasswordProofForm
from portal.accounts.limits import ASK_OWN_CODE, ENTER_CODE, PASSWORD_AGAIN, SECOND_FACTOR, limited
from portal.accounts.steps import errors_of, next_path, onward, wrong_code
from portal.extensions import db
from portal.web.access import signed_in
from portal.web.answers import wants_json


@bp.get("/reauthenticate")
@signed_in
def reauthenticate() -> str:
    """Choose how to prove it: master password, app, or a code by mail."""
    return _page()


def _page(
    password: PasswordProofForm | None = None,
    app: CodeForm | None = None,
    mail: CodeForm | None = None,
) -> str:
    proof = password or PasswordProofForm(formdata=None, email=current_user.email)
    return render_template(
        "accounts/reauthenticate.html",
        password=proof,
        app=app or CodeForm(formdata=None, prefix="app"),
        mail=mail or CodeForm(formdata=None, prefix="mail"),
        asked="challenge" in session,
        next=next_path(),
    )


@bp.post("/reauthenticate")
@limited(PASSWORD_AGAIN)
@signed_in
def reauthenticate_by_password() -> Response:
    """The hash of the master password of the person who is signed in."""
    form = PasswordProofForm()
    right = False
    if form.validate() and form.signin_hash.data:
        proof = sign_in.check_password(current_user.email, form.signin_hash.data)
        right = proof[0] == current_user.account_id and proof[1]
    if right:
        sign_in.strengthen(method="password")
        db.session.commit()
        return onward(next_path(), signed_in=True)
    sign_in.refused(current_user.account_id, "password")
    form.form_errors.append(_("That is not your master password."))
    if wants_json():
        return errors_of(form)
    form.signin_hash.data = ""
    return make_response(_page(password=form), 422)


@bp.post("/reauthenticate/app")
@limited(SECOND_FACTOR, shared="second-factor")
@signed_in
def reauthenticate_by_app() -> Response:
    """A code of the authenticator app, or a recovery code."""
    form = CodeForm(prefix="app")
    if form.validate():
        if proofs.second_factor_is_right(form.code.data or ""):
            sign_in.strengthen(second_factor=True)
            db.session.commit()
            return redirect(next_path(), 303)
        sign_in.refused(current_user.account_id, "second_factor")
        form.code.errors = [wrong_code()]
    form.code.data = ""
    return make_response(_page(app=form), 422)


@bp.post("/reauthenticate/code")
@limited(ASK_OWN_CODE, shared="ask-code")
@signed_in
def reauthenticate_send_code() -> Response:
    """Send a code to the person's own address."""
    proofs.ask_code(current_user.email)
    db.session.commit()
    return redirect(url_for("accounts.reauthenticate", next=next_path(), _anchor="mail"), 303)


@bp.post("/reauthenticate/code/enter")
@limited(ENTER_CODE, shared="enter-code")
@signed_in
def reauthenticate_by_code() -> Response:
    """The code from that mail."""
    form = CodeForm(prefix="mail")
    if form.validate():
        found = proofs.spend_code(form.code.data or "")
        if found == current_user.account_id:
            sign_in.strengthen()
            db.session.commit()
            return redirect(next_path(), 303)
        db.session.commit()
        sign_in.refused(current_user.account_id, "code")
        form.code.errors = [refusal_text(found if isinstance(found, Refusal) else Refusal.SPENT)]
    form.code.data = ""
    return make_response(_page(mail=form), 422)


@bp.route("/step-up", methods=["GET", "POST"])
@limited(SECOND_FACTOR, shared="second-factor")
@signed_in
def step_up() -> str | Response:
    """A page wants a second factor of this session: ask for it, or lead to its set-up."""
    if current_user.second_factor:
        return redirect(next_path(), 303)
    form = CodeForm()
    page = {"form": form, "next": next_path(), "has": current_user.has_second_factor}
    if request.method != "POST" or not current_user.has_second_factor:
        return render_template("accounts/step_up.html", **page)
    if form.validate():
        if proofs.second_factor_is_right(form.code.data or ""):
            sign_in.strengthen(second_factor=True)
            db.session.commit()
            return redirect(next_path(), 303)
        sign_in.refused(current_user.account_id, "second_factor")
        form.code.errors = [wrong_code()]
    form.code.data = ""
    return make_response(render_template("accounts/step_up.html", **page), 422)
