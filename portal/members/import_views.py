"""Invite from a list: read it, correct it, invite its people, see what came of it."""

import datetime as dt
import uuid
from typing import Any

from flask import Response as FlaskResponse
from flask import abort, g, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.limits import limited
from portal.domain.access import Permission
from portal.domain.csv_lists import LARGEST, ImportState, LineState
from portal.domain.errors import RuleError
from portal.domain.member_import import FIELDS, LABELS, LINES, SHAPE, read
from portal.extensions import db
from portal.members import assignments, import_queries, imports
from portal.members.blueprint import ALL, bp, manager, myself
from portal.members.import_forms import LineForm
from portal.members.import_pages import kept_lists, list_of, problems_of
from portal.members.invite_views import gives_groups
from portal.members.member_views import LEVELS
from portal.members.room import AGREED, prices
from portal.organizations.key_rings import ring_of
from portal.organizations.queries import chosen_locale
from portal.web import csv, notices
from portal.web.access import actor, can, requires
from portal.web.formats import number
from portal.web.forms import sentence
from portal.web.fragments import done, respond, wants
from portal.web.import_forms import ImportForm
from portal.web.languages import LANGUAGES, language
from portal.web.levels import chosen_levels
from portal.web.requests import takes

PIECE = "members/_import.html"
LISTS = f"{ALL}/import"
LIST = f"{LISTS}/<uuid:import_id>"
LINE = f"{LIST}/lines/<int:line>"
# Each list is kept for days, and each start sends up to two thousand e-mails.
READING = (("60 per hour", myself),)
STARTING = (("5 per minute", myself), ("20 per day", myself))


@bp.get(LISTS)
@requires(Permission.MEMBERS_INVITE)
def import_members(organization_id: uuid.UUID) -> Response:
    """Choose a file or paste a list; the organization's earlier lists."""
    form = _import_form()
    form["locale"].data = chosen_locale(db.session(), organization_id) or language()
    return _start_page(organization_id, form)


@bp.post(LISTS)
@takes(2 * LARGEST + 100_000)
@requires(Permission.MEMBERS_INVITE)
@limited(READING)
def read_import(organization_id: uuid.UUID) -> Response:
    """Read the list and keep it. Nobody is invited yet."""
    form = _import_form()
    if not form.validate():
        return _start_page(organization_id, form, 422)
    try:
        found = form.found(read)
    except RuleError as error:
        form.blame(error)
        return _start_page(organization_id, form, 422)
    import_id = imports.begin(
        db.session(),
        actor(),
        organization_id,
        found,
        giver=_giver(),
        locale=form["locale"].data,
    )
    saved = ""
    if found.ignored:
        text = _("These columns are not used: %(names)s.", names=", ".join(found.ignored[:20]))
        saved = notices.add(text, "warning")
    db.session.commit()
    return done(_url(organization_id, import_id), saved)


@bp.get(f"{LISTS}/template.csv")
@requires(Permission.MEMBERS_INVITE)
def import_template(organization_id: uuid.UUID) -> FlaskResponse:
    """An empty list with its heading and one line to show how it is meant."""
    example = {
        "email": "jun@acme.example",
        "role": _("User"),
        "groups": f"{_('Finance')}; {_('Sales')}",
        "external_id": "1042",
    }
    return csv.download("members-template.csv", _heading(), SHAPE.written([example]))


@bp.get(LIST)
@requires(Permission.MEMBERS_INVITE)
def import_list(organization_id: uuid.UUID, import_id: uuid.UUID) -> Response:
    """Whom each line would invite, what is wrong with some, and the seats that it takes."""
    return _show(_found(organization_id, import_id))


@bp.get(f"{LIST}/left.csv")
@requires(Permission.MEMBERS_INVITE)
def import_left(organization_id: uuid.UUID, import_id: uuid.UUID) -> FlaskResponse:
    """The lines whose people are not invited, as a file that can be corrected and read again."""
    found = _found(organization_id, import_id)
    states = set(LineState) - {LineState.DONE}
    rows = import_queries.lines(db.session(), organization_id, found.id, *states)
    today = dt.datetime.now(dt.UTC).date()
    left = SHAPE.written([row.typed for row in rows])
    return csv.download(f"members-left-{today}.csv", _heading(), left)


@bp.get(LINE)
@requires(Permission.MEMBERS_INVITE)
def import_line(organization_id: uuid.UUID, import_id: uuid.UUID, line: int) -> Response:
    """One line, to be changed."""
    found = _found(organization_id, import_id)
    kept = _line(found, line)
    if kept.state is LineState.DONE or found.state is ImportState.RUNNING:
        return done(_url(organization_id, import_id))
    return _line_page(found, line, kept)


@bp.post(LINE)
@requires(Permission.MEMBERS_INVITE)
def save_import_line(organization_id: uuid.UUID, import_id: uuid.UUID, line: int) -> Response:
    """Keep what the line shall say, and check it anew."""
    found = _found(organization_id, import_id, to_act=True)
    _line(found, line)
    try:
        kept = imports.save_line(db.session(), found, line, LineForm().typed(), _giver())
    except RuleError as error:
        return _refused(organization_id, import_id, error)
    if kept.problems:
        db.session.commit()
        return _line_page(_found(organization_id, import_id), line, kept, 422)
    saved = notices.add(_("Line %(line)s is ready.", line=number(line)))
    db.session.commit()
    return done(_url(organization_id, import_id), saved)


@bp.post(f"{LINE}/skip")
@requires(Permission.MEMBERS_INVITE)
def skip_import_line(organization_id: uuid.UUID, import_id: uuid.UUID, line: int) -> Response:
    """Leave the line out."""
    found = _found(organization_id, import_id, to_act=True)
    _line(found, line)
    try:
        imports.skip(db.session(), found, line, _giver())
    except RuleError as error:
        return _refused(organization_id, import_id, error)
    db.session.commit()
    return done(_url(organization_id, import_id))


