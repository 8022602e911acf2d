"""Settings → Seats: how far the seats of clients grow before somebody of the provider is asked."""

import uuid

from flask import make_response, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from werkzeug.wrappers import Response
from wtforms import HiddenField

from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.domain.seat_growth import Bounds, check_bound
from portal.extensions import db
from portal.settings import seat_bounds, service
from portal.settings.blueprint import bp
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.fields import WholeNumber
from portal.web.forms import Form
from portal.web.fragments import done


class BoundsForm(Form):
    """Two numbers, each of which may be left empty."""

    seen = HiddenField()
    month = WholeNumber(_l("Seats a month, all clients together"))
    day = WholeNumber(_l("Seats a day for each client, without asking"))

    @classmethod
    def of(cls, bounds: Bounds) -> "BoundsForm":
        """The form as it begins."""
        form = cls(formdata=None)
        form.month.data, form.day.data = bounds.month, bounds.day
        form.seen.data = seat_bounds.mark(bounds)
        return form

    def bounds(self) -> Bounds | None:
        """What was typed; None where something is wrong, said at its field."""
        self.validate()
        for field in (self.month, self.day):
            try:
                check_bound(field.data, field=field.name)
            except RuleError as error:
                self.blame(error)
        return None if self.errors else Bounds(self.month.data, self.day.data)


@bp.get("/providers/<uuid:provider_id>/settings/seats")
@requires(Permission.PROVIDER_SETTINGS)
def seats(provider_id: uuid.UUID) -> Response:
    """The bounds as they are, and how much of the month's is used."""
    return _page(provider_id, BoundsForm.of(seat_bounds.read(db.session(), provider_id)[0]))


@bp.post("/providers/<uuid:provider_id>/settings/seats")
@requires(Permission.PROVIDER_SETTINGS)
def save_seats(provider_id: uuid.UUID) -> Response:
    """Store them; whoever was slower sees that, and what they typed."""
    form = BoundsForm()
    bounds = form.bounds()
    if bounds is None:
        return _page(provider_id, form, 422)
    try:
        seen = form.seen.data or ""
        changed = seat_bounds.save(db.session(), actor(), bounds, seen=seen)
    except service.Changed as error:
        db.session.rollback()
        form.blame(error)
        form.seen.data = seat_bounds.mark(seat_bounds.read(db.session(), provider_id)[0])
        return _page(provider_id, form, 409)
    saved = notices.add(_("The settings are saved.") if changed else _("Nothing has changed."))
    db.session.commit()
    return done(url_for("settings.seats", provider_id=provider_id), saved)


def _page(provider_id: uuid.UUID, form: BoundsForm, status: int = 200) -> Response:
    _bounds, grown = seat_bounds.read(db.session(), provider_id)
    used = ngettext("So far this month: %(num)s seat.", "So far this month: %(num)s seats.", grown)
    url = url_for("settings.seats", provider_id=provider_id)
    return make_response(
        render_template("settings/seats.html", form=form, used=used, url=url), status
    )
