"""What the drop-downs of billing details offer, in the reader's language."""

from collections.abc import Sequence
from functools import cache

from babel import Locale
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from portal.domain.billing_details import NET_DAYS
from portal.domain.countries import COUNTRIES
from portal.domain.names import name_ci


def countries() -> Sequence[tuple[str, str]]:
    """Every country by its name, after a line that names none."""
    return [("", _("Choose a country")), *_countries(str(get_locale() or "en"))]


@cache
def _countries(locale: str) -> tuple[tuple[str, str], ...]:
    names = Locale.parse(locale).territories
    found = [(code, names.get(code, code)) for code in COUNTRIES]
    return tuple(sorted(found, key=lambda country: name_ci(country[1])))


def days(present: int | None = None) -> list[tuple[int, str]]:
    """The terms of payment, with the present one if that is none of them."""
    offered = sorted({*NET_DAYS, *([] if present is None else [present])})
    return [
        (count, ngettext("%(count)s day", "%(count)s days", count, count=count))
        for count in offered
    ]
