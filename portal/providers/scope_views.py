"""A person's scope: chosen with or without scripts, looked at once more, then changed."""

import uuid
from typing import Any

from flask import abort, current_app, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from portal.domain.access import Permission, Role
from portal.domain.errors import RuleError
from portal.domain.paging import Cursor
from portal.domain.scope_changes import Wanted
from portal.extensions import db
from portal.providers import people, queries, scope_queries, scopes
from portal.providers.blueprint import bp
from portal.providers.scope_forms import ScopeForm, fields_of, joined
from portal.providers.scope_queries import BY_NAME
from portal.providers.scope_words import NAMED, count_words, scope_words
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.formats import number
from portal.web.fragments import done
from portal.web.languages import zone
from portal.web.paging import CursorSigner, signer


@bp.get("/providers/<uuid:provider_id>/people/<uuid:person_id>/scope")
@requires(Permission.PROVIDER_PEOPLE_MANAGE)
def scope(provider_id: uuid.UUID, person_id: uuid.UUID) -> Response:
    """Which clients the person reaches, what they may do there, and until when."""
    found = _person(provider_id, person_id)
    before = scope_queries.wanted_of(db.session(), found)
    form = ScopeForm(formdata=fields_of(before, zone()))
    form.seen.data = scopes.seal(found, before)
    return _form_page(found, form, before.clients)


@bp.post("/providers/<uuid:provider_id>/people/<uuid:person_id>/scope")
@requires(Permission.PROVIDER_PEOPLE_MANAGE)
def choose_scope(provider_id: uuid.UUID, person_id: uuid.UUID) -> Response:
    """Another page of clients to tick, or what the change would do. Nothing is changed yet."""
    found, form = _person(provider_id, person_id), ScopeForm()
    ticked = request.form.getlist("client")
    if request.form.get("do") != "preview":
        return _form_page(found, form, form.picked(ticked))
    try:
        wanted = scopes.known(db.session(), actor(), form.wanted(ticked, zone()))
        scopes.check(db.session(), actor(), found, wanted)
    except RuleError as error:
        form.blame(error)
        return _form_page(found, form, form.picked(ticked), status=422)
    return _preview_page(found, form, wanted)


@bp.post("/providers/<uuid:provider_id>/people/<uuid:person_id>/scope/save")
@requires(Permission.PROVIDER_PEOPLE_MANAGE)
def save_scope(provider_id: uuid.UUID, person_id: uuid.UUID) -> Response:
    """Change it, if it is still what the look was about."""
    found, form = _person(provider_id, person_id), ScopeForm()
    try:
        wanted = scopes.known(db.session(), actor(), form.wanted([], zone()))
        seen = form.seen.data or ""
        changed = scopes.change(db.session(), actor(), person_id, wanted, seen)
    except RuleError as error:
        db.session.rollback()
        found = _person(provider_id, person_id)
        form.seen.data = scopes.seal(found, scope_queries.wanted_of(db.session(), found))
        form.blame(error)
        return _form_page(found, form, form.picked([]), status=409)
    name = people.row_of(found, actor()).name
    saved = notices.add(_("The scope of %(name)s is saved.", name=name)) if changed else ""
    db.session.commit()
    url = url_for("providers.person", provider_id=provider_id, person_id=person_id)
    return done(url, saved)


def _person(provider_id: uuid.UUID, person_id: uuid.UUID) -> Any:
    found = queries.person(db.session(), provider_id, person_id)
    if found is None:
        abort(404)
    return found


def _signer() -> CursorSigner:
    return signer(current_app.extensions["settings"].secret_keys, "scope")


def _form_page(
    found: Any, form: ScopeForm, picked: frozenset[uuid.UUID], status: int = 200
) -> Response:
    provider_id, signs = found.provider_id, _signer()
    tags = scope_queries.tags_of(db.session(), provider_id)
    form.offer([(tag.id.hex, tag.name) for tag in tags])
    at = request.form.get("at", "")
    cursor = signs.read(at, sort=BY_NAME, descending=False) if at else None
    page = scope_queries.candidates(db.session(), provider_id, form.words.data or "", cursor)
    form.chosen.data = joined(picked)
    form.shown.data = joined(row.id for row in page.rows)
    chosen = scope_queries.clients_of(db.session(), provider_id, picked)
    body = render_template(
        "providers/scope.html",
        row=people.row_of(found, actor()),
        form=form,
        is_admin=found.role is Role.PROVIDER_ADMIN,
        tones={tag.id.hex: tag.colour for tag in tags},
        boxes=[(row.id.hex, row.name, row.id in picked) for row in page.rows],
        chosen=_chosen_words([client.name for client in chosen]),
        previous=_write(signs, page.previous),
        next=_write(signs, page.next),
    )
    return make_response(body, status)


def _write(signs: CursorSigner, cursor: Cursor | None) -> str:
    return signs.write(cursor) if cursor else ""


def _chosen_words(names: list[str]) -> str:
    if not names:
        return str(_("No client is chosen by name."))
    told: str = ngettext(
        "%(count)s client is chosen by name: %(names)s",
        "%(count)s clients are chosen by name: %(names)s",
        len(names),
        count=number(len(names)),
        names=", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else ""),
    )
    return told


def _preview_page(found: Any, form: ScopeForm, wanted: Wanted) -> Response:
    before = scope_queries.wanted_of(db.session(), found)
    gained, lost = scope_queries.effect(db.session(), found, before, wanted)
    kept = fields_of(wanted, zone())
    body = render_template(
        "providers/scope_preview.html",
        row=people.row_of(found, actor()),
        scope=scope_words(wanted, found.provider_id),
        gained=count_words(gained),
        lost=count_words(lost),
        gained_names=gained.names,
        lost_names=lost.names,
        fields=[*kept.items(multi=True), ("seen", form.seen.data or "")],
    )
    return make_response(body)
