"""The form of one line of a list of people."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField

from portal.domain.member_import import FIELDS, role_of
from portal.domain.membership import Manager
from portal.domain.plans import Plan
from portal.members.role_form import roles_offered
from portal.web.import_forms import ImportLineForm

_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class LineForm(ImportLineForm):
    """One line of the list."""

    FIELDS = FIELDS

    email = StringField(_l("E-mail address"), render_kw=_PLAIN)
    role = SelectField(_l("Role"), validate_choice=False)
    groups = StringField(_l("Groups"), render_kw=_PLAIN)
    external_id = StringField(_l("External id"), render_kw=_PLAIN)

    def offer(self, plan: Plan, by: Manager) -> None:
        """The roles to choose from; what was typed and is none of them stays to be seen."""
        typed = self.role.data or ""
        known = role_of(typed)
        roles = [role for role in roles_offered(plan, by) if role_of(role.value) is not None]
        odd = [] if known in roles else [(typed, typed or _("Choose"))]
        self.role.choices = [*odd, *((role.value, _(role.label)) for role in roles)]
        self.role.data = known.value if known and known in roles else typed
