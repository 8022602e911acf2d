"""The form of one line of a list of clients."""

from collections.abc import Mapping, Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField

from portal.domain.billing_details import BillingDetails
from portal.domain.client_import import FIELDS, order_of
from portal.domain.errors import Message
from portal.domain.plans import Cadence, Plan
from portal.web.forms import Form
from portal.web.import_forms import ImportLineForm

_PLAIN = {"autocomplete": "off", "spellcheck": "false"}
_NUMBER = {"autocomplete": "off", "inputmode": "numeric"}


class LineForm(ImportLineForm):
    """One line of the list."""

    FIELDS = FIELDS

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


def line_form(number: int, typed: Mapping[str, str], problems: Mapping[str, Message]) -> LineForm:
    """The form of a line that is kept; its fields are named after the line."""
    form = LineForm(formdata=None, prefix=prefix_of(number), data=dict(typed))
    form.offer(typed)
    form.show(problems)
    return form


def prefix_of(number: int) -> str:
    return f"line{number}-"
