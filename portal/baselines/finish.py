"""What the server cannot do alone: collections of a baseline, named in somebody's browser."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from portal.baselines import drift, queries
from portal.collections.service import Naming
from portal.collections.service import create as create_collection
from portal.configuration import queries as configurations
from portal.configuration import service as configuration
from portal.domain.access import Actor
from portal.domain.collection_rules import Keeper
from portal.domain.configuration import Configuration
from portal.domain.errors import N_, RuleError, refuse

NOTHING = N_(
    "Name at least one collection. Names are sealed in your browser, which needs scripts and"
    " your vault."
)


class Changed(RuleError):
    """The collections that wait are not those of the page any more."""

    def __init__(self) -> None:
        super().__init__(
            N_("Collections have been made in the meantime. Look at them, then go on.")
        )


@dataclass(frozen=True)
class Waiting:
    """What of its baseline a client waits for: suggested names by external id."""

    baseline: str
    wanted: Configuration
    names: Mapping[str, str]


def waiting(
    session: Session, provider_id: uuid.UUID | None, organization_id: uuid.UUID
) -> Waiting | None:
    """The collections that the client's baseline names and that are not there; None for none."""
    found = queries.given_to(session, provider_id, organization_id) if provider_id else None
    if found is None:
        return None
    wanted = queries.content(session, found.provider_id, found.baseline_id, found.number)
    if wanted is None:
        return None
    present = configurations.present(session, organization_id)
    names = {
        key: name or key
        for key, name in wanted.collections.items()
        if key not in present.collection_ids
    }
    return Waiting(found.name, wanted, names) if names else None


def make(
    session: Session,
    actor: Actor,
    keeper: Keeper,
    organization_id: uuid.UUID,
    found: Waiting,
    sealed: Mapping[str, str],
    key_version: str,
) -> int:
    """Make the collections whose sealed names came, and let groups reach them as the baseline says.

    Returns how many were made. `Changed` where one of them is there already.
    """
    if not sealed:
        raise refuse(NOTHING)
    if not sealed.keys() <= found.names.keys():
        raise Changed
    for external_id in sorted(sealed):
        naming = Naming(sealed[external_id], key_version, external_id)
        create_collection(session, actor, keeper, organization_id, naming)
    wanted: Any = replace(found.wanted, policies={}, settings={}, removes_others=False)
    look = configuration.look(session, actor, organization_id, wanted)
    configuration.apply(session, actor, organization_id, wanted, seen=look.digest)
    if actor.provider_id:
        drift.refresh(session, actor.provider_id, organization_id)
    return len(sealed)
