"""Who reaches which client: kept right by every change, against an oracle that counts anew."""

import itertools
import random

import pytest
from sqlalchemy import delete, select, update

from portal.cli.recount_reach import recount_access, recount_terms
from portal.domain.names import name_ci
from portal.domain.scope import Because, Level, Reach
from portal.domain.states import ProviderPersonState
from portal.models import (
    ClientAccess,
    Organization,
    OrganizationTag,
    ProviderPerson,
    ScopePart,
    ScopeTerm,
    Tag,
    new_id,
)
from portal.providers import reach
from tests.support.clients import employ, make_account, make_client, make_provider, organization
from tests.support.scopes import name_parts, open_access, settle, terms

CONFIRMED, SUSPENDED = ProviderPersonState.CONFIRMED, ProviderPersonState.SUSPENDED
LISTED, TAGGED, NOT_EXCLUDED = (each.value for each in Because)


@pytest.fixture
def provider(database):
    return make_provider(database)


def make_tag(database, provider, name="Gold"):
    tag = Tag(provider_id=provider.id, id=new_id(), name=name, name_ci=name_ci(name), colour=3)
    return database.add(tag).id


def put(database, provider, client, tag_id):
    here = {"provider_id": provider.id, "organization_id": client.id}
    database.add(OrganizationTag(**here, tag_id=tag_id))


def set_to(database, person, **values):
    database.run(update(ProviderPerson).where(ProviderPerson.id == person.id).values(**values))


def place(database, provider, reach=Reach.ONLY, level=Level.MANAGE):
    return employ(database, provider, make_account(database), reach=reach, level=level)


class World:
    """A small provider that changes at random, and what everybody must reach in it."""

    def __init__(self, database, seed):
        self.rng, self.database = random.Random(seed), database
        self.provider = make_provider(database)
        self.other = make_provider(database, "Southmark IT")
        self.clients = [make_client(database, self.provider, f"Client {n}") for n in range(6)]
        self.people = [place(database, self.provider) for _ in range(3)]
        # Their order by name is not the one in which they were made.
        self.tags = {make_tag(database, self.provider, name): name for name in ("b", "C", "a")}

    def step(self):
        """One change, and the call that belongs to it."""
        change = self.rng.choice([self.tag, self.tag, self.set_scope, self.set_state, self.move])
        settle(self.database, self.provider, **change())

    def tag(self):
        client, tag = self.rng.choice(self.clients), self.rng.choice(list(self.tags))
        bears = (OrganizationTag.organization_id == client.id) & (OrganizationTag.tag_id == tag)
        if self.database.all(select(OrganizationTag.tag_id).where(bears)):
            self.database.run(delete(OrganizationTag).where(bears))
        else:
            put(self.database, self.provider, client, tag)
        return {"organizations": [client.id]}

    def set_scope(self):
        person, rng = self.rng.choice(self.people), self.rng
        set_to(self.database, person, reach=rng.choice(list(Reach)), level=rng.choice(list(Level)))
        clients = rng.sample(self.clients, rng.randrange(3))
        tags = rng.sample(list(self.tags), rng.randrange(3))
        name_parts(self.database, person, clients=clients, tags=tags)
        return {"people": [person.id]}

    def set_state(self):
        person = self.rng.choice(self.people)
        set_to(self.database, person, state=self.rng.choice([CONFIRMED, CONFIRMED, SUSPENDED]))
        return {"people": [person.id]}

    def move(self):
        """A client goes to another provider, or comes back."""
        client = self.rng.choice(self.clients)
        owner = self.rng.choice([self.provider, self.provider, self.other]).id
        moved = update(Organization).where(Organization.id == client.id)
        self.database.run(moved.values(provider_id=owner))
        return {"organizations": [client.id]}

    def expected(self, person):
        """What a person reaches, worked out client by client."""
        row = self.database.one(select(ProviderPerson).where(ProviderPerson.id == person.id))
        parts = self.database.all(select(ScopePart).where(ScopePart.person_id == person.id))
        listed = {part.organization_id for part in parts}
        tags = {part.tag_id for part in parts}
        found = {}
        for client in self.database.all(
            select(Organization.id).where(Organization.provider_id == self.provider.id)
        ):
            borne = self.database.all(
                select(OrganizationTag.tag_id).where(OrganizationTag.organization_id == client)
            )
            named = sorted((self.tags[tag] for tag in tags.intersection(borne)), key=name_ci)
            found[client] = why(row.reach, client in listed, named)
        is_here = row.state is CONFIRMED
        return {client: reason for client, reason in found.items() if reason and is_here}


def why(reach, is_listed, named):
    if reach is Reach.ALL_BUT:
        return None if is_listed or named else (NOT_EXCLUDED, "")
    if reach is Reach.ALL:
        return None
    if is_listed:
        return LISTED, ""
    return (TAGGED, named[0]) if named else None


@pytest.mark.parametrize("seed", range(6))
def test_whatever_changes_everybody_reaches_what_their_scope_says(database, seed):
    world = World(database, seed)
    settle(database, world.provider)
    for _ in range(25):
        world.step()
        for person in world.people:
            assert open_access(database, person.id) == world.expected(person)
            check_history(database, person)


