"""The pages of the logs for tests: who reads them, and rows to read."""

import datetime as dt
import json
import uuid

from sqlalchemy import insert

from portal.domain.states import MemberState
from portal.events import Stream, record
from portal.models import Event, EventPerson, EventStream, Member, new_id, utc_now
from tests.support.browsing import Browser
from tests.support.clients import make_account, sign_in
from tests.support.eventlog import person


def member_browser(database, organization, role, *, name="Olga Petrova"):
    account = make_account(database, name, with_keys=True)
    database.add(
        Member(
            organization_id=organization.id,
            account_id=account.id,
            email=account.email,
            role=role,
            state=MemberState.CONFIRMED,
            wrapped_organization_key="4.wrapped",
            confirmed_public_key="public",
            accepted_at=utc_now(),
            confirmed_at=utc_now(),
        )
    )
    return sign_in(database, Browser(database.app), account), account


def tell(database, actor, kind, *streams, **details):
    with database.session() as session:
        return record(session, actor, kind, streams=list(streams), subject_id=new_id(), **details)


def inside(organization, provider=None):
    streams = [Stream("organization", organization.id)]
    return [*streams, Stream("provider", provider.id)] if provider else streams


def invite(database, actor, organization, email="olga@acme.example", provider=None, role="user"):
    return tell(
        database,
        actor,
        "organization:member:invite",
        *inside(organization, provider),
        email=email,
        role=role,
    )


def log_of(organization):
    return f"/organizations/{organization.id}/events"


def provider_log(admin, rest=""):
    return f"/providers/{admin.provider.id}/events{rest}"


def sentences(page) -> list[str]:
    return page.texts("#logbook-table tbody th a")


def many(database, organization, count, *, every=1, types=("organization:member:invite",)):
    """Rows straight into the table: for pages, not for proofs."""
    began = utc_now() - dt.timedelta(days=2)
    actors = [new_id(), new_id()]
    with database.session() as session:
        session.execute(
            insert(EventStream), [{"stream_id": organization.id, "kind": "organization"}]
        )
        rows = []
        for number in range(count):
            at = began + dt.timedelta(milliseconds=number * every)
            identity = uuid.UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | number)
            kind = types[number % len(types)]
            rows.append(
                {
                    "stream_id": organization.id,
                    "seq": number + 1,
                    "id": identity,
                    "at": at,
                    "type": kind,
                    "actor_id": actors[number % 2],
                    "provider_id": organization.provider_id,
                    "payload": json.dumps(_bare(identity, kind, number)),
                    "hash": bytes(32),
                }
            )
        session.execute(insert(Event), rows)
        session.execute(
            insert(EventPerson),
            [
                {"stream_id": row["stream_id"], "seq": row["seq"], "words": f"row{row['seq']}x"}
                for row in rows
            ],
        )
    return rows


def _bare(identity, kind, number):
    return {
        "id": str(identity),
        "type": kind,
        "subject": None,
        "account": None,
        "role": None,
        "provider": None,
        "request": "",
        "details": {"role": "user"},
        "personal": {},
    }


def tell_story(database, admin, acme):
    """Four events in Acme's log by two people, all of them in the provider's too."""
    ada = person("Ada Nordström", provider_id=admin.provider.id)
    bo = person("Bo Lind", "bo@northwind.example", provider_id=admin.provider.id)
    streams = inside(acme, admin.provider)
    invite(database, ada, acme, "olga@acme.example", admin.provider)
    invite(database, bo, acme, "zoé@acme.example", admin.provider)
    tell(database, bo, "organization:organization:rename", *streams, before="A", after="Acme 100%")
    tell(database, ada, "organization:organization:open", *streams, provider="Northwind IT")
    return ada, bo
