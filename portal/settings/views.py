"""Settings → General: what the provider is called, who pays, and what it is charged."""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import current_app, render_template, url_for
from flask_babel import format_decimal
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.billing import load_prices
from portal.billing.vat import check_vat_number
from portal.config import Settings
from portal.domain.access import Permission
from portal.domain.plans import Cadence, Plan
from portal.domain.pricing import PriceList
from portal.extensions import db
from portal.settings import (
    brand_views,
    danger_views,
    queries,
    seat_views,
    security_views,
    service,
)
from portal.settings.blueprint import bp
from portal.settings.forms import GeneralForm
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.formats import money, number
from portal.web.forms import sentence
from portal.web.fragments import done

__all__ = ["bp", "brand_views", "danger_views", "seat_views", "security_views"]


@dataclass(frozen=True)
class Difference:
    """A field that somebody else has changed in the meantime."""

    label: str
    now: str
    typed: str


@dataclass(frozen=True)
class Prices:
    """What the provider is charged: (what, by month, by year) a row, and what applies to all."""

    rows: tuple[tuple[str, str, str], ...]
    facts: tuple[tuple[str, str], ...]


@bp.get("/providers/<uuid:provider_id>/settings")
@requires(Permission.PROVIDER_SETTINGS)
def general(provider_id: uuid.UUID) -> Response:
    """The settings as they are."""
    found = queries.settings(db.session(), provider_id)
    form = GeneralForm(found, check_vat_number)
    form.seen.data = service.mark(found)
    return _page(form, found)


@bp.post("/providers/<uuid:provider_id>/settings")
@requires(Permission.PROVIDER_SETTINGS)
def general_save(provider_id: uuid.UUID) -> Response:
    """Store them; whoever was slower sees both and decides."""
    found = queries.settings(db.session(), provider_id)
    form = GeneralForm(found, check_vat_number)
    values = form.values()
    if values is None:
        return _page(form, found, 422)
    try:
        changed = service.save(db.session(), actor(), values, seen=form.seen.data or "")
    except service.Changed as error:
        return _conflict(form, provider_id, values, error)
    saved = notices.add(_("The settings are saved.") if changed else _("Nothing has changed."))
    db.session.commit()
    return done(url_for("settings.general", provider_id=provider_id), saved)


def _conflict(
    form: GeneralForm, provider_id: uuid.UUID, values: dict[str, Any], error: service.Changed
) -> Response:
    """The form keeps what was typed, and saves over what is stored now if it is sent again."""
    db.session.rollback()
    found = queries.settings(db.session(), provider_id)
    form.seen.data = service.mark(found)
    form.form_errors.append(sentence(error.text))
    differences = tuple(
        Difference(form[name].label.text, _shown(getattr(found, name)), _shown(values[name]))
        for name in service.GENERAL + service.BILLING
        if getattr(found, name) != values[name]
    )
    return _page(form, found, 409, differences)


def _shown(value: Any) -> str:
    return str(value) if value else str(_("(empty)"))


def _page(
    form: GeneralForm, found: Any, status: int = 200, differences: tuple[Difference, ...] = ()
) -> Response:
    body = render_template(
        "settings/general.html",
        form=form,
        found=found,
        differences=differences,
        prices=_prices(found),
        kept=_kept(found.events_kept_months),
    )
    return Response(body, status, mimetype="text/html")


def _kept(months: int | None) -> str:
    if months is None:
        return str(_("For good"))
    return str(_("%(count)s months", count=number(months)))


def _prices(found: Any) -> Prices:
    settings: Settings = current_app.extensions["settings"]
    used = load_prices(settings.prices)
    file = settings.prices.name if settings.prices else _("The list that comes with the portal")
    tax = _("No tax")
    if found.tax_basis_points:
        tax = f"{found.tax_label or _('Tax')} {_percent(found.tax_basis_points)}"
    return Prices(
        rows=tuple(_price_rows(used)),
        facts=(
            (_("Price list"), _("%(version)s in %(currency)s", **_named(used))),
            (_("File"), file),
            (_("Included storage for each client"), _("%(count)s GB", count=used.included_gb)),
            (_("Your discount"), _percent(found.discount_basis_points)),
            (_("Tax on your bills"), tax),
        ),
    )


def _named(used: PriceList) -> dict[str, str]:
    return {"version": used.version, "currency": used.currency}


def _percent(basis_points: int) -> str:
    return str(_("%(number)s %%", number=format_decimal(basis_points / 100)))


def _price_rows(used: PriceList) -> list[tuple[str, str, str]]:
    monthly, annual = Cadence.MONTHLY, Cadence.ANNUAL
    rows = [
        (
            _("%(plan)s, per seat and month", plan=_(plan.label)),
            money(used.seat(plan, monthly)),
            money(used.seat(plan, annual)),
        )
        for plan in Plan
    ]
    gigabyte = money(used.gigabyte(monthly)), money(used.gigabyte(annual))
    return [*rows, (_("Additional GB per month"), *gigabyte)]
