"""The view model of the list of members."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import url_for
from flask_babel import format_decimal
from flask_babel import gettext as _

from portal.domain.access import ORGANIZATION_ROLES, Role
from portal.domain.member_lists import Enrolled, MemberList, SecondFactor, Sort
from portal.domain.plans import Feature, Plan
from portal.domain.states import MemberState
from portal.members.list_queries import Groups, Numbers
from portal.organizations.people import MemberRow
from portal.web.chips import Chip


@dataclass(frozen=True)
class Header:
    label: str
    url: str
    direction: str
    name: str


@dataclass(frozen=True)
class ListedRow:
    """A row of the table: the member, and what only this list says of them."""

    member: MemberRow
    url: str
    second_factor: str
    recovery: str
    groups: str
    is_self: bool


def second_factor_word(member: Any) -> str:
    """On or off; empty for who has no account yet."""
    if member.account_id is None:
        return ""
    return str(_("On") if member.has_second_factor else _("Off"))


def recovery_word(member: Any) -> str:
    """Whether they are enrolled in account recovery; empty for who has no account yet."""
    if member.account_id is None:
        return ""
    return str(_("Enrolled") if member.is_enrolled else _("Not enrolled"))


def seats_line(numbers: Numbers) -> str:
    """How many of the assigned seats are used."""
    used, seats = format_decimal(numbers.seats_used), format_decimal(numbers.seats)
    return str(_("Seats in use: %(used)s of %(seats)s", used=used, seats=seats))


def listed(
    found: Sequence[Any], rows: Sequence[MemberRow], groups: Groups, account_id: uuid.UUID
) -> list[ListedRow]:
    """The rows in the order found."""
    return [
        ListedRow(
            row,
            url_for("members.member", organization_id=member.organization_id, member_id=member.id),
            second_factor_word(member),
            # A column of "Not enrolled" would only take the room of the addresses.
            recovery_word(member) if member.is_enrolled else "",
            ", ".join(groups.of.get(member.id, ())),
            member.account_id == account_id,
        )
        for member, row in zip(found, rows, strict=True)
    ]


@dataclass(frozen=True)
class MemberTable:
    """Everything around the rows; each way to another list is an address."""

    url: str
    wanted: MemberList
    numbers: Numbers
    groups: Groups

    def address(self, wanted: MemberList, **more: str) -> str:
        """Where that list is."""
        query = {**wanted.query, **more}
        return f"{self.url}?{urlencode(query)}" if query else self.url

    @property
    def clear_url(self) -> str:
        kept = MemberList(sort=self.wanted.sort, descending=self.wanted.descending)
        return self.address(kept)

    @property
    def seats(self) -> str:
        return seats_line(self.numbers)

    @property
    def tabs(self) -> list[tuple[str, int, str, bool]]:
        """(label, members, address, whether it is shown), all states first."""
        shown = self.wanted.state
        everybody = (_("All"), self.numbers.members, None)
        states = (
            (_(state.label), self.numbers.states.get(state, 0), state)
            for state in MemberState
            if state is shown or self.numbers.states.get(state)
        )
        return [
            (label, count, self.address(self.wanted.but(state=state)), state is shown)
            for label, count, state in (everybody, *states)
        ]

    @property
    def chips(self) -> list[Chip]:
        """What narrows the list; the address of each is the list without it."""
        wanted, names = self.wanted, dict(self.groups.offered)
        found: list[tuple[str, MemberList]] = []
        if wanted.words:
            found.append((_("Search: %(words)s", words=wanted.words), wanted.but(words="")))
        if wanted.state:
            label = _("State: %(state)s", state=_(wanted.state.label))
            found.append((label, wanted.but(state=None)))
        if wanted.role:
            label = _("Role: %(role)s", role=_(wanted.role.label))
            found.append((label, wanted.but(role=None)))
        if wanted.group:
            name = names.get(wanted.group, _("deleted"))
            found.append((_("Group: %(group)s", group=name), wanted.but(group=None)))
        if wanted.second_factor:
            label = _("Second factor: %(value)s", value=_word(wanted.second_factor))
            found.append((label, wanted.but(second_factor=None)))
        if wanted.recovery:
            label = _("Account recovery: %(value)s", value=_enrolled(wanted.recovery))
            found.append((label, wanted.but(recovery=None)))
        return [Chip(label, self.address(without)) for label, without in found]

    @property
    def headers(self) -> dict[str, Header]:
        return {sort.value: self._header(sort, label) for sort, label in _headings().items()}

    def _header(self, sort: Sort, label: str) -> Header:
        direction = ""
        if sort is self.wanted.sort:
            direction = "descending" if self.wanted.descending else "ascending"
        return Header(label, self.address(self.wanted.sorted_by(sort)), direction, sort.value)

    @property
    def roles(self) -> list[tuple[str, str, bool]]:
        """(value, label, chosen) of the roles that a plan has."""
        offered = [role for role in ORGANIZATION_ROLES if _has(self.numbers.plan, role)]
        return [(role.value, _(role.label), role is self.wanted.role) for role in offered]

    @property
    def second_factors(self) -> list[tuple[str, str, bool]]:
        shown = self.wanted.second_factor
        return [(each.value, _word(each), each is shown) for each in SecondFactor]

    @property
    def has_recovery(self) -> bool:
        return self.numbers.plan.has(Feature.ACCOUNT_RECOVERY)

    @property
    def recoveries(self) -> list[tuple[str, str, bool]]:
        shown = self.wanted.recovery
        return [(each.value, _enrolled(each), each is shown) for each in Enrolled]

    @property
    def group_choices(self) -> list[tuple[str, str, bool]]:
        shown = self.wanted.group
        return [(str(id_), name, id_ == shown) for id_, name in self.groups.offered]


def _has(plan: Plan, role: Role) -> bool:
    return role is not Role.CUSTOM or plan.has(Feature.CUSTOM_ROLES)


def _word(value: SecondFactor) -> str:
    return str(_("On") if value is SecondFactor.ON else _("Off"))


def _enrolled(value: Enrolled) -> str:
    return str(_("Enrolled") if value is Enrolled.YES else _("Not enrolled"))


def _headings() -> dict[Sort, str]:
    return {
        Sort.EMAIL: _("Member"),
        Sort.ROLE: _("Role"),
        Sort.STATE: _("State"),
        Sort.JOINED: _("Joined"),
    }
