"""Confirming members of several clients, one after the other, from one page."""

import uuid
from typing import Any

from flask import Response as FlaskResponse
from flask import abort, make_response, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.billing import client_queries
from portal.clients import stuck, stuck_queries
from portal.clients.blueprint import bp
from portal.clients.stuck_views import chosen
from portal.crypto.fingerprint import fingerprint_phrase
from portal.crypto.versions import version_of
from portal.domain.access import Permission, Role
from portal.domain.errors import RuleError
from portal.extensions import db
from portal.grants import queries as grants
from portal.members import confirmation
from portal.members import queries as member_queries
from portal.members.confirmation import KeyChanged
from portal.members.forms import ConfirmForm
from portal.providers import queries as provider_queries
from portal.web.access import actor, requires
from portal.web.answers import json_errors
from portal.web.forms import sentence
from portal.web.keyring import AccountKey, KeyRing, OrganizationKey, ProviderKeys
from portal.web.session import no_store

AT_ONCE = 50


@bp.get("/providers/<uuid:provider_id>/stuck-people/confirm")
@requires(Permission.MEMBERS_CONFIRM)
def stuck_confirm(provider_id: uuid.UUID) -> Response:
    """The fingerprint phrases to compare; the browser hands the keys over, one by one."""
    listing, ids = chosen()
    found = stuck_queries.to_confirm(db.session(), actor(), listing, ids, limit=AT_ONCE)
    people = [_person(provider_id, row) for row in found]
    body = render_template(
        "clients/stuck_confirm.html",
        **_sorted(people),
        is_full=len(found) == AT_ONCE,
        at_once=AT_ONCE,
        key_ring=(ring := _ring(provider_id)),
        can_open=actor().scope.is_limited or ring.holds_provider_key,
        provider_id=provider_id,
        back_url=listing.address(url_for("clients.stuck_people", provider_id=provider_id)),
    )
    return no_store(make_response(body))


def _sorted(people: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Who can be confirmed here and now, and who cannot for which reason."""
    piles: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("ready", "owners", "keyless", "closed", "waiting")
    }
    for each in people:
        piles[each["pile"]].append(each)
    return piles


def _pile(row: Any, key: OrganizationKey) -> str:
    if row.role is Role.OWNER and actor().role is not Role.PROVIDER_ADMIN:
        return "owners"
    if row.protected_private_key is None:
        return "keyless"
    if key.key is None:
        return "closed"
    return "ready" if row.public_key else "waiting"


def _ring(provider_id: uuid.UUID) -> KeyRing:
    """The provider's keys with its private one: some clients' keys are wrapped for that pair.

    Nothing of the provider's for somebody with a limited scope, who has each client's own key.
    """
    account = AccountKey(current_user.account_id, current_user.public_key)
    if actor().scope.is_limited:
        return KeyRing(account=account)
    keys = provider_queries.keys(db.session(), provider_id)
    wrapped = current_user.place.wrapped_provider_key
    provider = ProviderKeys(provider_id, wrapped, keys.protected_private_key, keys.public_key)
    return KeyRing(account=account, provider=provider)


def _key(row: Any) -> OrganizationKey:
    version = version_of(row.protected_private_key) if row.protected_private_key else ""
    if actor().scope.is_limited:
        return OrganizationKey(row.organization_id, row.own_key, "account", version)
    return OrganizationKey.from_provider(row.organization_id, row.provider_wrapped_key, version)


def _person(provider_id: uuid.UUID, row: Any) -> dict[str, Any]:
    key = _key(row)
    here = {"organization_id": row.organization_id, "member_id": row.subject_id}
    phrase = fingerprint_phrase(str(row.account_id), row.public_key) if row.public_key else ""
    return {
        "row": stuck.rows_of([row], actor())[0],
        "name": row.name or row.label,
        "account_id": row.account_id,
        "public_key": row.public_key,
        "phrase": phrase,
        "key": key,
        "pile": _pile(row, key),
        "post_url": url_for("clients.stuck_confirm_one", provider_id=provider_id, **here),
    }


@bp.post(
    "/providers/<uuid:provider_id>/stuck-people/confirm/<uuid:organization_id>/<uuid:member_id>"
)
@requires(Permission.MEMBERS_CONFIRM)
def stuck_confirm_one(
    provider_id: uuid.UUID, organization_id: uuid.UUID, member_id: uuid.UUID
) -> FlaskResponse:
    """Confirm one member with the key that the browser wrapped; JSON says why not."""
    if client_queries.client(db.session(), actor().scope, organization_id) is None:
        abort(404)
    if not grants.is_open_to(db.session(), actor().account_id, organization_id):
        told = _("The owners of this organization have not let you in. Nothing was changed.")
        return json_errors({"": told}, 403)
    member = member_queries.find(db.session(), organization_id, member_id)
    if member is None:
        abort(404)
    form = ConfirmForm()
    form.validate()
    try:
        confirmation.confirm(
            db.session(),
            actor(),
            member,
            public_key=form.public_key.data or "",
            wrapped_key=form.wrapped_key.data or "",
            key_version=form.key_version.data or "",
        )
    except KeyChanged as changed:
        db.session.rollback()
        confirmation.raise_alarm(db.session(), actor(), changed)
        db.session.commit()
        return json_errors({"": sentence(changed.text)}, 409)
    except RuleError as error:
        db.session.rollback()
        return json_errors({"": sentence(error.text)}, 422)
    db.session.commit()
    return make_response("", 204)
