"""The page on which an unlocked browser rotates the key of one organization."""

import uuid
from collections.abc import Sequence
from typing import Any

from flask import jsonify, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.freshness import fresh
from portal.crypto.fingerprint import fingerprint_phrase
from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.extensions import db
from portal.organizations import key_rotation
from portal.organizations.blueprint import bp
from portal.organizations.key_rings import opening_of
from portal.organizations.key_rotation import World
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.formats import day, number
from portal.web.forms import sentence
from portal.web.session import no_store

# Beyond this many nobody compares phrases.
SHOWN = 100
# Ten thousand members with a wrapped key of some 400 characters each.
LARGEST = 8_000_000


@bp.url_value_preprocessor
def allow_many_members(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """One request carries a key for every member; the form is read before the view is."""
    if endpoint == "organizations.rotate_key_submit":
        request.max_content_length = LARGEST
        request.max_form_memory_size = LARGEST


@bp.get("/organizations/<uuid:organization_id>/keys/rotation")
@requires(Permission.ORGANIZATION_KEYS)
@fresh
def rotate_key(organization_id: uuid.UUID) -> AnyResponse:
    """What rotation does and does not do; who gets the next key; the button."""
    world = key_rotation.world_of(db.session(), organization_id)
    opening = opening_of(db.session(), actor())
    here = url_for("organizations.rotate_key", organization_id=organization_id)
    people = [*world.people, *world.members] if world else []
    due = world.organization.key_rotation_due_since if world else None
    body = render_template(
        "organizations/rotate_key.html",
        world=world,
        opening=opening,
        key_ring=opening.ring,
        here=here,
        back_url=url_for("collections.index", organization_id=organization_id),
        due_on=day(due) if due else "",
        strangers=", ".join(world.strangers) if world else "",
        holders=_holders(people[:SHOWN]),
        unseen=number(max(len(people) - SHOWN, 0)),
        has_unseen=len(people) > SHOWN,
        provider_keys_url=_provider_keys_url(world),
    )
    return no_store(make_response(body))


def _holders(people: Sequence[Any]) -> list[tuple[Any, str]]:
    return [
        (person, fingerprint_phrase(str(person.account_id), person.public_key))
        for person in people
        if person.public_key
    ]


def _provider_keys_url(world: World | None) -> str:
    """Where the provider key is rotated first, for who can and where that is due."""
    if world is None or not actor().via_provider or world.organization.provider_due_since is None:
        return ""
    return url_for("providers.rotate_keys", provider_id=world.organization.provider_id)


@bp.get("/organizations/<uuid:organization_id>/keys/rotation/work")
@requires(Permission.ORGANIZATION_KEYS)
def key_rotation_work(organization_id: uuid.UUID) -> AnyResponse:
    """JSON: all that hangs on the key, and the version that names it."""
    world = key_rotation.world_of(db.session(), organization_id)
    if world is None:
        return no_store(jsonify({"version": None}))
    answer = {
        "version": world.version,
        "private_key": world.organization.protected_private_key,
        "provider_public_key": world.provider_public_key,
        "members": _with_keys(world.members),
        "people": _with_keys(world.people),
        "collections": [{"id": str(row.id), "name": row.sealed_name} for row in world.collections],
    }
    return no_store(jsonify(answer))


def _with_keys(rows: Sequence[Any]) -> list[dict[str, str]]:
    return [{"id": str(row.id), "public_key": row.public_key} for row in rows]


@bp.post("/organizations/<uuid:organization_id>/keys/rotation")
@requires(Permission.ORGANIZATION_KEYS)
@fresh
def rotate_key_submit(organization_id: uuid.UUID) -> AnyResponse:
    """Store the next key everywhere at once; 409 where anything has changed meanwhile."""
    try:
        made = key_rotation.NextKeys(
            version=request.form.get("version", ""),
            protected_private_key=request.form.get("organization_private_key", ""),
            provider_wrapped_key=request.form.get("provider_wrapped_key", ""),
            members=_keys("member-"),
            people=_keys("person-"),
            collections=_keys("collection-"),
        )
        key_rotation.rotate(db.session(), actor(), organization_id, made)
    except RuleError as error:
        db.session.rollback()
        status = 409 if isinstance(error, key_rotation.Moved) else 422
        return make_response(jsonify({"errors": {"": sentence(error.text)}}), status)
    saved = notices.add(_("The key of this organization is rotated."))
    db.session.commit()
    after = url_for("collections.index", organization_id=organization_id, saved=saved)
    return make_response(jsonify({"next": after}))


def _keys(prefix: str) -> dict[uuid.UUID, str]:
    return {
        _id(name.removeprefix(prefix)): value
        for name, value in request.form.items()
        if name.startswith(prefix)
    }


def _id(value: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError:
        # Nobody's id.
        return uuid.UUID(int=0)
