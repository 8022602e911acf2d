"""One client seen from its provider: facts, terms, name; and what may be done with it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from babel import Locale
from flask import abort, render_template, url_for
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.billing import client_queries, subscription_queries
from portal.billing.vat import check_vat_number
from portal.clients import choices, mark_queries, service, table
from portal.clients.actions import actions_for
from portal.clients.blueprint import bp
from portal.clients.forms import BillingTermsForm, RenameForm
from portal.clients.mark_queries import TagShown
from portal.clients.past_changes import past_changes
from portal.domain.access import Permission
from portal.domain.billing_details import FIELDS, clean_billing
from portal.domain.emails import check_email
from portal.domain.errors import Changed
from portal.domain.money import Money
from portal.domain.names import check_name
from portal.domain.pricing import LineKind
from portal.domain.seat_requests import RequestState
from portal.extensions import db
from portal.grants import queries as grants
from portal.members import growth_queries
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.formats import day, money, number
from portal.web.forms import sentence
from portal.web.fragments import done, respond

BILLING = ("billing_email", *FIELDS)


@dataclass(frozen=True)
class PricedLine:
    """A subscription line as it was priced."""

    label: str
    quantity: str
    unit: str
    months: str
    period: str
    version: str


@dataclass(frozen=True)
class Difference:
    """A field that somebody else has changed in the meantime."""

    label: str
    now: str
    typed: str


@bp.get("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/manage")
@requires(Permission.CLIENTS_READ)
def manage(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """The client's facts and terms, or its list of actions for the popover in the table."""
    client = _client(organization_id)
    lines = subscription_queries.lines(db.session(), actor().scope, [organization_id])
    return respond(
        "clients/manage.html",
        "clients/_menu.html",
        client=client,
        provider_id=provider_id,
        actions=actions_for(provider_id, client),
        tags=table.labelling(_tags(provider_id, client))(client.tags_shown),
        facts=_facts(client),
        terms=_terms(client),
        lines=[_line(client, line) for line in lines[organization_id]],
        changes=past_changes(db.session(), actor().scope, organization_id),
        asked=_asked(organization_id),
        delete_on=day(client.delete_at) if client.delete_at else "",
        back_url=url_for("clients.index", provider_id=provider_id),
        billing_url=_url("clients.billing", provider_id, organization_id),
    )


def _asked(organization_id: uuid.UUID) -> str:
    """That the client asks for seats, for whoever can answer; else empty."""
    if not actor().can(Permission.CLIENTS_MANAGE):
        return ""
    found = growth_queries.requests(db.session(), organization_id, 1)
    if not found or found[0].state is not RequestState.OPEN:
        return ""
    count = found[0].seats
    text: str = ngettext(
        "%(who)s asks for %(num)s more seat.",
        "%(who)s asks for %(num)s more seats.",
        count,
        who=found[0].asker or _("Somebody"),
    )
    return text


