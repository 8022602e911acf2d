"""The profile: name, language, time zone, theme; and the ways to everything about signing in."""

from flask import make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.accounts import service
from portal.accounts.blueprint import bp
from portal.accounts.forms import ProfileForm
from portal.accounts.service import Profile
from portal.crypto.fingerprint import fingerprint_phrase
from portal.extensions import db
from portal.web import notices
from portal.web.access import signed_in
from portal.web.fragments import done
from portal.web.logs import trace


@bp.route("/profile", methods=["GET", "POST"])
@signed_in
def profile() -> str | Response:
    """One page about the person."""
    before = Profile(
        name=current_user.name,
        locale=current_user.locale or "",
        time_zone=current_user.time_zone or "",
        theme=current_user.theme,
    )
    form = ProfileForm(before)
    if request.method != "POST":
        return _page(form)
    if not form.validate():
        return make_response(_page(form), 422)
    if service.update_profile(
        db.session(), current_user.account_id, before, form.profile(), trace()
    ):
        saved = notices.add(_("Your profile is saved."))
    else:
        saved = notices.add(_("There was nothing to change."))
    db.session.commit()
    return done(url_for("accounts.profile"), saved)


def _page(form: ProfileForm) -> str:
    phrase = ""
    if current_user.has_keys:
        phrase = fingerprint_phrase(str(current_user.account_id), current_user.public_key)
    return render_template("accounts/profile.html", form=form, phrase=phrase)
