"""Create from a list: read it, correct it, create its clients, see what came of it."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from flask import Response as FlaskResponse
from flask import abort, current_app, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.accounts.limits import limited
from portal.billing import client_queries
from portal.billing.offer import Offer, price_list
from portal.billing.vat import check_vat_number
from portal.clients import import_queries, imports
from portal.clients.blueprint import bp
from portal.clients.import_forms import LineForm, line_form, prefix_of
from portal.clients.import_pages import kept_lists, list_of, problems_of
from portal.domain.access import Permission
from portal.domain.client_import import (
    FIELDS,
    LABELS,
    LINES,
    billing_problem,
)
from portal.domain.client_lists import SHAPE, read
from portal.domain.csv_lists import LARGEST, ImportState, LineState
from portal.domain.errors import RuleError
from portal.domain.price_list import PriceList
from portal.extensions import db
from portal.web import csv, notices
from portal.web.access import actor, requires
from portal.web.formats import number
from portal.web.forms import sentence
from portal.web.fragments import done, respond, wants
from portal.web.import_forms import ImportForm
from portal.web.languages import LANGUAGES
from portal.web.requests import takes

PIECE = "clients/_import.html"


def _myself() -> str:
    return str(current_user.account_id)


# Each list is kept for days; nobody makes more of them in an hour than this.
READING = (("60 per hour", _myself),)


@bp.get("/providers/<uuid:provider_id>/clients/import")
@requires(Permission.CLIENTS_CREATE)
def import_clients(provider_id: uuid.UUID) -> Response:
    """Choose a file or paste a list; the person's earlier lists."""
    form = _import_form()
    form["locale"].data = str(getattr(get_locale(), "language", "en"))
    return _start_page(provider_id, form)


@bp.post("/providers/<uuid:provider_id>/clients/import")
@takes(2 * LARGEST + 100_000)
@requires(Permission.CLIENTS_CREATE)
@limited(READING)
def read_import(provider_id: uuid.UUID) -> Response:
    """Read the list and keep it. No client is created yet."""
    form = _import_form()
    if not form.validate():
        return _start_page(provider_id, form, 422)
    try:
        found = form.found(read)
    except RuleError as error:
        form.blame(error)
        return _start_page(provider_id, form, 422)
    import_id = imports.begin(db.session(), actor(), found, locale=form["locale"].data)
    saved = ""
    if found.ignored:
        text = _("These columns are not used: %(names)s.", names=", ".join(found.ignored[:20]))
        saved = notices.add(text, "warning")
    db.session.commit()
    return done(_url(provider_id, import_id), saved)


@bp.get("/providers/<uuid:provider_id>/clients/import/template.csv")
@requires(Permission.CLIENTS_CREATE)
def import_template(provider_id: uuid.UUID) -> FlaskResponse:
    """An empty list with its heading and one line to show how it is meant."""
    example = {
        "name": "Acme Ltd",
        "billing_email": "bills@acme.example",
        "owner_email": "owner@acme.example",
        "plan": _("Teams"),
        "seats": "10",
        "autogrow": _("Yes"),
        "seat_limit": "20",
        "extra_storage_gb": "0",
        "cadence": _("Monthly"),
    }
    return csv.download("clients-template.csv", _heading(), SHAPE.written([example]))


@bp.get("/providers/<uuid:provider_id>/clients/import/<uuid:import_id>")
@requires(Permission.CLIENTS_CREATE)
def import_list(provider_id: uuid.UUID, import_id: uuid.UUID) -> Response:
    """What each line would create, what is wrong with some, and what all of it costs."""
    return _show(provider_id, _found(import_id))


@bp.get("/providers/<uuid:provider_id>/clients/import/<uuid:import_id>/left.csv")
@requires(Permission.CLIENTS_CREATE)
def import_left(provider_id: uuid.UUID, import_id: uuid.UUID) -> FlaskResponse:
    """The lines that are no clients, as a file that can be corrected and read again."""
    found = _found(import_id)
    left = [
        line.typed
        for line in import_queries.lines(db.session(), actor(), found.id)
        if line.state is not LineState.DONE
    ]
    today = dt.datetime.now(dt.UTC).date()
    return csv.download(f"clients-left-{today}.csv", _heading(), SHAPE.written(left))