def check_history(database, person):
    """Rows of one client follow one another, and only the last may be open."""
    rows = database.all(
        select(ClientAccess)
        .where(ClientAccess.person_id == person.id)
        .order_by(ClientAccess.from_at, ClientAccess.until_at.is_(None), ClientAccess.until_at)
    )
    for client in {row.organization_id for row in rows}:
        check_order([row for row in rows if row.organization_id == client])
    check_order(terms(database, person.id))


def check_order(spans):
    for earlier, later in itertools.pairwise(spans):
        assert earlier.until_at is not None
        assert earlier.until_at <= later.from_at


def test_nothing_is_opened_or_closed_twice(database, provider):
    client, person = make_client(database, provider), place(database, provider)
    name_parts(database, person, clients=[client])
    for _ in range(3):
        settle(database, provider)
    assert database.count(ClientAccess) == 1
    assert len(terms(database, person.id)) == 1


def test_another_reason_keeps_the_key_and_the_old_reason(database, provider):
    client, person, tag = (
        make_client(database, provider),
        place(database, provider),
        make_tag(database, provider),
    )
    name_parts(database, person, clients=[client])
    settle(database, provider)
    database.run(update(ClientAccess).values(wrapped_key="4.key"))
    put(database, provider, client, tag)
    name_parts(database, person, tags=[tag])
    settle(database, provider, people=[person.id])
    old, new = database.all(select(ClientAccess).order_by(ClientAccess.from_at))
    assert (old.because, old.wrapped_key) == (Because.LISTED, None)
    assert (new.because, new.tag_name, new.wrapped_key) == (Because.TAGGED, "Gold", "4.key")
    assert old.until_at == new.from_at


def test_the_key_goes_when_the_client_does(database, provider):
    client, person = make_client(database, provider), place(database, provider)
    name_parts(database, person, clients=[client])
    settle(database, provider)
    database.run(update(ClientAccess).values(wrapped_key="4.key"))
    name_parts(database, person)
    settle(database, provider, people=[person.id])
    row = database.one(select(ClientAccess))
    assert row.until_at is not None
    assert row.wrapped_key is None


def test_a_term_ends_with_each_change_of_role_or_reach_and_outlives_the_person(database, provider):
    person = place(database, provider, Reach.ALL)
    settle(database, provider)
    set_to(database, person, level=Level.READ_ONLY)
    settle(database, provider, people=[person.id])
    database.run(delete(ProviderPerson).where(ProviderPerson.id == person.id))
    settle(database, provider, people=[person.id])
    first, second = terms(database, person.id)
    assert (first.level, second.level) == (Level.MANAGE, Level.READ_ONLY)
    assert first.until_at == second.from_at
    assert second.until_at is not None
    assert second.email == person.email


def test_the_clients_of_another_provider_are_never_reached(database, provider):
    other = make_provider(database, "Southmark IT")
    make_client(database, other)
    person = place(database, provider, Reach.ALL_BUT)
    settle(database, provider)
    settle(database, other)
    assert open_access(database, person.id) == {}


def test_it_takes_as_many_statements_for_ten_clients_as_for_a_thousand(
    database, provider, statements
):
    person = place(database, provider, Reach.ALL_BUT)
    costs = []
    for number in (10, 1000):
        rows = [organization(provider.id, f"Client {number}-{each}") for each in range(number)]
        with database.session() as session:
            session.add_all(rows)
        statements.clear()
        settle(database, provider, people=[person.id])
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 8
    assert len(open_access(database, person.id)) == 1010


def test_where_nobody_is_limited_it_costs_one_statement(database, provider, statements):
    client = make_client(database, provider)
    place(database, provider, Reach.ALL)
    statements.clear()
    settle(database, provider, organizations=[client.id])
    statements.most(1)


def test_the_doctor_finds_what_is_not_as_the_scopes_say(database, provider):
    client, person = make_client(database, provider), place(database, provider)
    name_parts(database, person, clients=[client])
    settle(database, provider)
    with database.session() as session:
        assert recount_access(session) == recount_terms(session) == []
    database.run(delete(ScopePart))
    database.run(delete(ScopeTerm))
    with database.session() as session:
        assert recount_access(session) == [f"{person.id}: {client.id}, counted nothing"]
        assert recount_terms(session) == [f"{person.id}: no term"]
    name_parts(database, person, clients=[client])
    database.run(delete(ClientAccess))
    with database.session() as session:
        assert recount_access(session) == [f"{person.id}: nothing, counted {client.id}"]


def test_a_tag_that_gets_another_name_stays_the_same_reason(database, provider):
    client, person = make_client(database, provider), place(database, provider)
    tag = make_tag(database, provider)
    put(database, provider, client, tag)
    name_parts(database, person, tags=[tag])
    settle(database, provider)
    database.run(update(Tag).values(name="Silver", name_ci="silver"))
    with database.session() as session:
        reach.rename_tag(session, provider.id, before="Gold", after="Silver")
    settle(database, provider)
    assert database.count(ClientAccess) == 1
    assert open_access(database, person.id) == {client.id: (TAGGED, "Silver")}
