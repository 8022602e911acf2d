"""The form of a member's role: which ones somebody can give, and what a custom one is made of."""

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, SelectMultipleField, TextAreaField, widgets

from portal.domain.access import ORGANIZATION_ROLES, Role
from portal.domain.custom_roles import Custom
from portal.domain.membership import Manager, Rank
from portal.domain.plans import Feature, Plan
from portal.domain.staff import check_addresses
from portal.web.forms import Form


class CheckboxesField(SelectMultipleField):
    """Several of few, each a checkbox."""

    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()


class RoleForm(Form):
    """A role; with the parts of a custom one where the plan has those."""

    role = RadioField(_l("Role"))
    permissions = CheckboxesField(_l("What the custom role is made of"))

    def offer(self, plan: Plan, by: Manager, present: Role | None = None) -> None:
        """The roles that `by` can give, and the one that the member has."""
        roles = roles_offered(plan, by)
        if present is not None and present not in roles:
            roles.append(present)
        self.role.choices = [(role.value, _(role.label)) for role in _in_order(roles)]
        held = by.permissions if by.rank is Rank.HELPER else frozenset(Custom)
        parts = [part for part in Custom if part in held] if Role.CUSTOM in roles else []
        self.permissions.choices = [(part.value, _(part.label)) for part in parts]

    @property
    def wanted_role(self) -> Role:
        return Role(self.role.data)

    @property
    def wanted_parts(self) -> list[Custom]:
        return [Custom(value) for value in self.permissions.data or ()]


class ChangeRoleForm(RoleForm):
    """Of a member who has a role; `had` is what the page has shown (`changes.role_mark`)."""

    had = HiddenField()


class InviteForm(RoleForm):
    """Up to twenty addresses and what they are given."""

    addresses = TextAreaField(_l("E-mail addresses"))

    def checked_addresses(self) -> list[str]:
        """The stored forms; raises `RuleError` on the field."""
        return check_addresses(self.addresses.data or "", field="addresses")


def roles_offered(plan: Plan, by: Manager) -> list[Role]:
    """The roles that `by` can give, the plainest first."""
    return _in_order([role for role in ORGANIZATION_ROLES if _is_offered(role, plan, by)])


def _is_offered(role: Role, plan: Plan, by: Manager) -> bool:
    if role is Role.CUSTOM and not plan.has(Feature.CUSTOM_ROLES):
        return False
    return by.may_manage(role)


def _in_order(roles: Sequence[Role]) -> list[Role]:
    order = (Role.USER, Role.ADMIN, Role.OWNER, Role.CUSTOM)
    return [role for role in order if role in roles]
