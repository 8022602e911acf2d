"""Where somebody is led first: to a recovery of their account, or to the enrolment that is due."""

import uuid

from flask import url_for
from sqlalchemy.orm import Session

from portal.recovery import queries, words


def running(session: Session, account_id: uuid.UUID, after: str) -> str:
    """The page on which they stop what others asked for; empty where nothing is open."""
    found = queries.open_for(session, account_id)
    if not any(words.row_of(row).is_open for row in found):
        return ""
    return url_for("recovery.mine", next=after)


def page(session: Session, account_id: uuid.UUID, after: str) -> str:
    """The page that asks them, which leads on to `after`; empty where nothing is owed."""
    organization_id = queries.owing(session, account_id)
    if organization_id is None:
        return ""
    return url_for("recovery.own", organization_id=organization_id, next=after)
