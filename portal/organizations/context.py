"""Reads `/organizations/<organization_id>/…` once, before any view.

The person stands here as a member, or as somebody of the provider that has the organization; the
latter see the banner and leave a trace, once a session and day. Whether they come in at all is the
owner's to say (`AccessMode`): this is the one place where that is asked for the pages in here; what
the provider's own pages read of clients' insides asks `models.grants.opens_to`.
"""

import datetime as dt
from dataclasses import replace
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.database import short_transaction
from portal.domain.access import Actor, Permission, permissions_of, sees_hidden
from portal.domain.plans import Feature
from portal.domain.policies import PolicyKind, Subject, holds_for
from portal.domain.provider_access import AccessMode
from portal.domain.scope import Reach
from portal.domain.states import ClientStatus, MemberState, ProviderPersonState
from portal.extensions import db
from portal.organizations import mail, service
from portal.organizations.nav import nav_groups
from portal.providers import rotation_asked
from portal.providers.brand import brand_at
from portal.providers.context import guide, provider_actor, stands_in_provider
from portal.web.access import needs_step_up
from portal.web.answers import wants_json
from portal.web.errors import error_page
from portal.web.formats import moment
from portal.web.fragments import elsewhere, is_htmx
from portal.web.frame import Frame
from portal.web.logs import trace
from portal.web.shell import Banner

WAITING, CLOSED, ASKING = "organizations.waiting", "organizations.closed", "grants.ask"
WHILE_WAITING = frozenset({Permission.ORGANIZATION_READ})
# An owner whose organization is being deleted may take that back, and nothing else; who presses
# the last button twice is led to the page that says so.
WHILE_CLOSED = WHILE_WAITING | {Permission.ORGANIZATION_DELETE}
ENDING = frozenset({"console.keep", "console.delete_for_good_submit"})
# All that is left to somebody of the provider whom the owner has not let in.
WHILE_BARRED = frozenset({Permission.PROVIDER_ACCESS_ASK})


def init_organization_context(app: Flask) -> None:
    """Look the actor up before every view of an organization; nobody's place is a 404."""
    app.before_request(_enter)
    rotation_asked.WITHHELD[:] = [mail.key_withheld]


def _enter() -> AnyResponse | None:
    named = request.view_args or {}
    if "organization_id" not in named or "provider_id" in named:
        return None
    if not current_user.is_authenticated:
        return None
    place = current_user.place
    found = _actor(place) if place is not None else None
    if found is None:
        abort(404)
    _keep(found, place)
    only = _only_page()
    return _to_only_page(g.actor, only) if only else None


def _keep(found: Actor, place: Any) -> None:
    """Leave in `g` what the views, the frame and the guards ask for."""
    g.barred = found.via_provider and _is_barred(place)
    if g.barred:
        found = replace(found, permissions=found.permissions & WHILE_BARRED)
    g.actor = found
    g.plan = place.organization_plan
    g.own_parts = place.member_permissions or ()
    if found.via_provider:
        g.time_zone = place.provider_time_zone
        g.second_factor_required = place.second_factor_required
        if not g.barred:
            _leave_trace(found, place)
    else:
        g.second_factor_required = _asks_two_step(place)
    g.closed = not found.via_provider and not _is_active(place)
    g.waits = not found.via_provider and place.member_state == MemberState.ACCEPTED
    g.frame = lambda: _frame(place)


def _only_page() -> str | None:
    """The one page that is left to whoever is not let in, locked out, or waits."""
    if g.barred:
        return ASKING
    return CLOSED if g.closed else WAITING if g.waits else None


def _is_barred(place: Any) -> bool:
    """A grant is in the row only while it lasts: the statement has compared its end."""
    if place.access_mode is None:
        return False
    return place.access_mode is not AccessMode.ASK or place.grant_id is None


def _to_only_page(found: Actor, endpoint: str) -> AnyResponse | None:
    """Who waits, or is locked out, finds one page here, whichever address they came by."""
    if current_user.pending or _belongs_to(endpoint):
        return None
    if g.closed and request.endpoint in ENDING:
        return None
    if g.barred and (request.method == "POST" or wants_json()):
        told = _("The owners of this organization have not let you in. Nothing was changed.")
        return error_page(403, message=told)
    if request.method == "POST":
        abort(403)
    only = url_for(endpoint, organization_id=found.organization_id)
    return elsewhere(only, 200) if is_htmx() else redirect(only, 303)


