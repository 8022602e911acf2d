"""The seed of a second factor under another secret key of the portal."""

import pyotp
import pytest
from sqlalchemy import update

from portal.accounts import second_factor
from portal.crypto.sealing import Sealer
from portal.models import Account
from tests.support.accounts import make_person, stored_account
from tests.support.databases import SECRET_KEY


@pytest.fixture
def bo(database):
    return make_person(database, "bo@northwind.example", "Bo Lind", keys=True, second=True)


def sealed_with(database, person, *keys):
    """Seal the person's seed anew with the first of some keys of the portal; returns it."""
    secret = Sealer((SECRET_KEY,), "totp").open(stored_account(database, person).totp_secret)
    sealed = Sealer(keys, "totp").seal(secret)
    change = update(Account).where(Account.id == person.account_id)
    database.run(change.values(totp_secret=sealed, totp_last_step=None))
    return secret, sealed


def use(database, person, secret, keys, code=None):
    with database.session() as session:
        sealer = Sealer(keys, "totp")
        right = code or pyotp.TOTP(secret).now()
        return second_factor.use_totp(session, sealer, person.account_id, right)


def test_a_seed_under_an_old_key_is_sealed_anew_when_it_is_used(database, bo):
    old, new = "o" * 40, "n" * 40
    secret, sealed = sealed_with(database, bo, old)
    assert not use(database, bo, secret, (new, old), code="000000")
    assert stored_account(database, bo).totp_secret == sealed
    assert use(database, bo, secret, (new, old))
    renewed = stored_account(database, bo).totp_secret
    assert Sealer((new,), "totp").open(renewed) == secret
    database.run(update(Account).values(totp_last_step=None))
    assert use(database, bo, secret, (new,))
    assert stored_account(database, bo).totp_secret == renewed


def test_a_seed_whose_key_is_gone_stays_as_it_is(database, bo):
    secret, sealed = sealed_with(database, bo, "g" * 40)
    assert not use(database, bo, secret, ("n" * 40,))
    assert stored_account(database, bo).totp_secret == sealed
