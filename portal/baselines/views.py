"""The provider's baselines: all of them, one with its versions and clients, written and deleted."""

import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

from flask import Response, abort, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.baselines import client_views, finish_views, queries, service
from portal.baselines.blueprint import ALL, ONE, bp, find, find_client
from portal.baselines.forms import BaselineForm
from portal.configuration import queries as configurations
from portal.configuration import text, words
from portal.configuration.sending import sent_text
from portal.domain import baselines as rules
from portal.domain.access import Permission
from portal.domain.configuration import Configuration, beside, diff
from portal.domain.configuration_files import BadFile, Rules, write_tree
from portal.domain.errors import RuleError
from portal.extensions import db
from portal.policies.service import FOR_MANY
from portal.web import fragments, notices
from portal.web.access import actor, can, requires
from portal.web.formats import moment
from portal.web.forms import sentence

__all__ = ["bp", "client_views", "finish_views"]
# Kinds of policies come and go; what a person writes is checked against those of today.
WRITTEN = Rules(policies=FOR_MANY, names_collections=True)

EXAMPLE = """policies:
  two_step:
    enabled: true
settings:
  limits_collection_creation: true
collections:
  - external_id: servers
    name: Servers
groups:
  - name: Technicians
    collections:
      servers: manage
"""


@bp.get(ALL)
@requires(Permission.BASELINES_READ)
def index(provider_id: uuid.UUID) -> str:
    """Every baseline and how many clients have it."""
    return render_template(
        "baselines/index.html",
        rows=[
            {
                "url": _url("baseline", provider_id, baseline_id=row.id),
                "name": row.name,
                "newest": row.newest,
                "clients": row.clients,
            }
            for row in queries.baselines(db.session(), actor().scope)
        ],
        new_url=_url("new", provider_id),
        edits=can(Permission.BASELINES_MANAGE),
    )


@bp.get(f"{ALL}/new")
@requires(Permission.BASELINES_MANAGE)
def new(provider_id: uuid.UUID) -> Response:
    """An empty form, or one filled from a client (`client` in the address)."""
    form = BaselineForm(formdata=None)
    if "client" in request.args:
        try:
            client = find_client(uuid.UUID(request.args["client"]))
        except ValueError:
            abort(404)
        if not client.is_open:
            abort(404)
        present = configurations.present(db.session(), client.id)
        form["text"].data = text.write(write_tree(_for_many(present.configuration)))
    return _form_page(provider_id, form)


@bp.post(f"{ALL}/new")
@requires(Permission.BASELINES_MANAGE)
def create(provider_id: uuid.UUID) -> AnyResponse:
    """Make the baseline, its first version included."""
    form = BaselineForm()
    try:
        name, configuration, note = _wanted(form)
        baseline_id = service.create(
            db.session(), actor(), name=name, configuration=configuration, note=note
        )
    except RuleError as error:
        db.session.rollback()
        return _form_page(provider_id, form, error=error, status=422)
    saved = notices.add(_("The baseline %(name)s is there now.", name=name))
    db.session.commit()
    return fragments.done(_url("baseline", provider_id, baseline_id=baseline_id), saved)


def _for_many(configuration: Configuration) -> Configuration:
    """Of what one client is set to, what others can be set to as well."""
    policies = {
        kind: setting
        for kind, setting in configuration.policies.items()
        if kind in WRITTEN.policies
    }
    return replace(configuration, policies=policies)


def _wanted(form: BaselineForm) -> tuple[str, Configuration, str]:
    """Name, configuration and note; raises `RuleError`, of the file with all its mistakes."""
    name = service.check_baseline_name(form["name"].data or "")
    note = service.check_note(form["note"].data or "")
    configuration = text.read(sent_text(), WRITTEN)
    return name, configuration, note


@bp.get(ONE)
@requires(Permission.BASELINES_READ)
def baseline(provider_id: uuid.UUID, baseline_id: uuid.UUID) -> str:
    """What it says, its versions, and how far its clients are from what they were given."""
    found = find(provider_id, baseline_id)
    present = queries.content(db.session(), provider_id, baseline_id, found.newest)
    clients = queries.clients_of(db.session(), actor(), baseline_id, _after())
    shown = clients[: queries.PAGE_SIZE]
    here: dict[str, Any] = {"provider_id": provider_id, "baseline_id": baseline_id}
    more = len(clients) > queries.PAGE_SIZE
    return render_template(
        "baselines/baseline.html",
        baseline=found,
        text=text.write(write_tree(present or Configuration())),
        versions=_versions(found),
        clients=_clients(provider_id, shown),
        next_url=url_for("baselines.baseline", **here, after=shown[-1].id) if more else None,
        first_url=url_for("baselines.baseline", **here) if _after() else None,
        edits=can(Permission.BASELINES_MANAGE),
        edit_url=url_for("baselines.edit", **here),
        delete_url=url_for("baselines.delete", **here),
        clients_url=url_for("clients.baseline_clients", **here),
        back_url=_url("index", provider_id),
    )


def _after() -> uuid.UUID | None:
    """Where the list of clients goes on; anything unreadable is its beginning."""
    try:
        return uuid.UUID(request.args.get("after", ""))
    except ValueError:
        return None


def _versions(found: Any) -> list[dict[str, Any]]:
    return [
        {
            "number": row.number,
            "url": url_for(
                "baselines.version",
                provider_id=found.provider_id,
                baseline_id=found.id,
                number=row.number,
            ),
            "note": row.note,
            "by": row.by_name,
            "at": moment(row.created_at),
        }
        for row in queries.versions(db.session(), found.provider_id, found.id)
    ]


