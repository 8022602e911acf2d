"""Where a person can go: the start page's list and the product switcher, from one statement."""

from dataclasses import dataclass

from flask import g, url_for
from flask_babel import gettext as _
from flask_login import current_user

from portal.accounts import affiliations
from portal.accounts.affiliations import Opened
from portal.domain.names import colour_class, initials
from portal.extensions import db
from portal.web.shell import Product


@dataclass(frozen=True)
class Place:
    """A row of the start page."""

    name: str
    url: str
    kind: str
    about: str
    initials: str
    tone: int


def places() -> list[Place]:
    """The tenants the signed-in person can open now."""
    return [_place(row) for row in _opened()]


def products() -> list[Product]:
    """The Admin Console and the Provider Portal, each only if the person has it."""
    rows = _opened()
    found = [
        _product(_("Admin Console"), "building-2", "organization", rows),
        _product(_("Provider Portal"), "layers", "provider", rows),
    ]
    return [product for product in found if product]


def _opened() -> list[Opened]:
    return affiliations.opened_by(db.session(), current_user.account_id)


def _url(row: Opened) -> str:
    if row.kind == "provider":
        return url_for("clients.index", provider_id=row.tenant_id)
    return url_for("collections.index", organization_id=row.tenant_id)


def _place(row: Opened) -> Place:
    waits = row.state == "accepted"
    return Place(
        name=row.name,
        url=_url(row),
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
    url = _url(mine[0]) if len(mine) == 1 else url_for("accounts.home", _anchor=f"{kind}s")
    return Product(label, url, icon, inside == kind)
