"""Two who want the same thing at the same moment: one gets it, and the counts stay true."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from portal.domain.access import Actor, Permission, Role
from portal.domain.errors import RuleError
from portal.members import service
from portal.models import Event, Member, Organization, Outbox
from tests.support.clients import make_client, persona

pytestmark = pytest.mark.committed
ROUNDS, AT_ONCE = 60, 8


def test_of_eight_who_want_the_last_seat_one_gets_it_sixty_times(committed):
    admin = persona(committed)
    clients = [
        make_client(committed, admin.provider, f"Client {number}", seats=1)
        for number in range(ROUNDS)
    ]
    actor = Actor(
        account_id=admin.account.id,
        session_id=None,
        name=admin.account.name,
        email=admin.account.email,
        role=Role.PROVIDER_ADMIN,
        permissions=frozenset(Permission),
        provider_id=admin.provider.id,
    )
    start = Barrier(AT_ONCE)

    def invite(number):
        won = 0
        for client in clients:
            start.wait()
            won += invited(committed, actor, client.id, f"person{number}@acme.example")
        return won

    with ThreadPoolExecutor(AT_ONCE) as pool:
        won = sum(pool.map(invite, range(AT_ONCE)))
    assert won == ROUNDS
    seated = select(Member.organization_id, func.count()).group_by(Member.organization_id)
    assert dict(committed.all(seated)) == {client.id: 1 for client in clients}
    assert set(committed.all(select(Organization.seats_used))) == {1}
    assert committed.count(Outbox) == ROUNDS
    asked = select(func.count()).where(Event.type == "organization:member:invite")
    assert committed.one(asked) == 2 * ROUNDS, "once in the client's log, once in the provider's"


def invited(database, actor, organization_id, email):
    try:
        with database.session() as session:
            service.invite(
                session,
                actor,
                organization_id=organization_id,
                email=email,
                role=Role.USER,
                locale="en",
            )
    except RuleError:
        return False
    return True
