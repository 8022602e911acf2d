"""Every address of the portal, what may be asked of it, and by whom.

The list is kept by hand and apart from the code: a view that is added without a line here, or
that asks for another right than its line says, fails the tests beside it.
"""

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask

from tests.faults.doors import OUTSIDE
from tests.faults.doors_inside import INSIDE
from tests.support.tenants import Tenant

ACCESS = OUTSIDE | INSIDE
# What stands in an address for a placeholder that is nobody's id.
WORDS = {
    "api.collection_access": {"organization": uuid.UUID(int=1), "collection": uuid.UUID(int=2)},
    "api.collections": {"organization": uuid.UUID(int=1)},
    "api.events": {"organization": uuid.UUID(int=1)},
    "api.group_members": {"organization": uuid.UUID(int=1), "group": uuid.UUID(int=2)},
    "api.groups": {"organization": uuid.UUID(int=1)},
    "api.member_access": {"organization": uuid.UUID(int=1), "member": uuid.UUID(int=2)},
    "api.members": {"organization": uuid.UUID(int=1)},
    "api.organization": {"organization": uuid.UUID(int=1)},
    "logbook.watch": {"state": "on"},
    "baselines.version": {"number": 1},
    "clients.link": {"candidate": uuid.UUID(int=1)},
    "clients.link_submit": {"candidate": uuid.UUID(int=1)},
    "clients.check_field": {"name": "seats"},
    "clients.import_line": {"line": 1},
    "clients.save_import_line": {"line": 1},
    "clients.skip_import_line": {"line": 1},
    "clients.take_import_line_back": {"line": 1},
    "collections.apply_set": {"pattern": "departments"},
    "collections.starter_set": {"pattern": "departments"},
    "grants.choose": {"mode": "ask"},
    "grants.choose_submit": {"mode": "ask"},
    "grants.end_session": {"visit": uuid.UUID(int=1)},
    "grants.end_session_submit": {"visit": uuid.UUID(int=1)},
    "help.page": {"name": "start-a-client-organization"},
    "help.picture": {"language": "en", "name": "none.png"},
    "members.import_line": {"line": 1},
    "members.save_import_line": {"line": 1},
    "members.skip_import_line": {"line": 1},
    "organizations.skip_step": {"step": "vault"},
    "organizations.skip_step_submit": {"step": "vault"},
    "organizations.take_step_up": {"step": "vault"},
    "policies.policy": {"kind": "two_step"},
    "policies.preview": {"kind": "two_step"},
    "policies.save": {"kind": "two_step"},
    "radar.feed": {"provider": uuid.UUID(int=1)},
    "settings.logo": {"owner": uuid.UUID(int=1), "logo": uuid.UUID(int=2)},
    "settings.style": {"owner": uuid.UUID(int=1), "version": "000000"},
    "static": {"version": "x", "name": "mark.svg"},
}


@dataclass(frozen=True)
class Route:
    """One address with one method."""

    endpoint: str
    method: str
    rule: str
    arguments: frozenset[str]

    @property
    def needs(self) -> str:
        return ACCESS[self.endpoint]

    @property
    def place(self) -> str:
        """The kind of tenant in whose name the address is, or an empty string."""
        for kind in ("provider", "organization"):
            if f"{kind}_id" in self.arguments:
                return kind
        return ""

    @property
    def ids(self) -> list[str]:
        return sorted(name for name in self.arguments if name.endswith("_id"))

    def url(self, app: Flask, tenant: Tenant, **ids: uuid.UUID) -> str:
        """The address with the tenant's ids, or those given instead."""
        values = {**tenant.ids, "token": tenant.invitation, **WORDS.get(self.endpoint, {}), **ids}
        chosen = {name: values[name] for name in self.arguments}
        return str(app.url_map.bind("localhost").build(self.endpoint, chosen, method=self.method))

    def foreign_urls(
        self, app: Flask, own: Tenant, foreign: Tenant
    ) -> Iterator[tuple[str, frozenset[str]]]:
        """Each address in which an id is foreign or nobody's, and which ids are one's own."""
        here, nowhere = own.ids, dict.fromkeys(own.ids, uuid.uuid4())
        for owners in itertools.product((here, foreign.ids, nowhere), repeat=len(self.ids)):
            if any(ids is not here for ids in owners):
                chosen = {name: ids[name] for name, ids in zip(self.ids, owners, strict=True)}
                mine = frozenset(name for name in self.ids if chosen[name] == here[name])
                yield self.url(app, own, **chosen), mine

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


def routes_of(app: Flask) -> list[Route]:
    """Every address, once for each method."""
    return [
        Route(rule.endpoint, method, rule.rule, frozenset(rule.arguments))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def stated(app: Flask, endpoint: str) -> str:
    """What the view itself asks for."""
    access = app.view_functions[endpoint].access
    return str(access.permission) if access.permission else access.kind
