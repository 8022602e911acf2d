"""Existing organization: one's own, or one whose owner says yes to a mailed request."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from flask import current_app, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.accounts.freshness import fresh
from portal.accounts.limits import limited
from portal.clients import link_queries, linking
from portal.clients.blueprint import bp
from portal.clients.change_forms import AskOwnerForm
from portal.clients.linking import WrappedKey
from portal.clients.summary import seats_of
from portal.crypto.fingerprint import fingerprint_phrase
from portal.crypto.tokens import LinkSigner
from portal.domain.access import Actor, Permission, Role
from portal.domain.emails import check_email, shown
from portal.domain.errors import Changed, RuleError
from portal.domain.periods import Period, running_period
from portal.extensions import db
from portal.web import notices
from portal.web.access import actor, requires, signed_in
from portal.web.formats import day
from portal.web.fragments import done
from portal.web.keyring import AccountKey, KeyRing, OrganizationKey
from portal.web.logs import trace
from portal.web.session import no_store
from portal.web.source import source

ASKING = (("20 per hour", source),)


@dataclass(frozen=True)
class Asked:
    """A request as the list shows it."""

    email: str
    on: str
    state: str


@bp.get("/providers/<uuid:provider_id>/clients/existing")
@requires(Permission.CLIENTS_LINK)
def existing(provider_id: uuid.UUID) -> Response:
    """The person's own organizations that can be linked, and the question to another owner."""
    return _list_page(provider_id, AskOwnerForm(formdata=None))


@bp.post("/providers/<uuid:provider_id>/clients/existing")
@limited(ASKING)
@requires(Permission.CLIENTS_LINK)
def ask_owner(provider_id: uuid.UUID) -> Response:
    """Mail the question; the answer is the same whether an owner reads mail there."""
    form = AskOwnerForm()
    if form.validate():
        email = check_email(form.email.data or "", field="email")
        try:
            locale = get_locale()
            linking.ask(db.session(), actor(), email, locale.language if locale else "en")
        except RuleError as error:
            form.blame(error)
        else:
            told = _(
                "If %(address)s owns an organization without a provider, an e-mail is on its way.",
                address=shown(email),
            )
            saved = notices.add(told)
            db.session.commit()
            return done(url_for("clients.existing", provider_id=provider_id), saved)
    db.session.rollback()
    return _list_page(provider_id, form, 422)


@bp.get("/providers/<uuid:provider_id>/clients/existing/<uuid:candidate>")
@requires(Permission.CLIENTS_LINK)
@fresh
def link(provider_id: uuid.UUID, candidate: uuid.UUID) -> Response:
    """What changes for an organization of one's own."""
    found = link_queries.own_organization(db.session(), current_user.account_id, candidate)
    if found is None:
        return done(url_for("clients.existing", provider_id=provider_id))
    back_url = url_for("clients.existing", provider_id=provider_id)
    return _confirm_page("clients/link.html", provider_id, found, back_url=back_url)


@bp.post("/providers/<uuid:provider_id>/clients/existing/<uuid:candidate>")
@requires(Permission.CLIENTS_LINK)
@fresh
def link_submit(provider_id: uuid.UUID, candidate: uuid.UUID) -> Response:
    """Link it, with the key that the browser wrapped for the provider."""
    found = link_queries.own_organization(db.session(), current_user.account_id, candidate)
    if found is None:
        raise Changed
    _check_version(found)
    linking.link(db.session(), actor(), provider_id, found, _key())
    saved = notices.add(_("%(client)s is your client now.", client=found.name))
    db.session.commit()
    url = url_for("clients.manage", provider_id=provider_id, organization_id=candidate)
    return done(url, saved)


@bp.get("/link-requests/<token>")
@signed_in
@fresh
def link_request(token: str) -> Response:
    """The question as its addressee finds it; opening it changes nothing."""
    asked = _open_request(token)
    if asked is None or asked.email != current_user.email:
        status = 410 if asked is None else 403
        return _render("clients/link_over.html", status, asked=asked)
    if weak := _step_up(token):
        return weak
    own = link_queries.own_organizations(db.session(), current_user.account_id)
    chosen = [row for row in own if str(row.id) == request.args.get("organization")] or own
    if len(chosen) != 1:
        return _render("clients/link_choose.html", 200, asked=asked, organizations=own, token=token)
    return _confirm_page(
        "clients/link_asked.html", asked.provider_id, chosen[0], asked=asked, token=token
    )


