"""The lists of the API under `/api/organizations/<id>`: `{"data": […], "next": id or null}`."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from flask import Response, jsonify, request

from portal.api import queries
from portal.api.asked import Asked, BadRequest
from portal.api.blueprint import bp
from portal.api.doors import opened
from portal.events.export import event_record
from portal.extensions import db
from portal.logbook import queries as log
from portal.web.answers import api_error
from portal.web.forms import sentence

ROOT = "/api/organizations/<uuid:organization>"


@bp.errorhandler(BadRequest)
def bad_request(error: BadRequest) -> Response:
    """A parameter that cannot be read."""
    return api_error(400, sentence(error.text))


@bp.get(ROOT)
@opened
def organization(organization: uuid.UUID) -> Response:
    """What the key opens."""
    found = queries.organization(db.session(), organization)
    return jsonify(
        id=str(found.id),
        name=found.name,
        plan=found.plan.value,
        seats=found.seats,
        seats_used=found.seats_used,
        created_at=_time(found.created_at),
    )


@bp.get(f"{ROOT}/members")
@opened
def members(organization: uuid.UUID) -> Response:
    """Who is in it, in whatever state."""
    asked = Asked.of(request.args)
    found = queries.members(db.session(), organization, asked.after, asked.limit)
    ids = [row.id for row in found[: asked.limit]]
    groups = queries.groups_of(db.session(), organization, ids)

    def told(row: Any) -> dict[str, Any]:
        return {
            "id": str(row.id),
            "email": row.email,
            "name": row.name,
            "role": row.role.value,
            "permissions": row.permissions,
            "state": row.state.value,
            "external_id": row.external_id,
            "second_factor": bool(row.second_factor),
            "groups": [str(each) for each in groups.get(row.id, [])],
            "created_at": _time(row.created_at),
            "accepted_at": _time(row.accepted_at),
            "confirmed_at": _time(row.confirmed_at),
            "revoked_at": _time(row.revoked_at),
        }

    return _list(found, asked, told)


@bp.get(f"{ROOT}/members/<uuid:member>/access")
@opened
def member_access(organization: uuid.UUID, member: uuid.UUID) -> Response:
    """What one member reaches; it counts once they are confirmed."""
    asked = Asked.of(request.args)
    state = queries.member_state(db.session(), organization, member)
    if state is None:
        return api_error(404)
    found = queries.reached(db.session(), organization, member, asked.after, asked.limit)

    def told(row: Any) -> dict[str, Any]:
        return {
            "collection": str(row.id),
            "external_id": row.external_id,
            "level": row.level.value,
            "through": _way(row),
        }

    return _list(found, asked, told, state=state.value)


@bp.get(f"{ROOT}/groups")
@opened
def groups(organization: uuid.UUID) -> Response:
    """The groups, with the collections that each is given."""
    asked = Asked.of(request.args)
    found = queries.groups(db.session(), organization, asked.after, asked.limit)
    ids = [row.id for row in found[: asked.limit]]
    given = queries.levels_of_groups(db.session(), organization, queries.OF_GROUP, ids)

    def told(row: Any) -> dict[str, Any]:
        return {
            "id": str(row.id),
            "name": row.name,
            "external_id": row.external_id,
            "members": row.members,
            "collections": [
                {"id": str(each.collection_id), "level": each.level.value}
                for each in given.get(row.id, [])
            ],
            "created_at": _time(row.created_at),
        }

    return _list(found, asked, told)


@bp.get(f"{ROOT}/groups/<uuid:group>/members")
@opened
def group_members(organization: uuid.UUID, group: uuid.UUID) -> Response:
    """Who is in one group."""
    asked = Asked.of(request.args)
    if not queries.has_group(db.session(), organization, group):
        return api_error(404)
    found = queries.members_of(db.session(), organization, group, asked.after, asked.limit)
    return _list(found, asked, lambda row: {"member": str(row.id), "state": row.state.value})


@bp.get(f"{ROOT}/collections")
@opened
def collections(organization: uuid.UUID) -> Response:
    """The collections without their names, which only browsers can read."""
    asked = Asked.of(request.args)
    found = queries.collections(db.session(), organization, asked.after, asked.limit)
    ids = [row.id for row in found[: asked.limit]]
    given = queries.levels_of_groups(db.session(), organization, queries.OF_COLLECTION, ids)

    def told(row: Any) -> dict[str, Any]:
        return {
            "id": str(row.id),
            "external_id": row.external_id,
            "members": row.members,
            "groups": [
                {"id": str(each.group_id), "level": each.level.value}
                for each in given.get(row.id, [])
            ],
        }

    return _list(found, asked, told)


@bp.get(f"{ROOT}/collections/<uuid:collection>/access")
@opened
def collection_access(organization: uuid.UUID, collection: uuid.UUID) -> Response:
    """Who reaches one collection, by whatever way."""
    asked = Asked.of(request.args)
    if not queries.has_collection(db.session(), organization, collection):
        return api_error(404)
    found = queries.reaching(db.session(), organization, collection, asked.after, asked.limit)
    states = queries.states_of(db.session(), organization, [row.id for row in found])

    def told(row: Any) -> dict[str, Any]:
        return {
            "member": str(row.id),
            "state": states[row.id].value,
            "level": row.level.value,
            "through": _way(row),
        }

    return _list(found, asked, told)


@bp.get(f"{ROOT}/events")
@opened
def events(organization: uuid.UUID) -> Response:
    """The event log, as the file of the log has it: each row can be checked by the verifier."""
    asked = Asked.of(request.args, is_log=True)
    found = log.find(
        db.session(),
        log.Scope(organization),
        log.Filter(
            low=log.id_at(asked.since) if asked.since else None,
            high=log.id_at(asked.until) if asked.until else None,
        ),
        beside=asked.after,
        upwards=asked.oldest_first,
        limit=asked.limit + 1,
    )

    def told(row: Any) -> dict[str, Any]:
        previous = row.previous.hex() if row.previous else None
        return event_record(row) | {"previous": previous}

    return _list(found.rows, asked, told)


def _list(
    found: Iterable[Any], asked: Asked, told: Callable[[Any], dict[str, Any]], **more: Any
) -> Response:
    """A page; the row too many only tells that there is another one."""
    rows = list(found)
    shown = rows[: asked.limit]
    following = str(shown[-1].id) if len(rows) > asked.limit else None
    return jsonify(data=[told(row) for row in shown], next=following, **more)


def _way(row: Any) -> str:
    if row.by_role:
        return "role"
    return "assignment" if row.is_direct else "groups"


def _time(moment: dt.datetime | None) -> str | None:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds") if moment else None
