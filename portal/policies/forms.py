"""The forms of policies: on or off, and what each kind can be told.

A kind's own fields are made from those of its data in `portal.domain.policy_data`: they have
their names, words and bounds there, once.
"""

from collections.abc import Mapping
from dataclasses import Field, fields
from functools import cache
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]

from portal.domain.policies import DATA, PolicyKind
from portal.domain.policy_data import Data
from portal.policies.queries import Stored
from portal.policies.service import Wanted
from portal.web.fields import WholeNumber
from portal.web.forms import Form

_ONE_LINE = 60


class PolicyForm(Form):
    """A policy that knows nothing but on and off, and the head of every other form."""

    shape: type[Data] | None = None
    version = HiddenField()
    is_on = BooleanField(_l("The policy is on"))

    def data_wanted(self) -> Data | None:
        """The typed data; raises `RuleError` on the field that is wrong."""
        if self.shape is None:
            return None
        return self.shape(**{name: self[name].data for name in self.own_fields})

    def wanted(self) -> Wanted:
        """All of it."""
        return Wanted(bool(self["is_on"].data), self.data_wanted(), self.seen)

    @property
    def seen(self) -> int:
        """The version that the page showed; -1 for nothing readable."""
        text = self["version"].data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1

    def show(self, stored: Stored) -> None:
        """Fill the fields in with what is stored."""
        self["is_on"].data = stored.is_on
        self["version"].data = str(stored.version)
        for name in self.own_fields:
            self[name].data = getattr(stored.data, name)

    @property
    def own_fields(self) -> list[str]:
        """The names of the kind's own fields, in their order."""
        known = ("csrf_token", "version", "is_on")
        return [field.name for field in self if field.name not in known]


@cache
def form_of(kind: PolicyKind) -> type[PolicyForm]:
    """The form of a kind."""
    shape = DATA.get(kind)
    own = {each.name: _field(each) for each in fields(shape)} if shape else {}
    return type(f"{kind.name.title()}Form", (PolicyForm,), {"shape": shape, **own})


def _field(each: "Field[Any]") -> Any:
    known = each.metadata
    label, hint = known["label"], known["hint"]
    told = {"label": _l(label), "description": _l(hint) if hint else ""}
    if "steps" in known:
        steps = [SelectChoice(step, _l(label)) for step, label in enumerate(known["steps"])]
        return SelectField(**told, choices=steps, coerce=_step, validate_choice=False)
    if "of" in known:
        choices = [SelectChoice(choice.value, _l(choice.label)) for choice in known["of"]]
        return RadioField(**told, choices=choices, coerce=_one_of(known), validate_choice=False)
    if "limit" in known:
        is_long = known["limit"] > _ONE_LINE and not known["one_line"]
        area = TextAreaField if is_long else StringField
        return area(**told, filters=[_tidy], render_kw={"maxlength": known["limit"], "rows": 4})
    if "low" in known:
        return _number(told, known)
    return BooleanField(**told)


def _number(told: dict[str, Any], known: Mapping[str, Any]) -> WholeNumber:
    bounds = _l("From %(low)s to %(high)s.", low=known["low"], high=known["high"])
    kept = {"inputmode": "numeric", "autocomplete": "off"}
    return WholeNumber(**(told | {"description": told["description"] or bounds}), render_kw=kept)


def _step(text: Any) -> int | None:
    """The step of a scale; what is none is None, and the domain says so."""
    return int(text) if str(text).isascii() and str(text).isdigit() and len(str(text)) < 3 else None


def _one_of(known: Mapping[str, Any]) -> Any:
    return lambda value: known["of"](value) if value in list(known["of"]) else None


def _tidy(text: str | None) -> str:
    """Text as it is counted and kept: lines end in one way, nothing hangs over."""
    return (text or "").replace("\r\n", "\n").strip()
