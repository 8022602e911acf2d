"""Members in numbers, and their sign-ins, for tests of the reports."""

import uuid

from sqlalchemy import insert, text

from portal.domain.access import Role
from portal.domain.collection_access import Level
from portal.domain.states import MemberState
from portal.logbook.queries import id_at
from portal.models import (
    Account,
    Collection,
    CollectionGroup,
    Event,
    EventStream,
    GroupMember,
    Member,
    new_id,
    utc_now,
)
from tests.support.collections import team


def many_members(place, number, *, start=0, collections=1):
    """Confirmed users, all in one group that reaches so many new collections."""
    now, here = utc_now(), {"organization_id": place.organization.id}
    group = team(place, f"Team {start}")
    accounts, members = [], []
    for index in range(start, start + number):
        email, account = f"user{index:04}@client.example", new_id()
        accounts.append({"id": account, "email": email, "name": f"User {index}"})
        members.append(
            {
                **here,
                "id": new_id(),
                "account_id": account,
                "email": email,
                "role": Role.USER,
                "state": MemberState.CONFIRMED,
                "wrapped_organization_key": "4.key",
                "accepted_at": now,
                "confirmed_at": now,
            }
        )
    made = [{**here, "id": new_id()} for _ in range(collections)]
    with place.database.session() as session:
        session.execute(insert(Account), accounts)
        session.execute(insert(Member), members)
        session.execute(insert(Collection), made)
        session.execute(
            insert(GroupMember),
            [{**here, "group_id": group, "member_id": member["id"]} for member in members],
        )
        session.execute(
            insert(CollectionGroup),
            [
                {**here, "group_id": group, "collection_id": each["id"], "level": Level.VIEW}
                for each in made
            ],
        )
        # What PostgreSQL does by itself a minute later, and plans by.
        session.execute(text("ANALYZE"))
    return members


def signed_in(place, person, at):
    """Somebody signs in at that time."""
    stream = person.account_id
    with place.database.session() as session:
        end = session.get(EventStream, stream)
        if end is None:
            end = EventStream(stream_id=stream, kind="account", last_seq=0)
            session.add(end)
            session.flush()
        end.last_seq, end.last_hash = end.last_seq + 1, bytes(32)
        chance = new_id().int & (1 << 74) - 1
        session.add(
            Event(
                stream_id=stream,
                seq=end.last_seq,
                id=uuid.UUID(int=id_at(at).int | chance),
                at=at,
                type="account:session:begin",
                actor_id=stream,
                payload="{}",
                hash=bytes(32),
            )
        )
