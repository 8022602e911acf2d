"""One group: who is in it, who could be, and what its collections are."""

import uuid
from collections.abc import Mapping
from typing import Any

from flask import Response, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.access import Permission
from portal.domain.collection_access import Level, Meanwhile
from portal.domain.emails import check_email, shown
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.names import colour_class, initials
from portal.domain.plans import Feature
from portal.domain.staff import split_addresses
from portal.extensions import db
from portal.groups import queries, service
from portal.groups.blueprint import ONE, bp, find, ids, page_of, words
from portal.groups.forms import PasteForm
from portal.organizations.key_rings import ring_of
from portal.web import fragments, notices
from portal.web.access import actor, can, requires
from portal.web.forms import sentence
from portal.web.levels import as_seen, chosen_levels, seen_levels

PASTED = 500
_TOO_MANY = N_("Paste at most %(limit)s addresses at once.")
_NONE = N_("Paste at least one e-mail address.")


def _after() -> uuid.UUID | None:
    """Where a list goes on; anything unreadable is its beginning."""
    try:
        return uuid.UUID(request.args.get("after", ""))
    except ValueError:
        return None


def _people(group: Any, *, inside: bool) -> dict[str, Any]:
    """One page of members, as the templates show them."""
    found = queries.members(
        db.session(), group.organization_id, group.id, words(), _after(), inside=inside
    )
    rows = found[: queries.PAGE_SIZE]
    here = {"organization_id": group.organization_id, "group_id": group.id}
    endpoint = "groups.group" if inside else "groups.add"
    query: dict[str, Any] = {"q": words()} if words() else {}
    more = len(found) > queries.PAGE_SIZE
    return {
        "people": [_row(row) for row in rows],
        "words": words(),
        "url": url_for(endpoint, **here),
        "first_url": url_for(endpoint, **here, **query) if _after() else None,
        "next_url": url_for(endpoint, **here, **query, after=rows[-1].id) if more else None,
    }


def _row(member: Any) -> dict[str, Any]:
    address = shown(member.email)
    name = member.name or address
    return {
        "id": member.id,
        "name": name,
        "email": address if member.name else "",
        "initials": initials(name),
        "tone": colour_class(member.id),
        "role": _(member.role.label),
        "state": _(member.state.label),
    }


@bp.get(ONE)
@requires(Permission.GROUPS_READ, feature=Feature.GROUPS)
def group(organization_id: uuid.UUID, group_id: uuid.UUID) -> AnyResponse:
    """Its members, searchable, and its collections."""
    found = find(organization_id, group_id)
    given = queries.collections(db.session(), organization_id, group_id)
    return fragments.respond(
        "groups/group.html",
        "groups/_members.html",
        group=found,
        key_ring=ring_of(db.session(), actor()),
        collections=[row for row in given if row.level],
        levels={level.value: _(level.label) for level in Level},
        edits=can(Permission.GROUPS_MANAGE),
        **_people(found, inside=True),
    )


@bp.post(f"{ONE}/members/remove")
@requires(Permission.GROUPS_MANAGE, feature=Feature.GROUPS)
def remove_members(organization_id: uuid.UUID, group_id: uuid.UUID) -> AnyResponse:
    """Take the ticked members out."""
    found = find(organization_id, group_id)
    chosen = ids(request.form.getlist("member"))
    count = service.remove_members(db.session(), actor(), found, chosen)
    text = ngettext(
        "%(num)s member is no longer in the group.",
        "%(num)s members are no longer in the group.",
        count,
    )
    saved = notices.add(text) if count else ""
    db.session.commit()
    return fragments.done(page_of(organization_id, group_id), saved)


@bp.get(f"{ONE}/members/add")
@requires(Permission.GROUPS_MANAGE, feature=Feature.GROUPS)
def add(organization_id: uuid.UUID, group_id: uuid.UUID) -> AnyResponse:
    """Who could be in it: to be ticked, or pasted."""
    return _add_page(find(organization_id, group_id), PasteForm())


def _add_page(found: Any, form: PasteForm, status: int = 200, refused: str = "") -> AnyResponse:
    return fragments.respond(
        "groups/add.html",
        "groups/_candidates.html",
        status=status,
        group=found,
        form=form,
        refused=refused,
        back_url=page_of(found.organization_id, found.id),
        **_people(found, inside=False),
    )


