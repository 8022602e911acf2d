"""One change for many clients: choose, look, confirm, watch, undo."""

import uuid
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Response as FlaskResponse
from flask import abort, current_app, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from portal.billing.offer import price_list
from portal.clients import bulk, table_page
from portal.clients.blueprint import bp
from portal.clients.bulk import Wish
from portal.clients.bulk_pages import many_of, title_of
from portal.clients.listing import Listing
from portal.clients.table_parts import Asked
from portal.domain.access import Permission
from portal.domain.bulk import BulkAction, BulkState
from portal.domain.errors import N_, Message, RuleError
from portal.domain.price_list import PriceList
from portal.domain.seat_moves import HOW_MANY, SeatMove, Way
from portal.domain.whole_numbers import whole_number
from portal.extensions import db
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.formats import moment, number
from portal.web.forms import sentence
from portal.web.fragments import done, respond, wants

UNKNOWN = N_("Choose what shall be done.")


WAYS = {f"{BulkAction.SEATS}:{way}": way for way in Way}


@bp.get("/providers/<uuid:provider_id>/clients/changes")
@requires(Permission.CLIENTS_ANNOTATE)
def changes(provider_id: uuid.UUID) -> str:
    """The newest changes of many clients, so that one can be gone on with or undone."""
    states = {
        BulkState.PLANNED: _("Not confirmed"),
        BulkState.RUNNING: _("Under way"),
        BulkState.DONE: _("Done"),
        BulkState.UNDOING: _("Being undone"),
        BulkState.UNDONE: _("Undone"),
    }
    return render_template(
        "clients/many_list.html",
        changes=[
            (
                _url("clients.change", provider_id, each.id),
                title_of(each),
                states[each.state],
                each.who,
                moment(each.created_at),
            )
            for each in bulk.newest(db.session(), actor())
        ],
        back_url=url_for("clients.index", provider_id=provider_id),
    )


@bp.post("/providers/<uuid:provider_id>/clients/changes")
@requires(Permission.CLIENTS_ANNOTATE)
def prepare_change(provider_id: uuid.UUID) -> Response:
    """Look what the change would do. Nothing is changed yet."""
    try:
        change_set_id = _prepare()
    except RuleError as error:
        db.session.rollback()
        return _refused(provider_id, error)
    db.session.commit()
    return done(_url("clients.change", provider_id, change_set_id))


def _refused(provider_id: uuid.UUID, error: RuleError) -> Response:
    """The table again, with what was ticked, chosen and typed; the mistake beside its field.

    A baseline is chosen on a page of its own: from there it leads to the table, and says why.
    """
    sent = request.form
    if sent.get("do") == BulkAction.BASELINE:
        saved = notices.add(sentence(error.text), "warning")
        db.session.commit()
        return done(url_for("clients.index", provider_id=provider_id), saved)
    ticked = filter(None, map(_id, sent.getlist("id")))
    asked = Asked(
        ticked=frozenset(each.hex for each in ticked),
        action=sent.get("do", ""),
        tag=sent.get("tag_id", ""),
        seats=sent.get("seats", "")[:20],
        error=sentence(error.text),
        field=error.field or "",
    )
    return table_page.again(provider_id, _listing(), sent.get("at", ""), asked)


def _prepare() -> uuid.UUID:
    wish = _wish()
    if not actor().can(wish.action.permission):
        abort(403)
    ticked = None
    if request.form.get("scope") != "all":
        ticked = [found for found in map(_id, request.form.getlist("id")) if found]
    return bulk.prepare(
        db.session(),
        actor(),
        wish,
        ticked=ticked,
        query=urlencode(_listing().query()),
        prices=_prices(),
    )


def _wish() -> Wish:
    word = request.form.get("do", "")
    if word in WAYS:
        return Wish(BulkAction.SEATS, move=SeatMove.asked(WAYS[word], _seats()))
    if word == BulkAction.BASELINE:
        return Wish(BulkAction.BASELINE, baseline_id=_id(request.form.get("baseline_id", "")))
    if word not in set(BulkAction) - {BulkAction.SEATS}:
        raise RuleError(Message(UNKNOWN), field="do")
    return Wish(BulkAction(word), tag_id=_id(request.form.get("tag_id", "")))


