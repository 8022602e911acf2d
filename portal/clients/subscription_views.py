"""Manage subscription: the form, what it would cost, and the change."""

import hmac
import uuid
from typing import Any
from urllib.parse import urlencode

from flask import abort, current_app, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from portal.billing import subscriptions
from portal.billing.offer import price_list
from portal.billing.subscriptions import World
from portal.clients.blueprint import bp
from portal.clients.change_forms import FIELDS, SubscriptionForm
from portal.clients.effect import effect
from portal.clients.summary import cards
from portal.domain.access import Permission
from portal.domain.errors import N_, Changed, refuse
from portal.domain.plans import Cadence, Plan
from portal.domain.policies import PolicyKind
from portal.domain.pricing import Selection
from portal.domain.states import ClientStatus
from portal.extensions import db
from portal.policies import returning
from portal.policies.plans import off_notice, plan_words
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.formats import number
from portal.web.fragments import done, respond, wants

CHANGE = "clients/_change.html"


@bp.get("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/subscription")
@requires(Permission.CLIENTS_SUBSCRIBE)
def subscription(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """The form, filled from what the client has, or from the address on the way back to it."""
    world = _world(organization_id)
    return _form_page(_form(world, from_address="seats" in request.args), provider_id, world)


@bp.get("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/subscription/preview")
@requires(Permission.CLIENTS_SUBSCRIBE)
def preview_subscription(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """What the change in the address would cost: beside the form as it is typed, or as a page."""
    world = _world(organization_id)
    form = _form(world, from_address=True)
    if wants(CHANGE):
        return _form_page(form, provider_id, world)
    if not form.validate():
        return _form_page(form, provider_id, world, 422)
    return _preview_page(form, provider_id, world)


@bp.post("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/subscription")
@requires(Permission.CLIENTS_SUBSCRIBE)
def save_subscription(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """Change the subscription as previewed; a world that has changed gives a new preview."""
    world = _world(organization_id)
    form = SubscriptionForm(world.selection, used=world.used, may_raise=_may_raise())
    _offer_choices(form)
    if not form.validate():
        return _form_page(form, provider_id, world, 422)
    wanted = form.selection()[0]
    if not _is_sealed(world, form):
        return _preview_page(form, provider_id, world, 409)
    try:
        off = _commit(world, wanted)
    except Changed:
        return _again(provider_id, organization_id)
    text = _("The subscription of %(client)s is changed.", client=world.client.name)
    if off:
        text = f"{text} {off_notice(off)}"
    saved = notices.add(text) if wanted != world.selection else ""
    db.session.commit()
    return done(_url("clients.manage", provider_id, organization_id), saved)


def _commit(world: World, wanted: Selection) -> tuple[PolicyKind, ...]:
    """The change with what it does to policies; returns those that came back off."""
    session, client_id = db.session(), world.client.id
    seen = request.form.get("policies", "")
    before, after = world.selection.plan, wanted.plan
    off = returning.hold(session, client_id, before, after, seen=seen).off
    subscriptions.commit(session, actor(), world, world.preview(wanted), off=off)
    returning.turn_off(session, actor(), client_id, off)
    return off


def _again(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """Somebody was faster: what the same change does to the client as it is now."""
    db.session.rollback()
    world = _world(organization_id)
    form = SubscriptionForm(world.selection, used=world.used, may_raise=_may_raise())
    _offer_choices(form)
    if not form.validate():
        return _form_page(form, provider_id, world, 422)
    return _preview_page(form, provider_id, world, 409)


def _world(organization_id: uuid.UUID) -> World:
    prices = price_list(current_app.extensions["settings"].prices)
    world = subscriptions.world_of(db.session(), actor().scope, organization_id, prices)
    if world is None:
        abort(404)
    if world.client.status is ClientStatus.DELETING:
        raise refuse(N_("This client is being deleted. Keep it first, then change it."))
    if world.client.currency != prices.currency:
        # Amounts of two currencies are never added up.
        raise refuse(
            N_("This client is billed in %(old)s, and today's prices are in %(new)s."),
            old=world.client.currency,
            new=prices.currency,
        )
    return world


def _may_raise() -> bool:
    return actor().can(Permission.CLIENTS_MANAGE)


def _form(world: World, *, from_address: bool) -> SubscriptionForm:
    """The form of a GET: it changes nothing, so it carries no token."""
    form = SubscriptionForm(
        world.selection,
        used=world.used,
        may_raise=_may_raise(),
        formdata=request.args if from_address else None,
        obj=world.selection,
        meta={"csrf": False},
    )
    _offer_choices(form)
    return form


def _offer_choices(form: SubscriptionForm) -> None:
    form["plan"].choices = [(plan.value, _(plan.label)) for plan in Plan]
    form["cadence"].choices = [(cadence.value, _(cadence.label)) for cadence in Cadence]


def _secrets() -> tuple[str, ...]:
    keys: tuple[str, ...] = current_app.extensions["settings"].secret_keys
    return keys


def _is_sealed(world: World, form: SubscriptionForm) -> bool:
    wanted, given = form.selection()[0], request.form.get("seal", "").encode()
    return any(hmac.compare_digest(world.seal(wanted, key).encode(), given) for key in _secrets())


def _url(endpoint: str, provider_id: uuid.UUID, organization_id: uuid.UUID) -> str:
    return url_for(endpoint, provider_id=provider_id, organization_id=organization_id)


def _form_page(
    form: SubscriptionForm, provider_id: uuid.UUID, world: World, status: int = 200
) -> Response:
    wanted, wrong = form.selection()
    unread = any(form[name].process_errors for name in FIELDS)
    url = _url("clients.subscription", provider_id, world.client.id)
    return respond(
        "clients/subscription.html",
        CHANGE,
        status=status,
        form=form,
        client=world.client,
        may_raise=_may_raise(),
        cards=cards(world.offer.price_list, wanted.cadence),
        used=_used(world.used),
        url=url,
        back_url=_url("clients.manage", provider_id, world.client.id),
        change=effect(f"{url}/preview", world.preview(wanted), wrong=bool(wrong) or unread),
    )


def _used(count: int) -> str:
    text: str = ngettext(
        "%(count)s seat is in use; there cannot be fewer.",
        "%(count)s seats are in use; there cannot be fewer.",
        count,
        count=number(count),
    )
    return text


def _preview_page(
    form: SubscriptionForm, provider_id: uuid.UUID, world: World, status: int = 200
) -> Response:
    wanted = form.selection()[0]
    chosen = _as_typed(wanted)
    policies = returning.look(db.session(), world.client.id, world.selection.plan, wanted.plan)
    url = _url("clients.subscription", provider_id, world.client.id)
    body = render_template(
        "clients/subscription_preview.html",
        client=world.client,
        change=effect(f"{url}/preview", world.preview(wanted), wrong=False),
        url=url,
        form_url=f"{url}?{urlencode(chosen)}",
        fields={
            **chosen,
            "seal": world.seal(wanted, _secrets()[0]),
            "policies": policies.digest,
        },
        policies=plan_words(policies),
        has_changed=status == 409,
    )
    return Response(body, status, mimetype="text/html")


def _as_typed(wanted: Any) -> dict[str, str]:
    """The form's fields as a browser sends them; a box that is not ticked is not sent."""
    values = {name: getattr(wanted, name) for name in FIELDS}
    values["autogrow"] = "y" if wanted.autogrow else None
    return {name: str(value) for name, value in values.items() if value is not None}