@bp.post("/link-requests/<token>")
@signed_in
@fresh
def answer_request(token: str) -> Response:
    """Yes, with the key that the owner's browser wrapped; or no."""
    asked = _open_request(token)
    if asked is None or asked.email != current_user.email:
        return redirect(url_for("clients.link_request", token=token), 303)
    if weak := _step_up(token):
        return weak
    own = link_queries.own_organizations(db.session(), current_user.account_id)
    if request.form.get("answer") == "no":
        linking.decline(db.session(), _owner(), asked)
        saved = notices.add(_("You have declined. Nothing has changed."))
        db.session.commit()
        here = {"organization_id": own[0].id} if own else {}
        return done(url_for("collections.index" if own else "accounts.profile", **here), saved)
    chosen = [row for row in own if str(row.id) == request.form.get("organization")]
    if not chosen:
        raise Changed
    _check_version(chosen[0])
    linking.accept(db.session(), _owner(), asked, chosen[0], _key())
    told = _(
        "%(provider)s looks after %(organization)s now.",
        provider=asked.provider,
        organization=chosen[0].name,
    )
    saved = notices.add(told)
    db.session.commit()
    return done(url_for("collections.index", organization_id=chosen[0].id), saved)


def _check_version(organization: Any) -> None:
    """The browser wrapped the key that its page had; it may have been rotated since."""
    if request.form.get("version", str(organization.version)) != str(organization.version):
        raise Changed


def _key() -> WrappedKey:
    return WrappedKey(request.form.get("wrapped_key", ""), request.form.get("public_key", ""))


def _open_request(token: str) -> Any | None:
    keys = current_app.extensions["settings"].secret_keys
    pointed = LinkSigner(keys, linking.PURPOSE).read(token)
    if pointed is None:
        return None
    asked = link_queries.request(db.session(), pointed.tenant_id, pointed.row_id)
    return (
        asked if asked and not asked.answer and asked.expires_at > dt.datetime.now(dt.UTC) else None
    )


def _step_up(token: str) -> Response | None:
    """Whoever holds the mailbox alone cannot give an organization away."""
    if current_user.second_factor or current_user.method != "code":
        return None
    here = url_for("clients.link_request", token=token)
    return redirect(url_for("accounts.step_up", next=here), 303)


def _owner() -> Actor:
    """The owner as the one who acts, outside of any tenant's page."""
    return Actor(
        account_id=current_user.account_id,
        session_id=current_user.session_id,
        name=current_user.name,
        email=current_user.email,
        role=Role.OWNER,
        permissions=frozenset(),
        second_factor=current_user.second_factor,
        trace=trace(),
    )


def _list_page(provider_id: uuid.UUID, form: AskOwnerForm, status: int = 200) -> Response:
    own = link_queries.own_organizations(db.session(), current_user.account_id)
    asked = link_queries.open_requests(db.session(), provider_id)
    return _render(
        "clients/existing.html",
        status,
        form=form,
        provider_id=provider_id,
        organizations=[(row, seats_of(row.plan, row.seats)) for row in own],
        requests=[Asked(shown(row.email), day(row.created_at), _state(row)) for row in asked],
        back_url=url_for("clients.index", provider_id=provider_id),
    )


def _state(row: Any) -> str:
    if row.answer:
        return str(_("Linked") if row.answer == "yes" else _("Declined"))
    return str(
        _("Expired") if row.expires_at <= dt.datetime.now(dt.UTC) else _("Waiting for an answer")
    )


def _confirm_page(
    template: str, provider_id: uuid.UUID, organization: Any, **context: Any
) -> Response:
    provider = link_queries.provider(db.session(), provider_id)
    ring = KeyRing(
        account=AccountKey(current_user.account_id, current_user.public_key),
        organization=OrganizationKey(
            organization.id, organization.wrapped_organization_key, "account"
        ),
    )
    phrase = (
        fingerprint_phrase(str(provider.id), provider.public_key) if provider.public_key else ""
    )
    return _render(
        template,
        200,
        provider=provider,
        organization=organization,
        phrase=phrase,
        key_ring=ring,
        facts=[
            (_("Plan"), seats_of(organization.plan, organization.seats)),
            (_("Billed by the provider from"), day(_billed_from(organization))),
            (_("Billing e-mail"), provider.billing_email or organization.billing_email),
        ],
        here=request.path,
        **context,
    )


def _billed_from(organization: Any) -> dt.date:
    period = Period(organization.period_start, organization.period_end)
    today = dt.datetime.now(dt.UTC).date()
    return running_period(period, organization.cadence.months, today).end


def _render(template: str, status: int, **context: Any) -> Response:
    return no_store(make_response(render_template(template, **context), status))
