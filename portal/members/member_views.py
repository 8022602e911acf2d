"""One member: how they stand, what they reach and why, and what can be changed."""

import uuid
from collections.abc import Sequence
from typing import Any

from flask import Response, abort, g, make_response, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.access import Permission
from portal.domain.collection_access import Level, Meanwhile
from portal.domain.custom_roles import Custom
from portal.domain.errors import RuleError
from portal.domain.membership import check_new_role, possible_member_actions
from portal.domain.plans import Feature
from portal.domain.states import MemberState
from portal.extensions import db
from portal.members import access, assignments, changes
from portal.members.blueprint import ONE, bp, find, manager, page_of
from portal.members.choices import seen_groups, ticked_groups
from portal.members.role_form import ChangeRoleForm
from portal.members.words import role_hints, way_of, why, words_of
from portal.organizations.key_rings import ring_of
from portal.organizations.people import row_of
from portal.outbox.queries import mail_states
from portal.recovery import enrolment
from portal.web import fragments, notices
from portal.web.access import actor, can, requires
from portal.web.forms import sentence
from portal.web.levels import as_seen, chosen_levels, seen_levels

LEVELS = {level.value: level.label for level in Level}


@bp.get(ONE)
@requires(Permission.MEMBERS_READ)
def member(organization_id: uuid.UUID, member_id: uuid.UUID) -> str:
    """How they stand, what they reach and through what, and what can be done."""
    found = find(organization_id, member_id)
    session = db.session()
    standing = changes.standing_of(found, actor(), changes.look(session, organization_id))
    mails = mail_states(session, [member_id])
    return render_template(
        "members/member.html",
        row=row_of(found, mails.get(member_id)),
        found=found,
        is_self=standing.is_self,
        is_last_owner=standing.is_last_owner,
        parts=[_(Custom(part).label) for part in found.permissions],
        groups=list(assignments.groups(session, organization_id, member_id)),
        reach=reach_of(found),
        counts=found.state is MemberState.CONFIRMED,
        key_ring=ring_of(session, actor()),
        url=page_of(organization_id, member_id),
        recovery_url=_recovery_url(found),
        is_enrolled=enrolment.is_enrolled(session, organization_id, member_id),
        events_url=url_for(
            "logbook.organization_events", organization_id=organization_id, q=found.email
        ),
        back_url=url_for("members.index", organization_id=organization_id),
        has_groups=g.plan.has(Feature.GROUPS),
        gives_role=can(Permission.MEMBERS_MANAGE) and _may_change_role(standing),
        actions=_actions(found, standing),
    )


def _recovery_url(found: Any) -> str:
    """Where their account is recovered; empty on a plan without it, and for who has none."""
    if not g.plan.has(Feature.ACCOUNT_RECOVERY) or found.account_id is None:
        return ""
    here: dict[str, Any] = {"organization_id": found.organization_id, "member_id": found.id}
    return url_for("recovery.ask", **here)


def _actions(found: Any, standing: Any) -> list[tuple[str, Any, str]]:
    """(value, words, where it is looked at) of what can be done now."""
    if not can(Permission.MEMBERS_MANAGE):
        return []
    at = {"organization_id": found.organization_id, "member": found.id}
    return [
        (action.value, words_of(action), url_for("members.review_change", action=action, **at))
        for action in possible_member_actions(standing, manager())
    ]


def _may_change_role(standing: Any) -> bool:
    try:
        check_new_role(standing, standing.role, manager())
    except RuleError:
        return False
    return True


def reach_of(found: Any) -> list[dict[str, Any]]:
    """Each collection that they reach: its sealed name, the level, and what gives it."""
    session = db.session()
    ways: dict[uuid.UUID, list[str]] = {}
    for way in access.ways_of(session, found.organization_id, found.id):
        ways.setdefault(way.collection_id, []).append(way_of(way))
    return [
        {
            "sealed_name": row.sealed_name,
            "level": _(row.level.label),
            "why": why(row, ways.get(row.id, [])),
        }
        for row in access.reached_by(session, found.organization_id, found.id)
    ]


@bp.get(f"{ONE}/role")
@requires(Permission.MEMBERS_MANAGE)
def role(organization_id: uuid.UUID, member_id: uuid.UUID) -> AnyResponse:
    """The role, to be changed."""
    found = find(organization_id, member_id)
    return _role_page(found, _role_form(found))


def _role_form(found: Any) -> ChangeRoleForm:
    """As the member has it now, whatever was typed."""
    form = ChangeRoleForm(formdata=None, data=_role_of(found))
    form.offer(g.plan, manager(), found.role)
    return form


def _role_of(found: Any) -> dict[str, Any]:
    parts = list(found.permissions)
    return {"role": found.role.value, "permissions": parts, "had": changes.role_mark(found)}


