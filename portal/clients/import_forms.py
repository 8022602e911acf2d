"""The forms of a list of clients: the list itself, and one line of it."""

from collections.abc import Mapping, Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import RadioField, SelectField, StringField, TextAreaField

from portal.domain.billing_details import BillingDetails
from portal.domain.client_import import FIELDS, order_of
from portal.domain.client_lists import read
from portal.domain.csv_lists import LARGEST, NOTHING, Listed, decode
from portal.domain.errors import Message, refuse
from portal.domain.plans import Cadence, Plan
from portal.web.forms import Form, sentence

_PLAIN = {"autocomplete": "off", "spellcheck": "false"}
_NUMBER = {"autocomplete": "off", "inputmode": "numeric"}


class ImportForm(Form):
    """A list of clients, as a file or pasted; where both are given, the file."""

    file = FileField(_l("File"), render_kw={"accept": ".csv,.txt,.tsv,text/csv,text/plain"})
    text = TextAreaField(_l("Or paste the list"), render_kw={"rows": "8", "spellcheck": "false"})
    locale = RadioField(_l("Language of the invitations"))

    def found(self) -> Listed:
        """The clients of the list; raises `RuleError` where none can be read."""
        upload = self["file"].data
        if upload:
            return read(decode(upload.stream.read(LARGEST + 1)))
        if not (self["text"].data or "").strip():
            raise refuse(NOTHING)
        return read(self["text"].data)


class LineForm(Form):
    """One line, as it was typed; its mistakes stand at their fields."""

    name = StringField(_l("Organization name"), render_kw={"autocomplete": "off"})
    billing_email = StringField(_l("Billing e-mail"), render_kw=_PLAIN)
    owner_email = StringField(_l("Client owner e-mail"), render_kw=_PLAIN)
    plan = SelectField(_l("Plan"), validate_choice=False)
    cadence = SelectField(_l("Billing cadence"), validate_choice=False)
    seats = StringField(_l("Seats"), render_kw=_NUMBER)
    autogrow = SelectField(_l("Add seats automatically"), validate_choice=False)
    seat_limit = StringField(_l("Seat limit"), render_kw=_NUMBER)
    extra_storage_gb = StringField(_l("Additional storage (GB)"), render_kw=_NUMBER)
    baseline = StringField(_l("Baseline"), render_kw=_PLAIN)

    class Meta(Form.Meta):
        # Many stand on one page: the token is written once a form, under its own name.
        csrf = False

    def offer(self, typed: Mapping[str, str]) -> None:
        """Fill the choices; what was typed and is none of them stays to be seen."""
        order, _unread = order_of(typed, BillingDetails())
        grows = "yes" if order.autogrow else "no"
        plans = [(plan.value, _(plan.label)) for plan in Plan]
        cadences = [(cadence.value, _(cadence.label)) for cadence in Cadence]
        answers = [("yes", _("Yes")), ("no", _("No"))]
        known = {
            "plan": (plans, order.plan.value if order.plan else None),
            "cadence": (cadences, order.cadence.value if order.cadence else None),
            "autogrow": (answers, None if "autogrow" in _unread else grows),
        }
        for name, (choices, chosen) in known.items():
            self._choose(name, choices, chosen, typed.get(name, ""))

    def _choose(
        self, name: str, choices: Sequence[tuple[str, str]], chosen: str | None, typed: str
    ) -> None:
        odd = [] if chosen else [(typed, typed or _("Choose"))]
        self[name].choices = [*odd, *choices]
        self[name].data = chosen or typed

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


def line_form(number: int, typed: Mapping[str, str], problems: Mapping[str, Message]) -> LineForm:
    """The form of a line that is kept; its fields are named after the line."""
    form = LineForm(formdata=None, prefix=prefix_of(number), data=dict(typed))
    form.offer(typed)
    form.show(problems)
    return form


def prefix_of(number: int) -> str:
    return f"line{number}-"
