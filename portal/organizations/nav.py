"""The Admin Console's rows: which pages there are, and who sees which."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any
from uuid import UUID

from flask import request
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.domain.errors import N_
from portal.domain.plans import Feature, Plan
from portal.web.frame import nav_item
from portal.web.shell import NavGroup, NavItem


@dataclass(frozen=True)
class NavPage:
    """A row. It is hidden where the role lacks the permission or the plan the feature."""

    group: str
    label: str
    endpoint: str
    icon: str
    permission: Permission
    feature: Feature | None = None

    def is_open(self, can: Callable[[Permission], bool], plan: Plan) -> bool:
        return can(self.permission) and (self.feature is None or plan.has(self.feature))


_FIRST, _REPORTING, _SETTINGS = "", N_("Reporting"), N_("Settings")
P = Permission
PAGES = (
    NavPage(_FIRST, N_("Collections"), "collections.index", "folder", P.ORGANIZATION_READ),
    NavPage(_FIRST, N_("Members"), "members.index", "users", P.MEMBERS_READ),
    NavPage(_FIRST, N_("Groups"), "groups.index", "layers", P.GROUPS_READ, Feature.GROUPS),
    NavPage(_FIRST, N_("Set-up"), "organizations.setup", "list-checks", P.MEMBERS_READ),
    NavPage(
        _FIRST,
        N_("Billing"),
        "invoicing.organization_billing",
        "receipt",
        P.ORGANIZATION_BILLING_READ,
    ),
    NavPage(
        _REPORTING,
        N_("Event log"),
        "logbook.organization_events",
        "scroll-text",
        P.ORGANIZATION_EVENTS_READ,
    ),
    NavPage(_REPORTING, N_("Reports"), "reports.index", "file-text", P.REPORTS_READ),
    NavPage(_SETTINGS, N_("Organization"), "console.index", "settings", P.ORGANIZATION_SETTINGS),
    NavPage(_SETTINGS, N_("Collections"), "collections.rules", "folder", P.ORGANIZATION_SETTINGS),
    NavPage(
        _SETTINGS,
        N_("Confirming"),
        "members.rules",
        "user-check",
        P.ORGANIZATION_SETTINGS,
        Feature.CLAIMED_DOMAINS,
    ),
    NavPage(
        _SETTINGS, N_("Policies"), "policies.index", "shield", P.POLICIES_READ, Feature.POLICIES
    ),
    NavPage(
        _SETTINGS,
        N_("Domains"),
        "domains.index",
        "globe",
        P.DOMAINS_MANAGE,
        Feature.CLAIMED_DOMAINS,
    ),
    NavPage(
        _SETTINGS,
        N_("Configuration"),
        "configuration.index",
        "list-checks",
        P.ORGANIZATION_SETTINGS,
    ),
    NavPage(_SETTINGS, N_("Provider access"), "grants.index", "user-check", P.PROVIDER_ACCESS_READ),
    NavPage(_SETTINGS, N_("Keys"), "organizations.rotate_key", "key-round", P.ORGANIZATION_KEYS),
)


def nav_groups(
    organization_id: UUID,
    can: Callable[[Permission], bool],
    plan: Plan,
    badges: Mapping[str, str],
) -> tuple[NavGroup, ...]:
    """The rows that somebody sees, under their headings; `badges` by endpoint."""
    here: dict[str, Any] = {"organization_id": organization_id}
    found = [page for page in PAGES if page.is_open(can, plan)]
    rows = [
        nav_item(_(page.label), page.endpoint, page.icon, badges.get(page.endpoint, ""), **here)
        for page in found
    ]
    grouped = groupby(zip(found, _nearest(rows), strict=True), lambda pair: pair[0].group)
    return tuple(
        NavGroup(_(group) if group else "", tuple(row for _page, row in pairs))
        for group, pairs in grouped
    )


def _nearest(rows: Sequence[NavItem]) -> Sequence[NavItem]:
    """Only the row whose address goes furthest into this one is current.

    An area's first row stands for all of it, yet some of its pages have rows in the settings.
    """
    path = f"{request.path}/"
    near = [row.url for row in rows if path.startswith(f"{row.url}/")]
    if not near:
        return rows
    nearest = max(near, key=len)
    return [replace(row, current=row.url == nearest) for row in rows]


def other_settings(
    organization_id: UUID,
    can: Callable[[Permission], bool],
    plan: Plan,
    keeping: Collection[str] = (),
) -> tuple[NavItem, ...]:
    """The rows of the settings beside the first, for the page that leads to them all.

    `keeping` are endpoints where something is left from a larger plan.
    """
    pages = [
        page
        for page in PAGES
        if page.group == _SETTINGS
        and (page.is_open(can, plan) or (page.endpoint in keeping and can(page.permission)))
    ]
    return tuple(
        nav_item(_(page.label), page.endpoint, page.icon, organization_id=organization_id)
        for page in pages
        if page.endpoint != "console.index"
    )
