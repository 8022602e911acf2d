"""Setting up the second factor, its recovery codes, and turning it off."""

import datetime as dt

import segno
from flask import current_app, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup
from werkzeug.wrappers import Response

from portal.accounts import affiliations, asked, second_factor, sign_in
from portal.accounts.blueprint import bp
from portal.accounts.forms import SetUpForm
from portal.accounts.freshness import fresh
from portal.accounts.limits import SECOND_FACTOR, limited
from portal.accounts.steps import next_path
from portal.extensions import db
from portal.web import notices
from portal.web.access import signed_in
from portal.web.fragments import done
from portal.web.logs import trace
from portal.web.session import no_store


@bp.route("/profile/second-factor", methods=["GET", "POST"])
@limited(SECOND_FACTOR, shared="second-factor")
@signed_in
@fresh
def set_up_second_factor() -> str | Response:
    """Off: a QR code, the same as text, and a first code. On: what can be done about it."""
    if current_user.has_second_factor:
        return _overview()
    form = SetUpForm()
    if request.method != "POST":
        return _set_up_page(form, second_factor.new_secret(), 200)
    secret = _secret_of(form)
    if secret is None:
        form.form_errors.append(_("This page was too old. Scan the new code below."))
        return _set_up_page(form, second_factor.new_secret(), 422)
    if form.validate():
        step = second_factor.matching_step(secret, form.code.data or "", dt.datetime.now(dt.UTC))
        if step is not None:
            return _enable(secret, step)
        form.code.errors = [
            _("That code is not right. Check the clock of your phone and type the newest code.")
        ]
    return _set_up_page(form, secret, 422)


def _overview() -> Response:
    left = second_factor.count_recovery_codes(db.session(), current_user.account_id)
    page = render_template(
        "accounts/second_factor_on.html", codes_left=left, required_by=_required_by()
    )
    return no_store(make_response(page))


def _required_by() -> list[str]:
    providers = affiliations.asks_for_second_factor(db.session(), current_user.account_id)
    asking = (ask(db.session(), current_user.account_id) for ask in asked.SECOND_FACTOR)
    return [*providers, *(name for names in asking for name in names)]


def _secret_of(form: SetUpForm) -> str | None:
    """The secret of the page that was answered: sealed for this person, so nobody swaps it."""
    opened = sign_in.sealer("totp-set-up").open(form.sealed_secret.data or "") or ""
    owner, _mark, secret = opened.partition(":")
    return secret if owner == str(current_user.account_id) else None


def _set_up_page(form: SetUpForm, secret: str, status: int) -> Response:
    form.sealed_secret.data = sign_in.sealer("totp-set-up").seal(
        f"{current_user.account_id}:{secret}"
    )
    form.code.data = ""
    issuer = _("Provider Portal")
    uri = second_factor.provisioning_uri(secret, email=current_user.email, issuer=issuer)
    page = render_template(
        "accounts/second_factor_set_up.html",
        form=form,
        qr=_qr(uri),
        secret=second_factor.grouped(secret),
        next=next_path("accounts.profile"),
    )
    return no_store(make_response(page, status))


def _qr(uri: str) -> Markup:
    """An inline SVG without style attributes; dark on white whatever the theme, for scanners."""
    svg = segno.make(uri, error="m").svg_inline(
        scale=5, border=4, dark="#000", light="#fff", svgclass="qr", title=_("QR code")
    )
    return Markup(svg)  # noqa: S704 - written by segno from a URI that we made


def _enable(secret: str, step: int) -> Response:
    account_id = current_user.account_id
    if not second_factor.enable(
        db.session(), sign_in.sealer("totp"), account_id, secret, step, trace()
    ):
        return redirect(url_for("accounts.set_up_second_factor"), 303)
    codes = _new_codes()
    sign_in.strengthen(second_factor=True)
    db.session.commit()
    return _show(codes, just_enabled=True)


def _new_codes() -> list[str]:
    return second_factor.renew_recovery_codes(
        db.session(), sign_in.secret_keys(), current_user.account_id, trace()
    )


def _show(codes: list[str], *, just_enabled: bool) -> Response:
    page = render_template(
        "accounts/recovery_codes.html",
        codes=codes,
        just_enabled=just_enabled,
        host=current_app.extensions["settings"].hostname,
        next=next_path("accounts.profile"),
    )
    return no_store(make_response(page))


@bp.route("/profile/second-factor/recovery-codes", methods=["GET", "POST"])
@signed_in
@fresh
def recovery_codes() -> str | Response:
    """Ten new codes, after a page that says that the old ones stop working."""
    if not current_user.has_second_factor:
        return redirect(url_for("accounts.set_up_second_factor"), 303)
    if request.method != "POST":
        return render_template("accounts/renew_recovery_codes.html")
    codes = _new_codes()
    db.session.commit()
    return _show(codes, just_enabled=False)


@bp.route("/profile/second-factor/off", methods=["GET", "POST"])
@signed_in
@fresh
def second_factor_off() -> str | Response:
    """Turn it off, unless a provider or an organization requires it."""
    if not current_user.has_second_factor:
        return redirect(url_for("accounts.set_up_second_factor"), 303)
    required_by = _required_by()
    if request.method != "POST" or required_by:
        page = render_template("accounts/second_factor_off.html", required_by=required_by)
        return make_response(page, 200 if request.method != "POST" else 409)
    second_factor.disable(db.session(), current_user.account_id, trace())
    saved = notices.add(_("Your second factor is off."))
    db.session.commit()
    return done(url_for("accounts.profile"), saved)
