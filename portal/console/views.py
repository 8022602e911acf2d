"""Settings → Organization: what it is called, where its mail goes, and what there is of it."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from flask import g, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.console import danger_views, key_views, queries, service
from portal.console.blueprint import bp
from portal.console.forms import SettingsForm
from portal.crypto.fingerprint import fingerprint_phrase
from portal.domain.access import Permission
from portal.domain.emails import shown
from portal.domain.plans import Feature
from portal.extensions import db
from portal.organizations.nav import other_settings
from portal.settings.service import Changed
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.formats import day, number
from portal.web.forms import sentence
from portal.web.fragments import done
from portal.web.languages import LANGUAGES

__all__ = ["bp", "danger_views", "key_views"]

PAGE = "/organizations/<uuid:organization_id>/settings"


@dataclass(frozen=True)
class Difference:
    """A field that somebody else has changed in the meantime."""

    label: str
    now: str
    typed: str


@bp.get(PAGE)
@requires(Permission.ORGANIZATION_SETTINGS)
def index(organization_id: uuid.UUID) -> Response:
    """The settings as they are."""
    found = queries.settings(db.session(), organization_id)
    form = SettingsForm(found, may_bill=_may_bill(found))
    form.seen.data = service.seen(found)
    return _page(form, found)


@bp.post(PAGE)
@requires(Permission.ORGANIZATION_SETTINGS)
def save_settings(organization_id: uuid.UUID) -> Response:
    """Store them; whoever was slower sees both and decides."""
    found = queries.settings(db.session(), organization_id)
    form = SettingsForm(found, may_bill=_may_bill(found))
    values = form.values()
    if values is None:
        return _page(form, found, 422)
    try:
        changed = service.save(db.session(), actor(), values, seen=form.seen.data or "")
    except Changed as error:
        return _conflict(form, organization_id, values, error)
    saved = notices.add(_("The settings are saved.") if changed else _("Nothing has changed."))
    db.session.commit()
    return done(url_for("console.index", organization_id=organization_id), saved)


def _may_bill(found: Any) -> bool:
    """Whoever pays says where invoices go: the owner here, a provider on its own pages."""
    return found.provider_id is None


def _conflict(
    form: SettingsForm, organization_id: uuid.UUID, values: dict[str, str], error: Changed
) -> Response:
    """The form keeps what was typed, and saves over what is stored now if it is sent again."""
    db.session.rollback()
    found = queries.settings(db.session(), organization_id)
    form.seen.data = service.seen(found)
    form.form_errors.append(sentence(error.text))
    differences = tuple(
        Difference(form[name].label.text, _shown(name, getattr(found, name)), _shown(name, typed))
        for name, typed in values.items()
        if getattr(found, name) != typed
    )
    return _page(form, found, 409, differences)


def _shown(name: str, value: str) -> str:
    """As the form words it: a language by its name."""
    if name == "locale":
        return LANGUAGES.get(value) or str(_("That of whoever invites"))
    return value or str(_("(empty)"))


def _page(
    form: SettingsForm, found: Any, status: int = 200, differences: tuple[Difference, ...] = ()
) -> Response:
    counted = queries.numbers(db.session(), found.id)
    # A smaller plan ends what domains are for, not the domains: they can still be removed.
    keeping = {"domains.index"} if counted.domains else set()
    body = render_template(
        "console/settings.html",
        form=form,
        found=found,
        differences=differences,
        facts=_facts(found, counted),
        phrase=fingerprint_phrase(str(found.id), found.public_key) if found.public_key else "",
        others=other_settings(found.id, actor().can, g.plan, keeping),
        via_provider=actor().via_provider,
        key=queries.api_key(db.session(), found.id),
        open_link=queries.open_deletion(db.session(), found.id, dt.datetime.now(dt.UTC)),
        has_api=g.plan.has(Feature.API),
    )
    return Response(body, status, mimetype="text/html")


def _facts(found: Any, counted: queries.Numbers) -> list[tuple[str, str]]:
    return [
        (_("Plan"), _(found.plan.label)),
        (
            _("Seats"),
            _(
                "%(assigned)s assigned, %(used)s used, %(remaining)s remaining",
                assigned=number(found.seats),
                used=number(found.seats_used),
                remaining=number(found.seats - found.seats_used),
            ),
        ),
        (_("Additional storage"), _("%(count)s GB", count=number(found.extra_storage_gb))),
        (_("Members"), number(counted.members)),
        (_("Groups"), number(counted.groups)),
        (_("Collections"), number(counted.collections)),
        (_("Provider"), found.provider or _("None")),
        *([] if _may_bill(found) else [(_("Invoices go to"), shown(found.billing_email))]),
        (_("Created"), day(found.created_at)),
    ]
