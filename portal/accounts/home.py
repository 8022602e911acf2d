"""Where a person can go: the start page's list and the product switcher, from one statement."""

from dataclasses import dataclass
from uuid import UUID

from flask import g
from flask_babel import gettext as _
from flask_login import current_user

from portal.accounts import affiliations
from portal.accounts.affiliations import Opened
from portal.accounts.switching import first_page, same_page
from portal.domain.names import colour_class, initials, name_ci
from portal.extensions import db
from portal.web.links import link
from portal.web.shell import Product, Room

# The places that the bar lists; with more of them it shows half as many of each kind.
SHOWN = 8


@dataclass(frozen=True)
class Place:
    """A row of the start page."""

    name: str
    url: str
    kind: str
    about: str
    initials: str
    tone: int


def places(search: str = "") -> list[Place]:
    """The tenants the signed-in person can open now, those alone that have the words searched."""
    words = name_ci(search)
    return [_place(row) for row in _opened() if words in name_ci(row.name)]


def products() -> list[Product]:
    """The Admin Console and the Provider Portal, each only if the person has it.

    Where there are several places, each leads to the kind of page that is shown now; beyond
    `SHOWN` of them the start page has the rest.
    """
    rows = _opened()
    found = [
        _product(_("Admin Console"), "building-2", "organization", rows),
        _product(_("Provider Portal"), "layers", "provider", rows),
    ]
    if len(rows) > SHOWN:
        found.append(Product(_("All places"), link("accounts.home"), "search"))
    return [product for product in found if product]


def _opened() -> list[Opened]:
    return affiliations.opened_by(db.session(), current_user.account_id)


def _place(row: Opened) -> Place:
    waits = row.state == "accepted"
    return Place(
        name=row.name,
        url=first_page(row),
        kind=row.kind,
        about=_("You are waiting to be confirmed here.") if waits else _(row.role.label),
        initials=initials(row.name),
        tone=colour_class(row.tenant_id),
    )


def _product(label: str, icon: str, kind: str, rows: list[Opened]) -> Product | None:
    mine = [row for row in rows if row.kind == kind]
    if not mine:
        return None
    here = g.get("actor")
    inside = "organization" if here and here.organization_id else "provider" if here else ""
    if len(mine) == 1:
        return Product(label, first_page(mine[0]), icon, inside == kind)
    at = getattr(here, f"{kind}_id") if inside == kind else None
    shown = _nearest(mine, at, len(rows))
    return Product(
        label,
        link("accounts.home", _anchor=f"{kind}s"),
        icon,
        inside == kind,
        tuple(Room(row.name, same_page(row), row.tenant_id == at) for row in shown),
    )


def _nearest(mine: list[Opened], at: UUID | None, count: int) -> list[Opened]:
    """All of them if the person has few places, else the one that is open and some more."""
    if count <= SHOWN:
        return mine
    rest = sorted(mine, key=lambda row: row.tenant_id != at)[: SHOWN // 2]
    return [row for row in mine if row in rest]