def _seats() -> int | None:
    try:
        return whole_number(request.form.get("seats", ""))
    except RuleError:
        raise RuleError(Message(HOW_MANY), field="seats") from None


def _prices() -> PriceList:
    return price_list(current_app.extensions["settings"].prices)


@bp.get("/providers/<uuid:provider_id>/clients/changes/<uuid:change_set_id>")
@requires(Permission.CLIENTS_ANNOTATE)
def change(provider_id: uuid.UUID, change_set_id: uuid.UUID) -> Response:
    """What it would do, how far it is, or what came of it."""
    return _show(provider_id, _found(change_set_id))


@bp.post("/providers/<uuid:provider_id>/clients/changes/<uuid:change_set_id>/start")
@requires(Permission.CLIENTS_ANNOTATE)
def start_change(provider_id: uuid.UUID, change_set_id: uuid.UUID) -> Response:
    """Begin; if the clients have changed since the look, show what differs instead."""
    found = _found(change_set_id, to_act=True)
    different, gone = bulk.start(db.session(), actor(), found, prices=_prices())
    if different or gone:
        db.session.commit()
        return _show(provider_id, _found(change_set_id), 409, _since(different, gone))
    bulk.work(db.session(), actor(), found, prices=_prices())
    db.session.commit()
    return done(_url("clients.change", provider_id, change_set_id))


@bp.post("/providers/<uuid:provider_id>/clients/changes/<uuid:change_set_id>/work")
@requires(Permission.CLIENTS_ANNOTATE)
def work_change(provider_id: uuid.UUID, change_set_id: uuid.UUID) -> Response:
    """Go on with the next clients; the page asks for this until it is done."""
    found = _found(change_set_id, to_act=True)
    bulk.work(db.session(), actor(), found, prices=_prices())
    db.session.commit()
    if wants("clients/_many.html"):
        return _show(provider_id, _found(change_set_id))
    return done(_url("clients.change", provider_id, change_set_id))


@bp.post("/providers/<uuid:provider_id>/clients/changes/<uuid:change_set_id>/undo")
@requires(Permission.CLIENTS_ANNOTATE)
def undo_change(provider_id: uuid.UUID, change_set_id: uuid.UUID) -> Response:
    """Take it back where nobody has changed anything since."""
    found = _found(change_set_id, to_act=True)
    try:
        bulk.undo(db.session(), actor(), found)
    except RuleError as error:
        return _show(provider_id, found, 409, sentence(error.text))
    bulk.work(db.session(), actor(), found, prices=_prices())
    db.session.commit()
    return done(_url("clients.change", provider_id, change_set_id))


def _found(change_set_id: uuid.UUID, *, to_act: bool = False) -> Any:
    found = bulk.find(db.session(), actor(), change_set_id, lock=to_act)
    if found is None:
        abort(404)
    if to_act and not actor().can(found.action.permission):
        abort(403)
    return found


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _listing() -> Listing:
    return Listing.read(dict(parse_qsl(request.form.get("query", "")[:2000])))


def _url(endpoint: str, provider_id: uuid.UUID, change_set_id: uuid.UUID) -> str:
    return url_for(endpoint, provider_id=provider_id, change_set_id=change_set_id)


def _show(
    provider_id: uuid.UUID, found: Any, status: int = 200, warning: str = ""
) -> FlaskResponse:
    many = many_of(provider_id, found)
    return respond(
        "clients/many.html",
        "clients/_many.html",
        status=status,
        many=many,
        warning=warning,
        list_url=url_for("clients.changes", provider_id=provider_id),
        back_url=url_for("clients.index", provider_id=provider_id),
    )


def _since(different: int, gone: int) -> str:
    changed = ngettext(
        "%(count)s client is new here or has changed since you looked.",
        "%(count)s clients are new here or have changed since you looked.",
        different,
        count=number(different),
    )
    went = ngettext(
        "%(count)s client does not match any more.",
        "%(count)s clients do not match any more.",
        gone,
        count=number(gone),
    )
    told = [text for text, count in ((changed, different), (went, gone)) if count]
    return " ".join([*told, _("Nothing is changed yet. Look again, then confirm.")])
