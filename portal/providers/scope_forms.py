"""The form of a scope: reach, level, tags and clients, and the last day."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import HiddenField, RadioField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.widgets import CheckboxInput, ListWidget

from portal.domain.errors import N_, refuse
from portal.domain.scope import Level, Reach
from portal.domain.scope_changes import MOST_CLIENTS, Wanted
from portal.web.forms import Form


class ScopeForm(Form):
    """`chosen` holds ids across pages of the list; `shown` says which boxes the page had."""

    seen = HiddenField()
    chosen = HiddenField()
    shown = HiddenField()
    reach = RadioField(_l("Clients"), validate_choice=False)
    level = RadioField(_l("What they may do"), validate_choice=False)
    tags = SelectMultipleField(
        _l("Tags"), validate_choice=False, option_widget=CheckboxInput(), widget=ListWidget()
    )
    words = StringField(_l("Name or reference"), render_kw={"maxlength": 100})
    ends_on = StringField(_l("Last day"), render_kw={"type": "date"})

    def offer(self, tags: Iterable[tuple[str, str]]) -> None:
        """Fill the choices in; the words of both lists are the domain's."""
        self.reach.choices = [SelectChoice(each.value, _(each.label)) for each in Reach]
        self.level.choices = [SelectChoice(each.value, _(each.label)) for each in Level]
        self.tags.choices = [SelectChoice(value, name) for value, name in tags]

    def picked(self, ticked: Sequence[str]) -> frozenset[uuid.UUID]:
        """The clients chosen so far: what the page showed counts as it is ticked now."""
        return (_ids(self.chosen.data) - _ids(self.shown.data)) | _ids(",".join(ticked))

    def wanted(self, ticked: Sequence[str], zone: ZoneInfo) -> Wanted:
        """What was asked for; raises `RuleError` for a day that is none."""
        return Wanted(
            Reach(self.reach.data) if self.reach.data in set(Reach) else Reach.ALL,
            Level(self.level.data) if self.level.data in set(Level) else Level.MANAGE,
            self.picked(ticked),
            _ids(",".join(self.tags.data or [])),
            ends_at(self.ends_on.data or "", zone),
        )


def fields_of(wanted: Wanted, zone: ZoneInfo) -> MultiDict[str, str]:
    """The form's fields as they say `wanted`."""
    fields = MultiDict(
        [
            ("reach", wanted.reach.value),
            ("level", wanted.level.value),
            ("chosen", joined(wanted.clients)),
            ("ends_on", last_day(wanted.ends_at, zone)),
        ]
    )
    fields.setlist("tags", [tag.hex for tag in sorted(wanted.tags)])
    return fields


def joined(ids: Iterable[uuid.UUID]) -> str:
    """Ids as one field carries them."""
    return ",".join(each.hex for each in sorted(ids))


def _ids(text: str | None) -> frozenset[uuid.UUID]:
    # One too many is enough to be refused.
    words = [word for word in (text or "").split(",") if word][: MOST_CLIENTS + 1]
    found = set()
    for word in words:
        try:
            found.add(uuid.UUID(word))
        except ValueError:
            continue
    return frozenset(found)


def ends_at(text: str, zone: ZoneInfo) -> dt.datetime | None:
    """The moment after the day that was typed; None for none."""
    if not text:
        return None
    try:
        day = dt.date.fromisoformat(text)
        return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise refuse(N_("Enter a day, such as 2027-06-30."), field="ends_on") from None


def last_day(moment: dt.datetime | None, zone: ZoneInfo) -> str:
    """The day before the moment, as a date field wants it."""
    if moment is None:
        return ""
    return (moment.astimezone(zone) - dt.timedelta(seconds=1)).date().isoformat()
