"""The link in the member's mail: it stops a recovery, without signing in.

GET and HEAD change nothing, because mail scanners open every link first.
"""

from flask import current_app, make_response, render_template
from werkzeug.wrappers import Response

from portal.accounts.limits import limited
from portal.crypto.tokens import Link, LinkSigner
from portal.domain.errors import RuleError
from portal.extensions import db
from portal.recovery import queries, service, words
from portal.recovery.blueprint import bp
from portal.web.access import public
from portal.web.logs import trace
from portal.web.session import no_store
from portal.web.source import source

# The worker signs with it when it sends the mail; the link is kept nowhere.
PURPOSE = "account-recovery-stop"
ANSWERING = (("20 per minute", source),)


@bp.get("/account-recovery/<token>")
@public
def stop_by_mail(token: str) -> Response:
    """What is asked for, and the button that stops it."""
    return _answer(_link(token), token)


@bp.post("/account-recovery/<token>")
@public
@limited(ANSWERING)
def stop_by_mail_submit(token: str) -> Response:
    """Stop it."""
    link = _link(token)
    if link is None:
        return _answer(None, token)
    try:
        service.stop_by_mail(db.session(), link.tenant_id, link.row_id, trace=trace())
    except RuleError:
        db.session.rollback()
        return _answer(link, token)
    db.session.commit()
    return _answer(link, token, is_stopped=True)


def _link(token: str) -> Link | None:
    return LinkSigner(current_app.extensions["settings"].secret_keys, PURPOSE).read(token)


def _answer(link: Link | None, token: str, *, is_stopped: bool = False) -> Response:
    row, place = None, ""
    if link is not None:
        found = queries.request(db.session(), link.tenant_id, link.row_id)
        row = words.row_of(found) if found else None
        place = queries.name(db.session(), link.tenant_id) or ""
    is_open = row is not None and row.is_open
    body = render_template(
        "recovery/stop.html",
        row=row if is_open else None,
        organization=place,
        token=token,
        is_stopped=is_stopped,
        was_stopped=row is not None and row.stage.value == "stopped",
    )
    return no_store(make_response(body, 200 if is_open or is_stopped else 410))
