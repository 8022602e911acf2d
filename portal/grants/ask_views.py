"""The closed door as somebody of the provider finds it; and the link in the owners' mail."""

import datetime as dt
import uuid
from typing import Any

from flask import Response, abort, current_app, g, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.crypto.tokens import LinkSigner
from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.domain.provider_access import AccessMode, GrantState, is_due
from portal.domain.states import ClientStatus
from portal.extensions import db
from portal.grants import queries, service
from portal.grants.blueprint import ALL, bp, find, page_of
from portal.grants.forms import AskForm, words_of
from portal.grants.page import TONES, facts_of
from portal.web import fragments, notices
from portal.web.access import actor, requires, signed_in
from portal.web.forms import sentence

PURPOSE = "access-request"


@bp.get(f"{ALL}/ask")
@requires(Permission.PROVIDER_ACCESS_ASK)
def ask(organization_id: uuid.UUID) -> AnyResponse:
    """Why the door is closed, and the question; whoever is in already goes in."""
    if not g.barred:
        return fragments.done(url_for("collections.index", organization_id=organization_id))
    return _page(organization_id, AskForm(formdata=None))


@bp.post(f"{ALL}/ask")
@requires(Permission.PROVIDER_ACCESS_ASK)
def ask_submit(organization_id: uuid.UUID) -> AnyResponse:
    """Mail the question to the owners."""
    form = AskForm()
    try:
        reason, minutes = form.wanted()
        service.ask(db.session(), actor(), organization_id, reason=reason, minutes=minutes)
    except RuleError as error:
        db.session.rollback()
        if error.field is None:
            return _page(organization_id, form, sentence(error.text), 422)
        form.blame(error)
        return _page(organization_id, form, status=422)
    saved = notices.add(_("The owners are asked by e-mail."))
    db.session.commit()
    return fragments.done(url_for("grants.ask", organization_id=organization_id), saved)


@bp.post(f"{ALL}/ask/withdraw/<uuid:grant_id>")
@requires(Permission.PROVIDER_ACCESS_ASK)
def ask_withdraw(organization_id: uuid.UUID, grant_id: uuid.UUID) -> AnyResponse:
    """Take the question back."""
    find(organization_id, grant_id)
    try:
        service.withdraw(db.session(), actor(), organization_id, grant_id)
        told = _("Your request is withdrawn.")
    except RuleError as error:
        db.session.rollback()
        told = sentence(error.text)
    saved = notices.add(told)
    db.session.commit()
    return fragments.done(url_for("grants.ask", organization_id=organization_id), saved)


def _page(
    organization_id: uuid.UUID, form: AskForm, problem: str = "", status: int = 200
) -> Response:
    place = queries.place(db.session(), organization_id)
    last = queries.newest_of(db.session(), organization_id, current_user.account_id)
    over = (
        last is None
        or is_due(last.state, last.lapses_at, last.ends_at, dt.datetime.now(dt.UTC)) is not None
    )
    waits = last is not None and last.state is GrantState.REQUESTED and not over
    here: dict[str, Any] = {"organization_id": organization_id}
    body = render_template(
        "grants/ask.html",
        form=form,
        place=place,
        problem=problem,
        never=place.mode is AccessMode.NEVER,
        is_closed=place.status is not ClientStatus.ACTIVE,
        waits=waits,
        last=_last(last) if last and not waits else None,
        facts=facts_of(last) if waits else (),
        withdraw_url=url_for("grants.ask_withdraw", **here, grant_id=last.id)
        if last and waits
        else "",
        manage_url=url_for("clients.manage", **here, provider_id=actor().provider_id),
        back_url=url_for("clients.index", provider_id=actor().provider_id),
    )
    return Response(body, status, mimetype="text/html")


def _last(row: Any) -> dict[str, Any]:
    """What became of the person's last request, and by whom."""
    is_over = row.state is GrantState.APPROVED
    state = GrantState.EXPIRED if is_over else row.state
    by = row.answered_name if state is GrantState.DECLINED else row.closed_name
    return {
        "state": _(state.label),
        "tone": TONES.get(state, ""),
        "by": by,
        "at": row.closed_at or row.ends_at or row.lapses_at,
        "minutes": words_of(row.minutes or row.asked_minutes),
        "reason": row.reason,
    }


@bp.get("/access-requests/<token>")
@signed_in
def request_link(token: str) -> AnyResponse:
    """From the mail to the request's page, which asks who is there; opening changes nothing."""
    keys = current_app.extensions["settings"].secret_keys
    pointed = LinkSigner(keys, PURPOSE).read(token)
    if pointed is None:
        abort(404)
    return redirect(page_of(pointed.tenant_id, pointed.row_id), 303)
