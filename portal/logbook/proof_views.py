"""How a log can be proved, and the settings of logs."""

import uuid

from flask import Response, current_app, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.freshness import refuse_stale
from portal.domain.access import Permission, Role
from portal.events import signing
from portal.extensions import db
from portal.logbook import service
from portal.logbook.blueprint import bp
from portal.logbook.forms import KeepForm
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.fragments import done


@bp.get("/providers/<uuid:provider_id>/events/proof")
@requires(Permission.PROVIDER_EVENTS_READ)
def provider_events_proof(provider_id: uuid.UUID) -> Response:
    """The proof of the provider's log, and how long events are kept."""
    form = KeepForm(service.kept_months(db.session(), provider_id))
    form.choose(request.args.get("months"))
    return _provider_page(provider_id, form)


@bp.get("/organizations/<uuid:organization_id>/events/proof")
@requires(Permission.ORGANIZATION_EVENTS_READ)
def organization_events_proof(organization_id: uuid.UUID) -> Response:
    """The proof of the organization's log, and an owner's mail at each entry."""
    who = actor()
    watching = None
    if who.role is Role.OWNER and not who.via_provider:
        watching = service.is_watching(db.session(), organization_id, who.account_id)
    return _page(
        organization_id,
        log_url=url_for("logbook.organization_events", organization_id=organization_id),
        jsonl_url=url_for("logbook.organization_events_jsonl", organization_id=organization_id),
        sign_url=url_for("logbook.sign_organization", organization_id=organization_id),
        watch_url=url_for(
            "logbook.watch",
            organization_id=organization_id,
            state="off" if watching else "on",
        ),
        watching=watching,
        keep_url="",
        form=None,
    )


def _provider_page(provider_id: uuid.UUID, form: KeepForm, status: int = 200) -> Response:
    return _page(
        provider_id,
        status,
        log_url=url_for("logbook.provider_events", provider_id=provider_id),
        jsonl_url=url_for("logbook.provider_events_jsonl", provider_id=provider_id),
        sign_url=url_for("logbook.sign_provider", provider_id=provider_id),
        watch_url="",
        watching=None,
        keep_url=url_for("logbook.keep", provider_id=provider_id),
        form=form,
    )


def _page(stream_id: uuid.UUID, status: int = 200, **context: object) -> Response:
    body = render_template(
        "logbook/proof.html",
        newest=service.newest_checkpoint(db.session(), stream_id),
        fingerprint=signing.fingerprint(db.session()),
        **context,
    )
    return make_response(body, status)


@bp.post("/providers/<uuid:provider_id>/events/checkpoint")
@requires(Permission.PROVIDER_EVENTS_READ)
def sign_provider(provider_id: uuid.UUID) -> Response:
    """Sign the provider's log as it stands."""
    return _sign(provider_id, url_for("logbook.provider_events_proof", provider_id=provider_id))


@bp.post("/organizations/<uuid:organization_id>/events/checkpoint")
@requires(Permission.ORGANIZATION_EVENTS_READ)
def sign_organization(organization_id: uuid.UUID) -> Response:
    """Sign the organization's log as it stands."""
    return _sign(
        organization_id,
        url_for("logbook.organization_events_proof", organization_id=organization_id),
    )


def _sign(stream_id: uuid.UUID, url: str) -> Response:
    secret_keys = current_app.extensions["settings"].secret_keys
    signed = service.sign_now(db.session(), secret_keys, stream_id)
    if signed is None:
        text = _("The newest event is signed already.")
    else:
        text = _("The log is signed up to event %(number)s.", number=signed)
    saved = notices.add(text)
    db.session.commit()
    return done(url, saved)


@bp.post("/providers/<uuid:provider_id>/events/keep")
@requires(Permission.PROVIDER_EVENTS_READ)
def keep(provider_id: uuid.UUID) -> AnyResponse:
    """Set how long events are kept: fewer months remove what is older."""
    months = request.form.get("months", "")[:3]
    back = url_for("logbook.provider_events_proof", provider_id=provider_id, months=months)
    if stale := refuse_stale(back):
        return stale
    form = KeepForm(service.kept_months(db.session(), provider_id))
    if not form.validate():
        db.session.rollback()
        return _provider_page(provider_id, form, 422)
    changed = service.keep(db.session(), actor(), provider_id, form.chosen)
    saved = notices.add(_("Saved.") if changed else _("Nothing was changed."))
    db.session.commit()
    return done(url_for("logbook.provider_events_proof", provider_id=provider_id), saved)


@bp.post("/organizations/<uuid:organization_id>/events/watch/<any(on, off):state>")
@requires(Permission.ORGANIZATION_EVENTS_READ)
def watch(organization_id: uuid.UUID, state: str) -> Response:
    """Turn an owner's mail at each entry on or off."""
    url = url_for("logbook.organization_events_proof", organization_id=organization_id)
    service.watch(db.session(), actor(), organization_id, on=state == "on")
    on = _("You get a mail when somebody of the provider enters.")
    saved = notices.add(on if state == "on" else _("You get no mail about entries any more."))
    db.session.commit()
    return done(url, saved)
