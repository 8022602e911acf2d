"""What is done with one member or with many: looked at first, then done, answered one by one."""

import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import abort, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from portal.accounts.limits import limited
from portal.domain.access import Permission
from portal.domain.emails import shown
from portal.domain.errors import RuleError
from portal.domain.member_lists import MemberList
from portal.domain.membership import MemberAction, check_member_action
from portal.domain.states import MemberState
from portal.extensions import db
from portal.members import changes, conditions, growing, list_queries
from portal.members.blueprint import ALL, INVITING, bp, manager
from portal.members.room import AGREED, Room, prices, room_of, with_fewer
from portal.members.words import words_of
from portal.web import fragments, notices
from portal.web.access import actor, requires
from portal.web.forms import sentence

CHANGE_LIMIT = 100
LONGEST_ADDRESS = 2000
TAKES_SEAT = frozenset({MemberAction.INVITE, MemberAction.RESTORE})


@bp.get(f"{ALL}/changes")
@requires(Permission.MEMBERS_MANAGE)
def review_change(organization_id: uuid.UUID) -> Response:
    """What an action would come to for each ticked member; nothing is done yet.

    A button in a row, named `confirm-<id>` or `resend-<id>`, means that member alone.
    """
    for pressed in request.args:
        kind, _dash, row = pressed.partition("-")
        if kind == "confirm":
            [member_id] = _ids([row])
            there = url_for("members.confirm", organization_id=organization_id, member_id=member_id)
            return redirect(there, 303)
        if kind == "resend":
            return _review(organization_id, MemberAction.RESEND, _chosen(organization_id, [row]))
    action = _action(request.args.get("action"))
    if action is None:
        return _to_list(organization_id)
    found = _chosen(organization_id, request.args.getlist("member"))
    return _review(organization_id, action, found)


def _review(
    organization_id: uuid.UUID, action: MemberAction, found: Sequence[Any], *, again: bool = False
) -> Response:
    """`again`: seats would be bought for it at a price that was not shown yet."""
    held = changes.look(db.session(), organization_id)
    answers = [(member, _foresee(action, member, held)) for member in found]
    possible = [member for member, refused in answers if not refused]
    room = Room("")
    if action in TAKES_SEAT:
        session, wanted = db.session(), len(possible)
        foreseen = growing.foresee(session, actor(), organization_id, wanted, prices())
        room = room_of(foreseen, actor())
        if foreseen.refusal:
            fewer = growing.foresee_most(session, actor(), organization_id, wanted, prices())
            room = with_fewer(room, room_of(fewer, actor()))
    body = render_template(
        "members/change.html",
        action=action.value,
        words=words_of(action),
        possible=[(member.id, _line(member)) for member in possible],
        refused=[(_name(member), refused) for member, refused in answers if refused],
        back_url=_back(organization_id),
        opens_key=action.takes_away and any(_opens(member) for member in possible),
        room=room,
        again=again,
        list=urlencode(_list()),
        here=url_for("members.change_members", organization_id=organization_id),
    )
    return make_response(body, 409 if again else 200)


@bp.post(f"{ALL}/changes")
@requires(Permission.MEMBERS_MANAGE)
@limited(INVITING)
def change_members(organization_id: uuid.UUID) -> Response:
    """Do it, member by member: one that is refused stops no other."""
    action = _action(request.form.get("action"))
    found = _chosen(organization_id, request.form.getlist("member"))
    if action is None or not found:
        return _to_list(organization_id)
    if action in TAKES_SEAT and not _make_room(organization_id, action, found):
        db.session.rollback()
        return _review(organization_id, action, found, again=True)
    done = words_of(action).done
    answers = [(_name(member), _do(action, member)) for member in found]
    if len(answers) == 1 and not answers[0][1]:
        saved = notices.add(_("%(name)s: %(done)s", name=answers[0][0], done=done))
        db.session.commit()
        return fragments.done(_back(organization_id), saved)
    db.session.commit()
    rows = [(name, refused or done, bool(refused)) for name, refused in answers]
    count = sum(not refused for _name, refused in answers)
    title = ngettext("Done for %(num)s member", "Done for %(num)s members", count)
    return result_page(organization_id, title, rows)