@bp.get("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/rename")
@requires(Permission.CLIENTS_RENAME)
def rename(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """The name, to be changed."""
    client = _client(organization_id)
    form = RenameForm(data={"name": client.name, "version": str(client.version)})
    return _rename_page(form, provider_id, client)


@bp.post("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/rename")
@requires(Permission.CLIENTS_RENAME)
def save_name(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """Store the name; whoever was slower sees both and decides."""
    client = _client(organization_id)
    form = RenameForm()
    if not form.validate():
        return _rename_page(form, provider_id, client, 422)
    name = check_name(form["name"].data)
    try:
        service.rename(
            db.session(),
            actor(),
            organization_id=organization_id,
            before=client.name,
            name=name,
            version=_version(form),
        )
    except Changed as error:
        return _rename_conflict(form, provider_id, organization_id, error)
    saved = notices.add(_("The client is now called %(client)s.", client=name))
    db.session.commit()
    return done(_url("clients.manage", provider_id, organization_id), saved)


@bp.get("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/billing")
@requires(Permission.CLIENTS_MANAGE)
def billing(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """The billing terms, to be changed."""
    client = _client(organization_id)
    form = _billing_form()
    for name in BILLING:
        form[name].data = getattr(client, name)
    form["version"].data = str(client.version)
    return _billing_page(form, provider_id, client)


@bp.post("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/billing")
@requires(Permission.CLIENTS_MANAGE)
def save_billing(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """Store the terms; whoever was slower sees both and decides."""
    client = _client(organization_id)
    form = _billing_form()
    if not form.validate():
        return _billing_page(form, provider_id, client, 422)
    try:
        changed = service.change_billing(
            db.session(),
            actor(),
            organization_id=organization_id,
            before={name: getattr(client, name) for name in BILLING},
            billing_email=check_email(form["billing_email"].data, field="billing_email"),
            details=clean_billing(form.details(), check_vat_number),
            version=_version(form),
        )
    except Changed as error:
        return _billing_conflict(form, provider_id, organization_id, error)
    saved = notices.add(_("The billing terms are saved.")) if changed else ""
    db.session.commit()
    return done(_url("clients.manage", provider_id, organization_id), saved)


def _client(organization_id: uuid.UUID) -> Any:
    found = client_queries.client(db.session(), actor().scope, organization_id)
    if found is None:
        abort(404)
    return found


def _url(endpoint: str, provider_id: uuid.UUID, organization_id: uuid.UUID) -> str:
    return url_for(endpoint, provider_id=provider_id, organization_id=organization_id)


def _version(form: Any) -> int:
    text = form["version"].data or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _tags(provider_id: uuid.UUID, client: Any) -> Mapping[uuid.UUID, TagShown]:
    """The provider's tags by id, looked up only for a client that has some."""
    if not client.tags_shown:
        return {}
    return mark_queries.marks(db.session(), provider_id, actor().account_id).tags


def _facts(client: Any) -> list[tuple[str, str]]:
    return [
        (_("Status"), _(client.status.label)),
        (_("Plan"), _(client.plan.label)),
        (_("Seats"), _seats(client)),
        (_("Added seats"), _growth(client)),
        (_("Additional storage"), _("%(count)s GB", count=number(client.extra_storage_gb))),
        (_("Owner"), _("Confirmed") if client.owner_confirmed else _("No confirmed owner")),
        (_("Keys"), _("Made") if client.has_keys else _("No keys")),
        (_("Created"), day(client.created_at)),
        *([(_("Service users"), _("Not live yet"))] if client.hidden_since else []),
        (_("Access of your people"), _(grants.mode(db.session(), client.id).label)),
    ]


def _seats(client: Any) -> str:
    return str(
        _(
            "%(assigned)s assigned, %(used)s used, %(remaining)s remaining",
            assigned=number(client.seats),
            used=number(client.seats_used),
            remaining=number(client.seats_remaining),
        )
    )


def _growth(client: Any) -> str:
    if not client.seats_grow:
        return str(_("Never added automatically"))
    if client.seat_limit is None:
        return str(_("Added automatically, without limit"))
    return str(_("Added automatically, up to %(limit)s", limit=number(client.seat_limit)))


def _terms(client: Any) -> list[tuple[str, str]]:
    locality = f"{client.postal_code} {client.city}"
    address = [client.billing_name, client.address_line1, client.address_line2, locality]
    return [
        (_("Billing e-mail"), client.billing_email),
        (_("Address"), ", ".join(filter(None, [*address, _country(client.country)]))),
        (_("VAT number"), client.vat_number or _("Not entered")),
        (_("Purchase-order number"), client.purchase_order or _("Not entered")),
        (_("Payment"), _payment(client)),
        (_("Billing cadence"), _(client.cadence.label)),
    ]


def _payment(client: Any) -> str:
    text: str = ngettext(
        "By invoice, payable within %(count)s day",
        "By invoice, payable within %(count)s days",
        client.net_days,
        count=client.net_days,
    )
    return text


def _country(code: str) -> str:
    locale = get_locale() or Locale.parse("en")
    return str(locale.territories.get(code, code))


def _line(client: Any, line: Any) -> PricedLine:
    return PricedLine(
        label=_(LineKind(line.kind).label),
        quantity=number(line.quantity),
        unit=money(Money(line.unit_cents, client.currency)),
        months=number(line.months),
        period=_("%(start)s to %(end)s", start=day(line.period_start), end=day(line.period_end)),
        version=line.price_list_version,
    )


def _rename_page(
    form: RenameForm,
    provider_id: uuid.UUID,
    client: Any,
    status: int = 200,
    differences: tuple[Difference, ...] = (),
) -> Response:
    return _page("clients/rename.html", form, provider_id, client, status, differences)


def _rename_conflict(
    form: RenameForm, provider_id: uuid.UUID, organization_id: uuid.UUID, error: Changed
) -> Response:
    client = _fresh(form, provider_id, organization_id, error)
    typed = Difference(_("Organization name"), client.name, form["name"].data)
    return _rename_page(form, provider_id, client, 409, (typed,))


def _billing_form() -> BillingTermsForm:
    form = BillingTermsForm(vat_check=check_vat_number)
    form.offer_billing(choices.countries(), choices.days())
    return form


def _billing_page(
    form: BillingTermsForm,
    provider_id: uuid.UUID,
    client: Any,
    status: int = 200,
    differences: tuple[Difference, ...] = (),
) -> Response:
    return _page("clients/billing.html", form, provider_id, client, status, differences)


def _billing_conflict(
    form: BillingTermsForm, provider_id: uuid.UUID, organization_id: uuid.UUID, error: Changed
) -> Response:
    client = _fresh(form, provider_id, organization_id, error)
    differences = tuple(
        Difference(form[name].label.text, _shown(getattr(client, name)), _shown(form[name].data))
        for name in BILLING
        if (getattr(client, name) or "") != (form[name].data or "")
    )
    return _billing_page(form, provider_id, client, 409, differences)


def _shown(value: Any) -> str:
    return str(value) if value else str(_("(empty)"))


def _fresh(form: Any, provider_id: uuid.UUID, organization_id: uuid.UUID, error: Changed) -> Any:
    """The client as it is now; the form keeps what was typed and would save over this state."""
    db.session.rollback()
    client = _client(organization_id)
    form["version"].data = str(client.version)
    form.form_errors.append(sentence(error.text))
    return client


def _page(
    template: str,
    form: Any,
    provider_id: uuid.UUID,
    client: Any,
    status: int,
    differences: tuple[Difference, ...],
) -> Response:
    body = render_template(
        template,
        form=form,
        client=client,
        differences=differences,
        back_url=_url("clients.manage", provider_id, client.id),
    )
    return Response(body, status, mimetype="text/html")
