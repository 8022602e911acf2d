"""The forms of a list of people: the list itself, and one line of it."""

from collections.abc import Mapping

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import RadioField, SelectField, StringField, TextAreaField

from portal.domain.csv_lists import LARGEST, NOTHING, Listed, decode
from portal.domain.errors import Message, refuse
from portal.domain.member_import import FIELDS, read, role_of
from portal.domain.membership import Manager
from portal.domain.plans import Plan
from portal.members.role_form import roles_offered
from portal.web.forms import Form, sentence

_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class ImportForm(Form):
    """A list of people, as a file or pasted; where both are given, the file."""

    file = FileField(_l("File"), render_kw={"accept": ".csv,.txt,.tsv,text/csv,text/plain"})
    text = TextAreaField(_l("Or paste the list"), render_kw={"rows": "8", "spellcheck": "false"})
    locale = RadioField(_l("Language of the invitations"))

    def found(self) -> Listed:
        """The people of the list; raises `RuleError` where none can be read."""
        upload = self["file"].data
        if upload:
            return read(decode(upload.stream.read(LARGEST + 1)))
        if not (self["text"].data or "").strip():
            raise refuse(NOTHING)
        return read(self["text"].data)


class LineForm(Form):
    """One line, as it was typed; its mistakes stand at their fields."""

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

    def show(self, problems: Mapping[str, Message]) -> None:
        """Put each mistake to its field."""
        for name, message in problems.items():
            if name in FIELDS:
                self[name].errors = [sentence(message)]
            else:
                self.form_errors.append(sentence(message))

    def typed(self) -> dict[str, str]:
        """What was sent."""
        return {name: str(self[name].data or "") for name in FIELDS}
