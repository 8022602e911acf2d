"""The page of stuck people, and how one gets on it."""

import datetime as dt

from sqlalchemy import insert, select

from portal.domain.access import Role
from portal.domain.attention import AttentionKind
from portal.members import service
from portal.models import Attention, Member, new_id, utc_now
from portal.providers import attention

LATER = dt.timedelta(minutes=11)


def url(place, rest=""):
    return f"/providers/{place.provider.id}/stuck-people{rest}"


def rows(page):
    return [
        tuple(cell.get_text(" ", strip=True) for cell in row.select("th, td"))
        for row in page.select("#clients-stuck tbody tr")
    ]


def who(page):
    return [row[0] for row in rows(page)]


def badge(page):
    found = [text for text in page.texts("nav a") if text.startswith("Stuck people")]
    assert len(found) == 1
    return found[0].removeprefix("Stuck people").strip()


def add(place, kind=AttentionKind.INVITED, *, days=0, label="x@acme.example", **more):
    columns = {"organization_id": place.organization.id, "label": label} | more
    with place.database.session() as session:
        attention.put(
            session,
            place.provider.id,
            kind,
            columns.pop("subject", None) or new_id(),
            since=utc_now() - dt.timedelta(days=days, minutes=1),
            **columns,
        )


def ask(place, email, client=None):
    """Somebody is invited to a client."""
    with place.database.session() as session:
        return service.invite(
            session,
            place.actor,
            organization_id=(client or place.organization).id,
            email=email,
            role=Role.USER,
            locale="en",
        )


def grow_older(place, by=LATER):
    """As if the invitations had gone out so much earlier."""
    with place.database.session() as session:
        for member in session.scalars(select(Member)):
            member.invitation_expires_at -= by


def many(place, count):
    columns = {
        "provider_id": place.provider.id,
        "organization_id": place.organization.id,
        "kind": AttentionKind.INVITED,
        "reason": "",
        "due_at": None,
        "since": utc_now(),
    }
    rows_ = [
        {**columns, "id": new_id(), "subject_id": new_id(), "label": f"m{number}@acme.example"}
        for number in range(count)
    ]
    with place.database.session() as session:
        session.execute(insert(Attention), rows_)


def versions(place):
    return sorted(place.database.all(select(Member.invitation_version)))
