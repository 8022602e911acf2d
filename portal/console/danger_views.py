"""Settings → Organization, its last part: deleting the organization."""

import datetime as dt
import uuid
from typing import Any

from flask import current_app, g, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.accounts.freshness import fresh
from portal.accounts.limits import limited
from portal.console import deletion, queries
from portal.console.blueprint import bp
from portal.console.forms import DeleteForm
from portal.crypto.tokens import LinkSigner
from portal.domain.access import Permission
from portal.domain.emails import shown
from portal.domain.errors import RuleError
from portal.extensions import db
from portal.outbox.queries import mail_states
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.formats import day
from portal.web.forms import sentence
from portal.web.fragments import done
from portal.web.languages import language

SETTINGS = "/organizations/<uuid:organization_id>/settings"
PAGE = f"{SETTINGS}/delete"


def _asker() -> str:
    return f"account:{current_user.account_id if current_user.is_authenticated else ''}"


ASKING = (("5 per hour", _asker),)


@bp.get(PAGE)
@requires(Permission.ORGANIZATION_DELETE)
@fresh
def delete(organization_id: uuid.UUID) -> Response:
    """What is lost and what is kept; the name must be typed. Or the link that is open."""
    found = queries.settings(db.session(), organization_id)
    return _page(found, DeleteForm(found.name))


@bp.post(PAGE)
@requires(Permission.ORGANIZATION_DELETE)
@fresh
@limited(ASKING)
def ask_to_delete(organization_id: uuid.UUID) -> Response:
    """Mail the link; nothing is deleted yet."""
    found = queries.settings(db.session(), organization_id)
    form = DeleteForm(found.name)
    if not form.validate():
        return _page(found, form, 422)
    deletion.ask(db.session(), actor(), language())
    saved = notices.add(
        _("Open the link that was sent to %(address)s.", address=shown(current_user.email))
    )
    db.session.commit()
    return done(url_for("console.delete", organization_id=organization_id), saved)


@bp.post(f"{PAGE}/cancel")
@requires(Permission.ORGANIZATION_DELETE)
def cancel_deletion(organization_id: uuid.UUID) -> Response:
    """The link opens nothing any more; over already is over."""
    saved = ""
    if deletion.cancel(db.session(), actor(), _id(request.form.get("request", ""))):
        saved = notices.add(_("The organization is not deleted. The link opens nothing any more."))
    db.session.commit()
    return done(url_for("console.index", organization_id=organization_id), saved)


@bp.get(f"{PAGE}/<token>")
@requires(Permission.ORGANIZATION_DELETE)
@fresh
def delete_for_good(organization_id: uuid.UUID, token: str) -> Response:
    """What the mailed link leads to; its button deletes."""
    return _last(organization_id, token)


@bp.post(f"{PAGE}/<token>")
@requires(Permission.ORGANIZATION_DELETE)
@fresh
def delete_for_good_submit(organization_id: uuid.UUID, token: str) -> Response:
    """Close it now, and delete it in seven days."""
    if g.closed:
        return done(url_for("organizations.closed", organization_id=organization_id))
    request_id = _request(organization_id, token)
    if request_id is None:
        return _last(organization_id, token)
    try:
        delete_at = deletion.use(db.session(), actor(), request_id)
    except RuleError:
        db.session.rollback()
        return _last(organization_id, token)
    saved = notices.add(_("It is deleted for good on %(day)s.", day=day(delete_at)))
    db.session.commit()
    return done(url_for("organizations.closed", organization_id=organization_id), saved)


@bp.post("/organizations/<uuid:organization_id>/closed/keep")
@requires(Permission.ORGANIZATION_DELETE)
def keep(organization_id: uuid.UUID) -> Response:
    """An owner takes back what an owner decided."""
    if not deletion.keep(db.session(), actor()):
        return done(url_for("organizations.closed", organization_id=organization_id))
    saved = notices.add(_("The organization is kept."))
    db.session.commit()
    return done(url_for("console.index", organization_id=organization_id), saved)


def _id(text: str) -> uuid.UUID:
    """Nobody's for what is no id."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)


def _request(organization_id: uuid.UUID, token: str) -> uuid.UUID | None:
    """The request that a link is signed for; None for another organization's, or for no link."""
    keys = current_app.extensions["settings"].secret_keys
    link = LinkSigner(keys, deletion.PURPOSE).read(token)
    return link.row_id if link is not None and link.tenant_id == organization_id else None


def _page(found: Any, form: DeleteForm, status: int = 200) -> Response:
    open_link = queries.open_deletion(db.session(), found.id, dt.datetime.now(dt.UTC))
    mail = mail_states(db.session(), [open_link.id], deletion.LINK) if open_link else {}
    body = render_template(
        "console/delete.html",
        found=found,
        form=form,
        counted=queries.numbers(db.session(), found.id),
        has_key=queries.api_key(db.session(), found.id) is not None,
        open_link=open_link,
        mail=mail.get(open_link.id) if open_link else None,
        is_mine=open_link is not None and open_link.account_id == current_user.account_id,
        address=shown(current_user.email),
    )
    return make_response(body, status)


def _last(organization_id: uuid.UUID, token: str) -> Response:
    found = queries.settings(db.session(), organization_id)
    request_id = _request(organization_id, token)
    is_open = deletion.is_open(db.session(), actor(), request_id)
    body = render_template(
        "console/delete_for_good.html",
        found=found,
        token=token,
        counted=queries.numbers(db.session(), organization_id),
        is_open=is_open,
        over="" if is_open else sentence(RuleError(deletion.OVER).text),
    )
    return make_response(body, 200 if is_open else 410)
