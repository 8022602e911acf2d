"""Writes of a provider's settings; each waits for the provider's row, then looks again."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from portal import events
from portal.accounts import affiliations
from portal.domain.access import Actor
from portal.domain.errors import N_, RuleError
from portal.events import Stream
from portal.models import Provider
from portal.providers import staff
from portal.settings import queries

GENERAL = ("name", "locale", "time_zone", "net_days")
BILLING = (
    "billing_name",
    "address_line1",
    "address_line2",
    "postal_code",
    "city",
    "country",
    "vat_number",
    "billing_email",
)


class Changed(RuleError):
    """Somebody else has saved other settings since the form was filled from them."""

    def __init__(self) -> None:
        super().__init__(
            N_("Somebody else has changed this in the meantime. Your changes are not saved yet.")
        )


def mark(found: Any, names: tuple[str, ...] = GENERAL + BILLING) -> str:
    """What the values are recognised by when the form comes back."""
    text = json.dumps([str(getattr(found, name)) for name in names])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def save(session: Session, actor: Actor, values: Mapping[str, Any], *, seen: str) -> bool:
    """Store checked values of `GENERAL` and `BILLING`; False where they are the same as before.

    Raises `Changed` if `seen` is not the mark of what is stored.
    """
    provider_id = begin(session, actor)
    before = queries.settings(session, provider_id)
    if mark(before) != seen:
        raise Changed
    changed = {name: value for name, value in values.items() if getattr(before, name) != value}
    if not changed:
        return False
    write(session, provider_id, changed)
    if "name" in changed:
        affiliations.rename(
            session, kind="provider", tenant_id=provider_id, name=str(changed["name"])
        )
    for kind, names in (("provider", GENERAL), ("billing", BILLING)):
        told = [name for name in names if name in changed]
        if told:
            tell(
                session,
                actor,
                f"provider:{kind}:update",
                before={name: getattr(before, name) for name in told},
                after={name: changed[name] for name in told},
            )
    return True


def require_second_factor(session: Session, actor: Actor, *, on: bool) -> bool:
    """Require a second factor of all people, or no longer; False where that is so already."""
    provider_id = begin(session, actor)
    was = bool(queries.settings(session, provider_id).second_factor_required)
    if was == on:
        return False
    write(session, provider_id, {"second_factor_required": on})
    kind = "provider:second_factor:require" if on else "provider:second_factor:release"
    tell(session, actor, kind, before={"required": was}, after={"required": on})
    return True


def begin(session: Session, actor: Actor) -> uuid.UUID:
    """Take the provider's row; the actor must still be one of its admins then."""
    provider_id = staff.tenant_of(actor)
    staff.hold(session, provider_id)
    staff.check_actor(session, actor)
    return provider_id


def write(session: Session, provider_id: uuid.UUID, values: Mapping[str, Any]) -> None:
    """Set columns of a provider that `begin` has taken."""
    session.execute(
        update(Provider)
        .where(Provider.id == provider_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def tell(session: Session, actor: Actor, kind: str, **details: Any) -> None:
    """An event in the provider's log, about the provider."""
    provider_id = staff.tenant_of(actor)
    streams = [Stream("provider", provider_id)]
    events.record(session, actor, kind, streams=streams, subject_id=provider_id, **details)