@bp.post(f"{ONE}/role")
@requires(Permission.MEMBERS_MANAGE)
def save_role(organization_id: uuid.UUID, member_id: uuid.UUID) -> AnyResponse:
    """Give it; refused to whoever does not reach that far."""
    found, form = find(organization_id, member_id), ChangeRoleForm()
    form.offer(g.plan, manager(), found.role)
    if not form.validate():
        return _role_page(found, form, 422)
    try:
        changed = changes.change_role(
            db.session(),
            actor(),
            organization_id=organization_id,
            member_id=member_id,
            role=form.wanted_role,
            permissions=form.wanted_parts,
            by=manager(),
            seen=form.had.data or "",
        )
    except RuleError as error:
        db.session.rollback()
        if isinstance(error, changes.Moved):
            found = find(organization_id, member_id)
            form = _role_form(found)
        form.blame(error)
        return _role_page(found, form, 409)
    if changed is None:
        abort(404)
    name = found.name or found.email
    saved = notices.add(_("The role of %(name)s is saved.", name=name))
    db.session.commit()
    return fragments.done(page_of(organization_id, member_id), saved)


def _role_page(found: Any, form: ChangeRoleForm, status: int = 200) -> Response:
    body = render_template(
        "members/role.html",
        form=form,
        hints=role_hints(),
        row=row_of(found, None),
        back_url=page_of(found.organization_id, found.id),
    )
    return make_response(body, status)


@bp.get(f"{ONE}/groups")
@requires(Permission.GROUPS_MANAGE, feature=Feature.GROUPS)
def member_groups(organization_id: uuid.UUID, member_id: uuid.UUID) -> AnyResponse:
    """The groups, to be ticked."""
    return _groups_page(find(organization_id, member_id))


@bp.post(f"{ONE}/groups")
@requires(Permission.GROUPS_MANAGE, feature=Feature.GROUPS)
def save_groups(organization_id: uuid.UUID, member_id: uuid.UUID) -> AnyResponse:
    """Let the member belong to exactly the ticked ones."""
    found = find(organization_id, member_id)
    try:
        changed = assignments.set_groups(
            db.session(), actor(), found, ticked_groups(), seen_groups()
        )
    except RuleError as error:
        db.session.rollback()
        return _groups_page(found, error)
    saved = notices.add(_("The groups are saved.")) if changed else ""
    db.session.commit()
    return fragments.done(page_of(organization_id, member_id), saved)


def _groups_page(found: Any, refused: RuleError | None = None) -> AnyResponse:
    rows: Sequence[Any] = assignments.groups(db.session(), found.organization_id, found.id)
    had = " ".join(str(row.id) for row in rows if row.belongs)
    if isinstance(refused, Meanwhile):
        asked = refused.proposal
        rows = [{"id": row.id, "name": row.name, "belongs": row.id in asked} for row in rows]
    return _choice_page("members/groups.html", found, rows, had, refused)


@bp.get(f"{ONE}/collections")
@requires(Permission.COLLECTIONS_MANAGE)
def member_collections(organization_id: uuid.UUID, member_id: uuid.UUID) -> AnyResponse:
    """A level for each collection, or none."""
    return _collections_page(find(organization_id, member_id))


@bp.post(f"{ONE}/collections")
@requires(Permission.COLLECTIONS_MANAGE)
def save_collections(organization_id: uuid.UUID, member_id: uuid.UUID) -> AnyResponse:
    """Give exactly the chosen levels by name."""
    found = find(organization_id, member_id)
    try:
        changed = assignments.set_collections(
            db.session(), actor(), found, chosen_levels(), seen_levels()
        )
    except RuleError as error:
        db.session.rollback()
        return _collections_page(found, error)
    saved = notices.add(_("The collections are saved.")) if changed else ""
    db.session.commit()
    return fragments.done(page_of(organization_id, member_id), saved)


def _collections_page(found: Any, refused: RuleError | None = None) -> AnyResponse:
    rows: Sequence[Any] = assignments.collections(db.session(), found.organization_id, found.id)
    had = as_seen({row.id: row.level for row in rows})
    if isinstance(refused, Meanwhile):
        asked = refused.proposal
        rows = [
            {"id": row.id, "sealed_name": row.sealed_name, "level": asked.get(row.id)}
            for row in rows
        ]
    return _choice_page("members/collections.html", found, rows, had, refused)


def _choice_page(
    template: str, found: Any, rows: Any, had: str, refused: RuleError | None
) -> AnyResponse:
    body = render_template(
        template,
        row=row_of(found, None),
        rows=rows,
        had=had,
        levels=[(value, _(label)) for value, label in LEVELS.items()],
        key_ring=ring_of(db.session(), actor()),
        refused=sentence(refused.text) if refused else "",
        back_url=page_of(found.organization_id, found.id),
    )
    return make_response(body, 409 if refused else 200)
