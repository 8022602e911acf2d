"""Demo data: believable, consistent, and only into an empty database."""

import datetime as dt
import itertools
import json
import random
import sys
import uuid
from functools import cache

import pytest
from sqlalchemy import func, select

from portal.accounts import passwords
from portal.cli.checks import Level, examine
from portal.cli.demo import NotEmptyError, is_empty, make_demo, note_of
from portal.cli.recount import recount
from portal.cli.recount_reach import recount_access, recount_terms
from portal.crypto.envelope import SymmetricKey, unseal
from portal.crypto.kdf import derive_master_key, signin_hash
from portal.crypto.keys import new_key_pair, new_tenant_keys, open_user_key, unwrap
from portal.crypto.recovery import open_with_code
from portal.demo.contractor import REACHED
from portal.demo.keys import SETS
from portal.demo.names import Names
from portal.demo.plot import _shares
from portal.domain.emails import check_email
from portal.domain.names import check_name
from portal.domain.scope import Reach
from portal.domain.states import ClientStatus, MemberState
from portal.extensions import db
from portal.models import (
    Account,
    Collection,
    CollectionGroup,
    Event,
    EventStream,
    Group,
    GroupMember,
    Member,
    Organization,
    Outbox,
    Provider,
    ProviderPerson,
    SkippedStep,
    Subscription,
    SubscriptionLine,
    utc_now,
)
from tests.support.accounts import keys_for
from tests.support.databases import empty_tables
from tests.support.eventlog import all_told
from tests.support.scopes import open_access

pytestmark = pytest.mark.committed
PASSWORD = "correct horse battery staple"


@cache
def tenant_keys(number):
    return new_tenant_keys()


@cache
def key_pair(number):
    return new_key_pair()


@pytest.fixture(autouse=True)
def _quick_keys(monkeypatch):
    """Making keys takes long: once a run, and never the same ones twice in one demo."""
    monkeypatch.setattr("portal.demo.provider.new_account_keys", keys_for)
    monkeypatch.setattr("portal.demo.provider.new_tenant_keys", lambda: tenant_keys(-1))
    numbers, pairs = itertools.count(), itertools.count()
    monkeypatch.setattr(
        "portal.demo.keys.new_tenant_keys", lambda: tenant_keys(next(numbers) % (SETS + 1))
    )
    monkeypatch.setattr("portal.demo.keys.new_key_pair", lambda: key_pair(next(pairs) % 4))


@pytest.fixture
def database(committed):
    return committed


@pytest.fixture
def make(committed_app):
    def fill(**options):
        with committed_app.app_context():
            return make_demo(PASSWORD, **options)

    return fill


def wrong_numbers(database):
    with database.session() as session:
        return {what: wrong for what, wrong in recount(session) if wrong}


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_every_stored_number_is_right(make, database, locale):
    make(locale=locale)
    assert wrong_numbers(database) == {}
    assert database.count(Organization) == 24
    assert database.count(Member) == 240
    assert database.count(Subscription) == 24
    # The first client has six more, nested.
    assert database.count(Collection) == 24 + 6
    assert database.count(SubscriptionLine) >= 24
    assert database.one(select(Provider.clients_count)) == 24


@pytest.mark.parametrize(("locale", "nested"), [("en", "IT/Servers/Mail"), ("fr", "Informatique")])
def test_the_first_client_is_set_up(make, database, locale, nested):
    first = uuid.UUID(make(locale=locale).first_client)
    names = {
        unseal(sealed, tenant_keys(0).key)
        for sealed in database.all(
            select(Collection.sealed_name).where(Collection.organization_id == first)
        )
    }
    assert nested.encode() in names or nested in names
    assert len(names) == 7
    groups = database.all(select(Group.organization_id))
    assert groups == [first] * 3
    inside = select(GroupMember.group_id).join(Member, Member.id == GroupMember.member_id)
    assert len(set(database.all(inside.where(Member.organization_id == first)))) == 3
    assert len(set(database.all(select(CollectionGroup.collection_id)))) == 6
    assert database.one(select(SkippedStep.organization_id)) == first
    client = database.one(select(Organization).where(Organization.id == first))
    assert (client.setup_done, client.setup_total) == (4, 6)
    assert len(all_told(database, "organization:group:create")) == 3


def test_totals_are_exact(make, database):
    make(clients=37, members=150, events=1001)
    assert database.count(Member) == 150
    assert database.count(Event) == 1001
    assert wrong_numbers(database) == {}


