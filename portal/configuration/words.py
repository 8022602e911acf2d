"""Changes of a configuration in words, with the paths that its file has."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.configuration.service import Look
from portal.domain.collection_access import Level
from portal.domain.configuration import (
    COLLECTIONS,
    GROUPS,
    NO_ACCESS,
    ON,
    POLICIES,
    SETTINGS,
    Change,
    Value,
    pointer,
)
from portal.domain.configuration_files import BadFile
from portal.domain.emails import shown
from portal.domain.errors import N_, RuleError
from portal.domain.policies import PolicyKind
from portal.policies import words as policies
from portal.policies.words import NONE
from portal.web.formats import number
from portal.web.forms import sentence

PEOPLE_SHOWN = 50
SETTING_LABELS = {
    "limits_collection_creation": N_("Limit who creates collections"),
    "limits_collection_deletion": N_("Limit who deletes collections"),
    "limits_item_deletion": N_("Limit who deletes items"),
    "admins_reach_all": N_("Owners and admins reach every collection"),
}


@dataclass(frozen=True)
class ChangeShown:
    """A change as a table shows it; `removes` that something goes."""

    label: str
    path: str
    before: str
    after: str
    removes: bool


def changes(found: Iterable[Change]) -> list[ChangeShown]:
    """Each change as its own row."""
    return [
        ChangeShown(
            label=label(change.path),
            path=pointer(change.path),
            before=value(change.path, change.before),
            after=value(change.path, change.after),
            removes=change.after is None,
        )
        for change in found
    ]


def label(path: tuple[str, ...]) -> str:
    """What a path is about, in the words of its own page."""
    if path[0] == POLICIES:
        return str(_(PolicyKind(path[1]).label))
    if path[0] == SETTINGS:
        return str(_(SETTING_LABELS[path[1]]))
    if path[0] == COLLECTIONS:
        return str(_("Collection %(external_id)s", external_id=path[1]))
    if len(path) == 4:
        return str(
            _("Group %(group)s, collection %(external_id)s", group=path[1], external_id=path[3])
        )
    return str(_("Group %(group)s", group=path[1]))


def value(path: tuple[str, ...], found: Value | None) -> str:
    """A value in the reader's words."""
    if path[0] == GROUPS and len(path) == 4:
        return _level(found)
    if found is None:
        return NONE if path[0] == POLICIES else str(_("Not there"))
    return _there(path, found)


def _there(path: tuple[str, ...], found: Value) -> str:
    if path[0] == COLLECTIONS:
        return str(_("There"))
    if path[0] == GROUPS:
        return str(found) or str(_("Empty"))
    if path[0] == SETTINGS:
        return str(_("On")) if found else str(_("Off"))
    return policies.on_or_off(bool(found)) if path[-1] == ON else policies.value_of(path[-1], found)


def _level(found: Value | None) -> str:
    if found in (None, NO_ACCESS):
        return str(_("No access"))
    return str(_(Level(str(found)).label))


def refusal(error: RuleError) -> str:
    """Why not, names of policies translated."""
    return policies.refusal_text(error)


@dataclass(frozen=True)
class MistakeShown:
    """What is wrong with a file, and where."""

    where: str
    text: str


def mistakes(error: RuleError) -> list[MistakeShown]:
    """Each mistake of a file; one without a place for any other refusal."""
    if not isinstance(error, BadFile):
        return [MistakeShown("", refusal(error))]
    return [
        MistakeShown(_where(each.line, each.path), sentence(each.text)) for each in error.mistakes
    ]


def _where(line: int | None, path: str) -> str:
    if line is None:
        return path
    if not path:
        return str(_("Line %(line)s", line=number(line)))
    return str(_("Line %(line)s, %(path)s", line=number(line), path=path))


def people(look: Look) -> list[str]:
    """Who would be revoked, the first of them by address."""
    names = sorted(shown(row.email) for row in look.revoked)
    more = len(names) - PEOPLE_SHOWN
    if more > 0:
        rest = ngettext("and %(count)s more", "and %(count)s more", more, count=number(more))
        return [*names[:PEOPLE_SHOWN], str(rest)]
    return names
