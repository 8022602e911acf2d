"""An organization's own billing page."""

import datetime as dt
import uuid

from flask import abort, render_template

from portal.domain.access import Permission
from portal.extensions import db
from portal.invoicing import organization_page, organization_queries
from portal.invoicing.blueprint import bp
from portal.invoicing.current import the_tariff
from portal.organizations.queries import provider_admins
from portal.web.access import actor, requires


@bp.get("/organizations/<uuid:organization_id>/billing")
@requires(Permission.ORGANIZATION_BILLING_READ)
def organization_billing(organization_id: uuid.UUID) -> str:
    """Who pays, for what, and when next; whom to ask for a change."""
    row = organization_queries.subscription(db.session(), organization_id)
    if row is None:
        abort(404)
    stored = organization_queries.lines(db.session(), organization_id)
    inside = actor().via_provider
    admins = [] if inside else provider_admins(db.session(), organization_id)
    now = dt.datetime.now(dt.UTC)
    view = organization_page.build(row, stored, the_tariff(), now, admins=admins)
    # A provider's person changes it; for everybody else the page says whom to ask.
    provider_id = row.provider_id if inside else None
    return render_template(
        "invoicing/organization.html",
        billing=view,
        organization_id=organization_id,
        provider_id=provider_id,
    )
