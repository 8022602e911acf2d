"""The forms of the provider's access."""

from collections.abc import Callable

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from wtforms import HiddenField, SelectField, TextAreaField

from portal.domain.provider_access import LONGEST_REASON, MINUTES, check_minutes, check_reason
from portal.web.forms import Form


def words_of(minutes: int) -> str:
    """A length of time as people say it: minutes, hours, days."""
    if minutes % 1440 == 0:
        days: str = ngettext("%(num)s day", "%(num)s days", minutes // 1440)
        return days
    if minutes % 60 == 0:
        hours: str = ngettext("%(num)s hour", "%(num)s hours", minutes // 60)
        return hours
    told: str = ngettext("%(num)s minute", "%(num)s minutes", minutes)
    return told


def _choices(at_most: int) -> Callable[[], list[tuple[str, str]]]:
    return lambda: [(str(each), words_of(each)) for each in MINUTES if each <= at_most]


class AskForm(Form):
    """What somebody of the provider needs access for, and how long."""

    reason = TextAreaField(
        _l("Reason"),
        description=_l("A sentence or a ticket number. The owners read it, and it is kept."),
        render_kw={"rows": 3, "maxlength": LONGEST_REASON},
    )
    minutes = SelectField(
        _l("For how long"), choices=_choices(MINUTES[-1]), validate_choice=False, default="60"
    )

    def wanted(self) -> tuple[str, int]:
        """Reason and minutes as they are stored; raises `RuleError` on the field."""
        return check_reason(self["reason"].data or ""), check_minutes(self["minutes"].data or "")


class ApproveForm(Form):
    """For how long an owner lets somebody in: not more than was asked for."""

    minutes = SelectField(_l("For how long"), choices=(), validate_choice=False)

    def limit(self, asked: int) -> None:
        """Offer what was asked for, and less."""
        self["minutes"].choices = _choices(asked)()

    def wanted(self, asked: int) -> int:
        """The minutes; raises `RuleError` on the field."""
        return check_minutes(self["minutes"].data or "", at_most=asked)


class SwitchForm(Form):
    """What the page has seen, and the key that the browser wrapped where one is needed."""

    seen = HiddenField()
    version = HiddenField()
    wrapped_key = HiddenField()
    public_key = HiddenField()
