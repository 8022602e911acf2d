"""Handing the provider key to people: one at a time, or several on one page."""

import uuid
from collections.abc import Sequence
from typing import Any

from flask import abort, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.crypto.fingerprint import fingerprint_phrase
from portal.domain.access import Permission
from portal.domain.emails import shown
from portal.domain.errors import RuleError
from portal.extensions import db
from portal.providers import confirmation, queries
from portal.providers.blueprint import bp
from portal.providers.people import row_of
from portal.providers.scope_keys import needs_key
from portal.web import fragments, notices
from portal.web.access import actor, requires
from portal.web.forms import sentence
from portal.web.keyring import of_provider
from portal.web.session import no_store


@bp.get("/providers/<uuid:provider_id>/people/confirm")
@requires(Permission.PROVIDER_KEYS)
def confirm_people(provider_id: uuid.UUID) -> AnyResponse:
    """The fingerprint phrases to compare, and the button that hands over the key.

    Without a choice in the address: everybody who waits.
    """
    ids = request.args.getlist("person")
    found = queries.staff(db.session(), provider_id, _ids(ids) if ids else None)
    if not ids:
        found = [person for person in found if confirmation.waits_for_key(person)]
    return _page(found)


@bp.post("/providers/<uuid:provider_id>/people/confirm")
@requires(Permission.PROVIDER_KEYS)
def confirm_people_submit(provider_id: uuid.UUID) -> AnyResponse:
    """Store each wrapped key that the browser sent; one that is refused stops no other."""
    found = queries.staff(db.session(), provider_id, _ids(request.form.getlist("person")))
    answers = [(person, _confirm(person)) for person in found]
    # A refusal may have left an alarm in the log, so that is committed too.
    if len(answers) == 1:
        person, refused = answers[0]
        if refused is not None:
            db.session.commit()
            return _page(found, error=refused, status=422)
        held = _("%(name)s holds the provider key now.", name=person.name)
        confirmed = _("%(name)s is confirmed.", name=person.name)
        saved = notices.add(held if needs_key(person) else confirmed)
        db.session.commit()
        return fragments.done(url_for("providers.people", provider_id=provider_id), saved)
    db.session.commit()
    if not answers:
        return _page(_waiting(provider_id), error=_("Nobody is ticked."), status=422)
    return make_response(_result(provider_id, answers))


def _waiting(provider_id: uuid.UUID) -> list[Any]:
    everybody = queries.staff(db.session(), provider_id)
    return [person for person in everybody if confirmation.waits_for_key(person)]


def _confirm(person: Any) -> str | None:
    """None if it is done, else why not."""
    try:
        confirmation.confirm(
            db.session(),
            actor(),
            person,
            public_key=request.form.get(f"public_key-{person.id}", ""),
            wrapped_key=request.form.get(f"wrapped_provider_key-{person.id}", ""),
            provider_public_key=request.form.get("provider_public_key", ""),
        )
    except RuleError as error:
        return sentence(error.text)
    return None


def _ids(values: Sequence[str]) -> list[uuid.UUID]:
    try:
        return [uuid.UUID(value) for value in values]
    except ValueError:
        abort(400)


def _result(provider_id: uuid.UUID, answers: Sequence[tuple[Any, str | None]]) -> str:
    count = sum(refused is None for _person, refused in answers)
    rows = [
        (person.name or shown(person.email), refused or _("Confirmed."), refused is not None)
        for person, refused in answers
    ]
    title = ngettext("%(num)s person is confirmed", "%(num)s people are confirmed", count)
    return render_template(
        "providers/people_result.html", title=title, rows=rows, provider_id=provider_id
    )


def _page(found: Sequence[Any], *, error: str = "", status: int = 200) -> AnyResponse:
    people = [
        {
            "row": row_of(person, actor()),
            "account_id": person.account_id,
            "public_key": person.public_key,
            "phrase": _phrase(person),
            "waits": confirmation.waits_for_key(person),
            "needs_key": needs_key(person),
        }
        for person in found
    ]
    ready = [
        person
        for person in people
        if person["waits"] and (person["public_key"] or not person["needs_key"])
    ]
    body = render_template(
        "providers/confirm_people.html",
        people=people,
        ready=ready,
        hands_over=any(person["needs_key"] for person in ready),
        provider_id=current_user.place.provider_id,
        provider_name=current_user.place.provider_name,
        key_ring=of_provider(current_user),
        error=error,
    )
    return no_store(make_response(body, status))


def _phrase(person: Any) -> str:
    if person.public_key is None:
        return ""
    return fingerprint_phrase(str(person.account_id), person.public_key)
