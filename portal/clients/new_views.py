"""New client: one form, checked piece by piece, submitted once."""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import abort, current_app, get_template_attribute, make_response, request, url_for
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.baselines import queries as baselines
from portal.billing import client_queries
from portal.billing.offer import Offer, price_list
from portal.billing.payment import payment_methods
from portal.billing.vat import check_vat_number
from portal.clients import choices, queries, service
from portal.clients.blueprint import bp
from portal.clients.forms import NewClientForm
from portal.clients.service import AlreadyCreated, Claim
from portal.clients.summary import Card, Summary, cards, summary
from portal.domain import new_client
from portal.domain.access import Permission
from portal.domain.emails import check_email
from portal.domain.errors import RuleError
from portal.domain.names import name_ci
from portal.domain.new_client import ClientOrder
from portal.domain.plans import Cadence, Plan
from portal.domain.pricing import PriceList
from portal.extensions import db
from portal.organizations.keys import OrganizationKeys
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.forms import sentence
from portal.web.fragments import done, respond
from portal.web.keyring import KeyRing, of_provider
from portal.web.languages import LANGUAGES

PAGE, SUMMARY = "clients/new.html", "clients/_summary.html"


@dataclass(frozen=True)
class NewClient:
    """What `clients/new.html` and its boxes show."""

    form: NewClientForm
    url: str
    back_url: str
    cards: Mapping[str, Card]
    warnings: Mapping[str, str]
    included: str
    summary: Summary
    key_ring: KeyRing
    earlier_name: str = ""
    earlier_url: str = ""

    def check_url(self, name: str) -> str:
        """Where one field is checked."""
        return f"{self.url}/fields/{name}"


@bp.get("/providers/<uuid:provider_id>/clients/new")
@requires(Permission.CLIENTS_CREATE)
def new(provider_id: uuid.UUID) -> Response:
    """The form, filled from the provider's own billing details."""
    profile = client_queries.billing_profile(db.session(), provider_id)
    return _answer(_filled_form(profile), provider_id, profile)


@bp.post("/providers/<uuid:provider_id>/clients/new/fields/<name>")
@requires(Permission.CLIENTS_CREATE)
def check_field(provider_id: uuid.UUID, name: str) -> Response:
    """One field of the form, as a submit would bring it back. Changes nothing."""
    form = _form()
    if name not in form.typed():
        abort(404)
    # Asked for by another field that it depends on, an empty one still waits for its turn.
    waits = not form[name].data and request.hx_source not in {"", form[name].id}  # type: ignore[attr-defined]
    if not waits:
        form.check(name)
    profile = client_queries.billing_profile(db.session(), provider_id)
    box = get_template_attribute("clients/macros.html", "box")
    return make_response(str(box(_view(form, provider_id, profile), name)).strip())


@bp.post("/providers/<uuid:provider_id>/clients/new/summary")
@requires(Permission.CLIENTS_CREATE)
def update_summary(provider_id: uuid.UUID) -> Response:
    """The summary of what is typed so far. Changes nothing."""
    return _answer(_form(), provider_id, client_queries.billing_profile(db.session(), provider_id))


@bp.post("/providers/<uuid:provider_id>/clients/new")
@requires(Permission.CLIENTS_CREATE)
def create(provider_id: uuid.UUID) -> Response:
    """Create the client, or say what is missing; the button "Update summary" creates nothing."""
    form = _form()
    profile = client_queries.billing_profile(db.session(), provider_id)
    if request.form.get("step") == "summary":
        form.check_typed()
        return _answer(form, provider_id, profile)
    keys = _keys(form)
    if not form.validate() or form.form_errors:
        return _answer(form, provider_id, profile, status=422)
    claim = Claim(form["token"].data, _fingerprint(form))
    order = new_client.clean(form.order(), vat_check=check_vat_number)
    try:
        client_id = service.create_client(
            db.session(),
            actor(),
            order=order,
            prices=_prices(),
            locale=form["locale"].data,
            keys=keys,
            claim=claim,
            baseline=form["baseline"].data or "",
        )
    except AlreadyCreated:
        db.session.rollback()
        return _again(form, provider_id, profile, claim)
    except RuleError as error:
        db.session.rollback()
        form.blame(error)
        return _answer(form, provider_id, profile, status=422)
    return _created(client_id, order)


