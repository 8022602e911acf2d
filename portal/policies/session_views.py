"""What the policies ask of the person who is here: told to vault apps, and shown in the vault."""

import uuid
from typing import Any

from flask import Response, jsonify, session, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.access import Permission, Role
from portal.domain.plans import Feature
from portal.domain.policies import PolicyKind, read, strictest
from portal.domain.policy_data import VaultBanner, to_store
from portal.extensions import db
from portal.organizations.messages import Told
from portal.policies import holding, queries
from portal.policies.blueprint import bp
from portal.web import fragments
from portal.web.access import actor, requires, signed_in
from portal.web.session import SEEN_MESSAGES, no_store

_TOGETHER = (
    PolicyKind.MASTER_PASSWORD,
    PolicyKind.VAULT_TIMEOUT,
    PolicyKind.PASSWORD_GENERATOR,
    PolicyKind.URI_MATCH,
    PolicyKind.SEND_CONTROLS,
    PolicyKind.FILL_ASSIST,
)


@bp.get("/session/policies")
@signed_in
def of_session() -> Response:
    """Every policy that holds for the person, and the strictest where several ask: see docs."""
    found = holding.all_asking(db.session(), current_user.account_id)
    told = [
        {
            "policy": kind.value,
            "organization": {"id": str(each.organization_id), "name": each.name},
            "data": to_store(read(kind, each.data)),
        }
        for kind, each in found
    ]
    told += [
        {"policy": name, "organization": each["organization"], "data": {}}
        for each in told
        for name in _followers(each)
    ]
    together: dict[str, Any] = {}
    for kind in _TOGETHER:
        data = strictest(each for of, one in found if of is kind and (each := read(of, one.data)))
        together |= {kind.value: to_store(data)} if data else {}
    return no_store(jsonify(policies=told, strictest=together))


def _followers(policy: dict[str, Any]) -> tuple[str, ...]:
    """The older policies that follow from *Sends*: for apps that know nothing newer.

    Nobody sets them by themselves, so they can say nothing else than it does.
    """
    if policy["policy"] != PolicyKind.SEND_CONTROLS:
        return ()
    flags = (("no_sends", "remove_send"), ("shows_address", "send_options"))
    return tuple(name for flag, name in flags if policy["data"].get(flag))


@bp.post("/organizations/<uuid:organization_id>/message/seen")
@requires(Permission.ORGANIZATION_READ, feature=Feature.POLICIES)
def message_seen(organization_id: uuid.UUID) -> AnyResponse:
    """The message has been read; it comes back with the next sign-in or unlocking."""
    version = queries.stored(db.session(), organization_id, [_BANNER])[_BANNER].version
    seen = [*session.get(SEEN_MESSAGES, []), _mark(organization_id, version)]
    session[SEEN_MESSAGES] = sorted(set(seen))[-20:]
    return fragments.done(url_for("collections.index", organization_id=organization_id))


_BANNER = PolicyKind.VAULT_BANNER


def _mark(organization_id: uuid.UUID, version: int) -> str:
    return f"{organization_id.hex}.{version}"


def message(organization_id: uuid.UUID) -> Told | None:
    """What the vault banner tells the member who is here."""
    if actor().via_provider or actor().role in (Role.OWNER, Role.ADMIN):
        return None
    asked = holding.asking(db.session(), current_user.account_id, _BANNER)
    here = next((each for each in asked if each.organization_id == organization_id), None)
    if here is None or _mark(organization_id, here.version) in session.get(SEEN_MESSAGES, []):
        return None
    banner: Any = read(_BANNER, here.data)
    return _told(banner, organization_id)


def _told(banner: VaultBanner, organization_id: uuid.UUID) -> Told:
    return Told(
        heading=banner.heading,
        text=banner.text,
        button=banner.button or _("I have read this"),
        seen_url=url_for("policies.message_seen", organization_id=organization_id),
    )
