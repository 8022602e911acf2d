"""The page on which an admin's unlocked browser hands keys of clients over."""

import uuid

from flask import current_app, jsonify, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.crypto.fingerprint import fingerprint_phrase
from portal.crypto.versions import version_of
from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.domain.paging import Cursor
from portal.extensions import db
from portal.providers import client_keys, queries
from portal.providers.blueprint import bp
from portal.providers.people import row_of
from portal.web.access import actor, requires
from portal.web.formats import day, number
from portal.web.forms import sentence
from portal.web.fragments import respond
from portal.web.keyring import with_private_key
from portal.web.links import link
from portal.web.paging import signer
from portal.web.session import no_store

PAGE_SIZE = 50
NOBODY = uuid.UUID(int=0)


@bp.get("/providers/<uuid:provider_id>/keys/hand-over")
@requires(Permission.PROVIDER_KEYS)
def hand_over_keys(provider_id: uuid.UUID) -> AnyResponse:
    """Who waits for keys of clients, their fingerprint phrases, and the button."""
    found = queries.keys(db.session(), provider_id)
    waiting = client_keys.people_waiting(db.session(), provider_id, actor().account_id)
    people = [
        {
            "row": row_of(person, actor()),
            "account_id": person.account_id,
            "public_key": person.public_key,
            "phrase": fingerprint_phrase(str(person.account_id), person.public_key),
            "clients": _("clients: %(count)s", count=number(count)),
        }
        for person, count in waiting
        if person.public_key
    ]
    body = render_template(
        "providers/hand_over_keys.html",
        people=people,
        without_keys=[
            row_of(person, actor()) for person, _count in waiting if not person.public_key
        ],
        total=sum(count for person, count in waiting if person.public_key),
        key_ring=with_private_key(current_user, found.protected_private_key),
        provider_id=provider_id,
        here=url_for("providers.hand_over_keys", provider_id=provider_id),
    )
    return no_store(make_response(body))


@bp.get("/providers/<uuid:provider_id>/keys/hand-over/work")
@requires(Permission.PROVIDER_KEYS)
def hand_over_work(provider_id: uuid.UUID) -> AnyResponse:
    """JSON: the next keys to wrap for `person`, behind `after`; an empty list at the end."""
    person_id, after = _id(request.args.get("person")), _id(request.args.get("after"))
    person = queries.person(db.session(), provider_id, person_id)
    by = actor().account_id
    found = client_keys.work(db.session(), provider_id, by, person_id, after) if person else ()
    answer = {
        "public_key": person.public_key if person else None,
        "items": [
            {"id": str(row.id), "key": row.key, "version": version_of(row.private_key)}
            for row in found
        ],
    }
    return no_store(jsonify(answer))


@bp.post("/providers/<uuid:provider_id>/keys/hand-over/batch")
@requires(Permission.PROVIDER_KEYS)
def hand_over_batch(provider_id: uuid.UUID) -> AnyResponse:
    """Keep what the browser wrapped: a `key-<id>` and a `version-<id>` field for each."""
    try:
        done = client_keys.hand_over(
            db.session(),
            actor(),
            _id(request.form.get("person")),
            _wrapped(),
            public_key=request.form.get("public_key", ""),
            provider_public_key=request.form.get("provider_public_key", ""),
        )
    except client_keys.OtherKey as error:
        db.session.commit()
        return _refused(error)
    except RuleError as error:
        db.session.rollback()
        return _refused(error)
    db.session.commit()
    return make_response(jsonify({"done": done}))


@bp.get("/providers/<uuid:provider_id>/keys/clients")
@requires(Permission.PROVIDER_KEYS)
def due_keys(provider_id: uuid.UUID) -> AnyResponse:
    """The clients whose own key is due to be rotated, and since when."""
    cursors = signer(current_app.extensions["settings"].secret_keys, "due-keys")
    cursor = cursors.read(request.args.get("at", ""), sort="since", descending=False)
    page = client_keys.due(db.session(), provider_id, cursor, PAGE_SIZE)

    def beside(found: Cursor | None) -> str | None:
        if found is None:
            return None
        return url_for("providers.due_keys", provider_id=provider_id, at=cursors.write(found))

    return respond(
        "providers/due_keys.html",
        "providers/_due_keys.html",
        clients=[(row.name, day(row.since), _rotation_url(row.id)) for row in page.rows],
        provider_id=provider_id,
        is_first=cursor is None,
        key_due=current_user.place.rotation_due_since is not None,
        previous_url=beside(page.previous),
        next_url=beside(page.next),
    )


def _rotation_url(organization_id: uuid.UUID) -> str:
    return link("organizations.rotate_key", organization_id=organization_id)


def _refused(error: RuleError) -> AnyResponse:
    return make_response(jsonify({"errors": {"": sentence(error.text)}}), 409)


def _id(value: str | None) -> uuid.UUID:
    try:
        return uuid.UUID(value or "")
    except ValueError:
        # Nobody's id, and before every other one.
        return NOBODY


def _wrapped() -> dict[uuid.UUID, client_keys.Wrapped]:
    return {
        _id(name.removeprefix("key-")): client_keys.Wrapped(
            key, request.form.get(f"version-{name.removeprefix('key-')}", "")
        )
        for name, key in request.form.items()
        if name.startswith("key-")
    }
