"""Recoveries under a crowd: one is opened, one person is the second one, one ending counts."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from portal.accounts.service import ChangedKey
from portal.domain.access import Actor, Role, Trace
from portal.domain.account_recovery import RecoveryState, Step
from portal.domain.errors import RuleError
from portal.models import Account, Event, RecoveryRequest
from portal.recovery import carrying_out, service
from tests.support.recovery import enrol, offering, recovery, set_back, someone, temporary_fields

pytestmark = pytest.mark.committed
AT_ONCE = 6


def acting(place, person, role):
    return Actor(
        account_id=person.account_id,
        session_id=None,
        name=person.name,
        email=person.email,
        role=role,
        permissions=role.permissions,
        organization_id=place.organization.id,
    )


@pytest.fixture
def place(committed):
    return offering(committed)


@pytest.fixture
def actors(place):
    """Six admins."""
    names = ("Ana", "Ben", "Cem", "Dan", "Eda", "Fay")
    people = [someone(place, name, Role.ADMIN)[0] for name in names]
    return [acting(place, person, Role.ADMIN) for person in people]


@pytest.fixture
def uma(place):
    person, member = someone(place, "Uma")
    enrol(place, person, member)
    return person, member


def at_once(place, *deeds):
    """How many of them were done, begun at the same moment, each in a transaction of its own."""
    start = Barrier(len(deeds))

    def run(deed):
        start.wait()
        try:
            with place.database.session() as session:
                deed(session)
        except RuleError:
            return 0
        return 1

    with ThreadPoolExecutor(len(deeds)) as pool:
        return sum(pool.map(run, deeds))


def told(place, kind):
    return place.database.one(select(func.count()).where(Event.type == f"organization:{kind}"))


def test_of_six_who_ask_one_opens_it(place, actors, uma):
    def ask(actor):
        here = (actor, place.organization.id, uma[1])
        return lambda session: service.ask(session, *here, reason="Forgot it")

    assert at_once(place, *(ask(actor) for actor in actors)) == 1
    assert len(place.database.all(select(RecoveryRequest))) == 1
    assert told(place, "recovery:request") == 1


def test_of_five_who_approve_one_is_the_second_person(place, actors, uma):
    here = place.organization.id
    with place.database.session() as session:
        made = service.ask(session, actors[0], here, uma[1], reason="Forgot it")

    def approve(actor):
        return lambda session: service.decide(session, actor, here, made, Step.APPROVE)

    assert at_once(place, *(approve(actor) for actor in actors[1:])) == 1
    assert told(place, "recovery:approve") == 1
    assert recovery(place).state is RecoveryState.APPROVED


def test_a_member_who_stops_it_and_two_who_carry_it_out_end_it_once(place, actors, uma):
    here = place.organization.id
    with place.database.session() as session:
        made = service.ask(session, actors[0], here, uma[1], reason="Forgot it")
        service.decide(session, actors[1], here, made, Step.APPROVE)
    set_back(place, hours=24)
    fields = temporary_fields(uma[0])
    key = ChangedKey(600_000, fields["new_signin_hash"], fields["protected_user_key"])
    temporary = carrying_out.temporary(key, uma[0].email, uma[0].keys.public_key)

    def carry_out(actor):
        return lambda session: carrying_out.carry_out(session, actor, here, made, temporary)

    def stop(session):
        service.stop_by_mail(session, here, made, trace=Trace())

    assert at_once(place, carry_out(actors[0]), stop, carry_out(actors[1])) == 1
    ended = recovery(place).state
    assert told(place, "member:recover") + told(place, "recovery:stop") == 1
    given = place.database.one(
        select(Account.temporary_password_since).where(Account.id == uma[0].account_id)
    )
    assert (given is not None) == (ended is RecoveryState.DONE)
