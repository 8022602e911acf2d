"""`flask doctor --repair`: each stored number is counted anew, and nothing else is touched."""

import datetime as dt

import pytest
from sqlalchemy import delete, select, update

from portal.cli import repair
from portal.domain.attention import AttentionKind
from portal.domain.states import MemberState
from portal.models import (
    Affiliation,
    Attention,
    ClientAccess,
    Event,
    EventStream,
    Member,
    Organization,
    Provider,
    ProviderPerson,
    ScopeTerm,
    new_id,
    utc_now,
)
from portal.providers import attention
from tests.support.clients import make_account, make_client
from tests.support.scopes import scoped
from tests.test_cli_doctor import doctor, house, place, wrong

pytestmark = pytest.mark.committed
__all__ = ["doctor", "house"]


@pytest.fixture
def whole(house):
    """That house with somebody who waits, and somebody whose reach is limited."""
    client = house.one(select(Organization))
    house.run(update(Organization).values(seats=9, seats_used=2))
    house.add(
        Member(
            organization_id=client.id,
            email="ida@client.example",
            role="user",
            state=MemberState.STAGED,
        ),
        Member(
            organization_id=client.id,
            email="ivo@client.example",
            role="user",
            state=MemberState.INVITED,
        ),
    )
    provider = house.one(select(Provider))
    tom = scoped(house, provider, clients=[client])
    house.run(delete(Affiliation).where(Affiliation.account_id == tom.account.id))
    house.add(place(tom.account.id, "provider", provider.id, provider.name, "service_user"))
    with house.session() as session:
        attention.arrive(session, client.id, provider.id)
    assert wrong(house) == set()
    return house


DAMAGE = [
    ("seats used", update(Organization).values(seats_used=5), "seats used were 5, are 2"),
    (
        "confirmed owners",
        update(Organization).values(owner_confirmed=False),
        "confirmed owners were none, are 1",
    ),
    ("set-up progress", update(Organization).values(setup_done=3), "set-up progress was 3/"),
    ("clients of providers", update(Provider).values(clients_count=7), "clients were 7, are 1"),
    (
        "where people belong",
        delete(Affiliation).where(Affiliation.kind == "organization"),
        "where people belong, rows put right: 1",
    ),
    (
        "where people belong",
        update(Affiliation).where(Affiliation.kind == "provider").values(name="An old name"),
        "where people belong, rows put right: 2",
    ),
    ("what waits", delete(Attention), "what waits, rows put right: 2"),
    ("what waits", update(Attention).values(label="old"), "what waits, rows put right: 2"),
    ("who reaches what", delete(ClientAccess), "who reaches what, rows put right: 1"),
    ("the terms of people", delete(ScopeTerm), "the terms of people, rows put right: 2"),
]


@pytest.mark.parametrize(("what", "damage", "said"), DAMAGE)
def test_what_is_wrong_is_counted_anew_once(doctor, whole, what, damage, said):
    whole.run(damage)
    assert wrong(whole) == {what}
    output = doctor("--repair")
    assert said in output
    assert "1 repairs." in output
    assert "All is well" in output
    assert wrong(whole) == set()
    again = doctor("--repair")
    assert "Nothing was repaired." in again
    assert "repaired client" not in again
    assert "repaired provider" not in again


def waiting(database):
    return set(database.all(select(Attention.kind)))


def test_what_waits_for_nothing_goes_and_what_waits_keeps_its_beginning(doctor, whole):
    client = whole.one(select(Organization))
    begun = set(whole.all(select(Attention.since)))
    whole.run(update(Attention).values(label="An old address"))
    for organization_id in (client.id, None):
        whole.add(
            Attention(
                provider_id=client.provider_id,
                organization_id=organization_id,
                kind=AttentionKind.ACCEPTED,
                subject_id=new_id(),
                label="nobody@client.example",
            )
        )
    output = doctor("--repair")
    assert "what waits, rows put right: 3" in output
    assert "what waits, rows put right: 1" in output
    assert waiting(whole) == {AttentionKind.STAGED, AttentionKind.INVITED}
    assert set(whole.all(select(Attention.since))) == begun
    assert "An old address" not in whole.all(select(Attention.label))


