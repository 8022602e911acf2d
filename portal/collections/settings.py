"""Writing what an organization sets about its collections."""

import uuid
from dataclasses import asdict

from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal import events
from portal.collections import queries
from portal.domain.access import Actor
from portal.domain.collection_rules import CollectionSettings
from portal.domain.errors import N_, RuleError
from portal.models import OrganizationSettings
from portal.models.writing import rows_changed
from portal.organizations.service import streams_in

# The event of each switch: when it is turned on, and when it is turned off.
_TOLD = {
    "limits_collection_creation": ("collection_creation:limit", "collection_creation:allow"),
    "limits_collection_deletion": ("collection_deletion:limit", "collection_deletion:allow"),
    "limits_item_deletion": ("item_deletion:limit", "item_deletion:allow"),
    "admins_reach_all": ("collection_reach:allow", "collection_reach:limit"),
}


class Changed(RuleError):
    """The settings are not what the page showed any more."""

    def __init__(self) -> None:
        super().__init__(
            N_("Somebody else has changed these settings in the meantime. Look at them again.")
        )


def save(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    wanted: CollectionSettings,
    *,
    version: int,
) -> bool:
    """Store all four; False where nothing changes. `version` 0 says that the defaults were seen."""
    found, present = queries.settings(session, organization_id)
    if version != present:
        raise Changed
    before, after = asdict(found), asdict(wanted)
    turned = [name for name in before if before[name] != after[name]]
    if not turned:
        return False
    _store(session, organization_id, after, version)
    for name in turned:
        on, off = _TOLD[name]
        events.record(
            session,
            actor,
            f"organization:{on if after[name] else off}",
            streams=streams_in(actor, organization_id),
            subject_id=organization_id,
        )
    return True


def _store(
    session: Session, organization_id: uuid.UUID, values: dict[str, bool], version: int
) -> None:
    if version == 0:
        row = {"organization_id": organization_id, "locale": "", "version": 1, **values}
        try:
            with session.begin_nested():
                session.execute(insert(OrganizationSettings).values(**row))
        except IntegrityError as error:
            raise Changed from error
        return
    written = rows_changed(
        session,
        update(OrganizationSettings)
        .where(
            OrganizationSettings.organization_id == organization_id,
            OrganizationSettings.version == version,
        )
        .values(**values, version=version + 1)
        .execution_options(synchronize_session=False),
    )
    if written != 1:
        raise Changed
