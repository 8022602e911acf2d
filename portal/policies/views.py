"""The policies of an organization: all of them, one of them, what a change does, and the change."""

import uuid
from typing import Any
from urllib.parse import urlencode

from flask import abort, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from portal.accounts import asked
from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.domain.plans import Feature
from portal.domain.policies import PolicyKind, exemption
from portal.extensions import db
from portal.members import conditions
from portal.organizations import messages
from portal.policies import holding, queries, service, session_views, words
from portal.policies.blueprint import ALL, ONE, bp
from portal.policies.forms import PolicyForm, form_of
from portal.policies.queries import Stored
from portal.policies.service import Look, Wanted
from portal.web import fragments, notices
from portal.web.access import actor, can, requires


@bp.get(ALL)
@requires(Permission.POLICIES_READ, feature=Feature.POLICIES)
def index(organization_id: uuid.UUID) -> str:
    """Every policy and whether it is on."""
    found = queries.stored(db.session(), organization_id, service.OFFERED)
    ours = [_row(organization_id, each) for each in found.values() if not each.kind.by_client]
    theirs = [_row(organization_id, each) for each in found.values() if each.kind.by_client]
    return render_template("policies/index.html", ours=ours, theirs=theirs)


def _row(organization_id: uuid.UUID, policy: Stored) -> dict[str, Any]:
    return {
        "label": _(policy.kind.label),
        "about": _(policy.kind.about),
        "url": _url("policy", organization_id, policy.kind),
        "is_on": policy.is_on,
        "details": words.details(policy.data) if policy.is_on else [],
    }


@bp.get(ONE)
@requires(Permission.POLICIES_READ, feature=Feature.POLICIES)
def policy(organization_id: uuid.UUID, kind: str) -> Response:
    """One policy, to be changed by whoever may, else to be read."""
    known = _kind(kind)
    stored = queries.stored(db.session(), organization_id, service.OFFERED)
    form = form_of(known)(formdata=None)
    form.show(stored[known])
    return _form_page(form, organization_id, known)


@bp.get(f"{ONE}/preview")
@requires(Permission.POLICIES_MANAGE, feature=Feature.POLICIES)
def preview(organization_id: uuid.UUID, kind: str) -> Response:
    """What saving would do to whom. Nothing is changed yet; the address holds what was chosen."""
    known = _kind(kind)
    form = form_of(known)(formdata=request.args)
    try:
        wanted = form.wanted()
        look = service.look(db.session(), actor(), organization_id, known, wanted)
    except RuleError as error:
        return _refused(form, organization_id, known, error)
    if not wanted.differs_from(look.stored):
        return fragments.done(_url("policy", organization_id, known))
    return _preview_page(organization_id, known, form, wanted, look)


@bp.post(ONE)
@requires(Permission.POLICIES_MANAGE, feature=Feature.POLICIES)
def save(organization_id: uuid.UUID, kind: str) -> Response:
    """Do it, if it would still do what was looked at."""
    known, form = _kind(kind), form_of(_kind(kind))()
    try:
        wanted = form.wanted()
        seen = request.form.get("digest", "")
        service.save(db.session(), actor(), organization_id, known, wanted, seen=seen)
    except service.Moved as error:
        db.session.rollback()
        try:
            look = service.look(db.session(), actor(), organization_id, known, wanted)
        except RuleError as again:
            return _refused(form, organization_id, known, again)
        return _preview_page(organization_id, known, form, wanted, look, error)
    except RuleError as error:
        db.session.rollback()
        return _refused(form, organization_id, known, error)
    told = _("The policy “%(policy)s” is saved.", policy=_(known.label))
    saved = notices.add(told)
    db.session.commit()
    return fragments.done(_url("index", organization_id), saved)


def _kind(text: str) -> PolicyKind:
    known = {kind.value: kind for kind in service.OFFERED}
    if text not in known:
        abort(404)
    return known[text]


def _url(endpoint: str, organization_id: uuid.UUID, kind: PolicyKind | None = None) -> str:
    named: dict[str, Any] = {"kind": kind.value} if kind else {}
    return url_for(f"policies.{endpoint}", organization_id=organization_id, **named)


def _refused(
    form: PolicyForm, organization_id: uuid.UUID, kind: PolicyKind, error: RuleError
) -> Response:
    """The form again with everything typed; after somebody else's change with both."""
    form.blame(words.refusal(error))
    if not isinstance(error, service.Changed):
        return _form_page(form, organization_id, kind, 422)
    return _form_page(form, organization_id, kind, 409)


def _form_page(
    form: PolicyForm, organization_id: uuid.UUID, kind: PolicyKind, status: int = 200
) -> Response:
    stored = queries.stored(db.session(), organization_id, service.OFFERED)
    theirs = []
    if status == 409:
        theirs = words.facts(stored[kind].is_on, stored[kind].data)
        form["version"].data = str(stored[kind].version)
    body = render_template(
        "policies/policy.html",
        form=form,
        label=_(kind.label),
        about=_(kind.about),
        who=_(exemption(kind)),
        note=words.note(kind),
        needs=words.needed_words(kind, stored),
        facts=words.facts(stored[kind].is_on, stored[kind].data),
        theirs=theirs,
        edits=can(Permission.POLICIES_MANAGE),
        url=_url("policy", organization_id, kind),
        back_url=_url("index", organization_id),
    )
    return make_response(body, status)


def _preview_page(
    organization_id: uuid.UUID,
    kind: PolicyKind,
    form: PolicyForm,
    wanted: Wanted,
    look: Look,
    error: RuleError | None = None,
) -> Response:
    rows = words.touched(kind, look)
    page, before, after = words.page_of(rows, request.args.get("start", 0, type=int))
    fields = _fields(form)
    here = _url("preview", organization_id, kind)

    def beside(start: int | None) -> str | None:
        if start is None:
            return None
        query = [*fields, ("start", str(start))] if start else fields
        return f"{here}?{urlencode(query)}"

    body = render_template(
        "policies/preview.html",
        title=words.title(kind, look.stored, wanted),
        error=words.refusal_text(error) if error else "",
        facts=words.facts(wanted.is_on, wanted.data),
        counts=words.counts(look),
        rows=page,
        previous_url=beside(before),
        next_url=beside(after),
        label=_(kind.label),
        revokes=any(row.warns for row in rows),
        turned_off=words.turned_off(kind) if look.stored.is_on and not wanted.is_on else "",
        fields=[*fields, ("digest", look.digest)],
        url=_url("policy", organization_id, kind),
    )
    return make_response(body, 409 if error else 200)


def _fields(form: PolicyForm) -> list[tuple[str, str]]:
    """What was chosen, as (name, value) of a form that says the same."""
    kept: MultiDict[str, Any] = request.form if request.method == "POST" else request.args
    names = ["version", "is_on", *form.own_fields]
    return [(name, value) for name in names for value in kept.getlist(name)]


def init_policies() -> None:
    """Let policies be kept where they bite: at the door, and at people's own accounts."""
    conditions.CHECKS[:] = [holding.check_entry]
    asked.SECOND_FACTOR[:] = [holding.names_asking_second_factor]
    asked.PASSWORD[:] = [holding.demands]
    asked.NEW_ACCOUNT[:] = [holding.check_new_account]
    asked.NEW_PASSWORD[:] = [holding.demands_of]
    messages.MESSAGES[:] = [session_views.message]
