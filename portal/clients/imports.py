"""Lists of clients: kept, corrected line by line, and created a batch at a time.

A line is created in one transaction with the change of its state, which only one can make: however
often and from wherever the list is gone on with, a line is one client at most.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from portal import events
from portal.baselines import queries as baselines
from portal.billing import client_queries
from portal.billing.vat import check_vat_number
from portal.clients import import_queries
from portal.clients.service import Claim, create_client
from portal.clients.tagging import provider_of, streams
from portal.domain import new_client
from portal.domain.access import Actor, Scope
from portal.domain.billing_details import FIELDS as BILLING
from portal.domain.billing_details import BillingDetails
from portal.domain.bulk import restored, stored
from portal.domain.client_import import (
    BATCH,
    FIELDS,
    LOCALE,
    NO_BASELINE,
    baseline_of,
    billing_problem,
    judged,
    order_of,
)
from portal.domain.csv_lists import ImportState, LineState, Listed, cleaned
from portal.domain.errors import N_, Message, RuleError, refuse
from portal.domain.names import name_ci
from portal.domain.new_client import ClientOrder
from portal.domain.price_list import PriceList
from portal.models import ClientImport, ClientImportLine, new_id, utc_now
from portal.models.writing import rows_changed

FEW = 10
NOTHING_TO_CREATE = N_("No line of the list is ready. Correct or take back at least one.")
UNDER_WAY = N_(
    "The list is under way. Go on with it first; what is left can be changed afterwards."
)
NOT_OPEN = N_("This line has been created in the meantime.")


def billing_of(profile: Any) -> BillingDetails:
    """What a new client's form begins with: the provider's own billing details."""
    known = {name: getattr(profile, name) for name in BILLING if hasattr(profile, name)}
    return BillingDetails(**known)


def begin(session: Session, actor: Actor, found: Listed, *, locale: str) -> uuid.UUID:
    """Keep a list that was read; nothing is created. `locale` is of the invitations."""
    kept = ClientImport(provider_id=provider_of(actor), id=new_id(), account_id=actor.account_id)
    session.add(kept)
    session.flush()
    problems = _judged(session, actor, found.lines)
    session.execute(
        insert(ClientImportLine),
        [
            {
                "provider_id": kept.provider_id,
                "import_id": kept.id,
                "line": number,
                "typed": {**typed, LOCALE: locale},
                "problems": problems[number],
                "state": LineState.BROKEN if problems[number] else LineState.PLANNED,
            }
            for number, typed in found.lines.items()
        ],
    )
    return kept.id


def _judged(
    session: Session, actor: Actor, lines: Mapping[int, Mapping[str, str]]
) -> dict[int, dict[str, Any]]:
    """What is wrong with each line, as a row keeps it."""
    billing = billing_of(client_queries.billing_profile(session, provider_of(actor)))
    return {
        number: {name: stored(message) for name, message in problems.items()}
        for number, problems in judged(
            lines, billing, check_vat_number, baselines_by_name(session, actor)
        ).items()
    }


def baselines_by_name(session: Session, actor: Actor) -> dict[str, str]:
    """The id of each baseline of the provider, by its folded name."""
    found = baselines.baselines(session, Scope(provider_of(actor)))
    return {name_ci(row.name): str(row.id) for row in found}


def judge(session: Session, actor: Actor, found: Any) -> None:
    """Check every open line anew: what one says may be what another says."""
    lines = {
        line.line: line
        for line in import_queries.lines(session, actor, found.id)
        if line.state in {LineState.PLANNED, LineState.BROKEN}
    }
    problems = _judged(session, actor, {number: line.typed for number, line in lines.items()})
    for number, line in lines.items():
        line.problems = problems[number]
        line.state = LineState.BROKEN if problems[number] else LineState.PLANNED
    session.flush()


def save_line(
    session: Session, actor: Actor, found: Any, number: int, typed: Mapping[str, str]
) -> Any:
    """Write what a line shall say, and check it; returns the line.

    Raises `RuleError` while the list is under way, and for a line that is a client by now.
    """
    line = _open_line(session, actor, found, number)
    line.typed = {**cleaned(typed, FIELDS), LOCALE: line.typed.get(LOCALE, "en")}
    return _reopened(session, actor, found, line)


def take_back(session: Session, actor: Actor, found: Any, number: int) -> Any:
    """Let a skipped line be created after all."""
    return _reopened(session, actor, found, _open_line(session, actor, found, number))


def skip(session: Session, actor: Actor, found: Any, number: int) -> None:
    """Leave a line out. It is kept, and can be taken back."""
    line = _open_line(session, actor, found, number)
    line.state, line.problems = LineState.REFUSED, {}
    session.flush()
    judge(session, actor, found)


def _reopened(session: Session, actor: Actor, found: Any, line: Any) -> Any:
    line.state = LineState.PLANNED
    if found.state is ImportState.DONE:
        found.state, found.done_at = ImportState.PLANNED, None
    session.flush()
    judge(session, actor, found)
    return line


def _open_line(session: Session, actor: Actor, found: Any, number: int) -> Any:
    if found.state is ImportState.RUNNING:
        raise refuse(UNDER_WAY)
    line = import_queries.line(session, actor, found.id, number)
    if line is None:
        raise LookupError(f"no line {number}")
    if line.state is LineState.DONE:
        raise refuse(NOT_OPEN)
    return line


def start(session: Session, actor: Actor, found: Any) -> None:
    """Begin to create what is ready; raises `RuleError` where nothing is, or billing lacks."""
    if found.state is ImportState.RUNNING:
        return
    profile = client_queries.billing_profile(session, provider_of(actor))
    if problem := billing_problem(billing_of(profile), check_vat_number):
        raise RuleError(problem)
    judge(session, actor, found)
    counted = import_queries.counts(session, actor, [found.id])[found.id]
    number = counted.get(LineState.PLANNED, 0)
    if not number:
        raise refuse(NOTHING_TO_CREATE)
    found.state = ImportState.RUNNING
    events.record(
        session,
        actor,
        "provider:client_list:start",
        streams=streams(actor),
        subject_id=found.id,
        clients=number,
    )


def work(
    session: Session, actor: Actor, found: Any, *, prices: PriceList, batch: int = BATCH
) -> None:
    """Create the clients of the next lines; the last one ends the list."""
    if found.state is not ImportState.RUNNING:
        return
    profile = client_queries.billing_profile(session, provider_of(actor))
    waiting = import_queries.waiting(session, actor, found.id, batch)
    # A baseline may take as many statements as all the rest of a client several times over.
    left = waiting[:FEW] if any(line.typed.get("baseline") for line in waiting) else waiting
    offer = _Offer(billing_of(profile), prices, baselines_by_name(session, actor))
    for line in left:
        _create(session, actor, line, offer)
    session.flush()
    if len(waiting) < batch and len(left) == len(waiting):
        found.state, found.done_at = ImportState.DONE, utc_now()


@dataclass(frozen=True)
class _Offer:
    """What all clients of a list are made from."""

    billing: BillingDetails
    prices: PriceList
    baselines: Mapping[str, str]


def _create(session: Session, actor: Actor, line: Any, offer: _Offer) -> None:
    """One client; what is refused leaves no trace of itself but the reason at its field."""
    if not _take(session, line):
        return
    try:
        order = _order(line.typed, offer.billing)
        name = baseline_of(line.typed, offer.baselines)
        if name is None:
            raise refuse(NO_BASELINE, field="baseline")
        with session.begin_nested():
            client_id = create_client(
                session,
                actor,
                order=order,
                prices=offer.prices,
                locale=line.typed.get(LOCALE, "en"),
                keys=None,
                claim=Claim(f"{line.import_id.hex}-{line.line}", "list"),
                baseline=offer.baselines.get(name, ""),
            )
    except RuleError as error:
        line.state = LineState.REFUSED
        line.problems = {error.field or "": stored(error.text)}
        return
    line.organization_id = client_id


def _take(session: Session, line: Any) -> bool:
    """Whether this line is ours to create; the database says so to one alone."""
    taken = rows_changed(
        session,
        update(ClientImportLine)
        .where(
            ClientImportLine.provider_id == line.provider_id,
            ClientImportLine.import_id == line.import_id,
            ClientImportLine.line == line.line,
            ClientImportLine.state == LineState.PLANNED,
        )
        .values(state=LineState.DONE)
        .execution_options(synchronize_session=False),
    )
    if taken != 1:
        return False
    session.refresh(line)
    return True


def _order(typed: Mapping[str, str], billing: BillingDetails) -> ClientOrder:
    """The order of a line, checked once more: rules and billing details may have changed."""
    order, unread = order_of(typed, billing)
    for error in {**new_client.check(order, vat_check=check_vat_number), **unread}.values():
        raise error
    return new_client.clean(order, vat_check=check_vat_number)


def remove(session: Session, actor: Actor, found: Any) -> None:
    """Forget a list; the clients that it has created stay."""
    session.execute(
        delete(ClientImport).where(
            ClientImport.provider_id == provider_of(actor),
            ClientImport.account_id == actor.account_id,
            ClientImport.id == found.id,
        )
    )


def reason(kept: Mapping[str, Any]) -> Message:
    """One of a line's problems, as it was stored."""
    return restored(dict(kept)) or Message(NOT_OPEN)
