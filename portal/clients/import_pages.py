"""A list of clients as its pages show it."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.billing.offer import Offer
from portal.clients import import_queries, imports
from portal.clients.effect import growth_of
from portal.clients.import_forms import LineForm, line_form
from portal.clients.summary import Line
from portal.domain import new_client
from portal.domain.billing_details import BillingDetails
from portal.domain.client_import import order_of
from portal.domain.csv_lists import ImportState, LineState
from portal.domain.errors import Message
from portal.domain.money import Money
from portal.domain.names import name_ci
from portal.domain.new_client import ClientOrder
from portal.domain.pricing import Quote
from portal.extensions import db
from portal.web.access import actor
from portal.web.formats import labelled, moment, money, number
from portal.web.forms import sentence

FORMS, ROWS = 10, 100


@dataclass(frozen=True)
class Broken:
    """A line that has to be corrected, as its form."""

    line: int
    url: str
    form: LineForm


@dataclass(frozen=True)
class RowShown:
    """A line as a row: what would be, or was, created. `notes` deserve a second look."""

    line: int
    url: str
    name: str
    billing_email: str
    owner_email: str
    what: str
    seats: str
    price: str
    notes: tuple[str, ...]
    client_url: str


@dataclass(frozen=True)
class ListShown:
    """What `clients/_import.html` shows."""

    url: str
    state: ImportState
    summary: tuple[str, ...]
    broken: tuple[Broken, ...]
    more_broken: int
    rows: tuple[RowShown, ...]
    created: tuple[RowShown, ...]
    skipped: tuple[RowShown, ...]
    ready: int
    finished: int
    totals: tuple[Line, ...]
    previous_url: str | None
    next_url: str | None
    keys_url: str
    left_url: str


@dataclass(frozen=True)
class Kept:
    """A list in the list of lists."""

    url: str
    when: str
    state: str
    lines: str


def list_of(provider_id: uuid.UUID, found: Any, offer: Offer, profile: Any, page: int) -> ListShown:
    """The list as it stands; `page` is of the rows that are ready or created."""
    lines = import_queries.lines(db.session(), actor(), found.id)
    here = {"provider_id": provider_id, "import_id": found.id}
    url = url_for("clients.import_list", **here)
    by_state: dict[LineState, list[Any]] = {state: [] for state in LineState}
    for line in lines:
        by_state[line.state].append(line)
    broken = sorted(
        [*by_state[LineState.BROKEN], *(x for x in by_state[LineState.REFUSED] if x.problems)],
        key=lambda line: int(line.line),
    )
    ready, created = by_state[LineState.PLANNED], by_state[LineState.DONE]
    shower = _Shower(provider_id, url, offer, imports.billing_of(profile), lines)
    shown = created if found.state is ImportState.RUNNING or not ready else ready
    last = max(0, len(shown) - 1) // ROWS
    page = min(page, last)
    part = shower.rows(shown[page * ROWS : (page + 1) * ROWS])
    return ListShown(
        url=url,
        state=found.state,
        summary=tuple(_summary(len(ready), len(broken), by_state)),
        broken=tuple(_broken(url, line) for line in broken[:FORMS]),
        more_broken=max(0, len(broken) - FORMS),
        rows=part if shown is ready else (),
        created=part if shown is created else (),
        skipped=shower.rows([x for x in by_state[LineState.REFUSED] if not x.problems]),
        ready=len(ready),
        finished=len(created) + len([x for x in by_state[LineState.REFUSED] if x.problems]),
        totals=tuple(shower.totals(ready)),
        previous_url=f"{url}?page={page}" if page else None,
        next_url=f"{url}?page={page + 2}" if page < last else None,
        keys_url=url_for("clients.finish_keys", provider_id=provider_id),
        left_url=url_for("clients.import_left", **here) if broken else "",
    )


def _broken(url: str, line: Any) -> Broken:
    return Broken(
        line.line, f"{url}/lines/{line.line}", line_form(line.line, line.typed, problems_of(line))
    )


def problems_of(line: Any) -> dict[str, Message]:
    """What is wrong with a line, by field."""
    return {name: imports.reason(kept) for name, kept in line.problems.items()}


def _summary(ready: int, broken: int, by_state: Mapping[LineState, Sequence[Any]]) -> list[str]:
    skipped = sum(not line.problems for line in by_state[LineState.REFUSED])
    told = (
        (_("Clients created"), len(by_state[LineState.DONE])),
        (_("Ready"), ready),
        (_("To be corrected"), broken),
        (_("Skipped"), skipped),
    )
    return [labelled(label, number(count)) for label, count in told if count]


class _Shower:
    """Writes lines as rows; knows what is there already and what each costs."""

    def __init__(
        self,
        provider_id: uuid.UUID,
        url: str,
        offer: Offer,
        billing: BillingDetails,
        lines: Sequence[Any],
    ) -> None:
        self.provider_id, self.url = provider_id, url
        self.offer, self.billing = offer, billing
        self.names = Counter(name_ci(line.typed.get("name", "")) for line in lines)

    def rows(self, lines: Sequence[Any]) -> tuple[RowShown, ...]:
        names = {name_ci(line.typed.get("name", "")) for line in lines}
        there = import_queries.names_there(db.session(), self.provider_id, names)
        return tuple(self._row(line, there) for line in lines)

    def _row(self, line: Any, there: frozenset[str]) -> RowShown:
        order, quote = self._priced(line)
        made = line.organization_id
        here = {"provider_id": self.provider_id, "organization_id": made}
        return RowShown(
            line=line.line,
            url=f"{self.url}/lines/{line.line}",
            name=" ".join(order.name.split()),
            billing_email=order.billing_email,
            owner_email=order.owner_email,
            what=_what(quote, " ".join(line.typed.get("baseline", "").split())),
            seats=_seats(quote),
            price=_price(quote),
            notes=() if made else self._notes(order, there),
            client_url=url_for("clients.manage", **here) if made else "",
        )

    def _notes(self, order: ClientOrder, there: frozenset[str]) -> tuple[str, ...]:
        name = name_ci(order.name)
        found = new_client.hints(order, name_exists=name in there)
        twice = [_("Another line has this name.")] if self.names[name] > 1 else []
        return (*map(sentence, found.values()), *map(str, twice))

    def _priced(self, line: Any) -> tuple[ClientOrder, Quote]:
        order, _unread = order_of(line.typed, self.billing)
        return order, self.offer.quote(order)[0]

    def totals(self, lines: Sequence[Any]) -> list[Line]:
        """What all of them cost, by cadence, and in a year."""
        quotes = [self._priced(line)[1] for line in lines]
        if not quotes:
            return []
        monthly = [quote.total for quote in quotes if quote.months == 1]
        annual = [quote.total for quote in quotes if quote.months != 1]
        currency = quotes[0].currency
        year = Money.total((each * 12 for each in monthly), currency)
        groups = ((_("Total per month"), monthly), (_("Total per year"), annual))
        told = [
            Line(label, _clients(len(group)), money(Money.total(group, currency)))
            for label, group in groups
            if group
        ]
        if monthly:
            whole = money(year + Money.total(annual, currency))
            told.append(Line(_("In all, per year"), _clients(len(quotes)), whole))
        return told


def _clients(count: int) -> str:
    text: str = ngettext("%(count)s client", "%(count)s clients", count, count=number(count))
    return text


def _what(quote: Quote, baseline: str) -> str:
    chosen = quote.selection
    words = [_(chosen.plan.label), _(chosen.cadence.label)]
    if chosen.extra_storage_gb:
        words.append(_("%(count)s GB", count=number(chosen.extra_storage_gb)))
    if baseline:
        words.append(_("Baseline: %(name)s", name=baseline))
    return " · ".join(map(str, words))


def _seats(quote: Quote) -> str:
    count = quote.selection.seats
    seats = ngettext("%(count)s seat", "%(count)s seats", count, count=number(count))
    return f"{seats} · {growth_of(quote.selection)}"


def _price(quote: Quote) -> str:
    amount = money(quote.total)
    if quote.months == 1:
        return str(_("%(amount)s per month", amount=amount))
    return str(_("%(amount)s per year", amount=amount))


def kept_lists(provider_id: uuid.UUID) -> list[Kept]:
    """The person's own lists, the newest first."""
    found = import_queries.lists(db.session(), actor())
    counted = import_queries.counts(db.session(), actor(), [each.id for each in found])
    states = {
        ImportState.PLANNED: _("Not finished"),
        ImportState.RUNNING: _("Under way"),
        ImportState.DONE: _("Done"),
    }
    return [
        Kept(
            url=url_for("clients.import_list", provider_id=provider_id, import_id=each.id),
            when=moment(each.created_at),
            state=str(states[each.state]),
            lines=number(sum(counted[each.id].values())),
        )
        for each in found
    ]
