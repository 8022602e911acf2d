"""Manage → People: who works for the provider, and every change of that."""

import uuid
from collections.abc import Sequence
from typing import Any

from flask import Response, abort, current_app, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.freshness import refuse_stale
from portal.accounts.limits import limited
from portal.domain.access import Permission, Role
from portal.domain.emails import shown
from portal.domain.errors import RuleError
from portal.domain.people_lists import SORT, PeopleList
from portal.domain.staff import INVITE_LIMIT, StaffAction
from portal.domain.states import ProviderPersonState
from portal.extensions import db
from portal.outbox.queries import mail_states
from portal.providers import people as models
from portal.providers import queries, scope_queries, staff
from portal.providers.blueprint import bp
from portal.providers.forms import InviteForm
from portal.providers.people_table import PeopleTable
from portal.providers.people_words import action_words, words_of
from portal.providers.scope_keys import needs_key, takes_client_keys
from portal.providers.scope_words import scope_words
from portal.web import fragments, notices
from portal.web.access import actor, requires
from portal.web.forms import sentence
from portal.web.languages import language
from portal.web.paging import signer

CHANGE_LIMIT = 100


def _myself() -> str:
    return str(current_user.account_id)


INVITING = (("10 per minute", _myself), ("300 per day", _myself))


@bp.get("/providers/<uuid:provider_id>/people")
@requires(Permission.PROVIDER_PEOPLE_READ)
def people(provider_id: uuid.UUID) -> Response:
    """Who works for the provider, and how well their sign-in is guarded."""
    table = PeopleTable(_list_url(provider_id), PeopleList.read(request.args))
    signs = signer(current_app.extensions["settings"].secret_keys, "people")
    text = request.args.get("cursor", "")
    cursor = signs.read(text, sort=SORT, descending=False) if text else None
    page = queries.people_page(db.session(), provider_id, table.wanted, cursor)
    mails = mail_states(db.session(), _invited(page.rows), models.INVITATION)

    def beside(place: Any) -> str | None:
        return table.address(table.wanted, cursor=signs.write(place)) if place else None

    return fragments.respond(
        "providers/people.html",
        "providers/_people.html",
        table=table,
        rows=models.rows_of(page.rows, actor(), mails),
        provider_id=provider_id,
        actions=action_words(),
        waiting=queries.count_waiting(db.session(), provider_id),
        previous_url=beside(page.previous),
        next_url=beside(page.next),
    )


def _list_url(provider_id: uuid.UUID) -> str:
    return url_for("providers.people", provider_id=provider_id)


def _invited(rows: Sequence[Any]) -> list[uuid.UUID]:
    return [row.id for row in rows if row.state is ProviderPersonState.INVITED]


@bp.get("/providers/<uuid:provider_id>/people/invite")
@requires(Permission.PROVIDER_PEOPLE_MANAGE)
def invite(provider_id: uuid.UUID) -> str:
    """Paste up to twenty addresses."""
    return _invite_page(provider_id, InviteForm())


@bp.post("/providers/<uuid:provider_id>/people/invite")
@requires(Permission.PROVIDER_PEOPLE_MANAGE)
@limited(INVITING)
def invite_submit(provider_id: uuid.UUID) -> AnyResponse:
    """Invite each; who is here already is told so, which is no error."""
    form = InviteForm()
    try:
        addresses = form.checked_addresses() if form.validate() else []
    except RuleError as error:
        form.blame(error)
        addresses = []
    if not addresses:
        return make_response(_invite_page(provider_id, form), 422)
    role, locale = Role(form.role.data), language()
    answers = [
        (
            shown(email),
            staff.invite(db.session(), actor(), email=email, role=role, locale=locale),
        )
        for email in addresses
    ]
    if len(answers) == 1 and answers[0][1]:
        saved = notices.add(_("The invitation is on its way to %(address)s.", address=addresses[0]))
        db.session.commit()
        return fragments.done(url_for("providers.people", provider_id=provider_id), saved)
    db.session.commit()
    rows = [(address, models.invited_text(is_new=new), not new) for address, new in answers]
    return make_response(_result_page(provider_id, _invited_title(answers), rows))


def _invited_title(answers: Sequence[tuple[str, bool]]) -> str:
    count = sum(is_new for _address, is_new in answers)
    return str(ngettext("%(num)s person is invited", "%(num)s people are invited", count))


def _invite_page(provider_id: uuid.UUID, form: InviteForm) -> str:
    if not form.role.data:
        form.role.data = Role.SERVICE_USER.value
    return render_template(
        "providers/invite.html", form=form, provider_id=provider_id, limit=INVITE_LIMIT
    )


