"""The page on which an admin's unlocked browser rotates the provider key."""

import uuid
from collections.abc import Sequence
from typing import Any

from flask import jsonify, make_response, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.freshness import fresh
from portal.crypto.fingerprint import fingerprint_phrase
from portal.crypto.versions import version_of
from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.extensions import db
from portal.providers import queries, rotation, rotation_asked
from portal.providers.blueprint import bp
from portal.providers.forms import MakeKeysForm
from portal.providers.service import ProviderKeys
from portal.web.access import actor, requires
from portal.web.forms import sentence
from portal.web.keyring import AccountKey, KeyRing
from portal.web.keyring import ProviderKeys as RingKeys
from portal.web.session import no_store


@bp.get("/providers/<uuid:provider_id>/keys/rotation")
@requires(Permission.PROVIDER_KEYS)
@fresh
def rotate_keys(provider_id: uuid.UUID) -> AnyResponse:
    """What rotation does and does not do; who gets the next key; the button."""
    found = queries.keys(db.session(), provider_id)
    place = current_user.place
    ring = KeyRing(
        account=AccountKey(current_user.account_id, current_user.public_key),
        provider=RingKeys(
            provider_id, place.wrapped_provider_key, found.protected_private_key, found.public_key
        ),
    )
    done, total = rotation.count_clients(db.session(), provider_id, actor().account_id)
    holders = rotation.holders(db.session(), provider_id)
    body = render_template(
        "providers/rotate_keys.html",
        key_ring=ring,
        provider_id=provider_id,
        has_key=found.public_key is not None,
        due_since=place.rotation_due_since,
        under_way=rotation.under_way(db.session(), provider_id),
        holders=[
            (person, fingerprint_phrase(str(person.account_id), person.public_key))
            for person in holders
            if person.public_key
        ],
        done=done,
        total=total,
        withheld=rotation_asked.withheld(db.session(), provider_id),
        next_url=url_for("providers.keys_recovery_sheet", provider_id=provider_id),
    )
    return no_store(make_response(body))


@bp.get("/providers/<uuid:provider_id>/keys/rotation/work")
@requires(Permission.PROVIDER_KEYS)
def rotation_work(provider_id: uuid.UUID) -> AnyResponse:
    """JSON: what is left to wrap; `rotation` is null when none is under way."""
    found = rotation.under_way(db.session(), provider_id)
    done, total = rotation.count_clients(db.session(), provider_id, actor().account_id)
    people = rotation.holders(db.session(), provider_id)
    answer = {
        "rotation": str(found.id) if found else None,
        "next_key": rotation.next_key(db.session(), actor()),
        "is_orphan": bool(found) and not any(person.has_next for person in people),
        "people": [
            {"id": str(person.id), "public_key": person.public_key}
            for person in people
            if not person.has_next
        ],
        "clients": [
            {
                "id": str(client.id),
                "key": client.key,
                "version": version_of(client.private_key),
            }
            for client in _left(provider_id, under_way=found is not None)
        ],
        "done": done,
        "total": total,
    }
    return no_store(jsonify(answer))


def _left(provider_id: uuid.UUID, *, under_way: bool) -> Sequence[Any]:
    if not under_way:
        return ()
    return rotation.clients_left(db.session(), provider_id, actor().account_id)


@bp.post("/providers/<uuid:provider_id>/keys/rotation")
@requires(Permission.PROVIDER_KEYS)
@fresh
def start_rotation(provider_id: uuid.UUID) -> AnyResponse:
    """Begin with the keys that the browser made; 409 if one can be carried on."""
    form = MakeKeysForm()
    answers = {name: value or "" for name, value in form.answers().items()}
    try:
        rotation.start(db.session(), actor(), ProviderKeys(**answers))
    except RuleError as error:
        return _refused(error, 409 if isinstance(error, rotation.UnderWay) else 422)
    db.session.commit()
    return make_response("", 204)


@bp.post("/providers/<uuid:provider_id>/keys/rotation/batch")
@requires(Permission.PROVIDER_KEYS)
def wrap_batch(provider_id: uuid.UUID) -> AnyResponse:
    """Keep what the browser wrapped: `person-<id>`, `client-<id>` and `version-<id>` fields."""
    try:
        rotation.wrap(
            db.session(),
            actor(),
            _id(request.form.get("rotation")),
            people=_keys("person-"),
            clients=_clients(),
        )
    except RuleError as error:
        return _refused(error, 409 if isinstance(error, rotation.NotOver) else 422)
    db.session.commit()
    return make_response("", 204)


@bp.post("/providers/<uuid:provider_id>/keys/rotation/finish")
@requires(Permission.PROVIDER_KEYS)
def finish_rotation(provider_id: uuid.UUID) -> AnyResponse:
    """Put the next keys in their places; 409 while something is left."""
    try:
        rotation.finish(db.session(), actor(), _id(request.form.get("rotation")))
    except RuleError as error:
        return _refused(error, 409)
    db.session.commit()
    return make_response("", 204)


def _refused(error: RuleError, status: int) -> AnyResponse:
    db.session.rollback()
    return make_response(jsonify({"errors": {"": sentence(error.text)}}), status)


def _id(value: str | None) -> uuid.UUID:
    try:
        return uuid.UUID(value or "")
    except ValueError:
        # Nobody's id: there is no such rotation, person or client.
        return uuid.UUID(int=0)


def _clients() -> dict[uuid.UUID, rotation.Wrapped]:
    versions = _keys("version-")
    return {
        client_id: rotation.Wrapped(key, versions.get(client_id, ""))
        for client_id, key in _keys("client-").items()
    }


def _keys(prefix: str) -> dict[uuid.UUID, str]:
    return {
        _id(name.removeprefix(prefix)): value
        for name, value in request.form.items()
        if name.startswith(prefix)
    }
