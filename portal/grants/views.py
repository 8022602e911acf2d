"""Settings, Provider access: the owner's switch, who can come in, who is in, and the history."""

import uuid
from typing import Any

from flask import Response, abort, current_app, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.freshness import fresh
from portal.crypto.fingerprint import fingerprint_phrase
from portal.crypto.versions import version_of
from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.domain.provider_access import AccessMode
from portal.extensions import db
from portal.grants import ask_views, grant_views, queries, session_views, switching
from portal.grants.blueprint import ALL, bp
from portal.grants.forms import SwitchForm
from portal.grants.page import inside_of, line_of, modes_of, visitors_of
from portal.organizations.key_rings import ring_of
from portal.web import fragments, notices
from portal.web.access import actor, requires
from portal.web.formats import moment
from portal.web.forms import sentence
from portal.web.paging import signer
from portal.web.session import no_store

__all__ = ["ask_views", "bp", "grant_views", "session_views"]


@bp.get(ALL)
@requires(Permission.PROVIDER_ACCESS_READ)
def index(organization_id: uuid.UUID) -> AnyResponse:
    """The mode, who could come in, who is in, what waits, and what was."""
    base = url_for("grants.index", organization_id=organization_id)
    signs = signer(current_app.extensions["settings"].secret_keys, "grants")
    text = request.args.get("at", "")
    cursor = signs.read(text, sort=queries.SORT, descending=True) if text else None
    if text and cursor is None:
        return fragments.done(base)
    session = db.session()
    place = queries.place(session, organization_id)
    history = queries.closed_grants(session, organization_id, cursor)
    people = queries.people(session, organization_id)

    def beside(found: Any) -> str | None:
        return f"{base}?at={signs.write(found)}" if found else None

    return fragments.respond(
        "grants/index.html",
        "grants/_history.html",
        place=place,
        organization_id=organization_id,
        modes=modes_of(place.mode, _choices(organization_id, place)),
        changed=moment(place.changed_at) if place.changed_at else "",
        key_url=_key_url(organization_id, place),
        obstacle=_(problem) if (problem := switching.obstacle(place)) else "",
        people=visitors_of(people[: queries.PEOPLE]),
        has_more_people=len(people) > queries.PEOPLE,
        inside=inside_of(
            organization_id, place.mode, queries.live_sessions(session, organization_id)
        ),
        waiting=[line_of(row) for row in queries.open_grants(session, organization_id)],
        history=[line_of(row) for row in history.rows],
        previous_url=beside(history.previous),
        next_url=beside(history.next),
        account_id=current_user.account_id,
    )


def _key_url(organization_id: uuid.UUID, place: Any) -> str:
    """Where the key is handed over that the provider has lost; empty where it needs none."""
    if place.provider_public_key is None or place.mode is not AccessMode.ASK:
        return ""
    if switching.obstacle(place) or not switching.lacks_key(place, AccessMode.ASK):
        return ""
    return url_for("grants.choose", organization_id=organization_id, mode=AccessMode.ASK.value)


def _choices(organization_id: uuid.UUID, place: Any) -> dict[AccessMode, str]:
    if not actor().can(Permission.PROVIDER_ACCESS_DECIDE) or switching.obstacle(place):
        return {}
    return {
        mode: url_for("grants.choose", organization_id=organization_id, mode=mode.value)
        for mode in AccessMode
        if mode is not place.mode
    }


@bp.get(f"{ALL}/mode/<any(always, ask, never):mode>")
@requires(Permission.PROVIDER_ACCESS_DECIDE)
@fresh
def choose(organization_id: uuid.UUID, mode: str) -> AnyResponse:
    """What the mode means, before it is chosen."""
    place = queries.place(db.session(), organization_id)
    if place.mode.value == mode and not switching.lacks_key(place, AccessMode(mode)):
        return fragments.done(url_for("grants.index", organization_id=organization_id))
    form = SwitchForm(data={"seen": place.mode.value})
    return _page(form, organization_id, AccessMode(mode), place)


@bp.post(f"{ALL}/mode/<any(always, ask, never):mode>")
@requires(Permission.PROVIDER_ACCESS_DECIDE)
@fresh
def choose_submit(organization_id: uuid.UUID, mode: str) -> AnyResponse:
    """Change it; with the key that the browser wrapped where the provider has none."""
    form, wanted = SwitchForm(), AccessMode(mode)
    handed = switching.Handed(
        form["wrapped_key"].data or "", form["public_key"].data or "", form["version"].data or ""
    )
    try:
        changed = switching.switch(
            db.session(),
            actor(),
            organization_id,
            wanted,
            seen=form["seen"].data or "",
            handed=handed,
        )
    except RuleError as error:
        db.session.rollback()
        status = 409 if isinstance(error, switching.Moved) else 422
        place = queries.place(db.session(), organization_id)
        form["seen"].data = place.mode.value
        return _page(form, organization_id, wanted, place, sentence(error.text), status)
    only_key = form["seen"].data == mode
    told = _("The provider has the key again.") if only_key else _saved(wanted)
    saved = notices.add(told) if changed else ""
    db.session.commit()
    return fragments.done(url_for("grants.index", organization_id=organization_id), saved)


def _saved(wanted: AccessMode) -> str:
    told: dict[AccessMode, str] = {
        AccessMode.ALWAYS: _("The provider's people can come in at any time now."),
        AccessMode.ASK: _("The provider's people have to ask from now on."),
        AccessMode.NEVER: _("The provider's people are kept out, and the provider's key is gone."),
    }
    return told[wanted]


def _page(
    form: SwitchForm,
    organization_id: uuid.UUID,
    wanted: AccessMode,
    place: Any,
    problem: str = "",
    status: int = 200,
) -> Response:
    hands_over = switching.lacks_key(place, wanted)
    if place.provider_id is None:
        abort(404)
    key = place.provider_public_key
    body = render_template(
        "grants/switch.html",
        form=form,
        place=place,
        wanted=wanted.value,
        label=_(wanted.label),
        problem=problem or (_(text) if (text := switching.obstacle(place)) else ""),
        hands_over=hands_over,
        key_ring=ring_of(db.session(), actor()),
        version=version_of(place.protected_private_key) if place.protected_private_key else "",
        phrase=fingerprint_phrase(str(place.provider_id), key) if key else "",
        inside=len(queries.live_sessions(db.session(), organization_id)),
        insiders=queries.members_of_provider(db.session(), organization_id),
        here=request.path,
        back_url=url_for("grants.index", organization_id=organization_id),
        keys_url=url_for("organizations.rotate_key", organization_id=organization_id),
    )
    return no_store(make_response(body, status))
