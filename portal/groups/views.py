"""The groups of an organization: all of them, one of them, and every change."""

import uuid
from typing import Any
from urllib.parse import urlencode

from flask import Response, current_app, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.domain.plans import Feature
from portal.extensions import db
from portal.groups import group_views, queries, service
from portal.groups.blueprint import ALL, ONE, bp, find, ids, page_of, words
from portal.groups.forms import GroupForm
from portal.web import fragments, notices
from portal.web.access import actor, requires
from portal.web.paging import signer


@bp.get(ALL)
@requires(Permission.GROUPS_READ, feature=Feature.GROUPS)
def index(organization_id: uuid.UUID) -> AnyResponse:
    """The groups by name."""
    looked_for = words()
    descending = request.args.get("sort") == "-name"
    base = url_for("groups.index", organization_id=organization_id)
    signs = signer(current_app.extensions["settings"].secret_keys, "groups")
    text = request.args.get("cursor", "")
    cursor = signs.read(text, sort=queries.SORT, descending=descending) if text else None
    query = {"q": looked_for, "sort": "-name" if descending else ""}
    if text and cursor is None:
        return fragments.done(_address(base, query))
    found = queries.page(db.session(), organization_id, looked_for, cursor, descending=descending)

    def beside(place: Any) -> str | None:
        return _address(base, {**query, "cursor": signs.write(place)}) if place else None

    return fragments.respond(
        "groups/index.html",
        "groups/_table.html",
        organization_id=organization_id,
        url=base,
        words=looked_for,
        rows=found.rows,
        descending=descending,
        turn_url=_address(base, {"q": looked_for, "sort": "" if descending else "-name"}),
        previous_url=beside(found.previous),
        next_url=beside(found.next),
    )


def _address(base: str, query: dict[str, str]) -> str:
    kept = {name: value for name, value in query.items() if value}
    return f"{base}?{urlencode(kept)}" if kept else base


@bp.get(f"{ALL}/new")
@requires(Permission.GROUPS_MANAGE, feature=Feature.GROUPS)
def new(organization_id: uuid.UUID) -> Response:
    """A group, to be named."""
    return _form_page(GroupForm(), organization_id, None)


@bp.post(f"{ALL}/new")
@requires(Permission.GROUPS_MANAGE, feature=Feature.GROUPS)
def create(organization_id: uuid.UUID) -> AnyResponse:
    """Make it, and go on to its members."""
    form = GroupForm()
    try:
        name, external_id = form.wanted()
        group_id = service.create(
            db.session(), actor(), organization_id, name=name, external_id=external_id
        )
    except RuleError as error:
        form.blame(error)
        return _form_page(form, organization_id, None, 422)
    if queries.name_exists(db.session(), organization_id, name, but=group_id):
        text = _("The group %(group)s is there now. Another one has the same name.", group=name)
    else:
        text = _("The group %(group)s is there now. Add its members and collections.", group=name)
    saved = notices.add(text)
    db.session.commit()
    here = url_for("groups.group", organization_id=organization_id, group_id=group_id)
    return fragments.done(here, saved)


@bp.get(f"{ONE}/name")
@requires(Permission.GROUPS_MANAGE, feature=Feature.GROUPS)
def edit(organization_id: uuid.UUID, group_id: uuid.UUID) -> Response:
    """Name and external id, to be changed."""
    found = find(organization_id, group_id)
    form = GroupForm(
        data={"name": found.name, "external_id": found.external_id, "version": found.version}
    )
    return _form_page(form, organization_id, found)


@bp.post(f"{ONE}/name")
@requires(Permission.GROUPS_MANAGE, feature=Feature.GROUPS)
def save(organization_id: uuid.UUID, group_id: uuid.UUID) -> AnyResponse:
    """Store them; refused if somebody else was faster."""
    found, form = find(organization_id, group_id), GroupForm()
    try:
        name, external_id = form.wanted()
        changed = service.rename(
            db.session(),
            actor(),
            found,
            name=name,
            external_id=external_id,
            version=form.seen,
        )
    except RuleError as error:
        form.blame(error)
        form["version"].data = str(found.version)
        status = 409 if isinstance(error, service.Changed) else 422
        return _form_page(form, organization_id, found, status)
    saved = notices.add(_("The group %(group)s is saved.", group=name)) if changed else ""
    db.session.commit()
    return fragments.done(page_of(organization_id, group_id), saved)


@bp.get(f"{ONE}/delete")
@requires(Permission.GROUPS_MANAGE, feature=Feature.GROUPS)
def delete(organization_id: uuid.UUID, group_id: uuid.UUID) -> str:
    """What goes with the group, and what stays."""
    return render_template(
        "groups/delete.html",
        groups=[find(organization_id, group_id)],
        action=url_for("groups.delete_submit", organization_id=organization_id, group_id=group_id),
        back_url=page_of(organization_id, group_id),
    )


@bp.post(f"{ONE}/delete")
@requires(Permission.GROUPS_MANAGE, feature=Feature.GROUPS)
def delete_submit(organization_id: uuid.UUID, group_id: uuid.UUID) -> AnyResponse:
    """Delete it."""
    found = find(organization_id, group_id)
    service.remove(db.session(), actor(), found)
    saved = notices.add(_("The group %(group)s is deleted.", group=found.name))
    db.session.commit()
    return fragments.done(url_for("groups.index", organization_id=organization_id), saved)


@bp.get(f"{ALL}/delete")
@requires(Permission.GROUPS_MANAGE, feature=Feature.GROUPS)
def delete_many(organization_id: uuid.UUID) -> AnyResponse:
    """The ticked groups, and what goes with them."""
    found = queries.chosen(db.session(), organization_id, ids(request.args.getlist("group")))
    back = url_for("groups.index", organization_id=organization_id)
    if not found:
        return fragments.done(back)
    body = render_template(
        "groups/delete.html",
        groups=found,
        action=url_for("groups.delete_many_submit", organization_id=organization_id),
        back_url=back,
    )
    return Response(body, mimetype="text/html")


@bp.post(f"{ALL}/delete")
@requires(Permission.GROUPS_MANAGE, feature=Feature.GROUPS)
def delete_many_submit(organization_id: uuid.UUID) -> AnyResponse:
    """Delete them; one that is gone already stops no other."""
    found = queries.chosen(db.session(), organization_id, ids(request.form.getlist("group")))
    for group in found:
        service.remove(db.session(), actor(), group)
    text = ngettext("%(num)s group is deleted.", "%(num)s groups are deleted.", len(found))
    saved = notices.add(text) if found else ""
    db.session.commit()
    return fragments.done(url_for("groups.index", organization_id=organization_id), saved)


def _form_page(
    form: GroupForm, organization_id: uuid.UUID, found: Any, status: int = 200
) -> Response:
    all_of_them = url_for("groups.index", organization_id=organization_id)
    back = page_of(organization_id, found.id) if found else all_of_them
    body = render_template("groups/form.html", form=form, group=found, back_url=back)
    return Response(body, status, mimetype="text/html")


# The pages of one group register themselves on `bp`.
__all__ = ["bp", "group_views"]