@bp.get("/providers/<uuid:provider_id>/clients/import/<uuid:import_id>/lines/<int:line>")
@requires(Permission.CLIENTS_CREATE)
def import_line(provider_id: uuid.UUID, import_id: uuid.UUID, line: int) -> Response:
    """One line, to be changed."""
    found = _found(import_id)
    kept = _line(found, line)
    if kept.state is LineState.DONE or found.state is ImportState.RUNNING:
        return done(_url(provider_id, import_id))
    form = line_form(line, kept.typed, problems_of(kept))
    return _line_page(_url(provider_id, import_id), line, form)


@bp.post("/providers/<uuid:provider_id>/clients/import/<uuid:import_id>/lines/<int:line>")
@requires(Permission.CLIENTS_CREATE)
def save_import_line(provider_id: uuid.UUID, import_id: uuid.UUID, line: int) -> Response:
    """Keep what the line shall say, and check it anew."""
    found = _found(import_id, to_act=True)
    _line(found, line)
    typed = LineForm(prefix=prefix_of(line)).typed()
    try:
        kept = imports.save_line(db.session(), actor(), found, line, typed)
    except RuleError as error:
        return _not_saved(provider_id, import_id, line, typed, error)
    if kept.problems:
        text, tone = _("Line %(line)s is saved, but not ready yet.", line=number(line)), "warning"
    else:
        text, tone = _("Line %(line)s is ready.", line=number(line)), "success"
    saved = notices.add(text, tone)
    db.session.commit()
    mark = f"#line-{line}" if kept.problems else ""
    return done(f"{_url(provider_id, import_id)}{mark}", saved)


@bp.post("/providers/<uuid:provider_id>/clients/import/<uuid:import_id>/lines/<int:line>/skip")
@requires(Permission.CLIENTS_CREATE)
def skip_import_line(provider_id: uuid.UUID, import_id: uuid.UUID, line: int) -> Response:
    """Leave the line out."""
    return _move(provider_id, import_id, line, skips=True)


@bp.post("/providers/<uuid:provider_id>/clients/import/<uuid:import_id>/lines/<int:line>/back")
@requires(Permission.CLIENTS_CREATE)
def take_import_line_back(provider_id: uuid.UUID, import_id: uuid.UUID, line: int) -> Response:
    """Let a skipped line be created after all."""
    return _move(provider_id, import_id, line, skips=False)


def _move(provider_id: uuid.UUID, import_id: uuid.UUID, line: int, *, skips: bool) -> Response:
    found = _found(import_id, to_act=True)
    _line(found, line)
    move = imports.skip if skips else imports.take_back
    try:
        move(db.session(), actor(), found, line)
    except RuleError as error:
        return _refused(provider_id, import_id, error)
    db.session.commit()
    return done(_url(provider_id, import_id))


@bp.post("/providers/<uuid:provider_id>/clients/import/<uuid:import_id>/start")
@requires(Permission.CLIENTS_CREATE)
def start_import(provider_id: uuid.UUID, import_id: uuid.UUID) -> Response:
    """Begin to create what is ready."""
    found = _found(import_id, to_act=True)
    try:
        imports.start(db.session(), actor(), found)
    except RuleError as error:
        return _refused(provider_id, import_id, error)
    imports.work(db.session(), actor(), found, prices=_prices())
    db.session.commit()
    return done(_url(provider_id, import_id))


@bp.post("/providers/<uuid:provider_id>/clients/import/<uuid:import_id>/work")
@requires(Permission.CLIENTS_CREATE)
def work_import(provider_id: uuid.UUID, import_id: uuid.UUID) -> Response:
    """Create the next clients; the page asks for this until the list is done."""
    found = _found(import_id, to_act=True)
    imports.work(db.session(), actor(), found, prices=_prices())
    db.session.commit()
    if wants(PIECE):
        return _show(provider_id, _found(import_id))
    return done(_url(provider_id, import_id))


