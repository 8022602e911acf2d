"""One change for many clients: choose, look, confirm, watch, undo."""

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Response as FlaskResponse
from flask import abort, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from portal.clients import bulk
from portal.clients.blueprint import bp
from portal.clients.listing import Listing
from portal.domain.access import Permission
from portal.domain.bulk import BulkAction, BulkState, RowState
from portal.domain.errors import N_, Message, RuleError
from portal.extensions import db
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.formats import moment, number
from portal.web.forms import sentence
from portal.web.fragments import done, respond, wants

SHOWN = 200
UNKNOWN = N_("Choose what shall be done.")


@dataclass(frozen=True)
class RowShown:
    """One client and what becomes of it."""

    name: str
    url: str
    state: str
    tone: str
    reason: str


@dataclass(frozen=True)
class Many:
    """What `clients/_many.html` shows."""

    url: str
    title: str
    state: BulkState
    summary: tuple[str, ...]
    rows: tuple[RowShown, ...]
    more: int
    finished: int
    total: int
    to_do: int
    can_undo: bool
    undo_until: str
    is_irreversible: bool


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
                _title(each),
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
        saved = notices.add(sentence(error.text), "warning")
        db.session.commit()
        return done(_back(provider_id), saved)
    db.session.commit()
    return done(_url("clients.change", provider_id, change_set_id))


def _prepare() -> uuid.UUID:
    word = request.form.get("do", "")
    if word not in set(BulkAction):
        raise RuleError(Message(UNKNOWN))
    action = BulkAction(word)
    if not actor().can(action.permission):
        abort(403)
    ticked = None
    if request.form.get("scope") != "all":
        ticked = [found for found in map(_id, request.form.getlist("id")) if found]
    return bulk.prepare(
        db.session(),
        actor(),
        action=action,
        tag_id=_id(request.form.get("tag_id", "")),
        ticked=ticked,
        query=_query(request.form.get("query", "")),
    )


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
    different, gone = bulk.start(db.session(), actor(), found)
    if different or gone:
        db.session.commit()
        return _show(provider_id, _found(change_set_id), 409, _since(different, gone))
    bulk.work(db.session(), actor(), found)
    db.session.commit()
    return done(_url("clients.change", provider_id, change_set_id))


@bp.post("/providers/<uuid:provider_id>/clients/changes/<uuid:change_set_id>/work")
@requires(Permission.CLIENTS_ANNOTATE)
def work_change(provider_id: uuid.UUID, change_set_id: uuid.UUID) -> Response:
    """Go on with the next clients; the page asks for this until it is done."""
    found = _found(change_set_id, to_act=True)
    bulk.work(db.session(), actor(), found)
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
    bulk.work(db.session(), actor(), found)
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


def _query(text: str) -> str:
    return urlencode(Listing.read(dict(parse_qsl(text[:2000]))).query())


def _back(provider_id: uuid.UUID) -> str:
    query = _query(request.form.get("query", ""))
    url = url_for("clients.index", provider_id=provider_id)
    return f"{url}?{query}" if query else url


def _url(endpoint: str, provider_id: uuid.UUID, change_set_id: uuid.UUID) -> str:
    return url_for(endpoint, provider_id=provider_id, change_set_id=change_set_id)


def _show(
    provider_id: uuid.UUID, found: Any, status: int = 200, warning: str = ""
) -> FlaskResponse:
    many = _many(provider_id, found)
    return respond(
        "clients/many.html",
        "clients/_many.html",
        status=status,
        many=many,
        warning=warning,
        list_url=url_for("clients.changes", provider_id=provider_id),
        back_url=url_for("clients.index", provider_id=provider_id),
    )


def _many(provider_id: uuid.UUID, found: Any) -> Many:
    counts = bulk.counts(db.session(), actor(), found.id)
    rows = bulk.rows(db.session(), actor(), found.id, SHOWN)
    total = sum(counts.values())
    undoing = found.state is BulkState.UNDOING
    waiting = counts.get(RowState.DONE if undoing else RowState.PLANNED, 0)
    can_undo = bulk.may_undo(found) and bool(counts.get(RowState.DONE))
    return Many(
        url=_url("clients.change", provider_id, found.id),
        title=_title(found),
        state=found.state,
        summary=tuple(_summary(counts)),
        rows=tuple(_row(provider_id, row) for row in rows),
        more=total - len(rows),
        finished=total - waiting,
        total=total,
        to_do=waiting,
        can_undo=can_undo and actor().can(found.action.permission),
        undo_until=moment(found.done_at + bulk.UNDO_FOR) if can_undo else "",
        is_irreversible=not found.action.can_be_undone,
    )


def _title(found: Any) -> str:
    titles = {
        BulkAction.TAG: _("Give the tag %(tag)s", tag=found.tag_name),
        BulkAction.UNTAG: _("Take the tag %(tag)s away", tag=found.tag_name),
        BulkAction.SUSPEND: _("Suspend clients"),
        BulkAction.RESUME: _("Resume clients"),
        BulkAction.INVITE: _("Send owner invitations again"),
    }
    return str(titles[found.action])


def _states() -> dict[RowState, tuple[str, str]]:
    return {
        RowState.PLANNED: (_("Will be changed"), ""),
        RowState.SAME: (_("Nothing to do"), ""),
        RowState.DONE: (_("Done"), "good"),
        RowState.REFUSED: (_("Not done"), "warn"),
        RowState.UNDONE: (_("Undone"), "good"),
        RowState.KEPT: (_("Not undone"), "warn"),
    }


def _row(provider_id: uuid.UUID, row: Any) -> RowShown:
    label, tone = _states()[row.state]
    why = bulk.reason(row)
    here = {"provider_id": provider_id, "organization_id": row.organization_id}
    return RowShown(
        row.name, url_for("clients.manage", **here), label, tone, sentence(why) if why else ""
    )


def _summary(counts: Any) -> list[str]:
    return [
        f"{label}: {number(counts[state])}"
        for state, (label, _tone) in _states().items()
        if counts.get(state)
    ]


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
