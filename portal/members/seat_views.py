"""The seats of an organization: how they grow, and more of them asked for."""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import abort, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from werkzeug.wrappers import Response
from wtforms import TextAreaField

from portal.accounts.limits import limited
from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.domain.seat_requests import NOTE_LIMIT, RequestState, check_note, check_wanted
from portal.domain.seats import SeatTerms
from portal.domain.states import ClientStatus
from portal.domain.whole_numbers import whole_number
from portal.extensions import db
from portal.members import growth_queries, list_queries, seat_requests
from portal.members.blueprint import ALL, INVITING, bp
from portal.members.table import seats_line
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.fields import WholeNumber
from portal.web.formats import instant, moment, number
from portal.web.forms import Form
from portal.web.fragments import done

SEATS = f"{ALL}/seats"


class AskForm(Form):
    """How many more seats, and why."""

    seats = WholeNumber(_l("Seats to add"))
    note = TextAreaField(_l("Note to the provider"))

    def wanted(self) -> tuple[int, str] | None:
        """Both, checked; None where something is wrong, said at its field."""
        if not self.validate():
            return None
        try:
            return check_wanted(self.seats.data), check_note(self.note.data or "")
        except RuleError as error:
            self.blame(error)
            return None


@dataclass(frozen=True)
class Asked:
    """A request as the page lists it; `withdraw_url` is there while it waits."""

    text: str
    state: str
    note: str
    answer: str
    who: str
    when: str
    moment: str
    withdraw_url: str


@bp.get(SEATS)
@requires(Permission.MEMBERS_INVITE)
def seats(organization_id: uuid.UUID) -> Response:
    """How many there are and how they grow; what was asked for, and what came of it."""
    form = AskForm(formdata=None)
    form.seats.data = _prefilled(request.args.get("wanted", ""))
    return _page(organization_id, form)


def _prefilled(text: str) -> int | None:
    try:
        return whole_number(text)
    except RuleError:
        return None


@bp.post(SEATS)
@requires(Permission.MEMBERS_INVITE)
@limited(INVITING)
def ask_seats(organization_id: uuid.UUID) -> Response:
    """Ask the provider; one request waits at a time."""
    form = AskForm()
    wanted = form.wanted()
    if wanted is None:
        return _page(organization_id, form, 422)
    try:
        seat_requests.ask(db.session(), actor(), organization_id, *wanted)
    except RuleError as error:
        db.session.rollback()
        form.blame(error)
        return _page(organization_id, form, 422 if error.field else 409)
    return _back(organization_id, _("The provider is asked. You get an e-mail with the answer."))


@bp.post(f"{SEATS}/<uuid:request_id>/withdraw")
@requires(Permission.MEMBERS_INVITE)
def withdraw_seats(organization_id: uuid.UUID, request_id: uuid.UUID) -> Response:
    """Take a request back while it waits."""
    try:
        seat_requests.withdraw(db.session(), actor(), organization_id, request_id)
    except RuleError as error:
        db.session.rollback()
        if not growth_queries.has_request(db.session(), organization_id, request_id):
            abort(404)
        form = AskForm(formdata=None)
        form.blame(error)
        return _page(organization_id, form, 409)
    return _back(organization_id, _("The request is withdrawn."))


def _back(organization_id: uuid.UUID, text: str) -> Response:
    saved = notices.add(text)
    db.session.commit()
    return done(url_for("members.seats", organization_id=organization_id), saved)


def _requests(organization_id: uuid.UUID) -> Any:
    return growth_queries.requests(db.session(), organization_id)


def _page(organization_id: uuid.UUID, form: AskForm, status: int = 200) -> Response:
    found = growth_queries.standing(db.session(), organization_id)
    numbers = list_queries.numbers(db.session(), organization_id)
    asked = _requests(organization_id)
    is_admin = actor().can(Permission.CLIENTS_MANAGE)
    here = {"provider_id": found.provider_id, "organization_id": organization_id}
    waits = any(row.state is RequestState.OPEN for row in asked)
    body = render_template(
        "members/seats.html",
        form=form,
        numbers=numbers,
        seats=seats_line(numbers),
        growth=_growth(SeatTerms(found.seats, found.seats_grow, found.seat_limit), found),
        rows=[_asked(organization_id, row) for row in asked],
        can_ask=found.status is ClientStatus.ACTIVE
        and found.provider_id is not None
        and not is_admin
        and not waits,
        note_limit=NOTE_LIMIT,
        url=url_for("members.seats", organization_id=organization_id),
        manage_url=url_for("clients.subscription", **here) if is_admin else "",
        answer_url=url_for("clients.seat_request", **here) if is_admin and waits else "",
        back_url=url_for("members.index", organization_id=organization_id),
    )
    return make_response(body, status)


def _growth(terms: SeatTerms, found: Any) -> str:
    """How far seats are added by themselves."""
    if found.provider_id is None:
        return str(_("No provider manages this organization, so no seats are added."))
    if not terms.autogrow or terms.ceiling == terms.assigned:
        return str(_("No seats are added automatically. A provider admin can add seats."))
    if terms.limit is None:
        return str(_("Seats are added when people are invited, at the price shown before."))
    limit = number(terms.limit)
    return str(
        _(
            "Seats are added when people are invited, at the price shown before, up to %(limit)s.",
            limit=limit,
        )
    )


def _asked(organization_id: uuid.UUID, row: Any) -> Asked:
    waits = row.state is RequestState.OPEN
    here = {"organization_id": organization_id, "request_id": row.id}
    return Asked(
        text=ngettext("%(num)s more seat", "%(num)s more seats", row.seats),
        state=str(_(row.state.label)),
        note=row.note,
        answer=row.answer,
        who=row.asker or "",
        when=moment(row.asked_at),
        moment=instant(row.asked_at),
        withdraw_url=url_for("members.withdraw_seats", **here) if waits else "",
    )
