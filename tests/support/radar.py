"""Things that end, for tests: rows as their causes would write them, and people who read them."""

import datetime as dt

from sqlalchemy import insert, select, update

from portal.domain.access import Role
from portal.domain.attention import AttentionKind
from portal.domain.scope import Because, Reach
from portal.models import Attention, ClientAccess, ProviderPerson, new_id, utc_now
from tests.support.clients import make_client, persona

INVITED, GRANT = AttentionKind.INVITED, AttentionKind.GRANT
DAY = dt.timedelta(days=1)


def url_of(ada, more=""):
    return f"/providers/{ada.provider.id}/expiries{more}"


def row_of(database, ada):
    return database.one(
        select(ProviderPerson).where(
            ProviderPerson.provider_id == ada.provider.id,
            ProviderPerson.account_id == ada.account.id,
        )
    )


def ends(database, provider, client=None, kind=INVITED, label="zoe@acme.example", **columns):
    """A row that ends `days` from now, or at `due_at`."""
    days = columns.pop("days", 3)
    columns.setdefault("due_at", utc_now() + dt.timedelta(days=days))
    return database.add(
        Attention(
            provider_id=provider.id,
            organization_id=client.id if client else None,
            kind=kind,
            subject_id=columns.pop("subject_id", None) or new_id(),
            label=label,
            **columns,
        )
    )


def many(database, provider, client, number):
    """So many invitations, an hour apart."""
    now = utc_now()
    rows = [
        {
            "provider_id": provider.id,
            "id": new_id(),
            "organization_id": client.id,
            "kind": INVITED,
            "subject_id": new_id(),
            "label": f"person{index:04}@acme.example",
            "reason": "",
            "since": now,
            "due_at": now + dt.timedelta(hours=index + 1),
        }
        for index in range(number)
    ]
    with database.session() as session:
        session.execute(insert(Attention), rows)


def limit(database, ada, *clients):
    """From now on the person reaches these clients alone."""
    row = row_of(database, ada)
    database.run(update(ProviderPerson).where(ProviderPerson.id == row.id).values(reach=Reach.ONLY))
    for client in clients:
        database.add(
            ClientAccess(
                provider_id=ada.provider.id,
                person_id=row.id,
                organization_id=client.id,
                because=Because.LISTED,
            )
        )


def technician(database, provider):
    """A service user."""
    return persona(database, Role.SERVICE_USER, provider)


def client_of(database, ada, name="Acme Ltd", **columns):
    return make_client(database, ada.provider, name, **columns)
