"""Up to twenty people are invited at once."""

import uuid
from typing import Any

from flask import Response, g, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.limits import limited
from portal.domain.access import Permission, Role
from portal.domain.emails import shown
from portal.domain.errors import RuleError
from portal.domain.plans import Feature
from portal.domain.staff import INVITE_LIMIT
from portal.extensions import db
from portal.members import assignments, growing, inviting, list_queries
from portal.members.blueprint import ALL, INVITING, bp, manager
from portal.members.bulk_views import result_page
from portal.members.choices import ticked_groups
from portal.members.member_views import LEVELS
from portal.members.role_form import InviteForm
from portal.members.room import AGREED, Room, prices, room_of
from portal.members.table import seats_line
from portal.members.words import role_hints
from portal.organizations.key_rings import ring_of
from portal.organizations.queries import chosen_locale
from portal.web import fragments, notices
from portal.web.access import actor, can, requires
from portal.web.languages import language
from portal.web.levels import chosen_levels

ROOM = "members/_room.html"


@bp.get(f"{ALL}/invite")
@requires(Permission.MEMBERS_INVITE)
def invite(organization_id: uuid.UUID) -> Response:
    """Paste addresses; choose what they are given."""
    form = InviteForm(data={"role": Role.USER.value})
    return _page(organization_id, form)


@bp.post(f"{ALL}/invite")
@requires(Permission.MEMBERS_INVITE)
@limited(INVITING)
def invite_submit(organization_id: uuid.UUID) -> AnyResponse:
    """Invite each; who is here already is told so, which is no error."""
    form = InviteForm()
    form.offer(g.plan, manager())
    if not form.validate():
        return _page(organization_id, form, 422)
    try:
        emails = form.checked_addresses()
        answers = inviting.invite(
            db.session(),
            actor(),
            organization_id,
            emails,
            _given(form),
            by=manager(),
            prices=prices(),
            agreed=request.form.get(AGREED, ""),
        )
    except growing.NoRoom as error:
        return _look_first(organization_id, form, error)
    except RuleError as error:
        db.session.rollback()
        form.blame(error)
        return _page(organization_id, form, 422 if error.field else 409)
    if len(emails) == 1 and answers[emails[0]]:
        saved = notices.add(
            _("The invitation is on its way to %(address)s.", address=shown(emails[0]))
        )
        db.session.commit()
        return fragments.done(url_for("members.index", organization_id=organization_id), saved)
    db.session.commit()
    count = sum(answers.values())
    title = ngettext("%(num)s person is invited", "%(num)s people are invited", count)
    rows = [(shown(email), _answer(is_new=is_new), not is_new) for email, is_new in answers.items()]
    return result_page(organization_id, title, rows)


@bp.post(f"{ALL}/invite/room")
@requires(Permission.MEMBERS_INVITE)
def invite_room(organization_id: uuid.UUID) -> Response:
    """The seats that the addresses typed so far would take, and what more of them would cost.

    Posted, so that nobody's address stands in an address. Changes nothing.
    """
    return fragments.piece(ROOM, room=_room(organization_id, InviteForm()))


def _room(organization_id: uuid.UUID, form: InviteForm) -> Room:
    """Addresses that cannot be read yet are told when the form is sent."""
    url = url_for("members.invite_room", organization_id=organization_id)
    try:
        emails = form.checked_addresses()
    except RuleError:
        return Room(url)
    session = db.session()
    wanted = len(inviting.newcomers(session, organization_id, emails))
    return room_of(
        growing.foresee(session, actor(), organization_id, wanted, prices()), actor(), url
    )


def _look_first(organization_id: uuid.UUID, form: InviteForm, error: growing.NoRoom) -> Response:
    """Nobody is invited yet: the page says what the seats cost, or who can help."""
    db.session.rollback()
    seen = bool(request.form.get(AGREED))
    if error.foreseen.refusal is None and not seen:
        return _page(organization_id, form)
    form.blame(error)
    return _page(organization_id, form, 409)


def _answer(*, is_new: bool) -> str:
    if is_new:
        return str(_("Invited. The e-mail is on its way."))
    return str(_("Was invited before, or is a member already. No e-mail was sent."))


def _given(form: InviteForm) -> inviting.Given:
    """Groups and collections only from whoever may give them."""
    return inviting.Given(
        role=form.wanted_role,
        permissions=form.wanted_parts,
        groups=ticked_groups() if gives_groups() else set(),
        levels=chosen_levels() if can(Permission.COLLECTIONS_MANAGE) else {},
        locale=chosen_locale(db.session(), actor().organization_id) or language(),
    )


def gives_groups() -> bool:
    """Whether the person manages groups, where the plan has some."""
    return can(Permission.GROUPS_MANAGE) and bool(g.plan.has(Feature.GROUPS))


def _page(organization_id: uuid.UUID, form: InviteForm, status: int = 200) -> Response:
    form.offer(g.plan, manager())
    session = db.session()
    groups: list[dict[str, Any]] = []
    collections: list[dict[str, Any]] = []
    sent = request.method == "POST"
    if gives_groups():
        ticked = ticked_groups() if sent else set()
        groups = [
            {"id": row.id, "name": row.name, "belongs": row.id in ticked}
            for row in assignments.groups(session, organization_id, None)
        ]
    if can(Permission.COLLECTIONS_MANAGE):
        levels = chosen_levels() if sent else {}
        collections = [
            {"id": row.id, "sealed_name": row.sealed_name, "level": levels.get(row.id)}
            for row in assignments.collections(session, organization_id, None)
        ]
    body = render_template(
        "members/invite.html",
        form=form,
        limit=INVITE_LIMIT,
        hints=role_hints(),
        seats=seats_line(list_queries.numbers(session, organization_id)),
        room=_room(organization_id, form),
        groups=groups,
        collections=collections,
        levels=[(value, _(label)) for value, label in LEVELS.items()],
        key_ring=ring_of(session, actor()),
        list_url=url_for("members.import_members", organization_id=organization_id),
        back_url=url_for("members.index", organization_id=organization_id),
    )
    return make_response(body, status)
