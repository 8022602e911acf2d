"""Starter sets: three patterns to look at, to change and to apply."""

import uuid
from typing import Any

from flask import Response, abort, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from portal.collections import queries, starter
from portal.collections.blueprint import ALL, bp, keeper, levels
from portal.crypto.envelope import looks_sealed
from portal.domain.access import Permission
from portal.domain.collection_access import Level
from portal.domain.errors import RuleError
from portal.domain.starter_sets import Pattern
from portal.domain.whole_numbers import version_of_text
from portal.extensions import db
from portal.groups.service import check_group_name
from portal.organizations.key_rings import opening_of
from portal.web import fragments, notices
from portal.web.access import actor, can, requires
from portal.web.forms import sentence

SETS = f"{ALL}/starter-sets"
# Places on a page: what a set has, and some to add.
MORE = 3


@bp.get(SETS)
@requires(Permission.COLLECTIONS_CREATE)
def starter_sets(organization_id: uuid.UUID) -> str:
    """The three patterns side by side, each with its diagram and what it makes."""
    here = url_for("collections.starter_sets", organization_id=organization_id)
    return render_template(
        "collections/starter_sets.html",
        patterns=[_shown(pattern, here) for pattern in _open_patterns()],
        back_url=url_for("collections.index", organization_id=organization_id),
    )


def _open_patterns() -> list[Pattern]:
    """Those whose groups the asker may make."""
    groups = can(Permission.GROUPS_MANAGE)
    return [pattern for pattern in Pattern if groups or not pattern.starter_set.groups]


def _shown(pattern: Pattern, here: str) -> dict[str, Any]:
    chosen = pattern.starter_set
    return {
        "value": pattern.value,
        "url": f"{here}/{pattern.value}",
        "label": _(pattern.label),
        "about": _(pattern.about),
        "collections": [_(name) for name in chosen.collections],
        "groups": [_(name) for name in chosen.groups],
        "lines": chosen.lines(),
        "levels": [
            [(at, _(level.label)) for at, level in enumerate(row) if level] for row in chosen.levels
        ],
    }


def _pattern(text: str) -> Pattern:
    found = next((each for each in _open_patterns() if each.value == text), None)
    if found is None:
        abort(404)
    return found


@bp.get(f"{SETS}/<pattern>")
@requires(Permission.COLLECTIONS_CREATE)
def starter_set(organization_id: uuid.UUID, pattern: str) -> Response:
    """One pattern, its names to be changed."""
    found = _pattern(pattern)
    return _page(organization_id, found, queries.count(db.session(), organization_id))


@bp.post(f"{SETS}/<pattern>")
@requires(Permission.COLLECTIONS_CREATE)
def apply_set(organization_id: uuid.UUID, pattern: str) -> AnyResponse:
    """Make all of it, or nothing."""
    found, by = _pattern(pattern), keeper(organization_id)
    try:
        collections, groups = starter.apply(
            db.session(), actor(), by, organization_id, _wanted(found)
        )
    except RuleError as error:
        seen = queries.count(db.session(), organization_id)
        status = 409 if isinstance(error, starter.Changed) else 422
        return _page(organization_id, found, seen, sentence(error.text), status)
    text = ngettext(
        "%(num)s collection is there now.", "%(num)s collections are there now.", collections
    )
    if groups:
        more = ngettext("%(num)s group is there now.", "%(num)s groups are there now.", groups)
        text = f"{text} {more}"
    saved = notices.add(text)
    db.session.commit()
    return fragments.done(url_for("collections.index", organization_id=organization_id), saved)


def _places(pattern: Pattern) -> tuple[range, range]:
    chosen = pattern.starter_set
    groups = len(chosen.groups) + MORE if chosen.groups else 0
    return range(len(chosen.collections) + MORE), range(groups)


def _wanted(pattern: Pattern) -> starter.Wanted:
    form = request.form
    collections, groups = _places(pattern)
    names = {at: form.get(f"group-{at}", "").strip() for at in groups}
    given = {
        (group, at): form.get(f"level-{group}-{at}", "") for group in groups for at in collections
    }
    try:
        chosen = {place: Level(level) for place, level in given.items() if level}
    except ValueError:
        abort(400)
    return starter.Wanted(
        collections={at: name for at in collections if (name := form.get(f"collection-{at}", ""))},
        groups={at: check_group_name(name) for at, name in names.items() if name},
        levels=chosen,
        key_version=form.get("key_version", ""),
        seen=version_of_text(form.get("seen")),
    )


def _page(
    organization_id: uuid.UUID, pattern: Pattern, seen: int, problem: str = "", status: int = 200
) -> Response:
    opening = opening_of(db.session(), actor())
    key = opening.ring.organization
    body = render_template(
        "collections/starter_set.html",
        pattern=_shown(pattern, ""),
        collections=_collections(pattern),
        groups=_groups(pattern),
        levels=levels(),
        seen=seen,
        key_version=key.version if key else "",
        problem=problem,
        opening=opening,
        key_ring=opening.ring,
        has_keys=queries.has_keys(db.session(), organization_id),
        back_url=url_for("collections.starter_sets", organization_id=organization_id),
    )
    return Response(body, status, mimetype="text/html")


def _collections(pattern: Pattern) -> list[dict[str, Any]]:
    """The suggested name, or what came back sealed; clear text is not sent back."""
    names, sent = pattern.starter_set.collections, request.method == "POST"
    found = []
    for at in _places(pattern)[0]:
        sealed = request.form.get(f"collection-{at}", "")
        suggested = _(names[at]) if at < len(names) and not sent else ""
        found.append(
            {"at": at, "name": suggested, "sealed": sealed if looks_sealed(sealed, 2) else ""}
        )
    return found


def _groups(pattern: Pattern) -> list[dict[str, Any]]:
    chosen, sent = pattern.starter_set, request.method == "POST"
    collections, groups = _places(pattern)
    found = []
    for at in groups:
        known = at < len(chosen.groups)
        suggested = _(chosen.groups[at]) if known else ""
        levels_of = {}
        for to in collections:
            level = chosen.level(at, to) if known and to < len(chosen.collections) else None
            default = level.value if level else ""
            levels_of[to] = request.form.get(f"level-{at}-{to}", "") if sent else default
        name = request.form.get(f"group-{at}", "") if sent else suggested
        found.append({"at": at, "name": name, "levels": levels_of})
    return found