def _make_room(organization_id: uuid.UUID, action: MemberAction, found: Sequence[Any]) -> bool:
    """Buy what is missing for as many as can be; False where the price was not shown yet.

    Each is told so whom neither the free seats reach nor those that may be bought.
    """
    session = db.session()
    held = changes.hold(session, organization_id)
    wanted = sum(not _foresee(action, member, held) for member in found)
    agreed = request.form.get(AGREED, "")
    fewer = growing.foresee_most(session, actor(), organization_id, wanted, prices())
    if not fewer.wanted:
        return True
    try:
        with session.begin_nested():
            many = fewer.wanted
            growing.make_room(session, actor(), organization_id, many, prices(), agreed=agreed)
    except growing.NoRoom as error:
        return error.foreseen.refusal is not None
    except RuleError:
        # The provider's ceiling was reached by another client in the meantime.
        return True
    return True


def result_page(
    organization_id: uuid.UUID, title: str, rows: Sequence[tuple[str, str, bool]]
) -> Response:
    """(who, what came of it, whether it was refused), one a line."""
    back = _back(organization_id)
    return make_response(
        render_template("members/result.html", title=title, rows=rows, back_url=back)
    )


def _foresee(action: MemberAction, member: Any, held: changes.Held) -> str:
    """Why not, empty if it can be done."""
    try:
        check_member_action(action, changes.standing_of(member, actor(), held), manager())
    except RuleError as error:
        return sentence(error.text)
    if action is not MemberAction.RESTORE:
        return ""
    coming = conditions.Coming.of(member)
    obstacle = conditions.obstacle(db.session(), coming, conditions.Step.RESTORE)
    return sentence(obstacle.text) if obstacle else ""


def _do(action: MemberAction, member: Any) -> str:
    """Empty if it is done, else why not."""
    try:
        with db.session.begin_nested():
            done = changes.act(
                db.session(),
                actor(),
                action,
                organization_id=member.organization_id,
                member_id=member.id,
                by=manager(),
            )
    except RuleError as error:
        return sentence(error.text)
    return "" if done else sentence(RuleError(changes.GONE).text)


def _opens(member: Any) -> bool:
    return bool(member.state is MemberState.CONFIRMED and member.holds_key)


def _name(member: Any) -> str:
    return str(member.name or shown(member.email))


def _line(member: Any) -> str:
    address = f" ({shown(member.email)})" if member.name else ""
    return f"{_name(member)}{address}: {_(member.role.label)}, {_(member.state.label)}"


def _action(value: str | None) -> MemberAction | None:
    try:
        return MemberAction(value or "")
    except ValueError:
        return None


def _chosen(organization_id: uuid.UUID, ids: Sequence[str]) -> Sequence[Any]:
    return list_queries.chosen(db.session(), organization_id, _ids(ids[:CHANGE_LIMIT]))


def _ids(texts: Sequence[str]) -> list[uuid.UUID]:
    try:
        return [uuid.UUID(text) for text in texts]
    except ValueError:
        abort(400)


def _list() -> dict[str, Any]:
    """Which page of which list the members were ticked on, as its address says it."""
    parts = dict(parse_qsl(request.values.get("list", "")[:LONGEST_ADDRESS]))
    cursor = {"cursor": parts["cursor"]} if "cursor" in parts else {}
    return MemberList.read(parts).query | cursor


def _back(organization_id: uuid.UUID) -> str:
    return url_for("members.index", organization_id=organization_id, **_list())


def _to_list(organization_id: uuid.UUID) -> Response:
    return fragments.done(_back(organization_id))