def _created(client_id: uuid.UUID, order: ClientOrder) -> Response:
    """On to the client; the same for whoever sends the form a second time."""
    saved = notices.add(
        _(
            "%(client)s is created. An invitation goes to %(address)s.",
            client=order.name,
            address=order.owner_email,
        )
    )
    db.session.commit()
    return done(url_for("organizations.setup", organization_id=client_id), saved)


def _again(form: NewClientForm, provider_id: uuid.UUID, profile: Any, claim: Claim) -> Response:
    """The form was sent before: the same once more leads to its client, other words to a choice."""
    earlier = service.created_by(db.session(), current_user.account_id, claim.token)
    if earlier is None:
        # The first try was undone after it had blocked this one.
        abort(409)
    if earlier.fingerprint == claim.fingerprint:
        return _created(
            earlier.result_id, new_client.clean(form.order(), vat_check=check_vat_number)
        )
    url = url_for("organizations.setup", organization_id=earlier.result_id)
    form.renew()
    client = client_queries.client(db.session(), actor().scope, earlier.result_id)
    name = client.name if client else ""
    return _answer(
        form, provider_id, profile, status=409, earlier_name=name, earlier_url=url if name else ""
    )


def _form() -> NewClientForm:
    payments = {method.name: _(method.label) for method in payment_methods()}
    form = NewClientForm(vat_check=check_vat_number, payments=payments)
    form.offer_billing(choices.countries(), choices.days())
    form["locale"].choices = list(LANGUAGES.items())
    form["plan"].choices = [(plan.value, _(plan.label)) for plan in Plan]
    form["baseline"].choices = [("", _("None"))] + [
        (str(row.id), row.name) for row in baselines.baselines(db.session(), actor().scope)
    ]
    form["cadence"].choices = [(cadence.value, _(cadence.label)) for cadence in Cadence]
    return form


def _filled_form(profile: Any) -> NewClientForm:
    form = _form()
    for name in client_queries.ADDRESS:
        form[name].data = getattr(profile, name)
    form["net_days"].data = profile.net_days
    form["payment"].data = form["payment"].choices[0][0]
    form["locale"].data = _language()
    return form


def _language() -> str:
    locale = get_locale()
    return str(locale.language) if locale else "en"


def _keys(form: NewClientForm) -> OrganizationKeys | None:
    try:
        return form.organization_keys()
    except RuleError as error:
        form.drop_keys()
        form.blame(error)
        return None


def _fingerprint(form: NewClientForm) -> str:
    text = json.dumps(form.typed(), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _prices() -> PriceList:
    return price_list(current_app.extensions["settings"].prices)


def _answer(
    form: NewClientForm,
    provider_id: uuid.UUID,
    profile: Any,
    *,
    status: int = 200,
    earlier_name: str = "",
    earlier_url: str = "",
) -> Response:
    page = _view(form, provider_id, profile, earlier_name=earlier_name, earlier_url=earlier_url)
    return respond(PAGE, SUMMARY, status=status, page=page, summary=page.summary)


def _view(form: NewClientForm, provider_id: uuid.UUID, profile: Any, **earlier: str) -> NewClient:
    order, prices = form.order(), _prices()
    url = url_for("clients.new", provider_id=provider_id)
    unread = {name for name in form.typed() if form[name].process_errors}
    return NewClient(
        form=form,
        url=url,
        back_url=url_for("clients.index", provider_id=provider_id),
        cards=cards(prices, order.cadence or Cadence.MONTHLY),
        warnings=_warnings(form, provider_id),
        included=ngettext(
            "%(count)s GB is included.",
            "%(count)s GB are included.",
            prices.included_gb,
            count=prices.included_gb,
        ),
        summary=summary(
            f"{url}/summary",
            Offer.to(profile, prices, dt.datetime.now(dt.UTC)),
            order,
            unread=unread,
            invited=_address(order.owner_email),
        ),
        key_ring=of_provider(current_user),
        **earlier,
    )


def _warnings(form: NewClientForm, provider_id: uuid.UUID) -> dict[str, str]:
    order = form.order()
    named = bool(name_ci(order.name))
    exists = named and queries.name_exists(db.session(), actor().scope, order.name)
    hints = new_client.hints(order, name_exists=exists)
    return {name: sentence(message) for name, message in hints.items()}


def _address(text: str) -> str:
    """The address in its stored form; empty while it is none."""
    try:
        return check_email(text, field="owner_email")
    except RuleError:
        return ""
