"""A list of people as its pages show it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from portal.domain.csv_lists import ImportState, LineState
from portal.domain.emails import normalise, shown
from portal.domain.errors import Message
from portal.domain.member_import import address_in, role_of
from portal.domain.names import COLOURS, initials
from portal.extensions import db
from portal.members import growing, import_queries, imports
from portal.members.blueprint import page_of
from portal.members.room import Room, prices, room_of
from portal.web.access import actor
from portal.web.formats import moment, number
from portal.web.forms import sentence

ROWS = 100
# In the order in which they are looked at: what asks for something first.
_SHOWN = (LineState.BROKEN, LineState.PLANNED, LineState.DONE, LineState.REFUSED)


@dataclass(frozen=True)
class RowShown:
    """A line. `problems` are sentences; `url` is empty where the line cannot be changed."""

    line: int
    email: str
    initials: str
    tone: int
    role: str
    groups: str
    problems: tuple[str, ...]
    url: str
    member_url: str


@dataclass(frozen=True)
class Tab:
    """The lines in one state: how many, and where they are."""

    label: str
    count: str
    url: str
    is_shown: bool


@dataclass(frozen=True)
class ListShown:
    """What `members/_import.html` shows."""

    url: str
    state: ImportState
    tabs: tuple[Tab, ...]
    title: str
    rows: tuple[RowShown, ...]
    next_url: str | None
    first_url: str | None
    ready: int
    finished: int
    broken: int
    room: Room
    left_url: str


@dataclass(frozen=True)
class Kept:
    """A list in the list of lists."""

    url: str
    when: str
    by: str
    state: str
    lines: str


def list_of(found: Any, state: str, after: int) -> ListShown:
    """The list as it stands: a page of the lines in `state` that come after that number."""
    session, here = db.session(), found.organization_id
    url = url_for("members.import_list", organization_id=here, import_id=found.id)
    counted = import_queries.counts(session, here, [found.id])[found.id]
    chosen = _chosen(state, counted, found.state)
    rows = import_queries.page(session, here, found.id, chosen, after=after, size=ROWS + 1)
    ready = counted.get(LineState.PLANNED, 0)
    wanted = 0 if found.state is ImportState.RUNNING else ready
    address = f"{url}?state={chosen.value}"
    return ListShown(
        url=url,
        state=found.state,
        tabs=tuple(
            Tab(_labels()[each], number(count), f"{url}?state={each.value}", each is chosen)
            for each in _SHOWN
            if (count := counted.get(each, 0))
        ),
        title=_labels()[chosen],
        rows=tuple(_row(found, row, url) for row in rows[:ROWS]),
        next_url=f"{address}&after={rows[ROWS - 1].line}" if len(rows) > ROWS else None,
        first_url=address if after else None,
        ready=ready,
        finished=counted.get(LineState.DONE, 0),
        broken=counted.get(LineState.BROKEN, 0),
        room=room_of(growing.foresee(session, actor(), here, wanted, prices()), actor()),
        left_url=f"{url}/left.csv" if _is_left(counted) else "",
    )


def _chosen(state: str, counted: Mapping[LineState, int], of_list: ImportState) -> LineState:
    if of_list is ImportState.RUNNING:
        return LineState.DONE
    try:
        return LineState(state)
    except ValueError:
        return next((each for each in _SHOWN if counted.get(each)), LineState.PLANNED)


def _labels() -> dict[LineState, str]:
    return {
        LineState.BROKEN: _("To be corrected"),
        LineState.PLANNED: _("Ready"),
        LineState.DONE: _("Invited"),
        LineState.REFUSED: _("Skipped"),
    }


def _is_left(counted: Mapping[LineState, int]) -> bool:
    return any(counted.get(state) for state in _SHOWN if state is not LineState.DONE)


def _row(found: Any, row: Any, url: str) -> RowShown:
    typed = row.typed
    role = role_of(typed.get("role", ""))
    is_open = row.state is not LineState.DONE and found.state is not ImportState.RUNNING
    invited = row.member_id is not None
    email = shown(normalise(address_in(typed.get("email", ""))))
    return RowShown(
        line=row.line,
        email=email,
        initials=initials(email.partition("@")[0].replace(".", " ")),
        tone=row.line % COLOURS + 1,
        role=str(_(role.label)) if role else typed.get("role", ""),
        groups="; ".join(filter(None, map(str.strip, typed.get("groups", "").split(";")))),
        problems=tuple(sentence(message) for message in problems_of(row).values()),
        url=f"{url}/lines/{row.line}" if is_open else "",
        member_url=page_of(found.organization_id, row.member_id) if invited else "",
    )


def problems_of(line: Any) -> dict[str, Message]:
    """What is wrong with a line, by field."""
    return {name: imports.reason(kept) for name, kept in line.problems.items()}


def kept_lists(organization_id: uuid.UUID) -> list[Kept]:
    """The organization's lists, the newest first."""
    found = import_queries.lists(db.session(), organization_id)
    counted = import_queries.counts(db.session(), organization_id, [row.id for row in found])
    states = {
        ImportState.PLANNED: _("Not finished"),
        ImportState.RUNNING: _("Under way"),
        ImportState.DONE: _("Done"),
    }
    return [
        Kept(
            url_for("members.import_list", organization_id=organization_id, import_id=row.id),
            moment(row.created_at),
            row.name,
            str(states[row.state]),
            number(sum(counted[row.id].values())),
        )
        for row in found
    ]
