"""The owner's switch: always, ask first, never. Never takes the provider's key away at once."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal import events
from portal.crypto.envelope import looks_sealed
from portal.crypto.fingerprint import fingerprint_phrase
from portal.crypto.versions import version_of
from portal.domain.access import Actor
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.provider_access import AccessMode
from portal.events import Stream
from portal.grants import queries, service
from portal.models import ClientAccess, Organization, ProviderAccess, utc_now
from portal.organizations.mail import tell_team
from portal.providers.staff import hold as hold_provider

NO_PROVIDER = N_("No provider looks after this organization.")
NO_KEYS = N_("This organization has no keys yet. They are made first, then this can be decided.")
NO_PROVIDER_KEY = N_("The provider has no key, so nothing can be handed over to it.")
NO_KEY_CAME = N_(
    "No key arrived from your browser. Letting the provider in again needs a browser that runs "
    "scripts, with your vault unlocked."
)


class Moved(RuleError):
    """Somebody has changed the mode or a key since the page was shown."""

    def __init__(self) -> None:
        super().__init__(N_("This has changed in the meantime. Look again, then decide."))


@dataclass(frozen=True)
class Handed:
    """The organization key for the provider's public key (type 4).

    `public_key` is the provider's as it was shown, `version` that of the organization key.
    """

    wrapped: str = field(default="", repr=False)
    public_key: str = ""
    version: str = ""


def lacks_key(place: Row[Any], wanted: AccessMode) -> bool:
    """Whether the provider has no copy of the key and needs one for what is wanted.

    It has none where it was kept out, and where it has rotated its own key without being let in.
    """
    if wanted is AccessMode.NEVER or place.mode is AccessMode.ALWAYS:
        return False
    return place.mode is AccessMode.NEVER or not place.provider_holds_key


def obstacle(place: Row[Any]) -> str:
    """Why the mode of a row of `queries.place` cannot be changed, as a message id; or empty."""
    if place.provider_id is None:
        return NO_PROVIDER
    return NO_KEYS if place.public_key is None else ""


def switch(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    wanted: AccessMode,
    *,
    seen: str,
    handed: Handed,
) -> bool:
    """Change the mode from `seen` to `wanted`; False where it is that already.

    Where the provider has lost its copy of the key in mode *ask*, the same mode hands it over.

    Raises `Moved` where the page has seen something else, `RuleError` for what stands against it.
    """
    before = _hold(session, organization_id)
    _check(session, actor, organization_id, before)
    hands_over = lacks_key(before, wanted)
    if before.mode is wanted and not hands_over:
        return False
    if before.mode.value != seen:
        raise Moved
    wrapped: dict[str, Any] = {}
    if hands_over:
        wrapped["fingerprint"] = _hand_over(session, organization_id, before, handed)
    if before.mode is wanted:
        _tell(session, actor, before, organization_id, "keys:hand_over", **wrapped)
        return True
    if wanted is AccessMode.NEVER:
        _take_keys(session, organization_id)
    service.close_all(session, actor, organization_id)
    _write(session, organization_id, wanted)
    details = {"before": before.mode.value, "after": wanted.value, **wrapped}
    _tell(session, actor, before, organization_id, f"provider_access:{_ACTIONS[wanted]}", **details)
    tell_team(session, "mail.access_mode_team", organization_id, before.provider_id, actor)
    return True


def _check(session: Session, actor: Actor, organization_id: uuid.UUID, place: Row[Any]) -> None:
    if (problem := obstacle(place)) != "":
        raise refuse(problem)
    if not queries.is_own_owner(session, organization_id, actor.account_id):
        raise refuse(service.NOT_OWNER)


def _tell(
    session: Session,
    actor: Actor,
    place: Row[Any],
    organization_id: uuid.UUID,
    kind: str,
    **details: Any,
) -> None:
    events.record(
        session,
        actor,
        f"organization:{kind}",
        streams=[Stream("organization", organization_id), Stream("provider", place.provider_id)],
        subject_id=organization_id,
        **details,
    )


_ACTIONS = {AccessMode.ALWAYS: "allow", AccessMode.ASK: "limit", AccessMode.NEVER: "forbid"}


def _hold(session: Session, organization_id: uuid.UUID) -> Row[Any]:
    """Provider, organization, mode, in the lock order of the house.

    Handing over and rotating the provider key hold the provider's row, rotating the organization's
    key both.
    """
    found = queries.place(session, organization_id)
    if found.provider_id is not None:
        hold_provider(session, found.provider_id)
    session.execute(
        update(Organization)
        .where(Organization.id == organization_id)
        .values(version=Organization.version)
        .execution_options(synchronize_session=False)
    )
    service.hold(session, organization_id)
    return queries.place(session, organization_id)


def _write(session: Session, organization_id: uuid.UUID, wanted: AccessMode) -> None:
    mine = ProviderAccess.organization_id == organization_id
    if wanted is AccessMode.ALWAYS:
        gone = delete(ProviderAccess).where(mine)
        session.execute(gone.execution_options(synchronize_session=False))
        return
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    now = utc_now()
    row = dialect.insert(ProviderAccess).values(
        organization_id=organization_id, mode=wanted, changed_at=now
    )
    session.execute(
        row.on_conflict_do_update(
            index_elements=["organization_id"], set_={"mode": wanted, "changed_at": now}
        ),
        execution_options={"synchronize_session": False},
    )


def _take_keys(session: Session, organization_id: uuid.UUID) -> None:
    """Nothing is left here with which the provider could open the organization key.

    What its people held they may have kept: another key is offered, like after an unlinking.
    """
    session.execute(
        update(Organization)
        .where(Organization.id == organization_id)
        .values(
            provider_wrapped_key=None,
            next_wrapped_key=None,
            key_rotation_due_since=utc_now(),
            # Forms that have wrapped the key for the provider see that they come too late.
            version=Organization.version + 1,
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(ClientAccess)
        .where(ClientAccess.organization_id == organization_id)
        .values(wrapped_key=None)
        .execution_options(synchronize_session=False)
    )


def _hand_over(
    session: Session, organization_id: uuid.UUID, place: Row[Any], handed: Handed
) -> str:
    """Keep the key for the provider; returns the fingerprint phrase it was wrapped for."""
    if place.provider_public_key is None:
        raise refuse(NO_PROVIDER_KEY)
    if not looks_sealed(handed.wrapped, 4):
        raise refuse(NO_KEY_CAME)
    same = (place.provider_public_key, version_of(place.protected_private_key))
    if (handed.public_key, handed.version) != same:
        raise Moved
    session.execute(
        update(Organization)
        .where(Organization.id == organization_id)
        .values(
            provider_wrapped_key=handed.wrapped,
            # A rotation of the provider key that is under way wraps it once more.
            next_wrapped_key=None,
            version=Organization.version + 1,
        )
        .execution_options(synchronize_session=False)
    )
    return fingerprint_phrase(str(place.provider_id), place.provider_public_key)


def forget(session: Session, actor: Actor, organization_id: uuid.UUID) -> None:
    """The provider goes: nothing is limited for the next one, and nobody is inside."""
    service.hold(session, organization_id)
    service.close_all(session, actor, organization_id)
    _write(session, organization_id, AccessMode.ALWAYS)