def test_events_are_told_in_the_order_of_time(make, database):
    # So many people that some come to clients of the last three days.
    make(members=400, events=700)
    for stream in database.all(select(EventStream.stream_id)):
        told = database.all(
            select(Event.seq, Event.at, Event.payload)
            .where(Event.stream_id == stream)
            .order_by(Event.seq)
        )
        assert [row.seq for row in told] == list(range(1, len(told) + 1))
        assert [row.at for row in told] == sorted(row.at for row in told)
        assert all(row.at <= utc_now() for row in told)
        assert all(json.loads(row.payload)["at"] == row.at.isoformat(timespec="microseconds")
                   for row in told)  # fmt: skip


def test_names_follow_from_the_seed_and_ids_and_times_from_the_day_too(
    make, database, committed_app, monkeypatch
):
    # The package offers the command under the name of its module.
    module = sys.modules["portal.cli.demo"]
    clients = select(Organization.name, Organization.id, Organization.created_at)
    clients = clients.order_by(Organization.created_at)
    events = select(Event.stream_id, Event.seq, Event.id, Event.at)
    events = events.order_by(Event.stream_id, Event.seq)

    def made_at(moment):
        monkeypatch.setattr(module, "utc_now", lambda: moment)
        with committed_app.app_context():
            db.session.remove()
            empty_tables(db.engine)
        make(clients=12)
        return [tuple(row) for row in database.all(clients)], list(database.all(events))

    morning = dt.datetime(2026, 11, 22, 0, 0, 1, tzinfo=dt.UTC)
    first = made_at(morning)
    assert made_at(morning + dt.timedelta(hours=23)) == first
    assert max(event.at for event in first[1]) <= morning
    (later, _events) = made_at(morning + dt.timedelta(days=1))
    assert [name for name, *_rest in later] == [name for name, *_rest in first[0]]
    assert later != first[0]


def test_whoever_accepts_is_who_did_it(make, database):
    make()
    told = all_told(database, "organization:member:accept")
    assert len(told) > 100
    assert [event for event in told if event["actor"]["email"] != event["details"]["email"]] == []


@pytest.mark.parametrize("clients", [24, 300])
def test_nothing_is_dated_later_than_today(make, database, clients):
    make(clients=clients, members=4 * clients, events=40 * clients)
    assert database.one(select(func.max(Event.at))) <= utc_now()
    for moment in (Member.created_at, Member.accepted_at, Member.confirmed_at):
        assert database.one(select(func.max(moment))) <= utc_now()
    before = Member.created_at < Organization.created_at
    of_client = Member.organization_id == Organization.id
    assert database.all(select(Member.email).join(Organization, of_client).where(before)) == []


def test_a_small_demo_is_not_years_old(make, database):
    make()
    oldest = database.one(select(func.min(Organization.created_at)))
    assert dt.timedelta(days=90) < utc_now() - oldest < dt.timedelta(days=365)


def test_clients_stand_in_many_states(make, database):
    make()
    rows = database.all(select(Organization))
    assert {row.status for row in rows} == {ClientStatus.ACTIVE, ClientStatus.SUSPENDED}
    assert len({row.plan for row in rows}) == 2
    assert {row.owner_confirmed for row in rows} == {True, False}
    assert {row.public_key is None for row in rows} == {True, False}
    assert any(row.seats == row.seats_used for row in rows)
    assert any(row.seat_limit for row in rows)
    assert len({(row.setup_done, row.setup_total) for row in rows}) >= 4
    assert {row.state for row in database.all(select(Member))} == set(MemberState)
    assert {row.state for row in database.all(select(Outbox))} == {"sent", "failed"}


def test_the_demos_people_can_sign_in_and_open_what_is_theirs(make, database):
    made = make()
    provider = database.one(select(Provider))
    held = database.all(
        select(ProviderPerson.wrapped_provider_key)
        .where(ProviderPerson.reach == Reach.ALL)
        .order_by(ProviderPerson.id)
    )
    keys = [keys_for(email, PASSWORD) for email in (made.admin, made.technician)]
    opened = {unwrap(wrapped, key.private_key) for wrapped, key in zip(held, keys, strict=True)}
    assert len(opened) == 1
    provider_key = SymmetricKey.from_raw(opened.pop())
    assert open_with_code(provider.recovery_wrapped_key, made.recovery_code) == provider_key
    for email in (made.admin, made.technician, made.owner):
        account = database.one(select(Account).where(Account.email == email))
        master = derive_master_key(email, PASSWORD)
        assert passwords.matches(account.signin_hash, signin_hash(master, PASSWORD))
        assert open_user_key(account.protected_user_key, email, PASSWORD, account.kdf_iterations)


