"""A client asks for seats: what it asks, what that costs, and the answer with one click."""

import hmac
import uuid
from typing import Any

from flask import abort, current_app, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from werkzeug.wrappers import Response
from wtforms import TextAreaField

from portal.billing import subscriptions
from portal.billing.offer import price_list
from portal.billing.subscriptions import World
from portal.clients import seat_answers
from portal.clients.blueprint import bp
from portal.clients.effect import effect
from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.domain.seat_requests import NOTE_LIMIT, RequestState, check_note
from portal.domain.states import ClientStatus
from portal.extensions import db
from portal.members import growth_queries
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.formats import instant, moment
from portal.web.forms import Form, sentence
from portal.web.fragments import done

SEATS = "/providers/<uuid:provider_id>/clients/<uuid:organization_id>/seats"


class DeclineForm(Form):
    """Why not."""

    answer = TextAreaField(_l("Answer"))

    def text(self) -> str | None:
        """The answer, checked; None where something is wrong, said at its field."""
        if not self.validate():
            return None
        try:
            return check_note(self.answer.data or "", field="answer")
        except RuleError as error:
            self.blame(error)
            return None


@bp.get(SEATS)
@requires(Permission.CLIENTS_MANAGE)
def seat_request(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """The request that waits, with its price; or that none does."""
    return _page(provider_id, organization_id, DeclineForm(formdata=None))


@bp.post(f"{SEATS}/<uuid:request_id>/approve")
@requires(Permission.CLIENTS_MANAGE)
def approve_seats(
    provider_id: uuid.UUID, organization_id: uuid.UUID, request_id: uuid.UUID
) -> Response:
    """Buy them as previewed; a world that has changed gives a new preview."""
    world, asked = _world(organization_id, request_id), _waiting(organization_id)
    form = DeclineForm(formdata=None)
    if asked is None or asked.id != request_id:
        return _page(provider_id, organization_id, form, 409)
    try:
        wanted = seat_answers.wanted(world, asked.seats)
        if not _is_sealed(world, wanted):
            return _page(provider_id, organization_id, form, 409)
        seat_answers.approve(db.session(), actor(), world, request_id)
    except RuleError:
        db.session.rollback()
        return _page(provider_id, organization_id, form, 409)
    return _done(provider_id, organization_id, _("The seats are added, and who asked is told."))


@bp.post(f"{SEATS}/<uuid:request_id>/decline")
@requires(Permission.CLIENTS_MANAGE)
def decline_seats(
    provider_id: uuid.UUID, organization_id: uuid.UUID, request_id: uuid.UUID
) -> Response:
    """Say no; what was typed is kept where somebody was faster."""
    world, form = _world(organization_id, request_id), DeclineForm()
    answer = form.text()
    if answer is None:
        return _page(provider_id, organization_id, form, 422)
    try:
        seat_answers.decline(db.session(), actor(), world.client, request_id, answer)
    except RuleError as error:
        db.session.rollback()
        form.blame(error)
        return _page(provider_id, organization_id, form, 409)
    return _done(provider_id, organization_id, _("The request is declined, and who asked is told."))


def _done(provider_id: uuid.UUID, organization_id: uuid.UUID, text: str) -> Response:
    saved = notices.add(text)
    db.session.commit()
    here: dict[str, Any] = {"provider_id": provider_id, "organization_id": organization_id}
    return done(url_for("clients.manage", **here), saved)


def _world(organization_id: uuid.UUID, request_id: uuid.UUID | None = None) -> World:
    """The client, which must have asked so where a request is named; else 404."""
    prices = price_list(current_app.extensions["settings"].prices)
    world = subscriptions.world_of(db.session(), actor().scope, organization_id, prices)
    if world is None:
        abort(404)
    if request_id and not growth_queries.has_request(db.session(), organization_id, request_id):
        abort(404)
    return world


def _waiting(organization_id: uuid.UUID) -> Any:
    found = growth_queries.requests(db.session(), organization_id, 1)
    return next((row for row in found if row.state is RequestState.OPEN), None)


def _secrets() -> tuple[str, ...]:
    keys: tuple[str, ...] = current_app.extensions["settings"].secret_keys
    return keys


def _is_sealed(world: World, wanted: Any) -> bool:
    given = request.form.get("seal", "").encode()
    return any(hmac.compare_digest(world.seal(wanted, key).encode(), given) for key in _secrets())


def _page(
    provider_id: uuid.UUID, organization_id: uuid.UUID, form: DeclineForm, status: int = 200
) -> Response:
    world, asked = _world(organization_id), _waiting(organization_id)
    here: dict[str, Any] = {"provider_id": provider_id, "organization_id": organization_id}
    change, seal, why = None, "", ""
    if asked is not None:
        change, seal, why = _priced(world, asked)
    body = render_template(
        "clients/seat_request.html",
        client=world.client,
        form=form,
        asked=asked,
        asked_text=ngettext("%(num)s more seat", "%(num)s more seats", asked.seats if asked else 0),
        asked_when=(moment(asked.asked_at), instant(asked.asked_at)) if asked else ("", ""),
        change=change,
        seal=seal,
        why=why,
        has_changed=status == 409,
        note_limit=NOTE_LIMIT,
        here=url_for("clients.seat_request", **here),
        manage_url=url_for("clients.subscription", **here),
        back_url=url_for("clients.manage", **here),
    )
    return Response(body, status, mimetype="text/html")


def _priced(world: World, asked: Any) -> tuple[Any, str, str]:
    """The effect and its seal; or why it cannot be approved here."""
    if world.client.status is ClientStatus.DELETING:
        return None, "", _("This client is being deleted. Keep it first, then change it.")
    if world.client.currency != world.offer.price_list.currency:
        return None, "", _("This client is billed in another currency than today's prices.")
    try:
        wanted = seat_answers.wanted(world, asked.seats)
    except RuleError as error:
        return None, "", sentence(error.text)
    return effect("", world.preview(wanted), wrong=False), world.seal(wanted, _secrets()[0]), ""
