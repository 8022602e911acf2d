"""The form base: a whole form and a single field are checked by the same code."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from flask import request
from flask_babel import format_decimal, get_locale, ngettext
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import Field

from portal.domain.errors import Message, RuleError
from portal.domain.money import Money
from portal.web.formats import day, money


def sentence(message: Message) -> str:
    """A domain message in the reader's language, its numbers and amounts in their locale."""
    return message.render(_, ngettext, _parameter)


def _parameter(value: object) -> object:
    if isinstance(value, Money):
        return money(value)
    if isinstance(value, dt.date):
        return day(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return value
    return format_decimal(value)


class Form(FlaskForm):
    """Every form of the portal. Labels and messages come in the reader's language."""

    class Meta(FlaskForm.Meta):
        def wrap_formdata(self, form: object, formdata: Any) -> Any:
            """Only what a form sends: values out of a JSON body may be of any type."""
            return None if request.is_json else super().wrap_formdata(form, formdata)

        def get_translations(self, form: object) -> object:
            """WTForms' own sentences in the language of the page."""
            locale = get_locale()
            self.locales = [locale.language if locale else "en"]
            return super(FlaskForm.Meta, self).get_translations(form)

    def check(self, name: str) -> Field:
        """Validate one field just as `validate()` would, and return it."""
        field: Field = self._fields[name]
        inline = getattr(type(self), f"validate_{name}", None)
        field.validate(self, [inline] if inline else [])
        return field

    def blame(self, error: RuleError) -> None:
        """Show a rule's refusal where the person can act on it."""
        text = sentence(error.text)
        if error.field and error.field in self._fields:
            field = self._fields[error.field]
            field.errors = [*field.errors, text]
        else:
            self.form_errors.append(text)

    def blame_all(self, errors: Mapping[str, RuleError]) -> None:
        """Show several refusals, one a field."""
        for error in errors.values():
            self.blame(error)

    def answers(self) -> dict[str, Any]:
        """What the person gave, ready to be a service's keyword arguments."""
        return {name: value for name, value in self.data.items() if name != "csrf_token"}

    @property
    def problems(self) -> list[tuple[str, str]]:
        """(field id, sentence) of every error in the order of the fields, for the summary."""
        found = [("", cast(str, text)) for text in self.form_errors]
        for field in self._fields.values():
            found += [(field.id, str(text)) for text in field.errors if isinstance(text, str)]
        return found
