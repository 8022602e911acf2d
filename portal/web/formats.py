"""Dates, times, numbers and money in the reader's locale and zone."""

import datetime as dt

from babel.dates import get_datetime_format
from babel.numbers import format_currency
from flask_babel import format_date, format_datetime, format_decimal, format_time, get_locale
from flask_babel import gettext as _

from portal.domain.money import Money


def money(amount: Money) -> str:
    """`$1,234.50`, in French `1 234,50 $US`."""
    return format_currency(amount.amount, amount.currency, locale=get_locale())


def day(value: dt.date) -> str:
    """`Nov 22, 2026`, `22 nov. 2026`."""
    return str(format_date(value, "medium"))


def moment(value: dt.datetime) -> str:
    """Date and time in the person's zone; pair it with `instant` in a `<time>` element."""
    return str(format_datetime(value, "medium"))


def minute(value: dt.datetime) -> str:
    """`moment` without its seconds, where the order of two lines does not hang on them."""
    between = get_datetime_format("medium", locale=get_locale() or "en")
    time = str(format_time(value, "short"))
    return str(between).replace("{0}", time).replace("{1}", day(value))


def instant(value: dt.datetime) -> str:
    """The exact UTC instant, ISO 8601, for `datetime=` and the hover text."""
    return value.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def number(value: int) -> str:
    """Digits grouped as the reader groups them."""
    return str(format_decimal(value))


def labelled(label: str, value: str) -> str:
    """`Ready: 3`, `Prêts : 3`."""
    text: str = _("%(label)s: %(value)s", label=label, value=value)
    return text