def first_collection(database, client):
    """Its sealed name."""
    made = select(Collection.sealed_name).where(Collection.organization_id == client.id)
    return database.all(made.order_by(Collection.id))[0]


def test_every_client_with_keys_opens_with_the_provider_key(make, database):
    made = make(clients=30)
    provider = database.one(select(Provider))
    key = open_with_code(provider.recovery_wrapped_key, made.recovery_code)
    for row in database.all(select(Organization).where(Organization.public_key.is_not(None))):
        organization_key = SymmetricKey.from_raw(unseal(row.provider_wrapped_key, key))
        assert unseal(row.protected_private_key, organization_key)
        assert unseal(first_collection(database, row), organization_key) == b"Default collection"


def test_the_first_clients_owner_is_confirmed_and_opens_it(make, database):
    made = make()
    client = database.one(
        select(Organization).where(Organization.id == uuid.UUID(made.first_client))
    )
    member = database.one(
        select(Member).where(Member.organization_id == client.id, Member.email == made.owner)
    )
    assert member.state is MemberState.CONFIRMED
    raw = unwrap(member.wrapped_organization_key, keys_for(made.owner, PASSWORD).private_key)
    name = first_collection(database, client)
    assert unseal(name, SymmetricKey.from_raw(raw)) == b"Default collection"
    others = select(func.count()).where(Organization.public_key == client.public_key)
    assert database.one(others) == 1


def test_names_and_addresses_are_ones_that_the_portal_itself_would_take(make, database):
    make(locale="fr", clients=60, members=300)
    for name in database.all(select(Organization.name)):
        assert check_name(name) == name
    for email in database.all(select(Account.email)):
        assert check_email(email, field="email") == email
    assert any(not name.isascii() for name in database.all(select(Account.name)))


def test_a_filled_database_is_refused(make, committed_app, database):
    app = committed_app
    with app.app_context():
        assert is_empty()
    make(clients=1, members=1)
    with app.app_context():
        assert not is_empty()
        with pytest.raises(NotEmptyError):
            make_demo(PASSWORD)
        result = app.test_cli_runner().invoke(args=["demo", "--password", PASSWORD])
    assert result.exit_code == 1
    assert "not empty" in result.output
    assert database.count(Organization) == 1


def test_a_provider_without_clients_has_its_people(make, database):
    made = make(clients=0, members=0)
    assert made.owner is None
    assert database.count(ProviderPerson) == 2
    assert wrong_numbers(database) == {}
    assert "owner" not in note_of(made, PASSWORD)


def test_the_command_prints_where_to_begin(committed_app):
    arguments = ["demo", "--password", PASSWORD, "--clients", "2", "--members", "3"]
    result = committed_app.test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 0, result.output
    made = json.loads(result.output)
    assert made["admin"] == "admin@demo.example"
    with committed_app.app_context():
        settings = committed_app.extensions["settings"]
        findings = list(examine(settings, db.engine))
    assert [found.text for found in findings if found.level is Level.FAILURE] == []


def test_a_password_is_made_up_where_none_is_given(committed_app, database):
    arguments = ["demo", "--clients", "0", "--members", "0", "--locale", "fr"]
    result = committed_app.test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 0, result.output
    made = json.loads(result.output)
    master = derive_master_key(made["admin"], made["password"])
    account = database.one(select(Account).where(Account.email == made["admin"]))
    assert passwords.matches(account.signin_hash, signin_hash(master, made["password"]))


def test_shares_add_up():
    assert sum(_shares([0.0, 1.5, 2.25, 0.0, 7.1], 1000)) == 1000
    assert _shares([0.0, 0.0], 10) == [0, 0]
    assert _shares([], 10) == []


def test_nobody_gets_the_address_of_somebody_else():
    names, taken = Names(random.Random(1), "en"), set()
    people = [names.person("acme.example", taken) for _ in range(5000)]
    assert len({person.email for person in people}) == 5000


def test_the_contractor_reads_five_clients_and_nothing_is_to_be_recounted(make, database):
    make()
    contractor = database.one(select(ProviderPerson).where(ProviderPerson.reach != Reach.ALL))
    assert contractor.level == "read_only"
    assert len(open_access(database, contractor.id)) == REACHED
    with database.session() as session:
        assert recount_access(session) == recount_terms(session) == []
