"""A domain as its pages show it."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _

from portal.domain.claimed_domains import PREFIX, DomainState
from portal.domain.emails import shown
from portal.domains.service import ASKED_FOR, claim_of


@dataclass(frozen=True)
class DomainLine:
    """One domain. `name` has the letters people write, `ascii_name` what name servers know."""

    id: UUID
    name: str
    ascii_name: str
    state: DomainState
    label: str
    tone: str
    answer: str
    value: str
    url: str
    is_asked: bool
    verified_at: dt.datetime | None
    checked_at: dt.datetime | None
    next_check_at: dt.datetime | None
    ends_at: dt.datetime | None
    record_type: str = "TXT"


def line_of(row: Any, now: dt.datetime) -> DomainLine:
    """A row of `queries.domains`, in words."""
    state = claim_of(row).state
    return DomainLine(
        id=row.id,
        name=shown(row.domain),
        ascii_name=row.domain,
        state=state,
        label=str(_(state.label)),
        tone=state.tone,
        answer=str(_(row.answer.sentence)),
        value=PREFIX + row.token,
        url=url_for("domains.domain", organization_id=row.organization_id, domain_id=row.id),
        is_asked=row.asked_at is not None and row.asked_at > now - ASKED_FOR,
        verified_at=row.verified_at,
        checked_at=row.checked_at,
        next_check_at=row.next_check_at,
        ends_at=row.ends_at,
    )


def host_of(name: str) -> str:
    """What most providers want in the field for the name, where it is not @: all but the zone.

    Only a guess for the reader: where a zone begins is known to those who run it.
    """
    labels = name.split(".")
    return ".".join(labels[:-2]) if len(labels) > 2 else "@"
