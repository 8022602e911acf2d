"""What may be done with a client, the same in the row menu and on its page."""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.domain.states import ClientStatus
from portal.web.access import actor


@dataclass(frozen=True)
class Action:
    """One way on from a client."""

    url: str
    label: str
    icon: str


def actions_for(provider_id: uuid.UUID, client: Any) -> list[Action]:
    """What this person may do with the client (a row of `queries.client`) as it stands."""
    here = {"provider_id": provider_id, "organization_id": client.id}
    inside = {"organization_id": client.id}
    ways = [(*way, inside) for way in _inside(client)] + [(*way, here) for way in _ways_of(client)]
    return [
        Action(url_for(endpoint, **arguments), label, icon)
        for permission, endpoint, label, icon, arguments in ways
        if actor().can(permission)
    ]


Way = tuple[Permission, str, str, str]


def _inside(client: Any) -> list[Way]:
    ways: list[Way] = [
        (Permission.ORGANIZATION_READ, "collections.index", _("Open"), "folder"),
        (Permission.MEMBERS_READ, "organizations.setup", _("Set-up"), "list-checks"),
        (Permission.MEMBERS_READ, "members.index", _("Members"), "users"),
    ]
    if client.has_keys:
        label = _("Rotate the key")
        ways.append((Permission.ORGANIZATION_KEYS, "organizations.rotate_key", label, "key-round"))
    return ways


def _ways_of(client: Any) -> list[Way]:
    if client.status is ClientStatus.DELETING:
        return [(Permission.CLIENTS_DELETE, "clients.keep", _("Keep this client"), "refresh-cw")]
    suspended = client.status is ClientStatus.SUSPENDED
    return [
        (Permission.CLIENTS_SUBSCRIBE, "clients.subscription", _("Manage subscription"), "layers"),
        (Permission.CLIENTS_MANAGE, "clients.billing", _("Billing terms"), "receipt"),
        (Permission.CLIENTS_ANNOTATE, "clients.annotate", _("Tags and note"), "file-text"),
        (Permission.BASELINES_READ, "baselines.client", _("Baseline"), "list-checks"),
        (Permission.CLIENTS_RENAME, "clients.rename", _("Rename"), "pencil"),
        (Permission.CLIENTS_SUSPEND, "clients.resume", _("Resume"), "lock-open")
        if suspended
        else (Permission.CLIENTS_SUSPEND, "clients.suspend", _("Suspend"), "lock"),
        (Permission.PROVIDER_PEOPLE_READ, "clients.client_people", _("Who can reach it"), "eye"),
        (Permission.CLIENTS_UNLINK, "clients.unlink", _("Unlink"), "log-out"),
        (Permission.CLIENTS_DELETE, "clients.delete", _("Delete"), "trash-2"),
    ]
