"""Where somebody is led who is to be enrolled and is not yet: they see what it means first."""

import uuid

from flask import url_for
from sqlalchemy.orm import Session

from portal.recovery import queries


def page(session: Session, account_id: uuid.UUID, after: str) -> str:
    """The page that asks them, which leads on to `after`; empty where nothing is owed."""
    organization_id = queries.owing(session, account_id)
    if organization_id is None:
        return ""
    return url_for("recovery.own", organization_id=organization_id, next=after)
