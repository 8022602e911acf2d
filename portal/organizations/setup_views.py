"""The set-up page, and how a step of it is skipped and taken up again."""

import uuid

from flask import Response, abort, make_response, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.domain.setup_steps import NOTE_LIMIT, StepKind, StepState
from portal.events.queries import newest
from portal.extensions import db
from portal.organizations import queries, skipping, visibility
from portal.organizations.blueprint import bp
from portal.organizations.forms import SkipForm
from portal.organizations.people import rows_of
from portal.organizations.setup import HISTORY, about, history, setup_view
from portal.outbox.queries import mail_states
from portal.web import notices
from portal.web.access import actor, can, requires
from portal.web.fragments import done

HERE = "/organizations/<uuid:organization_id>/setup"


@bp.get(HERE)
@requires(Permission.MEMBERS_READ)
def setup(organization_id: uuid.UUID) -> Response:
    """The six steps, how the owner's invitation fares, and who did what."""
    found = queries.setup_facts(db.session(), organization_id)
    if found is None:
        abort(404)
    owners = queries.owners(db.session(), organization_id)
    mails = mail_states(db.session(), [owner.id for owner in owners])
    body = render_template(
        "organizations/setup.html",
        setup=setup_view(organization_id, *found, can=can),
        owners=rows_of(owners, mails),
        history=history(newest(db.session(), organization_id, HISTORY)),
        **_visibility(organization_id),
    )
    return make_response(body)


@bp.get(f"{HERE}/<step>/skip")
@requires(Permission.SETUP_SKIP)
def skip_step(organization_id: uuid.UUID, step: str) -> AnyResponse:
    """Asks for the reason, and says what skipping does."""
    kind = _kind(step)
    state = skipping.state_of(db.session(), organization_id, kind)
    if state is None or state is StepState.NOT_IN_PLAN:
        abort(404)
    if state is not StepState.OPEN:
        return done(_page(organization_id))
    return _form(SkipForm(), organization_id, kind)


@bp.post(f"{HERE}/<step>/skip")
@requires(Permission.SETUP_SKIP)
def skip_step_submit(organization_id: uuid.UUID, step: str) -> AnyResponse:
    """Leave the step out; it counts as done from now on."""
    kind, form = _kind(step), SkipForm()
    try:
        skipping.skip(db.session(), actor(), organization_id, kind, form.note.data or "")
    except RuleError as error:
        db.session.rollback()
        form.blame(error)
        return _form(form, organization_id, kind, 422)
    saved = notices.add(_("The step “%(step)s” is skipped.", step=_(kind.label)))
    db.session.commit()
    return done(_page(organization_id), saved)


@bp.post(f"{HERE}/<step>/take-up")
@requires(Permission.SETUP_SKIP)
def take_step_up(organization_id: uuid.UUID, step: str) -> AnyResponse:
    """Open a skipped step again."""
    kind, saved = _kind(step), ""
    if skipping.resume(db.session(), actor(), organization_id, kind):
        saved = notices.add(_("The step “%(step)s” is open again.", step=_(kind.label)))
        db.session.commit()
    return done(_page(organization_id), saved)


@bp.post(f"{HERE}/hide")
@requires(Permission.CLIENTS_HIDE)
def hide(organization_id: uuid.UUID) -> AnyResponse:
    """Keep the client from service users."""
    saved = ""
    if visibility.hide(db.session(), actor(), organization_id):
        saved = notices.add(_("Service users do not see this client any more."))
        db.session.commit()
    return done(_page(organization_id), saved)


@bp.post(f"{HERE}/live")
@requires(Permission.CLIENTS_HIDE)
def go_live(organization_id: uuid.UUID) -> AnyResponse:
    """Show the client to service users."""
    saved = ""
    if visibility.go_live(db.session(), actor(), organization_id):
        saved = notices.add(_("This client is live: service users see it."))
        db.session.commit()
    return done(_page(organization_id), saved)


def _visibility(organization_id: uuid.UUID) -> dict[str, object]:
    """Whether service users see the client, for those who decide it."""
    if not can(Permission.CLIENTS_HIDE):
        return {"may_hide": False, "is_hidden": False, "organization_id": organization_id}
    since = queries.hidden_since(db.session(), organization_id)
    return {
        "may_hide": True,
        "is_hidden": since is not None,
        "organization_id": organization_id,
    }


def _kind(step: str) -> StepKind:
    try:
        return StepKind(step)
    except ValueError:
        abort(404)


def _page(organization_id: uuid.UUID) -> str:
    return url_for("organizations.setup", organization_id=organization_id)


def _form(
    form: SkipForm, organization_id: uuid.UUID, kind: StepKind, status: int = 200
) -> Response:
    body = render_template(
        "organizations/skip_step.html",
        form=form,
        step=_(kind.label),
        text=about(kind),
        limit=NOTE_LIMIT,
        back_url=_page(organization_id),
    )
    return make_response(body, status)
