"""Writes of an organization's settings; whoever is slower than another tab is told so."""

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal import events
from portal.accounts import affiliations
from portal.console import queries
from portal.domain.access import Actor
from portal.domain.collection_rules import CollectionSettings
from portal.domain.names import name_ci
from portal.events import Stream
from portal.models import Organization, OrganizationSettings
from portal.models.writing import rows_changed
from portal.settings.service import Changed, mark

NAMES = ("name", "billing_email", "locale")
# What each change is told as.
_KINDS = {
    "name": "organization:organization:rename",
    "billing_email": "organization:billing:update",
    "locale": "organization:organization:update",
}


def seen(found: Any) -> str:
    """What a row of `queries.settings` is recognised by when the form comes back."""
    return mark(found, NAMES)


def save(session: Session, actor: Actor, values: Mapping[str, str], *, seen: str) -> bool:
    """Store checked values of `NAMES`; False where they are the same as before.

    Each change is an event, told to the provider too if there is one. Raises `Changed` if `seen`
    is not the mark of what is stored.
    """
    organization_id = tenant_of(actor)
    before = queries.settings(session, organization_id)
    # Where invoices go is a provider's to say, also of one that has come since the form was read.
    if mark(before, NAMES) != seen or ("billing_email" in values and before.provider_id):
        raise Changed
    changed = {name: values[name] for name in values if getattr(before, name) != values[name]}
    if not changed:
        return False
    _store(session, organization_id, before.version, changed)
    streams = told_to(organization_id, before.provider_id)
    for name, after in changed.items():
        old = getattr(before, name)
        told = {"before": old, "after": after}
        if name != "name":
            told = {"before": {name: old}, "after": {name: after}}
        events.record(
            session, actor, _KINDS[name], streams=streams, subject_id=organization_id, **told
        )
    return True


def tenant_of(actor: Actor) -> uuid.UUID:
    """The organization that is acted in."""
    if actor.organization_id is None:
        raise LookupError("the actor stands in no organization")
    return actor.organization_id


def told_to(organization_id: uuid.UUID, provider_id: uuid.UUID | None) -> list[Stream]:
    """The logs of what concerns an organization as a whole, whoever did it: its provider's too."""
    streams = [Stream("organization", organization_id)]
    if provider_id is not None:
        streams.append(Stream("provider", provider_id))
    return streams


def _store(
    session: Session, organization_id: uuid.UUID, version: int, changed: Mapping[str, str]
) -> None:
    """The version goes up whatever changes: of two who save at once the second one is told."""
    values: dict[str, Any] = {name: changed[name] for name in changed if name != "locale"}
    if "name" in values:
        values["name_ci"] = name_ci(values["name"])
    written = rows_changed(
        session,
        update(Organization)
        .where(Organization.id == organization_id, Organization.version == version)
        .values(version=version + 1, **values)
        .execution_options(synchronize_session=False),
    )
    if written != 1:
        raise Changed
    if "name" in values:
        affiliations.rename(
            session, kind="organization", tenant_id=organization_id, name=values["name"]
        )
    if "locale" in changed:
        _store_locale(session, organization_id, changed["locale"])


def _store_locale(session: Session, organization_id: uuid.UUID, locale: str) -> None:
    """Beside the rules for collections, whose version does not count what they do not say."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    row = vars(CollectionSettings()) | {
        "organization_id": organization_id,
        "locale": locale,
        "version": 1,
    }
    session.execute(
        dialect.insert(OrganizationSettings)
        .values(**row)
        .on_conflict_do_update(
            index_elements=[OrganizationSettings.organization_id], set_={"locale": locale}
        )
    )
