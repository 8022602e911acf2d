"""The forms of baselines."""

import datetime as dt

from flask_babel import lazy_gettext as _l
from wtforms import DateField, HiddenField, StringField, TextAreaField

from portal.domain.whole_numbers import version_of_text
from portal.web.forms import Form


class BaselineForm(Form):
    """A name, what it says as YAML, and what a version is about."""

    version = HiddenField()
    name = StringField(_l("Name"), render_kw={"autocomplete": "off"})
    text = TextAreaField(
        _l("What clients shall be set to"),
        render_kw={"rows": 16, "spellcheck": "false", "autocomplete": "off", "class": "code"},
    )
    note = StringField(
        _l("Note"),
        description=_l("What this version changes, and why."),
        render_kw={"autocomplete": "off"},
    )

    @property
    def seen(self) -> int:
        """The version that the page showed; 0 for nothing readable."""
        return version_of_text(self["version"].data)


class DeviationForm(Form):
    """Why a client may deviate, who looks after it, and until when."""

    reason = StringField(_l("Reason"), render_kw={"autocomplete": "off"})
    owner = StringField(
        _l("Looked after by"),
        description=_l("Whom to ask about this deviation."),
        render_kw={"autocomplete": "off"},
    )
    ends_on = DateField(
        _l("Until"),
        description=_l("After this day it counts as drift again."),
        render_kw={"type": "date"},
    )

    @property
    def last_day(self) -> dt.date | None:
        found: dt.date | None = self["ends_on"].data
        return found
