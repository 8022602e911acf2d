"""Recording: one vocabulary, sentences for all of it, and nothing that a log must not hold."""

import ast
import json
import re
import uuid

import pytest
from sqlalchemy import select

from portal.domain.access import Trace
from portal.events import Stream, record
from portal.events.codes import CODES
from portal.events.compose import is_personal
from portal.events.sentences import GROUPS, SENTENCES, VARIANTS, icon_of, tone_of
from portal.events.vocabulary import VOCABULARY
from portal.models import Event, EventPerson, EventStream, new_id
from tests.support.clients import make_client, make_provider
from tests.support.eventlog import person
from tests.support.project import files_in, read

KIND = re.compile(r"(account|provider|organization|system):[a-z_]+:[a-z_]+")
PLACE = re.compile(r"%\((\w+)\)s")


@pytest.fixture
def client(database):
    return make_client(database, make_provider(database))


def kinds_in_code():
    """Every string in the portal that looks like a kind of event, where it stands."""
    for name in files_in("portal/", ".py"):
        if name.startswith("portal/events/"):
            continue
        for node in ast.walk(ast.parse(read(name))):
            value = node.value if isinstance(node, ast.Constant) else None
            if isinstance(value, str) and KIND.fullmatch(value):
                yield value, name


def test_no_kind_is_written_that_the_vocabulary_does_not_have():
    found = list(kinds_in_code())
    assert len(found) > 20
    assert {(kind, name) for kind, name in found if kind not in VOCABULARY} == set()


@pytest.mark.parametrize("kind", VOCABULARY)
def test_every_kind_has_its_form_a_sentence_an_icon_and_a_tone(kind):
    assert KIND.fullmatch(kind)
    assert set(PLACE.findall(SENTENCES[kind])) <= VOCABULARY[kind]
    assert f'id="{icon_of(kind)}"' in read("static/icons.svg")
    assert tone_of(kind) in {"", "warn", "bad"}


def test_no_sentence_is_for_nothing():
    assert set(SENTENCES) == set(VOCABULARY)
    for kind, detail in VARIANTS:
        assert detail in VOCABULARY[kind]
        assert set(PLACE.findall(VARIANTS[kind, detail])) <= VOCABULARY[kind]
    subjects = {kind.split(":")[1] for kind in VOCABULARY}
    grouped = [subject for _, members in GROUPS.values() for subject in members]
    assert len(grouped) == len(set(grouped))
    assert len(subjects) > 5


def test_codes_are_those_of_the_list():
    assert all(KIND.fullmatch(kind) for kind in CODES)
    assert all(1000 <= code <= 2003 for code in CODES.values())


def put(database, client, kind="organization:member:invite", actor=None, **details):
    with database.session() as session:
        return record(
            session,
            actor or person(),
            kind,
            streams=[Stream("organization", client.id)],
            subject_id=new_id(),
            **details,
        )


def test_an_unknown_kind_or_detail_is_refused(database, client):
    with pytest.raises(KeyError):
        put(database, client, "organization:member:invent")
    with pytest.raises(KeyError, match="shoe_size"):
        put(database, client, email="a@b.example", shoe_size=44)
    assert database.count(Event) == 0


@pytest.mark.parametrize(
    "details",
    [
        {"before": {"password": "hunter2"}},
        {"before": {"access_token": "x"}},
        {"before": {"deeper": {"client_secret": "x"}}},
        {"before": "2." + "A" * 60},
        {"after": ["4." + "B" * 344 + "=="]},
        {"after": object()},
        {"after": 1.5},
        {"after": b"bytes"},
    ],
)
def test_secrets_and_what_is_no_plain_value_are_refused(database, client, details):
    with pytest.raises((ValueError, TypeError)):
        put(database, client, "organization:billing:update", **details)
    assert database.count(Event) == 0


