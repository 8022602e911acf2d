"""Settings → Configuration: the client as a file, and a file as a plan."""

import json
import uuid

from flask import Response, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from portal.configuration import queries, service, text, words
from portal.configuration.blueprint import PAGE, bp
from portal.configuration.sending import sent_text
from portal.configuration.service import Look
from portal.domain.access import Permission
from portal.domain.configuration import Configuration
from portal.domain.configuration_files import BadFile, Rules, write_tree
from portal.domain.errors import RuleError
from portal.extensions import db
from portal.policies.service import OFFERED
from portal.web import fragments, notices
from portal.web.access import actor, requires
from portal.web.formats import number

RULES = Rules(policies=OFFERED)


@bp.get(PAGE)
@requires(Permission.ORGANIZATION_SETTINGS)
def index(organization_id: uuid.UUID) -> Response:
    """The file as it is now, and the form that takes another one."""
    return _page(organization_id)


@bp.get(f"{PAGE}/file")
@requires(Permission.ORGANIZATION_SETTINGS)
def export(organization_id: uuid.UUID) -> Response:
    """The client's configuration as a file to keep."""
    response = Response(_export(organization_id), mimetype="application/yaml")
    response.headers["Content-Disposition"] = 'attachment; filename="configuration.yaml"'
    return response


@bp.post(f"{PAGE}/plan")
@requires(Permission.ORGANIZATION_SETTINGS)
def plan(organization_id: uuid.UUID) -> Response:
    """What a file would change. Nothing is changed yet."""
    typed = ""
    try:
        typed = sent_text()
        look = service.look(db.session(), actor(), organization_id, _read(typed))
    except RuleError as error:
        return _page(organization_id, typed, error)
    return _plan_page(organization_id, look)


@bp.post(PAGE)
@requires(Permission.ORGANIZATION_SETTINGS)
def apply(organization_id: uuid.UUID) -> AnyResponse:
    """Make the changes, if they are still those that were shown."""
    typed, seen = request.form.get("text", ""), request.form.get("digest", "")
    try:
        wanted = _read(typed)
        typed = text.write(write_tree(wanted))
        look = service.apply_file(db.session(), actor(), organization_id, wanted, seen=seen)
    except service.Moved as error:
        db.session.rollback()
        return _again(organization_id, wanted, error)
    except RuleError as error:
        db.session.rollback()
        return _page(organization_id, typed, error)
    count = len(look.changes)
    told = ngettext(
        "%(count)s change is made.", "%(count)s changes are made.", count, count=number(count)
    )
    saved = notices.add(told if count else _("There was nothing to change."))
    db.session.commit()
    return fragments.done(url_for("configuration.index", organization_id=organization_id), saved)


def _again(organization_id: uuid.UUID, wanted: Configuration, error: RuleError) -> Response:
    """The plan as it would be now, for whoever looked at another one."""
    try:
        look = service.look(db.session(), actor(), organization_id, wanted)
    except RuleError as other:
        return _page(organization_id, text.write(write_tree(wanted)), other)
    return _plan_page(organization_id, look, error)


def _read(typed: str) -> Configuration:
    return text.read(typed, RULES)


def _export(organization_id: uuid.UUID) -> str:
    found = queries.present(db.session(), organization_id)
    return text.write(write_tree(found.configuration))


def _page(organization_id: uuid.UUID, typed: str = "", error: RuleError | None = None) -> Response:
    body = render_template(
        "configuration/index.html",
        present=_export(organization_id),
        typed=typed,
        mistakes=words.mistakes(error) if error else [],
        is_file=isinstance(error, BadFile),
        file_url=url_for("configuration.export", organization_id=organization_id),
        plan_url=url_for("configuration.plan", organization_id=organization_id),
    )
    return make_response(body, 422 if error else 200)


def _plan_page(organization_id: uuid.UUID, look: Look, error: RuleError | None = None) -> Response:
    body = render_template(
        "configuration/plan.html",
        problem=words.refusal(error) if error else "",
        changes=words.changes(look.changes),
        waiting=words.changes(look.waiting),
        skips_policies=look.skips_policies,
        people=words.people(look),
        revoked=len(look.revoked),
        # On one line, because not every browser keeps the lines of a hidden field.
        text=json.dumps(write_tree(look.said), ensure_ascii=False),
        digest=look.digest,
        url=url_for("configuration.apply", organization_id=organization_id),
        back_url=url_for("configuration.index", organization_id=organization_id),
    )
    return make_response(body, 409 if error else 200)
