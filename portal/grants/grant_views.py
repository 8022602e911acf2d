"""One request or grant: to be answered, to be ended, and what was done under it."""

import datetime as dt
import uuid
from typing import Any

from flask import Response, current_app, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.domain.paging import page_of as paged
from portal.domain.provider_access import GrantState, Over, is_due
from portal.extensions import db
from portal.grants import service
from portal.grants.blueprint import ONE, bp, find, page_of
from portal.grants.forms import ApproveForm
from portal.grants.page import TONES, facts_of
from portal.logbook import queries as logs
from portal.logbook.queries import Filter, Scope
from portal.logbook.telling import line_of
from portal.web import fragments, notices
from portal.web.access import actor, requires
from portal.web.forms import sentence
from portal.web.paging import signer

EVENTS = 100
_TICK = dt.timedelta(milliseconds=1)


@bp.get(ONE)
@requires(Permission.PROVIDER_ACCESS_READ)
def grant(organization_id: uuid.UUID, grant_id: uuid.UUID) -> AnyResponse:
    """What was asked, what became of it, and everything that was done under it."""
    found = find(organization_id, grant_id)
    form = ApproveForm(formdata=None, data={"minutes": str(found.asked_minutes)})
    return _page(found, form)


@bp.post(f"{ONE}/approve")
@requires(Permission.PROVIDER_ACCESS_DECIDE)
def approve(organization_id: uuid.UUID, grant_id: uuid.UUID) -> AnyResponse:
    """Let the person in, for as long as was asked or shorter."""
    found, form = find(organization_id, grant_id), ApproveForm()
    try:
        minutes = form.wanted(found.asked_minutes)
        service.approve(db.session(), actor(), organization_id, grant_id, minutes)
    except RuleError as error:
        db.session.rollback()
        return _refused(found, error, form)
    return _done(found, _("%(person)s can come in now.", person=found.person_name))


@bp.post(f"{ONE}/decline")
@requires(Permission.PROVIDER_ACCESS_DECIDE)
def decline(organization_id: uuid.UUID, grant_id: uuid.UUID) -> AnyResponse:
    """Say no."""
    found = find(organization_id, grant_id)
    try:
        service.decline(db.session(), actor(), organization_id, grant_id)
    except RuleError as error:
        db.session.rollback()
        return _refused(found, error)
    return _done(found, _("The request is declined."))


@bp.post(f"{ONE}/end")
@requires(Permission.PROVIDER_ACCESS_DECIDE)
def end(organization_id: uuid.UUID, grant_id: uuid.UUID) -> AnyResponse:
    """End it at once: the next request of that person finds a closed door."""
    found = find(organization_id, grant_id)
    try:
        service.end(db.session(), actor(), organization_id, grant_id)
    except RuleError as error:
        db.session.rollback()
        return _refused(found, error)
    return _done(found, _("The access of %(person)s has ended.", person=found.person_name))


@bp.post(f"{ONE}/leave")
@requires(Permission.PROVIDER_ACCESS_ASK)
def leave(organization_id: uuid.UUID, grant_id: uuid.UUID) -> AnyResponse:
    """End one's own access early."""
    found = find(organization_id, grant_id)
    try:
        service.leave(db.session(), actor(), organization_id, grant_id)
    except RuleError as error:
        db.session.rollback()
        return _refused(found, error)
    saved = notices.add(_("Your access has ended."))
    db.session.commit()
    return fragments.done(url_for("clients.index", provider_id=actor().provider_id), saved)


def _done(found: Any, told: str) -> AnyResponse:
    saved = notices.add(told)
    db.session.commit()
    return fragments.done(page_of(found.organization_id, found.id), saved)


def _refused(found: Any, error: RuleError, form: ApproveForm | None = None) -> AnyResponse:
    now = find(found.organization_id, found.id)
    if form is not None and error.field:
        form.blame(error)
        return _page(now, form, status=422)
    again = ApproveForm(formdata=None, data={"minutes": str(now.asked_minutes)})
    return _page(now, again, sentence(error.text), 409 if isinstance(error, Over) else 422)


def _page(found: Any, form: ApproveForm, problem: str = "", status: int = 200) -> AnyResponse:
    form.limit(found.asked_minutes)
    mine = found.account_id == actor().account_id
    now = dt.datetime.now(dt.UTC)
    over = is_due(found.state, found.lapses_at, found.ends_at, now) is not None
    body = render_template(
        "grants/grant.html",
        grant=found,
        form=form,
        facts=facts_of(found),
        state=_(GrantState.EXPIRED.label) if over and found.ends_at else _(found.state.label),
        tone="" if over else TONES.get(found.state, ""),
        waits=found.state is GrantState.REQUESTED and not over,
        is_in=found.state is GrantState.APPROVED and not over,
        was_in=found.state.let_in,
        is_mine=mine,
        problem=problem,
        here=page_of(found.organization_id, found.id),
        back_url=url_for("grants.index", organization_id=found.organization_id),
        log_url=url_for("logbook.organization_events", organization_id=found.organization_id),
        **(_events(found) if found.state.let_in else {"lines": (), "next_url": None}),
    )
    return Response(body, status, mimetype="text/html")


def _events(found: Any) -> dict[str, Any]:
    """One page of the log of that person's acts in that time, the newest first."""
    if not actor().can(Permission.ORGANIZATION_EVENTS_READ):
        return {"lines": (), "next_url": None}
    signs = signer(current_app.extensions["settings"].secret_keys, "grant-events")
    text = request.args.get("at", "")
    cursor = signs.read(text, sort="id", descending=True) if text else None
    wanted = Filter(
        person=found.account_id,
        low=logs.id_at(found.answered_at),
        high=logs.id_at((found.closed_at or found.ends_at) + _TICK),
    )
    beside = cursor.id if cursor else None
    rows = logs.find(
        db.session(), Scope(found.organization_id), wanted, beside=beside, limit=EVENTS + 1
    ).rows
    page = paged(
        rows,
        size=EVENTS,
        sort="id",
        descending=True,
        cursor=cursor,
        place=lambda row: (0, row.id),
    )
    here = page_of(found.organization_id, found.id)
    return {
        "lines": [line_of(row, {}) for row in page.rows],
        "next_url": f"{here}?at={signs.write(page.next)}" if page.next else None,
    }
