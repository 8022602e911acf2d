"""One client and its baseline: how it differs, what of it is accepted, why and until when."""

import datetime as dt
import uuid
from typing import Any

from flask import Response, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.baselines import queries, service
from portal.baselines.blueprint import CLIENT, bp, find_client
from portal.baselines.forms import DeviationForm
from portal.configuration import words
from portal.domain import baselines as rules
from portal.domain.access import Permission
from portal.domain.baselines import Difference
from portal.domain.configuration import COLLECTIONS, pointer
from portal.domain.errors import RuleError
from portal.domain.plans import Feature
from portal.extensions import db
from portal.web import fragments, notices
from portal.web.access import actor, can, requires
from portal.web.formats import day, moment


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


@bp.get(CLIENT)
@requires(Permission.BASELINES_READ)
def client(provider_id: uuid.UUID, organization_id: uuid.UUID) -> str:
    """Its baseline, and each difference from it."""
    found = find_client(organization_id)
    differences = _differences(provider_id, found)
    here: dict[str, Any] = {"provider_id": provider_id, "organization_id": organization_id}
    baseline_url = None
    if found.baseline_id:
        baseline_url = url_for(
            "baselines.baseline", provider_id=provider_id, baseline_id=found.baseline_id
        )
    missing = [each for each in differences if _is_missing_collection(each)]
    return render_template(
        "baselines/client.html",
        client=found,
        baselines=[
            (str(row.id), row.name) for row in queries.baselines(db.session(), actor().scope)
        ],
        baseline_url=baseline_url,
        applied_at=moment(found.applied_at) if found.applied_at else "",
        drift=[_row(each, here) for each in differences if not each.accepted and not each.waits],
        accepted=[_row(each, here) for each in differences if each.accepted],
        skips_policies=not found.plan.has(Feature.POLICIES),
        finish_url=url_for("baselines.finish", organization_id=organization_id) if missing else "",
        missing=len(missing),
        edits=can(Permission.BASELINES_MANAGE),
        apply_url=url_for("clients.prepare_change", provider_id=provider_id),
        new_url=url_for("baselines.new", provider_id=provider_id, client=organization_id),
        back_url=url_for("clients.manage", **here),
    )


def _differences(provider_id: uuid.UUID, found: Any) -> list[Difference]:
    watched = queries.watched(db.session(), provider_id, [found], _today())
    return watched.get(found.id, [])


def _is_missing_collection(each: Difference) -> bool:
    return each.change.section == COLLECTIONS and each.accepted is None


def _row(each: Difference, here: dict[str, Any]) -> dict[str, Any]:
    (shown,) = words.changes([each.change])
    told = each.accepted or each.lapsed
    path = pointer(each.change.path)
    return {
        "shown": shown,
        "accept_url": url_for("baselines.deviation", **here, path=path),
        "withdraw_url": url_for("baselines.withdraw", **here),
        "path": path,
        "reason": told.reason if told else "",
        "owner": told.owner if told else "",
        "ends_on": day(told.ends_on) if told else "",
        "is_over": bool(each.lapsed and each.lapsed.ends_on < _today()),
        "has_changed": bool(each.lapsed and each.lapsed.ends_on >= _today()),
    }


def _chosen(provider_id: uuid.UUID, organization_id: uuid.UUID) -> tuple[Any, Difference | None]:
    """The client, and the difference that the address names; None where there is none any more."""
    found = find_client(organization_id)
    path = request.args.get("path", "")
    known = {pointer(each.change.path): each for each in _differences(provider_id, found)}
    return found, known.get(path)


@bp.get(f"{CLIENT}/deviation")
@requires(Permission.BASELINES_MANAGE)
def deviation(provider_id: uuid.UUID, organization_id: uuid.UUID) -> AnyResponse:
    """One difference, to be accepted with a reason and a last day."""
    found, each = _chosen(provider_id, organization_id)
    if each is None:
        return _back(provider_id, organization_id, "")
    told = each.accepted or each.lapsed
    values = {"reason": told.reason, "owner": told.owner} if told else {"owner": actor().name}
    return _deviation_page(found, each, DeviationForm(formdata=None, data=values))


@bp.post(f"{CLIENT}/deviation")
@requires(Permission.BASELINES_MANAGE)
def accept(provider_id: uuid.UUID, organization_id: uuid.UUID) -> AnyResponse:
    """Accept the value that the page showed, and no other."""
    found, each = _chosen(provider_id, organization_id)
    if each is None:
        return _back(provider_id, organization_id, "")
    form = DeviationForm()
    if request.form.get("seen") != _seal(each):
        return _deviation_page(found, each, form, 409)
    try:
        wanted = rules.check_deviation(
            each.change,
            reason=form["reason"].data or "",
            owner=form["owner"].data or "",
            ends_on=form.last_day,
            today=_today(),
        )
        service.accept(db.session(), actor(), organization_id, wanted)
    except RuleError as error:
        db.session.rollback()
        form["ends_on"].errors = []
        form.blame(error)
        return _deviation_page(found, each, form, 422)
    saved = notices.add(_("The deviation is accepted and stays watched."))
    db.session.commit()
    return _back(provider_id, organization_id, saved)


@bp.post(f"{CLIENT}/deviation/withdraw")
@requires(Permission.BASELINES_MANAGE)
def withdraw(provider_id: uuid.UUID, organization_id: uuid.UUID) -> AnyResponse:
    """Accept it no longer."""
    find_client(organization_id)
    path = request.form.get("path", "")
    saved = ""
    if service.withdraw(db.session(), actor(), organization_id, path):
        saved = notices.add(_("The deviation counts as drift again."))
    db.session.commit()
    return _back(provider_id, organization_id, saved)


def _back(provider_id: uuid.UUID, organization_id: uuid.UUID, saved: str) -> AnyResponse:
    url = url_for("baselines.client", provider_id=provider_id, organization_id=organization_id)
    return fragments.done(url, saved)


def _seal(each: Difference) -> str:
    """Says which two values were seen."""
    return service.path_hash(f"{each.change.before!r} {each.change.after!r}")


def _deviation_page(
    found: Any, each: Difference, form: DeviationForm, status: int = 200
) -> Response:
    here: dict[str, Any] = {"provider_id": actor().provider_id, "organization_id": found.id}
    body = render_template(
        "baselines/deviation.html",
        client=found,
        row=_row(each, here),
        form=form,
        seen=_seal(each),
        has_moved=status == 409,
        back_url=url_for("baselines.client", **here),
    )
    return make_response(body, status)