@bp.post(f"{ONE}/members/add")
@requires(Permission.GROUPS_MANAGE, feature=Feature.GROUPS)
def add_submit(organization_id: uuid.UUID, group_id: uuid.UUID) -> AnyResponse:
    """Add the ticked ones."""
    found = find(organization_id, group_id)
    chosen = ids(request.form.getlist("member"))
    try:
        count = service.add_members(db.session(), actor(), found, chosen)
    except RuleError as error:
        return _add_page(found, PasteForm(), 409, sentence(error.text))
    saved = notices.add(_added(count)) if count else ""
    db.session.commit()
    return fragments.done(page_of(organization_id, group_id), saved)


def _added(count: int) -> str:
    return str(
        ngettext(
            "%(num)s member is in the group now.", "%(num)s members are in the group now.", count
        )
    )


@bp.post(f"{ONE}/members/paste")
@requires(Permission.GROUPS_MANAGE, feature=Feature.GROUPS)
def paste(organization_id: uuid.UUID, group_id: uuid.UUID) -> AnyResponse:
    """Add those whose addresses were pasted; who is no member is named."""
    found, form = find(organization_id, group_id), PasteForm()
    try:
        addresses = _addresses(form["addresses"].data or "")
    except RuleError as error:
        form.blame(error)
        return _add_page(found, form, 422)
    known = queries.by_addresses(db.session(), organization_id, addresses)
    try:
        count = service.add_members(db.session(), actor(), found, [row.id for row in known])
    except RuleError as error:
        form.blame(error)
        return _add_page(found, form, 409)
    unknown = sorted(set(addresses) - {row.email for row in known})
    if not unknown:
        saved = notices.add(_added(count))
        db.session.commit()
        return fragments.done(page_of(organization_id, group_id), saved)
    db.session.commit()
    body = render_template(
        "groups/pasted.html",
        group=found,
        added=_added(count),
        unknown=[shown(address) for address in unknown],
        back_url=page_of(organization_id, group_id),
    )
    return make_response(body)


def _addresses(text: str) -> list[str]:
    typed = split_addresses(text)
    if not typed:
        raise refuse(_NONE, field="addresses")
    if len(typed) > PASTED:
        raise refuse(_TOO_MANY, field="addresses", limit=PASTED)
    return list(dict.fromkeys(check_email(each, field="addresses") for each in typed))


@bp.get(f"{ONE}/collections")
@requires(Permission.GROUPS_MANAGE, feature=Feature.GROUPS)
def collections(organization_id: uuid.UUID, group_id: uuid.UUID) -> Response:
    """A level for each collection, or none."""
    return _levels_page(find(organization_id, group_id))


def _levels_page(
    found: Any,
    chosen: Mapping[uuid.UUID, Level] | None = None,
    status: int = 200,
    refused: str = "",
) -> Response:
    """What the group has; with `chosen`, what was asked for."""
    rows = queries.collections(db.session(), found.organization_id, found.id)
    now = {row.id: row.level for row in rows}
    levels = now if chosen is None else chosen
    body = render_template(
        "groups/collections.html",
        group=found,
        key_ring=ring_of(db.session(), actor()),
        rows=rows,
        given=levels,
        had=as_seen(now),
        refused=refused,
        levels=[(level.value, _(level.label)) for level in Level],
        back_url=page_of(found.organization_id, found.id),
    )
    return Response(body, status, mimetype="text/html")


@bp.post(f"{ONE}/collections")
@requires(Permission.GROUPS_MANAGE, feature=Feature.GROUPS)
def save_collections(organization_id: uuid.UUID, group_id: uuid.UUID) -> AnyResponse:
    """Give the group exactly the chosen levels."""
    found = find(organization_id, group_id)
    wanted = chosen_levels()
    try:
        changed = service.give_collections(db.session(), actor(), found, wanted, seen_levels())
    except RuleError as error:
        chosen = error.proposal if isinstance(error, Meanwhile) else wanted
        return _levels_page(found, chosen, 409, sentence(error.text))
    saved = notices.add(_("The collections of the group are saved.")) if changed else ""
    db.session.commit()
    return fragments.done(page_of(organization_id, group_id), saved)
