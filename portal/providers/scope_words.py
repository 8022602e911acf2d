"""A scope in words."""

import datetime as dt
import uuid

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.domain.scope import Reach
from portal.domain.scope_changes import Wanted
from portal.extensions import db
from portal.providers import scope_queries
from portal.providers.scope_forms import last_day
from portal.providers.scope_queries import COUNTED, Names
from portal.web.formats import day, number
from portal.web.languages import zone

NAMED = 10


def count_words(names: Names) -> str:
    """How many clients, as far as they were counted."""
    count = number(COUNTED) + "+" if names.count > COUNTED else number(names.count)
    told: str = ngettext("%(count)s client", "%(count)s clients", names.count, count=count)
    return told


def scope_words(wanted: Wanted, provider_id: uuid.UUID) -> list[tuple[str, str]]:
    """A scope in words: (what, how) for a list of facts."""
    facts = [(_("Clients"), _(wanted.reach.label)), (_("What they may do"), _(wanted.level.label))]
    if wanted.reach is not Reach.ALL:
        clients = scope_queries.clients_of(db.session(), provider_id, wanted.clients)
        tags = [
            tag.name
            for tag in scope_queries.tags_of(db.session(), provider_id)
            if tag.id in wanted.tags
        ]
        facts.append((_("By name"), _listed([client.name for client in clients])))
        facts.append((_("By tag"), _listed(tags) if tags else _("No tags")))
    if wanted.ends_at:
        last = last_day(wanted.ends_at, zone())
        facts.append((_("Last day"), day(dt.date.fromisoformat(last))))
    return facts


def _listed(names: list[str]) -> str:
    if not names:
        return str(_("None"))
    more = len(names) - NAMED
    shown = ", ".join(names[:NAMED])
    if more <= 0:
        return shown
    return str(_("%(names)s and %(count)s more", names=shown, count=more))