@bp.post(f"{LIST}/start")
@requires(Permission.MEMBERS_INVITE)
@limited(STARTING)
def start_import(organization_id: uuid.UUID, import_id: uuid.UUID) -> Response:
    """Begin to invite who is ready."""
    found = _found(organization_id, import_id, to_act=True)
    giver = _giver()
    levels = chosen_levels() if giver.collections else {}
    try:
        imports.start(
            db.session(),
            actor(),
            found,
            giver,
            levels,
            prices=prices(),
            agreed=request.form.get(AGREED, ""),
        )
    except RuleError as error:
        return _refused(organization_id, import_id, error)
    imports.work(db.session(), actor(), found, giver)
    db.session.commit()
    return done(_url(organization_id, import_id))


@bp.post(f"{LIST}/work")
@requires(Permission.MEMBERS_INVITE)
def work_import(organization_id: uuid.UUID, import_id: uuid.UUID) -> Response:
    """Invite the next people; the page asks for this until the list is done."""
    found = _found(organization_id, import_id, to_act=True)
    imports.work(db.session(), actor(), found, _giver())
    db.session.commit()
    if wants(PIECE):
        return _show(_found(organization_id, import_id))
    return done(_url(organization_id, import_id))


@bp.get(f"{LIST}/delete")
@requires(Permission.MEMBERS_INVITE)
def delete_import(organization_id: uuid.UUID, import_id: uuid.UUID) -> str:
    """What goes with the list, and what stays."""
    _found(organization_id, import_id)
    url = _url(organization_id, import_id)
    return render_template("members/import_delete.html", url=f"{url}/delete", back_url=url)


@bp.post(f"{LIST}/delete")
@requires(Permission.MEMBERS_INVITE)
def delete_import_submit(organization_id: uuid.UUID, import_id: uuid.UUID) -> Response:
    """Forget the list."""
    imports.remove(db.session(), _found(organization_id, import_id, to_act=True))
    saved = notices.add(_("The list is deleted."))
    db.session.commit()
    return done(url_for("members.import_members", organization_id=organization_id), saved)


def _found(organization_id: uuid.UUID, import_id: uuid.UUID, *, to_act: bool = False) -> Any:
    look = imports.hold if to_act else import_queries.find
    found = look(db.session(), organization_id, import_id)
    if found is None:
        abort(404)
    return found


def _line(found: Any, line: int) -> Any:
    here = found.organization_id
    kept = import_queries.line(db.session(), here, found.id, line) if line < 10**6 else None
    if kept is None:
        abort(404)
    return kept


def _giver() -> imports.Giver:
    return imports.Giver(
        manager(), g.plan, groups=gives_groups(), collections=can(Permission.COLLECTIONS_MANAGE)
    )


def _refused(organization_id: uuid.UUID, import_id: uuid.UUID, error: RuleError) -> Response:
    db.session.rollback()
    return _show(_found(organization_id, import_id), 409, sentence(error.text))


def _url(organization_id: uuid.UUID, import_id: uuid.UUID) -> str:
    return url_for("members.import_list", organization_id=organization_id, import_id=import_id)


def _heading() -> list[str]:
    return [str(_(LABELS[name])) for name in FIELDS]


def _import_form() -> ImportForm:
    form = ImportForm()
    form["locale"].choices = list(LANGUAGES.items())
    return form


def _start_page(organization_id: uuid.UUID, form: ImportForm, status: int = 200) -> Response:
    body = render_template(
        "members/import.html",
        form=form,
        template_url=url_for("members.import_template", organization_id=organization_id),
        lists=kept_lists(organization_id),
        columns=_heading(),
        most=number(LINES),
        back_url=url_for("members.invite", organization_id=organization_id),
    )
    return Response(body, status, mimetype="text/html")


def _line_page(found: Any, line: int, kept: Any, status: int = 200) -> Response:
    form = LineForm(formdata=None, data=dict(kept.typed))
    form.offer(g.plan, manager())
    form.show(problems_of(kept))
    back = _url(found.organization_id, found.id)
    body = render_template(
        "members/import_line.html",
        form=form,
        line=number(line),
        url=f"{back}/lines/{line}",
        back_url=back,
        is_skipped=kept.state is LineState.REFUSED,
    )
    return Response(body, status, mimetype="text/html")


def _show(found: Any, status: int = 200, warning: str = "") -> FlaskResponse:
    after = request.args.get("after", "")
    is_number = after.isascii() and after.isdigit() and len(after) < 7
    shown = list_of(found, request.args.get("state", ""), int(after) if is_number else 0)
    return respond(
        "members/import_list.html",
        PIECE,
        status=status,
        shown=shown,
        warning=warning,
        collections=_collections(found, shown.ready),
        levels=[(value, _(label)) for value, label in LEVELS.items()],
        key_ring=ring_of(db.session(), actor()),
        back_url=url_for("members.import_members", organization_id=found.organization_id),
    )


def _collections(found: Any, ready: int) -> list[dict[str, Any]]:
    """Those that can be given to everybody on the list, with what was chosen before."""
    if found.state is ImportState.RUNNING or not ready or not can(Permission.COLLECTIONS_MANAGE):
        return []
    chosen = chosen_levels() if request.method == "POST" else found.levels
    return [
        {"id": row.id, "sealed_name": row.sealed_name, "level": _level(chosen, row.id)}
        for row in assignments.collections(db.session(), found.organization_id, None)
    ]


def _level(chosen: Any, collection_id: uuid.UUID) -> Any:
    return chosen.get(collection_id) or chosen.get(str(collection_id))
