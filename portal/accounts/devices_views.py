"""Profile → Devices: where the person is signed in."""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import abort, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.accounts import devices as service
from portal.accounts.blueprint import bp
from portal.domain.browsers import browser_and_system
from portal.extensions import db
from portal.web import notices
from portal.web.access import signed_in
from portal.web.fragments import done
from portal.web.logs import trace


@dataclass(frozen=True)
class Device:
    """One row; `row` is a session."""

    row: Any
    name: str
    is_this: bool
    way: str


@bp.get("/profile/devices")
@signed_in
def devices() -> str:
    """Each browser with its place on the network, since when and when last seen."""
    rows = [_device(row) for row in service.listed(db.session(), current_user.account_id)]
    # This one first: it is the one that people recognise.
    rows.sort(key=lambda device: not device.is_this)
    return render_template("accounts/devices.html", rows=rows)


def _device(row: Any) -> Device:
    return Device(
        row=row,
        name=_name(row.browser),
        is_this=row.id == current_user.session_id,
        way=_("Master password") if row.method == "password" else _("Code by e-mail"),
    )


def _name(user_agent: str) -> str:
    browser, system = browser_and_system(user_agent)
    if browser and system:
        return str(_("%(browser)s on %(system)s", browser=browser, system=system))
    return browser or system or str(_("An unknown browser"))


@bp.post("/profile/devices/sign-out")
@signed_in
def sign_out_device() -> Response:
    """Sign one of them out; its next request finds no session."""
    try:
        session_id = uuid.UUID(request.form.get("session", ""))
    except ValueError:
        session_id = uuid.UUID(int=0)
    if session_id == current_user.session_id:
        abort(409)
    if service.end(db.session(), current_user.account_id, session_id, trace()):
        saved = notices.add(_("That browser is signed out."))
    else:
        saved = notices.add(_("That browser was signed out already."))
    db.session.commit()
    return done(url_for("accounts.devices"), saved)


@bp.post("/profile/devices/sign-out-others")
@signed_in
def sign_out_others() -> Response:
    """Sign all others out."""
    count = service.end_others(
        db.session(), current_user.account_id, current_user.session_id, trace()
    )
    saved = notices.add(
        ngettext("%(num)s browser is signed out.", "%(num)s browsers are signed out.", count)
    )
    db.session.commit()
    return done(url_for("accounts.devices"), saved)
