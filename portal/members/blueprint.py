"""The blueprint that the pages of members stand on, and what they all need."""

import uuid

from flask import Blueprint, abort, g, url_for
from flask_login import current_user

from portal.domain.membership import Manager
from portal.extensions import db
from portal.members import changes, queries
from portal.web.access import actor

bp = Blueprint("members", __name__)
ALL = "/organizations/<uuid:organization_id>/members"
ONE = f"{ALL}/<uuid:member_id>"


def myself() -> str:
    """Whose tries a limit counts."""
    return str(current_user.account_id)


INVITING = (("5 per minute", myself), ("300 per day", myself))


def manager() -> Manager:
    """Who acts, as the rules of membership see them."""
    return changes.manager_of(actor(), g.own_parts)


def page_of(organization_id: uuid.UUID, member_id: uuid.UUID) -> str:
    """Where a member is looked at."""
    return url_for("members.member", organization_id=organization_id, member_id=member_id)


def find(organization_id: uuid.UUID, member_id: uuid.UUID) -> queries.Found:
    """The member, or 404."""
    member = queries.find(db.session(), organization_id, member_id)
    if member is None:
        abort(404)
    return member