def test_what_is_personal_stands_beside_the_chain(database, client):
    ada = person("Ada Nordström", "ada@northwind.example")
    put(database, client, actor=ada, email="olga@acme.example", role="owner")
    event = database.one(select(Event))
    for words in ("Ada", "northwind", "olga", "192.0.2.7", "Firefox"):
        assert words not in event.payload
    payload = json.loads(event.payload)
    assert payload["details"] == {"role": "owner"}
    assert payload["account"] == str(ada.account_id) == str(event.actor_id)
    assert payload["organization"] == str(client.id)
    assert set(payload["personal"]) == {"actor", "about"}
    beside = database.one(select(EventPerson))
    assert json.loads(beside.actor)["name"] == "Ada Nordström"
    assert json.loads(beside.about) == {"email": "olga@acme.example"}
    assert len(beside.actor_salt) == 16
    assert "ada nordstrom" in beside.words


def test_an_address_is_personal_wherever_it_stands():
    rename = "organization:organization:rename"
    assert is_personal(rename, "after", "olga@acme.example")
    assert is_personal(rename, "after", {"deep": ["olga@acme.example"]})
    assert not is_personal(rename, "after", "Acme Ltd")
    assert is_personal("account:profile:update", "before", {"name": "Ada"})
    assert is_personal("provider:person:invite", "email", "")


def test_the_same_facts_never_have_the_same_commitment(database, client):
    for _ in range(2):
        put(database, client, email="olga@acme.example", role="user")
    one, two = (json.loads(each) for each in database.all(select(Event.payload)))
    assert one["personal"]["about"] != two["personal"]["about"]


def test_a_visitor_leaves_a_trace_without_a_name(database, client):
    with database.session() as session:
        record(
            session,
            None,
            "organization:member:accept",
            streams=[Stream("organization", client.id)],
            trace=Trace("203.0.113.9", "w3m", "1" * 32),
            email="olga@acme.example",
        )
    beside = database.one(select(EventPerson))
    assert json.loads(beside.actor) == {"browser": "w3m", "source": "203.0.113.9"}
    assert beside.actor_id is None


def test_a_row_knows_the_provider_that_the_client_had_then(database, client):
    put(database, client, email="a@b.example", role="user")
    with database.session() as session:
        session.get_one(type(client), client.id).provider_id = None
    put(database, client, email="a@b.example", role="user")
    rows = database.all(select(Event.provider_id).order_by(Event.seq))
    assert rows == [client.provider_id, None]


def accept(session, streams, email):
    record(session, person(), "organization:member:accept", streams=streams, email=email)


def test_an_event_that_is_rolled_back_leaves_no_gap(database, client):
    put(database, client, email="a@b.example", role="user")
    with database.session() as session:
        nested = session.begin_nested()
        streams = [Stream("organization", client.id)]
        record(
            session, person(), "organization:member:accept", streams=streams, email="x@y.example"
        )
        nested.rollback()
        record(
            session, person(), "organization:member:accept", streams=streams, email="x@y.example"
        )
        record(
            session, person(), "organization:member:accept", streams=streams, email="z@y.example"
        )
    assert database.all(select(Event.seq).order_by(Event.seq)) == [1, 2, 3]
    assert database.one(select(EventStream.last_seq)) == 3


def test_several_events_of_one_transaction_cost_little(database, client, statements):
    put(database, client, email="a@b.example", role="user")
    provider = Stream("provider", client.provider_id)
    put(database, client, email="a@b.example", role="user")
    with database.session() as session:
        record(session, person(), "provider:recovery_sheet:save", streams=[provider])
    statements.clear()
    with database.session() as session:
        for number in range(3):
            record(
                session,
                person(),
                "organization:member:invite",
                streams=[Stream("organization", client.id), provider],
                email=f"m{number}@acme.example",
                role="user",
            )
    # Lock both ends, insert rows and what stands beside them, move both ends.
    statements.most(4)


def test_ids_of_one_event_are_the_same_in_both_logs(database, client):
    with database.session() as session:
        event = record(
            session,
            person(),
            "organization:organization:open",
            streams=[
                Stream("organization", client.id),
                Stream("provider", client.provider_id),
            ],
            provider="Northwind IT",
        )
    assert isinstance(event, uuid.UUID)
    assert database.all(select(Event.id)) == [event, event]
