"""The list of members: searched, filtered, sorted, paged, and as a file."""

import uuid
from typing import Any
from urllib.parse import urlencode

from flask import Response as FlaskResponse
from flask import current_app, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.domain.access import Permission
from portal.domain.member_lists import MemberList
from portal.domain.plans import Feature
from portal.domain.states import MemberState
from portal.extensions import db
from portal.members import list_queries as queries
from portal.members.blueprint import ALL, bp
from portal.members.table import MemberTable, listed, recovery_word, second_factor_word
from portal.members.words import action_words
from portal.organizations.people import rows_of
from portal.outbox.queries import mail_states
from portal.recovery.queries import count_open
from portal.web import csv, fragments
from portal.web.access import actor, can, requires
from portal.web.paging import signer


@bp.get(ALL)
@requires(Permission.MEMBERS_READ)
def index(organization_id: uuid.UUID) -> Response:
    """Everybody who has a place, and how their invitation fares."""
    wanted = MemberList.read(request.args)
    url = url_for("members.index", organization_id=organization_id)
    signs = signer(current_app.extensions["settings"].secret_keys, "members")
    text = request.args.get("cursor", "")
    cursor = signs.read(text, sort=wanted.sort, descending=wanted.descending) if text else None
    page = queries.page(db.session(), organization_id, wanted, cursor)
    numbers = queries.numbers(db.session(), organization_id)
    groups = queries.Groups([], {})
    if numbers.plan.has(Feature.GROUPS):
        groups = queries.groups(db.session(), organization_id, [row.id for row in page.rows])
    invited = [row.id for row in page.rows if row.state is MemberState.INVITED]
    rows = rows_of(page.rows, mail_states(db.session(), invited))
    table = MemberTable(url, wanted, numbers, groups)

    def beside(place: Any) -> str | None:
        return table.address(wanted, cursor=signs.write(place)) if place else None

    return fragments.respond(
        "members/index.html",
        "members/_table.html",
        table=table,
        recoveries_url=_recoveries_url(organization_id, numbers),
        recoveries_open=_recoveries_open(organization_id, numbers),
        rows=listed(page.rows, rows, groups, actor().account_id),
        actions=action_words(),
        here=urlencode(wanted.query | ({"cursor": text} if text else {})),
        previous_url=beside(page.previous),
        next_url=beside(page.next),
        csv_url=MemberTable(f"{url}.csv", wanted, numbers, groups).address(wanted),
    )


def _recoveries_url(organization_id: uuid.UUID, numbers: queries.Numbers) -> str:
    if not numbers.plan.has(Feature.ACCOUNT_RECOVERY):
        return ""
    return url_for("recovery.index", organization_id=organization_id)


def _recoveries_open(organization_id: uuid.UUID, numbers: queries.Numbers) -> int:
    """How many recoveries wait for somebody, for who can see them."""
    if not numbers.plan.has(Feature.ACCOUNT_RECOVERY) or not can(Permission.MEMBERS_RECOVER):
        return 0
    return count_open(db.session(), organization_id)


@bp.get(f"{ALL}.csv")
@requires(Permission.MEMBERS_READ)
def as_csv(organization_id: uuid.UUID) -> FlaskResponse:
    """Everybody whom the list finds, in its order."""
    found = queries.everybody(db.session(), organization_id, MemberList.read(request.args))
    groups = queries.groups_of_all(db.session(), organization_id)
    header = [_("E-mail address"), _("Name"), _("Role"), _("State"), _("Second factor")]
    header += [_("Account recovery"), _("Groups"), _("Joined")]
    lines = [
        (
            row.email,
            row.name or "",
            _(row.role.label),
            _(row.state.label),
            second_factor_word(row),
            recovery_word(row),
            "; ".join(groups.get(row.id, ())),
            row.created_at.date().isoformat(),
        )
        for row in found
    ]
    return csv.download("members.csv", header, lines)
