"""Lists of people: kept, corrected line by line, and invited a batch at a time.

A batch is one transaction with the change of its lines' states, and the organization is held while
it runs: however often and from wherever a list is gone on with, nobody is invited twice, and a
batch that breaks off has never been.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from portal import events
from portal.domain.access import Actor
from portal.domain.bulk import restored, stored
from portal.domain.collection_access import Level
from portal.domain.csv_lists import ImportState, LineState, Listed, cleaned
from portal.domain.emails import normalise
from portal.domain.errors import N_, Message, refuse
from portal.domain.member_import import BATCH, FIELDS, Here, Wanted, address_in, judged
from portal.domain.membership import Manager
from portal.domain.plans import Plan
from portal.domain.price_list import PriceList
from portal.members import conditions, growing, import_queries, inviting, service
from portal.models import MemberImport, MemberImportLine, new_id, utc_now
from portal.organizations.service import streams_in

NOBODY_TO_INVITE = N_("No line of the list is ready. Correct at least one.")
UNDER_WAY = N_(
    "The list is under way. Go on with it first; what is left can be changed afterwards."
)
NOT_OPEN = N_("The person of this line is invited by now.")
_OPEN = (LineState.PLANNED, LineState.BROKEN)


@dataclass(frozen=True)
class Giver:
    """Who brings a list in, and what they may give: roles by `by`, groups, collections."""

    by: Manager
    plan: Plan
    groups: bool
    collections: bool


def begin(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    found: Listed,
    *,
    giver: Giver,
    locale: str,
) -> uuid.UUID:
    """Keep a list that was read; nobody is invited. `locale` is of the invitations."""
    kept = MemberImport(
        organization_id=organization_id,
        id=new_id(),
        account_id=actor.account_id,
        locale=locale,
        levels={},
    )
    session.add(kept)
    session.flush()
    lines = _judged(session, organization_id, giver, found.lines)
    session.execute(
        insert(MemberImportLine),
        [
            {
                "organization_id": organization_id,
                "import_id": kept.id,
                "line": number,
                "typed": typed,
                **_outcome(lines[number]),
            }
            for number, typed in found.lines.items()
        ],
    )
    return kept.id


def _outcome(line: Wanted) -> dict[str, Any]:
    problems = {name: stored(message) for name, message in line.problems.items()}
    return {
        "problems": problems,
        "state": LineState.BROKEN if problems else LineState.PLANNED,
    }


def _judged(
    session: Session, organization_id: uuid.UUID, giver: Giver, lines: Mapping[int, Any]
) -> dict[int, Wanted]:
    """Each line beside the others and beside who and what is there: four reads for any number."""
    emails = {normalise(address_in(typed.get("email", ""))) for typed in lines.values()}
    ids = {typed.get("external_id", "").strip() for typed in lines.values()} - {""}
    here = Here(
        giver.plan,
        giver.by,
        giver.groups,
        groups=import_queries.groups(session, organization_id) if giver.groups else (),
        states=import_queries.states_of(session, organization_id, emails),
        external_ids=import_queries.external_ids(session, organization_id, ids),
    )
    return judged(lines, here)


def judge(session: Session, found: MemberImport, giver: Giver) -> dict[int, Wanted]:
    """Check every open line anew: what one says may be what another says."""
    rows = import_queries.lines(session, found.organization_id, found.id, *_OPEN)
    lines = _judged(session, found.organization_id, giver, {row.line: row.typed for row in rows})
    _write(session, found, [(row, _outcome(lines[row.line])) for row in rows])
    return lines


def _write(
    session: Session, found: MemberImport, outcomes: Sequence[tuple[Any, dict[str, Any]]]
) -> None:
    """Store what has become different, in one statement."""
    place = {"organization_id": found.organization_id, "import_id": found.id}
    changed = [
        {**place, "line": row.line, **after}
        for row, after in outcomes
        if any(getattr(row, name) != value for name, value in after.items())
    ]
    if changed:
        session.execute(update(MemberImportLine), changed)


def hold(session: Session, organization_id: uuid.UUID, import_id: uuid.UUID) -> MemberImport | None:
    """The list, for whoever changes it: the organization is locked first, as everywhere."""
    conditions.hold(session, organization_id)
    return import_queries.find(session, organization_id, import_id, lock=True)


def save_line(
    session: Session, found: MemberImport, number: int, typed: Mapping[str, str], giver: Giver
) -> Any:
    """Write what a line shall say, and check all of them; returns the line.

    Raises `RuleError` while the list is under way, and for a line whose person is invited.
    """
    _open_line(session, found, number)
    _set(session, found, number, typed=cleaned(typed, FIELDS), state=LineState.PLANNED)
    _reopen(found)
    judge(session, found, giver)
    return import_queries.line(session, found.organization_id, found.id, number)


def skip(session: Session, found: MemberImport, number: int, giver: Giver) -> None:
    """Leave a line out. It is kept, and saving it takes it back."""
    _open_line(session, found, number)
    _set(session, found, number, state=LineState.REFUSED, problems={})
    judge(session, found, giver)


def _set(session: Session, found: MemberImport, number: int, **values: Any) -> None:
    place = {"organization_id": found.organization_id, "import_id": found.id, "line": number}
    session.execute(update(MemberImportLine), [{**place, **values}])


def _reopen(found: MemberImport) -> None:
    if found.state is ImportState.DONE:
        found.state, found.done_at = ImportState.PLANNED, None


def _open_line(session: Session, found: MemberImport, number: int) -> None:
    if found.state is ImportState.RUNNING:
        raise refuse(UNDER_WAY)
    row = import_queries.line(session, found.organization_id, found.id, number)
    if row is None:
        raise LookupError(f"no line {number}")
    if row.state is LineState.DONE:
        raise refuse(NOT_OPEN)


def start(
    session: Session,
    actor: Actor,
    found: MemberImport,
    giver: Giver,
    levels: Mapping[uuid.UUID, Level],
    *,
    prices: PriceList,
    agreed: str,
) -> None:
    """Begin to invite who is ready; seats that lack are bought for all of them now.

    Raises `RuleError` where nobody is ready, and what `growing.make_room` raises of `prices` and
    `agreed`.
    """
    if found.state is ImportState.RUNNING:
        return
    lines = judge(session, found, giver)
    count = sum(not line.problems for line in lines.values())
    if not count:
        raise refuse(NOBODY_TO_INVITE)
    growing.make_room(session, actor, found.organization_id, count, prices, agreed=agreed)
    found.levels = {str(each): level.value for each, level in levels.items()}
    found.state, found.done_at = ImportState.RUNNING, None
    events.record(
        session,
        actor,
        "organization:member_list:start",
        streams=streams_in(actor, found.organization_id),
        subject_id=found.id,
        members=count,
    )


def work(
    session: Session, actor: Actor, found: MemberImport, giver: Giver, *, batch: int = BATCH
) -> None:
    """Invite the people of the next lines; the last batch ends the list.

    Where seats have gone in the meantime, or whoever goes on with it may not give the collections,
    the list waits as it was before it began: what is left can be begun anew.
    """
    if found.state is not ImportState.RUNNING:
        return
    rows = import_queries.page(
        session, found.organization_id, found.id, LineState.PLANNED, after=0, size=batch
    )
    typed = {row.line: row.typed for row in rows}
    lines = _judged(session, found.organization_id, giver, typed)
    ready = {number: line for number, line in lines.items() if not line.problems}
    left = import_queries.free_seats(session, found.organization_id)
    may_go_on = giver.collections or not found.levels
    go = dict(list(ready.items())[: left if may_go_on else 0])
    invited = _invite(session, actor, found, go)
    _write(session, found, [(row, _became(row.line, lines, invited)) for row in rows])
    if len(go) < len(ready):
        found.state = ImportState.PLANNED
    elif len(rows) < batch:
        found.state, found.done_at = ImportState.DONE, utc_now()


def _became(
    number: int, lines: Mapping[int, Wanted], invited: Mapping[int, uuid.UUID]
) -> dict[str, Any]:
    if number in invited:
        return {"state": LineState.DONE, "problems": {}, "member_id": invited[number]}
    return {**_outcome(lines[number]), "member_id": None}


def _invite(
    session: Session, actor: Actor, found: MemberImport, lines: Mapping[int, Wanted]
) -> dict[int, uuid.UUID]:
    """The new members by line. The organization is held, so nobody comes in between."""
    if not lines:
        return {}
    service.take_seat(session, found.organization_id, len(lines))
    invited = {
        number: service.invite(
            session,
            actor,
            organization_id=found.organization_id,
            email=line.email,
            role=line.role,
            locale=found.locale,
            external_id=line.external_id,
            seat_is_taken=True,
        ).id
        for number, line in lines.items()
    }
    levels = {uuid.UUID(each): Level(level) for each, level in found.levels.items()}
    given = {
        member: inviting.Given(lines[number].role, groups=lines[number].groups, levels=levels)
        for number, member in invited.items()
    }
    inviting.assign(session, found.organization_id, given)
    return invited


def remove(session: Session, found: MemberImport) -> None:
    """Forget a list; whoever was invited by it stays."""
    session.execute(
        delete(MemberImport).where(
            MemberImport.organization_id == found.organization_id,
            MemberImport.id == found.id,
        )
    )


def reason(kept: Mapping[str, Any]) -> Message:
    """One of a line's problems, as it was stored."""
    return restored(dict(kept)) or Message(NOT_OPEN)
