"""The keys that sign checkpoints: made once, rotated, sealed by the server's secret."""

import pytest
from sqlalchemy import select

from portal.events import Stream, signing
from portal.models import EventKey
from tests.support.clients import make_client, make_provider
from tests.support.eventlog import KEYS, check, fill, fingerprint, person, sign


@pytest.fixture
def log(database):
    client = make_client(database, make_provider(database))
    stream = Stream("organization", client.id)
    fill(database, stream, person(), 2)
    sign(database, client.id)
    return stream


def test_a_new_key_signs_and_old_checkpoints_stay_good(database, log):
    before = fingerprint(database)
    with database.session() as session:
        signing.rotate(session, KEYS)
    fill(database, log, person(), 1)
    sign(database, log.id)
    assert fingerprint(database) != before
    assert check(database, log).fault == ""
    newest = database.one(select(EventKey).where(EventKey.previous_id.is_not(None)))
    assert newest.previous_id == before.replace(" ", "")


def test_keys_are_sealed_again_when_the_server_gets_a_new_secret(database, log):
    new = "another key of the tests that guards nothing"
    with database.session() as session:
        signing.reseal(session, (new, *KEYS))
    with database.session() as session:
        assert signing.own_keys(session, (new,)) == {fingerprint(database).replace(" ", "")}
        assert signing.own_keys(session, KEYS) == set()


def test_a_lost_secret_means_a_new_key_and_says_so(database, log):
    with database.session() as session, pytest.raises(signing.KeyLostError):
        signing.signer(session, ("a secret that never sealed any of these",))
    with database.session() as session:
        made = signing.rotate(session, ("a secret that never sealed any of these",))
    assert database.one(select(EventKey.previous_id).where(EventKey.id == made.key_id)) is None
