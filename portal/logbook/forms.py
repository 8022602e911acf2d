"""The settings of a log."""

from flask_babel import lazy_gettext as _l
from wtforms import SelectField

from portal.web.forms import Form

MONTHS = (3, 6, 12, 24, 36, 60, 84, 120)


class KeepForm(Form):
    """How long a provider keeps its logs and its clients'."""

    months = SelectField(_l("Keep events"))

    def __init__(self, months: int | None) -> None:
        super().__init__(data={"months": str(months or "")})
        self._offered = sorted({*MONTHS, *([months] if months else [])})
        # The words of a choice are made at each request, in its language.
        self.months.choices = [
            ("", _l("For good")),
            *((str(each), _l("%(count)s months", count=each)) for each in self._offered),
        ]

    def choose(self, months: str | None) -> None:
        """Offer what was chosen before, if it can be chosen."""
        if months == "" or months in {str(each) for each in self._offered}:
            self.months.data = months

    @property
    def chosen(self) -> int | None:
        """The months, or None for good."""
        return int(self.months.data) if self.months.data else None