def _clients(provider_id: uuid.UUID, rows: Any) -> list[dict[str, Any]]:
    today = dt.datetime.now(dt.UTC).date()
    watched = queries.watched(db.session(), provider_id, rows, today)
    return [
        {
            "name": row.name,
            "url": url_for("baselines.client", provider_id=provider_id, organization_id=row.id),
            "number": row.number,
            "is_newest": row.number == row.newest,
            "is_open": row.is_open,
            "drift": rules.drift(watched.get(row.id, [])),
            "waits": rules.waiting(watched.get(row.id, [])),
            "accepted": sum(each.accepted is not None for each in watched.get(row.id, [])),
        }
        for row in rows
    ]


@bp.get(f"{ONE}/edit")
@requires(Permission.BASELINES_MANAGE)
def edit(provider_id: uuid.UUID, baseline_id: uuid.UUID) -> Response:
    """The newest version, to be changed into the next one."""
    found = find(provider_id, baseline_id)
    present = queries.content(db.session(), provider_id, baseline_id, found.newest)
    said = text.write(write_tree(present or Configuration()))
    values = {"name": found.name, "text": said, "version": str(found.newest)}
    return _form_page(provider_id, BaselineForm(formdata=None, data=values), found)


@bp.post(f"{ONE}/edit")
@requires(Permission.BASELINES_MANAGE)
def save(provider_id: uuid.UUID, baseline_id: uuid.UUID) -> AnyResponse:
    """Write the next version. Clients keep what they have until it is applied to them."""
    found, form = find(provider_id, baseline_id), BaselineForm()
    try:
        name, configuration, note = _wanted(form)
        number = service.save(
            db.session(),
            actor(),
            found,
            name=name,
            configuration=configuration,
            note=note,
            seen=form.seen,
        )
    except service.Changed as error:
        db.session.rollback()
        found = find(provider_id, baseline_id)
        form["version"].data = str(found.newest)
        return _form_page(provider_id, form, found, error=error, status=409)
    except RuleError as error:
        db.session.rollback()
        return _form_page(provider_id, form, found, error=error, status=422)
    told = _("Version %(number)s is saved.", number=number) if number else _("Nothing has changed.")
    saved = notices.add(told)
    db.session.commit()
    return fragments.done(_url("baseline", provider_id, baseline_id=baseline_id), saved)


@bp.get(f"{ONE}/versions/<int:number>")
@requires(Permission.BASELINES_READ)
def version(provider_id: uuid.UUID, baseline_id: uuid.UUID, number: int) -> str:
    """What a version says, and what it changed of the one before."""
    found = find(provider_id, baseline_id)
    # A number that no database keeps is compared here and not there.
    known = number <= found.newest
    said = queries.content(db.session(), provider_id, baseline_id, number) if known else None
    if said is None:
        abort(404)
    before = queries.content(db.session(), provider_id, baseline_id, number - 1)
    earlier, wanted = beside(before or Configuration(), said)
    gone = diff(wanted, earlier)
    changes = [change for change in diff(earlier, wanted) if before] + [
        rules.reversed_change(change) for change in gone if change.path not in wanted
    ]
    facts = next(row for row in _versions(found) if row["number"] == number)
    return render_template(
        "baselines/version.html",
        baseline=found,
        facts=facts,
        text=text.write(write_tree(said)),
        changes=words.changes(sorted(changes, key=lambda change: change.path)),
        before=number - 1 if before else None,
        back_url=_url("baseline", provider_id, baseline_id=baseline_id),
    )


@bp.get(f"{ONE}/delete")
@requires(Permission.BASELINES_MANAGE)
def delete(provider_id: uuid.UUID, baseline_id: uuid.UUID) -> str:
    """What deleting would mean."""
    found = find(provider_id, baseline_id)
    rows = queries.baselines(db.session(), actor().scope)
    return render_template(
        "baselines/delete.html",
        baseline=found,
        clients=next((row.clients for row in rows if row.id == baseline_id), 0),
        url=_url("delete_submit", provider_id, baseline_id=baseline_id),
        back_url=_url("baseline", provider_id, baseline_id=baseline_id),
    )


@bp.post(f"{ONE}/delete")
@requires(Permission.BASELINES_MANAGE)
def delete_submit(provider_id: uuid.UUID, baseline_id: uuid.UUID) -> AnyResponse:
    """Delete it; what clients are set to stays."""
    found = find(provider_id, baseline_id)
    try:
        service.remove(db.session(), actor(), found)
    except RuleError as error:
        saved = notices.add(sentence(error.text), "warning")
        db.session.commit()
        return fragments.done(_url("baseline", provider_id, baseline_id=baseline_id), saved)
    saved = notices.add(_("The baseline %(name)s is deleted.", name=found.name))
    db.session.commit()
    return fragments.done(_url("index", provider_id), saved)


def _url(endpoint: str, provider_id: uuid.UUID, **more: Any) -> str:
    return url_for(f"baselines.{endpoint}", provider_id=provider_id, **more)


def _form_page(
    provider_id: uuid.UUID,
    form: BaselineForm,
    found: Any = None,
    *,
    error: RuleError | None = None,
    status: int = 200,
) -> Response:
    mistakes = []
    if isinstance(error, BadFile):
        mistakes = words.mistakes(error)
        form.blame(RuleError(error.text, field="text"))
    elif error:
        form.blame(error)
    back = _url("baseline", provider_id, baseline_id=found.id) if found else None
    body = render_template(
        "baselines/form.html",
        form=form,
        baseline=found,
        mistakes=mistakes,
        example=EXAMPLE,
        back_url=back or _url("index", provider_id),
    )
    return make_response(body, status)
