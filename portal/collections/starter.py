"""Applying a starter set: all its collections, groups and levels, or none of them."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.collections import queries
from portal.collections.service import Naming, Shares, create, share
from portal.domain.access import Actor
from portal.domain.collection_access import Level
from portal.domain.collection_rules import Keeper
from portal.domain.errors import N_, RuleError, refuse
from portal.groups import service as groups

NOTHING = N_(
    "Name at least one collection. Names are sealed in your browser, which needs scripts and"
    " your vault."
)


class Changed(RuleError):
    """Collections were made since the page was shown: by somebody else, or by the same press."""

    def __init__(self) -> None:
        super().__init__(
            N_("Collections have been made in the meantime. Look at them before you apply a set.")
        )


@dataclass(frozen=True)
class Wanted:
    """By their place on the page: sealed names, group names, and (group, collection) levels."""

    collections: Mapping[int, str]
    groups: Mapping[int, str]
    levels: Mapping[tuple[int, int], Level]
    key_version: str
    seen: int


def apply(
    session: Session, actor: Actor, keeper: Keeper, organization_id: uuid.UUID, wanted: Wanted
) -> tuple[int, int]:
    """How many collections and groups were made. `Changed` if there are others than were seen."""
    if not wanted.collections:
        raise refuse(NOTHING)
    with session.begin_nested():
        made = {
            place: create(
                session, actor, keeper, organization_id, Naming(sealed, wanted.key_version)
            )
            for place, sealed in wanted.collections.items()
        }
        # Counted once the organization's row is held, so that two presses cannot both find it so.
        if queries.count(session, organization_id) != wanted.seen + len(made):
            raise Changed
        named = {
            place: groups.create(session, actor, organization_id, name=name, external_id="")
            for place, name in wanted.groups.items()
        }
        for place, collection in made.items():
            levels = {
                named[group]: level
                for (group, at), level in wanted.levels.items()
                if at == place and group in named
            }
            if levels or not keeper.settings.admins_reach_all:
                share(session, actor, keeper, collection, Shares(groups=levels), 1)
    return len(made), len(named)