def test_whom_the_provider_waits_for_is_read_again(doctor, whole):
    whole.run(
        update(ProviderPerson)
        .where(ProviderPerson.role == "service_user")
        .values(access_ends_at=utc_now() + dt.timedelta(days=9))
    )
    assert wrong(whole) == {"what waits"}
    assert "repaired provider" in doctor("--repair")
    assert AttentionKind.GRANT in waiting(whole)


def test_a_row_of_nobody_and_one_of_a_tenant_that_is_gone_are_taken_away(doctor, whole):
    client, stranger = whole.one(select(Organization)), make_account(whole)
    whole.add(place(stranger.id, "organization", client.id, client.name, "user"))
    whole.add(place(stranger.id, "organization", new_id(), "Gone Ltd", "user"))
    whole.add(place(stranger.id, "provider", new_id(), "Gone IT", "provider_admin"))
    assert "3 repairs." in doctor("--repair")
    assert not whole.all(select(Affiliation).where(Affiliation.account_id == stranger.id))


def test_one_that_cannot_be_repaired_leaves_the_others_repaired(doctor, whole):
    client, provider = whole.one(select(Organization)), whole.one(select(Provider))
    other = make_client(whole, provider, "Beta Ltd", seats_used=1)
    whole.run(update(Provider).values(clients_count=2))
    only = update(Organization).where(Organization.id == client.id)
    whole.run(only.values(seats=1, seats_used=1, owner_confirmed=False))
    output = doctor("--repair", status=1)
    assert f"NOT REPAIRED client {client.id}: 2 seats are in use, and it has 1" in output
    assert f"repaired client {other.id}: seats used were 1, are 0." in output
    assert "FAILURE Recounted seats used" in output
    # Of the one that cannot be, nothing at all was written.
    row = whole.one(select(Organization).where(Organization.id == client.id))
    assert (row.seats_used, row.owner_confirmed) == (1, False)
    assert whole.one(select(Organization.seats_used).where(Organization.id == other.id)) == 0


def test_one_that_the_database_refuses_is_left_as_it_was(doctor, whole, monkeypatch):
    def refused(session, organization_id):
        here = Organization.id == organization_id
        session.execute(update(Organization).where(here).values(setup_done=99))
        yield "never told"

    monkeypatch.setattr(repair, "_OF_ORGANIZATION", (*repair._OF_ORGANIZATION, refused))
    whole.run(update(Organization).values(seats_used=5))
    output = doctor("--repair", status=1)
    assert "setup_done_bounds" in output
    assert "nothing was changed there." in output
    assert "seats used were" not in output
    assert whole.one(select(Organization.seats_used)) == 5


def test_the_event_log_is_never_rewritten(doctor, whole):
    whole.run(update(EventStream).values(last_seq=2))
    before = whole.all(select(Event.hash).order_by(Event.stream_id, Event.seq))
    output = doctor("--repair", status=1)
    assert "Nothing was repaired." in output
    assert "FAILURE Recounted event numbers" in output
    assert set(whole.all(select(EventStream.last_seq))) == {2}
    assert whole.all(select(Event.hash).order_by(Event.stream_id, Event.seq)) == before


def test_without_being_asked_nothing_is_repaired(doctor, whole):
    whole.run(update(Organization).values(seats_used=5))
    doctor(status=1)
    assert whole.one(select(Organization.seats_used)) == 5


def test_a_healthy_portal_is_not_written_to(doctor, whole, statements):
    statements.clear()
    doctor("--repair")
    assert {str(each).split()[0] for each in statements} <= {"SELECT", "WITH"}


def test_a_test_mail_and_repairing_do_not_go_together(doctor, whole):
    assert "do not go together" in doctor("--repair", "--mail", "ops@northwind.example", status=2)


def test_looking_takes_as_many_statements_for_many_clients(whole, statements):
    def count():
        statements.clear()
        with whole.session() as session:
            repair.look(session)
        return len(statements)

    provider, few = whole.one(select(Provider)), count()
    for number in range(5):
        make_client(whole, provider, f"Client {number}")
    assert count() == few
