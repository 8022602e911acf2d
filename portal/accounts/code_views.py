"""Signing in with a code by mail: for browsers without scripts, and for whoever prefers it."""

from flask import make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts import proofs, service, sign_in
from portal.accounts.blueprint import bp
from portal.accounts.codes import Refusal
from portal.accounts.forms import AddressForm, CodeForm
from portal.accounts.limits import ASK_CODE, ENTER_CODE, limited
from portal.accounts.sign_in_views import ADDRESS_COOKIE, enter
from portal.accounts.steps import next_path
from portal.extensions import db
from portal.web.access import public


@bp.route("/sign-in/code", methods=["GET", "POST"])
@limited(ASK_CODE, shared="ask-code")
@public
def send_code() -> str | Response:
    """Ask for a code; the answer is the same for an address that has no account."""
    if request.method != "POST":
        form = AddressForm(formdata=None, email=request.cookies.get(ADDRESS_COOKIE, ""))
        return render_template("accounts/send_code.html", form=form, next=next_path())
    form = AddressForm()
    if not form.validate():
        page = render_template("accounts/send_code.html", form=form, next=next_path())
        return make_response(page, 422)
    proofs.ask_code(form.email.data or "")
    db.session.commit()
    return redirect(url_for("accounts.enter_code", next=next_path()), 303)


@bp.route("/sign-in/code/enter", methods=["GET", "POST"])
@limited(ENTER_CODE, shared="enter-code")
@public
def enter_code() -> str | Response:
    """The code from the mail."""
    if "challenge" not in session:
        return redirect(url_for("accounts.send_code", next=next_path()), 303)
    form = CodeForm()
    if request.method != "POST":
        return _page(form)
    if form.validate():
        found = proofs.spend_code(form.code.data or "")
        if not isinstance(found, Refusal):
            second = service.has_second_factor(db.session(), found)
            return enter(found, method="code", second_factor=second)
        db.session.commit()
        account = service.find_by_email(db.session(), session["address"])
        sign_in.refused(account.id if account else None, "code")
        form.code.errors = [refusal_text(found)]
    form.code.data = ""
    return make_response(_page(form), 422)


def _page(form: CodeForm) -> str:
    return render_template(
        "accounts/enter_code.html", form=form, address=session.get("address", ""), next=next_path()
    )


def refusal_text(refusal: Refusal) -> str:
    """What to do about a code that did not count."""
    if refusal is Refusal.SPENT:
        return str(_("This code can no longer be used. Send yourself a new one."))
    return str(_("That code is not right. Check it, or send yourself a new one."))