def _belongs_to(endpoint: str) -> bool:
    """Whether this is the page, or one of the answers on it."""
    here = request.endpoint or ""
    return here == endpoint or here.startswith(f"{endpoint}_")


def _actor(place: Any) -> Actor | None:
    """A confirmed member first, then somebody of the provider, then a member who waits.

    Of a suspended organization, or one that is being deleted, members see one page that says so.
    """
    if place.organization_id is None:
        return None
    if place.member_state == MemberState.CONFIRMED and _is_active(place):
        return _member_actor(place, _rights(place))
    if stands_in_provider(place) and _is_reached(place):
        return replace(provider_actor(place, via_provider=True), grant_id=place.grant_id)
    if place.member_state == MemberState.CONFIRMED:
        return _member_actor(place, _rights(place) & WHILE_CLOSED)
    if place.member_state == MemberState.ACCEPTED:
        return _member_actor(place, _rights(place) & WHILE_WAITING)
    return None


def _asks_two_step(place: Any) -> bool:
    """Whether a policy lets this member in with a second factor alone."""
    if not place.asks_two_step or not place.organization_plan.has(Feature.POLICIES):
        return False
    is_of_provider = place.person_id is not None
    subject = Subject(place.member_role, place.member_state, is_of_provider)
    return holds_for(PolicyKind.TWO_STEP, subject)


def _is_reached(place: Any) -> bool:
    if place.organization_hidden_since is not None and not sees_hidden(place.person_role):
        return False
    return place.person_reach is Reach.ALL or bool(place.person_reaches)


def _rights(place: Any) -> frozenset[Permission]:
    rights = permissions_of(place.member_role, place.member_permissions)
    if place.person_state is ProviderPersonState.CONFIRMED:
        # An owner who works for the provider would let themselves in.
        return rights - {Permission.PROVIDER_ACCESS_DECIDE}
    return rights


def _is_active(place: Any) -> bool:
    return bool(place.organization_status == ClientStatus.ACTIVE)


def _member_actor(place: Any, permissions: frozenset[Permission]) -> Actor:
    return Actor(
        account_id=current_user.account_id,
        session_id=current_user.session_id,
        name=current_user.name,
        email=current_user.email,
        role=place.member_role,
        permissions=permissions,
        organization_id=place.organization_id,
        second_factor=current_user.second_factor,
        trace=trace(),
    )


def _leave_trace(found: Actor, place: Any) -> None:
    """Only on a page that is really opened: HEAD and fragments of it come after the page."""
    if request.method != "GET" or current_user.pending:
        return
    # Whoever is about to be asked for a second factor has not opened anything yet.
    if needs_step_up(found, Permission.ORGANIZATION_READ):
        return
    day = dt.datetime.now(dt.UTC).date()
    if service.has_entered(db.session(), found, day):
        return
    # Give the read transaction's connection back before the short one writes (SQLite).
    db.session.rollback()
    with short_transaction() as session:
        service.enter_by_provider(session, found, day, place.organization_name, place.provider_name)


def _frame(place: Any) -> Frame:
    here = {"organization_id": place.organization_id}
    if endpoint := _only_page():
        only = url_for(endpoint, **here)
        return Frame(place.organization_name, only, brand=brand_at(place))
    banner = None
    if g.actor.via_provider:
        banner = Banner(_banner(place), url_for("clients.index", provider_id=place.provider_id))
    rows = nav_groups(place.organization_id, g.actor.can, place.organization_plan, _badges(place))
    first = rows[0].items[0].url
    confirms = place.confirms_automatically and g.actor.can(Permission.MEMBERS_CONFIRM)
    return Frame(
        place.organization_name,
        first,
        rows,
        banner,
        guide(),
        brand_at(place),
        confirms_url=url_for("members.automatic", **here) if confirms else "",
    )


def _badges(place: Any) -> dict[str, str]:
    """What waits for this person's word, by the page that takes it."""
    if place.access_requests and g.actor.can(Permission.PROVIDER_ACCESS_DECIDE):
        return {"grants.index": str(place.access_requests)}
    return {}


def _banner(place: Any) -> str:
    names = {"client": place.organization_name, "provider": place.provider_name}
    if place.grant_id is None:
        return str(_("You are accessing %(client)s as %(provider)s", **names))
    names["time"] = moment(place.grant_ends_at)
    return str(_("You are accessing %(client)s as %(provider)s until %(time)s", **names))
