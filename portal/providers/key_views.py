"""The provider key: made once, printed for the worst day, restored on it."""

import datetime as dt
import uuid
from collections.abc import Callable

from flask import (
    Response,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.freshness import fresh, refuse_stale
from portal.crypto.fingerprint import fingerprint_phrase
from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.extensions import db
from portal.providers import queries, rotation, service, waiting
from portal.providers.blueprint import bp
from portal.providers.context import waiting_here
from portal.providers.forms import MakeKeysForm, RestoreForm, SheetForm
from portal.providers.key_state import KeyState, key_state
from portal.web import fragments, notices
from portal.web.access import actor, requires
from portal.web.formats import number
from portal.web.forms import Form
from portal.web.keyring import AccountKey, KeyRing, ProviderKeys
from portal.web.session import no_store

# The page makes a new code each time: whoever comes back from the printer must not need another.
PRINTING = dt.timedelta(hours=1)


@bp.get("/providers/<uuid:provider_id>/keys")
@requires(Permission.PROVIDER_KEYS)
def keys(provider_id: uuid.UUID) -> str:
    """How the provider stands with its keys, and what can be done."""
    found = queries.keys(db.session(), provider_id)
    phrase = fingerprint_phrase(str(provider_id), found.public_key) if found.public_key else ""
    outstanding = waiting_here()
    return render_template(
        "providers/keys.html",
        outstanding=outstanding,
        client_keys=[
            _("Keys that wait to be handed over: %(count)s", count=_few(outstanding.keys)),
            _("Keys that can be rotated: %(count)s", count=_few(outstanding.due)),
        ],
        state=key_state(db.session(), current_user.place),
        under_way=rotation.under_way(db.session(), provider_id),
        found=found,
        phrase=phrase,
        holders=queries.key_holders(db.session(), provider_id),
    )


def _few(count: int) -> str:
    """A number that was not counted to its end."""
    if count < waiting.FEW:
        return number(count)
    return str(_("%(count)s or more", count=number(count)))


@bp.get("/providers/<uuid:provider_id>/keys/make")
@requires(Permission.PROVIDER_KEYS)
@fresh
def keys_make(provider_id: uuid.UUID) -> AnyResponse:
    """The page whose unlocked browser makes the provider key."""
    if current_user.place.provider_public_key:
        return redirect(url_for("providers.keys", provider_id=provider_id), 303)
    return _page("providers/make_keys.html", MakeKeysForm())


@bp.post("/providers/<uuid:provider_id>/keys/make")
@requires(Permission.PROVIDER_KEYS)
@fresh
def keys_make_submit(provider_id: uuid.UUID) -> AnyResponse:
    """Store the keys that the browser made; then offer the sheet."""
    form = MakeKeysForm()
    answers = {name: value or "" for name, value in form.answers().items()}
    return _change(
        form,
        "providers/make_keys.html",
        lambda: service.store_keys(db.session(), actor(), service.ProviderKeys(**answers)),
        _("The provider key is made. Print a recovery sheet now."),
        url_for("providers.keys_recovery_sheet", provider_id=provider_id),
    )


@bp.get("/providers/<uuid:provider_id>/keys/recovery-sheet")
@requires(Permission.PROVIDER_KEYS)
@fresh
def keys_recovery_sheet(provider_id: uuid.UUID) -> AnyResponse:
    """The sheet with a code that the browser makes, to be printed."""
    if not current_user.place.wrapped_provider_key:
        return redirect(url_for("providers.keys", provider_id=provider_id), 303)
    form = SheetForm(provider_public_key=current_user.place.provider_public_key)
    return _page("providers/recovery_sheet.html", form)


@bp.post("/providers/<uuid:provider_id>/keys/recovery-sheet")
@requires(Permission.PROVIDER_KEYS)
def keys_recovery_sheet_submit(provider_id: uuid.UUID) -> AnyResponse:
    """Store what the printed code opens."""
    if stale := refuse_stale(request.path, PRINTING):
        return stale
    form = SheetForm()
    wrapped = form.recovery_wrapped_key.data or ""
    return _change(
        form,
        "providers/recovery_sheet.html",
        lambda: service.save_recovery_sheet(
            db.session(), actor(), wrapped, public_key=form.provider_public_key.data or ""
        ),
        _("The recovery sheet counts from now on. Earlier sheets open nothing."),
        url_for("providers.keys", provider_id=provider_id),
    )


@bp.get("/providers/<uuid:provider_id>/keys/restore")
@requires(Permission.PROVIDER_KEYS)
@fresh
def keys_restore(provider_id: uuid.UUID) -> AnyResponse:
    """Type the code of a sheet to hold the provider key again."""
    if key_state(db.session(), current_user.place) is not KeyState.NOT_HELD:
        return redirect(url_for("providers.keys", provider_id=provider_id), 303)
    return _page("providers/restore_keys.html", RestoreForm())


@bp.post("/providers/<uuid:provider_id>/keys/restore")
@requires(Permission.PROVIDER_KEYS)
@fresh
def keys_restore_submit(provider_id: uuid.UUID) -> AnyResponse:
    """Store the provider key for this person's public key."""
    form = RestoreForm()
    wrapped = form.wrapped_provider_key.data or ""
    return _change(
        form,
        "providers/restore_keys.html",
        lambda: service.restore_key(db.session(), actor(), wrapped),
        _("You hold the provider key again."),
        url_for("providers.keys", provider_id=provider_id),
    )


def _change(form: Form, page: str, change: Callable[[], None], said: str, url: str) -> AnyResponse:
    """Do it and go on to `url`; a refusal is shown above the form, and nothing is kept."""
    if not current_user.has_keys:
        abort(409)
    try:
        change()
    except RuleError as error:
        db.session.rollback()
        form.blame(error)
        return _page(page, form, status=422)
    saved = notices.add(said)
    db.session.commit()
    return fragments.done(url, saved)


def _page(page: str, form: Form, status: int = 200) -> Response:
    provider_id = current_user.place.provider_id
    found = queries.keys(db.session(), provider_id)
    wrapped = current_user.place.wrapped_provider_key
    ring = KeyRing(
        account=AccountKey(current_user.account_id, current_user.public_key),
        provider=ProviderKeys(provider_id, wrapped, found.protected_private_key, found.public_key),
    )
    phrase = fingerprint_phrase(str(provider_id), found.public_key) if found.public_key else ""
    body = render_template(
        page,
        form=form,
        found=found,
        key_ring=ring,
        phrase=phrase,
        base_url=current_app.extensions["settings"].base_url,
    )
    return no_store(make_response(body, status))