@bp.get("/providers/<uuid:provider_id>/clients/import/<uuid:import_id>/delete")
@requires(Permission.CLIENTS_CREATE)
def delete_import(provider_id: uuid.UUID, import_id: uuid.UUID) -> str:
    """What goes with the list, and what stays."""
    _found(import_id)
    url = _url(provider_id, import_id)
    return render_template("clients/import_delete.html", url=f"{url}/delete", back_url=url)


@bp.post("/providers/<uuid:provider_id>/clients/import/<uuid:import_id>/delete")
@requires(Permission.CLIENTS_CREATE)
def delete_import_submit(provider_id: uuid.UUID, import_id: uuid.UUID) -> Response:
    """Forget the list."""
    imports.remove(db.session(), actor(), _found(import_id, to_act=True))
    saved = notices.add(_("The list is deleted."))
    db.session.commit()
    return done(url_for("clients.import_clients", provider_id=provider_id), saved)


def _found(import_id: uuid.UUID, *, to_act: bool = False) -> Any:
    found = import_queries.find(db.session(), actor(), import_id, lock=to_act)
    if found is None:
        abort(404)
    return found


def _line(found: Any, line: int) -> Any:
    kept = import_queries.line(db.session(), actor(), found.id, line) if line < 10**6 else None
    if kept is None:
        abort(404)
    return kept


def _refused(provider_id: uuid.UUID, import_id: uuid.UUID, error: RuleError) -> Response:
    db.session.rollback()
    return _show(provider_id, _found(import_id), 409, sentence(error.text))


def _not_saved(
    provider_id: uuid.UUID,
    import_id: uuid.UUID,
    line: int,
    typed: Mapping[str, str],
    error: RuleError,
) -> Response:
    """The line with what was typed in it, to be saved later; the list if it is a client by now."""
    db.session.rollback()
    if _line(_found(import_id), line).state is LineState.DONE:
        return _refused(provider_id, import_id, error)
    form = line_form(line, typed, {"": error.text})
    return _line_page(_url(provider_id, import_id), line, form, 409)


def _line_page(url: str, line: int, form: LineForm, status: int = 200) -> Response:
    body = render_template(
        "clients/import_line.html", form=form, line=line, url=f"{url}/lines/{line}", back_url=url
    )
    return Response(body, status, mimetype="text/html")


def _url(provider_id: uuid.UUID, import_id: uuid.UUID) -> str:
    return url_for("clients.import_list", provider_id=provider_id, import_id=import_id)


def _prices() -> PriceList:
    return price_list(current_app.extensions["settings"].prices)


def _heading() -> list[str]:
    return [str(_(LABELS[name])) for name in FIELDS]


def _import_form() -> ImportForm:
    form = ImportForm()
    form["locale"].choices = list(LANGUAGES.items())
    return form


def _start_page(provider_id: uuid.UUID, form: ImportForm, status: int = 200) -> Response:
    profile = client_queries.billing_profile(db.session(), provider_id)
    lacking = billing_problem(imports.billing_of(profile), check_vat_number)
    url = url_for("clients.import_clients", provider_id=provider_id)
    body = render_template(
        "clients/import.html",
        form=form,
        url=url,
        template_url=url_for("clients.import_template", provider_id=provider_id),
        lists=kept_lists(provider_id),
        columns=[str(_(LABELS[name])) for name in FIELDS],
        most=number(LINES),
        lacking=sentence(lacking) if lacking else "",
        back_url=url_for("clients.index", provider_id=provider_id),
    )
    return Response(body, status, mimetype="text/html")


def _page(arguments: Mapping[str, str]) -> int:
    text = arguments.get("page", "")
    return max(int(text) - 1, 0) if text.isascii() and text.isdigit() and len(text) < 4 else 0


def _show(
    provider_id: uuid.UUID, found: Any, status: int = 200, warning: str = ""
) -> FlaskResponse:
    profile = client_queries.billing_profile(db.session(), provider_id)
    offer = Offer.to(profile, _prices(), dt.datetime.now(dt.UTC))
    return respond(
        "clients/import_list.html",
        PIECE,
        status=status,
        shown=list_of(provider_id, found, offer, profile, _page(request.args)),
        warning=warning,
        back_url=url_for("clients.import_clients", provider_id=provider_id),
    )