@bp.get("/providers/<uuid:provider_id>/people/<uuid:person_id>")
@requires(Permission.PROVIDER_PEOPLE_READ)
def person(provider_id: uuid.UUID, person_id: uuid.UUID) -> str:
    """One person: how they stand and what can be done."""
    found = queries.person(db.session(), provider_id, person_id)
    if found is None:
        abort(404)
    admins = queries.count_admins(db.session(), provider_id)
    mail = mail_states(db.session(), [person_id], models.INVITATION).get(person_id)
    return render_template(
        "providers/person.html",
        row=models.row_of(found, actor(), mail),
        scope=scope_words(scope_queries.wanted_of(db.session(), found), provider_id),
        found=found,
        needs_key=needs_key(found),
        takes_client_keys=takes_client_keys(found),
        provider_id=provider_id,
        actions=models.actions_for(found, actor(), admins),
        is_last_admin=staff.standing_of(found, actor(), admins).is_last_admin,
    )


@bp.get("/providers/<uuid:provider_id>/people/changes")
@requires(Permission.PROVIDER_PEOPLE_MANAGE)
def review_change(provider_id: uuid.UUID) -> AnyResponse:
    """What an action would come to for each ticked person; nothing is done yet."""
    action = _action(request.args.get("action"))
    if action is None:
        return _nothing(provider_id)
    if stale := _ask_again(provider_id, action, request.args.getlist("person")):
        return stale
    found = _chosen(provider_id, request.args.getlist("person"))
    admins = queries.count_admins(db.session(), provider_id)
    answers = models.preview(action, found, actor(), admins)
    body = render_template(
        "providers/change_people.html",
        action=action.value,
        words=words_of(action),
        possible=[answer.person for answer in answers if not answer.is_refused],
        refused=[answer for answer in answers if answer.is_refused],
        provider_id=provider_id,
        holds_key=any(person.holds_key for person in found),
        takes_key=action in {StaffAction.SUSPEND, StaffAction.REMOVE},
    )
    return make_response(body)


@bp.post("/providers/<uuid:provider_id>/people/changes")
@requires(Permission.PROVIDER_PEOPLE_MANAGE)
@limited(INVITING)
def change_people(provider_id: uuid.UUID) -> AnyResponse:
    """Do it, person by person: one that is refused stops no other."""
    action = _action(request.form.get("action"))
    if action is None:
        return _nothing(provider_id)
    if stale := _ask_again(provider_id, action, request.form.getlist("person")):
        return stale
    found = _chosen(provider_id, request.form.getlist("person"))
    answers = [(person, _do(action, person)) for person in found]
    if not answers:
        return _nothing(provider_id)
    done = words_of(action).done
    if len(answers) == 1 and answers[0][1] is None:
        name = answers[0][0].name or shown(answers[0][0].email)
        saved = notices.add(_("%(name)s: %(done)s", name=name, done=done))
        db.session.commit()
        return fragments.done(url_for("providers.people", provider_id=provider_id), saved)
    db.session.commit()
    rows = [
        (person.name or shown(person.email), refused or done, bool(refused))
        for person, refused in answers
    ]
    count = sum(not is_refused for _name, _text, is_refused in rows)
    title = ngettext("Done for %(num)s person", "Done for %(num)s people", count)
    return make_response(_result_page(provider_id, title, rows))


def _ask_again(
    provider_id: uuid.UUID, action: StaffAction, people: Sequence[str]
) -> AnyResponse | None:
    """What decides who has a say, or takes it away, wants a fresh proof; the ticks are kept."""
    if action in {StaffAction.RESEND, StaffAction.RESUME}:
        return None
    back = url_for(
        "providers.review_change",
        provider_id=provider_id,
        action=action.value,
        person=people[:CHANGE_LIMIT],
    )
    return refuse_stale(back)


def _do(action: StaffAction, person: Any) -> str | None:
    """None if it is done, else why not."""
    try:
        done = staff.act(db.session(), actor(), action, person.id)
    except RuleError as error:
        return sentence(error.text)
    return None if done else sentence(RuleError(staff.GONE).text)


def _action(value: str | None) -> StaffAction | None:
    try:
        return StaffAction(value or "")
    except ValueError:
        return None


def _nothing(provider_id: uuid.UUID) -> AnyResponse:
    """Nobody is ticked, or nothing that can be done is named: back to the list."""
    return fragments.done(url_for("providers.people", provider_id=provider_id))


def _chosen(provider_id: uuid.UUID, ids: Sequence[str]) -> Sequence[Any]:
    try:
        wanted = [uuid.UUID(value) for value in ids[:CHANGE_LIMIT]]
    except ValueError:
        abort(400)
    return queries.staff(db.session(), provider_id, wanted)


def _result_page(provider_id: uuid.UUID, title: str, rows: Sequence[tuple[str, str, bool]]) -> str:
    return render_template(
        "providers/people_result.html", title=title, rows=rows, provider_id=provider_id
    )
