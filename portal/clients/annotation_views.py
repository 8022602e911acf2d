"""What the provider writes beside one client: tags, a note, a reference."""

import uuid
from dataclasses import replace
from typing import Any

from flask import abort, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]

from portal.billing import client_queries
from portal.clients import mark_queries, tagging
from portal.clients.blueprint import bp
from portal.clients.mark_forms import AnnotationForm
from portal.domain.access import Permission
from portal.domain.errors import Changed, RuleError
from portal.domain.tags import read
from portal.extensions import db
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.forms import sentence
from portal.web.fragments import done


@bp.get("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/notes")
@requires(Permission.CLIENTS_ANNOTATE)
def annotate(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """Tags, note and reference, to be changed."""
    client = _client(organization_id)
    form = AnnotationForm(
        data={
            "seen": tagging.seal(client),
            "tags": [tag_id.hex for tag_id in read(client.tags_shown)],
            "note": client.note,
            "external_reference": client.external_reference,
        }
    )
    return _page(form, provider_id, client)


@bp.post("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/notes")
@requires(Permission.CLIENTS_ANNOTATE)
def save_annotation(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """Store them; whoever was slower sees what is there now and decides."""
    client, form = _client(organization_id), AnnotationForm()
    known = {tag.id for tag in mark_queries.tags(db.session(), actor().scope)}
    wanted = form.annotation(known)
    if wanted is None:
        return _page(form, provider_id, client, 422)
    annotation, names = wanted
    try:
        tagging.check_seal(client, form["seen"].data)
        made = tagging.tags_named(db.session(), actor(), names)
        annotation = replace(annotation, tag_ids=annotation.tag_ids | frozenset(made))
        changed = tagging.annotate(db.session(), actor(), client, annotation)
    except Changed as error:
        return _conflict(form, provider_id, organization_id, error)
    except RuleError as error:
        db.session.rollback()
        form.blame(error)
        return _page(form, provider_id, _client(organization_id), 422)
    saved = notices.add(_("Tags and note are saved.")) if changed else ""
    db.session.commit()
    return done(_manage(provider_id, organization_id), saved)


def _client(organization_id: uuid.UUID) -> Any:
    found = client_queries.client(db.session(), actor().scope, organization_id)
    if found is None:
        abort(404)
    return found


def _manage(provider_id: uuid.UUID, organization_id: uuid.UUID) -> str:
    return url_for("clients.manage", provider_id=provider_id, organization_id=organization_id)


def _conflict(
    form: AnnotationForm, provider_id: uuid.UUID, organization_id: uuid.UUID, error: Changed
) -> Response:
    """The form keeps what was typed and would save over what is there now."""
    db.session.rollback()
    client = _client(organization_id)
    form["seen"].data = tagging.seal(client)
    form.form_errors.append(sentence(error.text))
    return _page(form, provider_id, client, 409)


def _page(form: AnnotationForm, provider_id: uuid.UUID, client: Any, status: int = 200) -> Response:
    marks = mark_queries.marks(db.session(), provider_id, actor().account_id)
    form["tags"].choices = [SelectChoice(tag.id.hex, tag.name) for tag in marks.tags.values()]
    here = read(client.tags_shown)
    body = render_template(
        "clients/annotate.html",
        form=form,
        client=client,
        tones={tag.id.hex: tag.colour for tag in marks.tags.values()},
        now=[tag.name for tag in marks.tags.values() if tag.id in here] if status == 409 else None,
        tags_url=url_for("clients.tags", provider_id=provider_id),
        back_url=_manage(provider_id, client.id),
    )
    return Response(body, status, mimetype="text/html")
