"""Reads `/providers/<provider_id>/…` once, before any view: who is acting, and in which shell."""

from dataclasses import replace
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.access import Actor, Permission
from portal.domain.scope import Reach, permitted
from portal.domain.states import ProviderPersonState
from portal.extensions import db
from portal.providers import waiting
from portal.providers.brand import brand_at
from portal.providers.key_state import key_notice
from portal.web.fragments import elsewhere, is_htmx
from portal.web.frame import Frame, nav_item
from portal.web.links import link
from portal.web.logs import trace
from portal.web.shell import NavGroup, NavItem

WAITING = "providers.waiting"
# What the one page of whoever waits asks for; every other address leads to that page.
WHILE_WAITING = frozenset({Permission.CLIENTS_READ})


def init_provider_context(app: Flask) -> None:
    """Look the actor up before every view of a provider; nobody's place is a 404."""
    app.before_request(_enter)
    # Asked by the page alone: a fragment of it costs no look at the keys.
    app.jinja_env.globals["key_notice"] = lambda: key_notice(
        db.session(), g.actor, current_user.place, waiting_here
    )


def _enter() -> AnyResponse | None:
    if "provider_id" not in (request.view_args or {}):
        return None
    if not current_user.is_authenticated:
        return None
    place = current_user.place
    g.waits = place is not None and waits_in_provider(place)
    if g.waits:
        g.actor = replace(provider_actor(place), permissions=WHILE_WAITING)
        return _to_waiting(place)
    if place is None or not stands_in_provider(place):
        abort(404)
    g.time_zone = place.provider_time_zone
    g.second_factor_required = place.second_factor_required
    g.actor = provider_actor(place)
    g.frame = lambda: _frame(place)
    return None


def _to_waiting(place: Any) -> AnyResponse | None:
    """Who waits to be confirmed finds one page here, whichever address they came by."""
    if current_user.pending or request.endpoint == WAITING:
        return None
    if request.method == "POST":
        abort(403)
    only = url_for(WAITING, provider_id=place.provider_id)
    return elsewhere(only, 200) if is_htmx() else redirect(only, 303)


def waits_in_provider(place: Any) -> bool:
    """Whether the row holds somebody who has accepted and is not confirmed yet."""
    return place.person_id is not None and place.person_state == ProviderPersonState.ACCEPTED


def stands_in_provider(place: Any) -> bool:
    """Whether the row holds a confirmed person of the provider."""
    return place.person_id is not None and place.person_state == ProviderPersonState.CONFIRMED


def provider_actor(place: Any, *, via_provider: bool = False) -> Actor:
    """The actor of a confirmed provider person; in an organization with `via_provider`."""
    return Actor(
        account_id=current_user.account_id,
        session_id=current_user.session_id,
        name=current_user.name,
        email=current_user.email,
        role=place.person_role,
        permissions=permitted(place.person_role, place.person_level),
        provider_id=place.provider_id,
        organization_id=place.organization_id if via_provider else None,
        via_provider=via_provider,
        second_factor=current_user.second_factor,
        trace=trace(),
        limited_to=None if place.person_reach is Reach.ALL else place.person_id,
    )


def guide() -> str:
    """The guide that walks through a client's beginnings; linked as Help on every page of it."""
    return link("help.page", name="start-a-client-organization")


def waiting_here() -> waiting.Waiting:
    """What waits at the provider of this request, counted at most once."""
    if "waiting" not in g:
        g.waiting = waiting.count(db.session(), g.actor)
    found: waiting.Waiting = g.waiting
    return found


def _client_items(here: dict[str, Any]) -> list[NavItem]:
    """The clients, and what over all of them waits for somebody."""
    clients = nav_item(_("Clients"), "clients.index", "building-2", **here)
    stuck = waiting_here().stuck_words
    people = nav_item(_("Stuck people"), "clients.stuck_people", "user-check", stuck, **here)
    is_here = (request.endpoint or "").startswith("clients.stuck_")
    return [
        nav_item(_("Home"), "overview.home", "house", **here),
        replace(clients, current=clients.current and not is_here),
        replace(people, current=is_here),
        nav_item(_("Expiry radar"), "radar.index", "clock", **here),
    ]


def _frame(place: Any) -> Frame:
    here = {"provider_id": place.provider_id}
    items = _client_items(here)
    groups = [NavGroup("", tuple(items))]
    for label, rows in ((_("Manage"), _manage(here)), (_("Settings"), _settings(here))):
        if rows:
            groups.append(NavGroup(label, tuple(rows)))
    return Frame(place.provider_name, items[1].url, tuple(groups), None, guide(), brand_at(place))


def _manage(here: dict[str, Any]) -> list[NavItem]:
    rows: list[NavItem] = []
    if g.actor.can(Permission.BASELINES_READ):
        rows.append(nav_item(_("Baselines"), "baselines.index", "layers", **here))
    if g.actor.can(Permission.PROVIDER_PEOPLE_READ):
        rows.append(nav_item(_("People"), "providers.people", "users", **here))
    if g.actor.can(Permission.PROVIDER_EVENTS_READ):
        log = nav_item(_("Event log"), "logbook.provider_events", "scroll-text", **here)
        in_log = (request.endpoint or "").startswith("logbook.")
        rows.append(replace(log, current=in_log))
    if g.actor.can(Permission.BILLING_READ):
        rows.append(nav_item(_("Billing"), "invoicing.provider_billing", "receipt", **here))
    return rows


def _settings(here: dict[str, Any]) -> list[NavItem]:
    rows: list[NavItem] = []
    if g.actor.can(Permission.PROVIDER_SETTINGS):
        rows += [
            nav_item(_("General"), "settings.general", "settings", **here),
            nav_item(_("Brand"), "settings.brand", "sun", **here),
            nav_item(_("Security"), "settings.security", "shield", **here),
            nav_item(_("Seats"), "settings.seats", "user-plus", **here),
        ]
    if g.actor.can(Permission.PROVIDER_KEYS):
        rows.append(nav_item(_("Keys"), "providers.keys", "key-round", **here))
    return rows
