"""`flask doctor`: every check can fail, and says so with its exit status."""

import datetime as dt
import hashlib
import re

import pytest
from sqlalchemy import delete, insert, select, text, update

from portal.cli import checks
from portal.cli.recount import recount
from portal.crypto.sealing import Sealer
from portal.domain.states import MemberState
from portal.models import (
    Account,
    Affiliation,
    Event,
    EventStream,
    Member,
    Organization,
    Outbox,
    Provider,
    new_id,
    utc_now,
)
from tests.support.clients import employ, make_account, make_client, make_provider
from tests.support.databases import engine_for
from tests.support.mailing import change_settings
from tests.support.project import ROOT
from tests.support.scopes import settle

pytestmark = pytest.mark.committed


@pytest.fixture
def doctor(committed_app, monkeypatch, tmp_path):
    change_settings(committed_app, monkeypatch, instance=tmp_path)

    def run(*arguments, status=0):
        result = committed_app.test_cli_runner().invoke(args=["doctor", *arguments])
        assert result.exit_code == status, result.output
        return result.output

    return run


@pytest.fixture
def house(committed):
    """A provider with one client, whose owner is confirmed; everything is counted right."""
    provider = make_provider(committed)
    admin = make_account(committed)
    employ(committed, provider, admin)
    client = make_client(committed, provider, seats_used=1, owner_confirmed=True, setup_done=0)
    owner = make_account(committed, with_keys=True)
    committed.add(
        Member(
            organization_id=client.id,
            account_id=owner.id,
            email=owner.email,
            role="owner",
            state=MemberState.CONFIRMED,
            wrapped_organization_key="4.key",
        ),
        place(admin.id, "provider", provider.id, provider.name, "provider_admin"),
        place(owner.id, "organization", client.id, client.name, "owner"),
        EventStream(stream_id=client.id, kind="organization", last_seq=1, last_hash=bytes(32)),
        row_of_the_log(client, 1),
    )
    settle(committed, provider)
    return committed


def row_of_the_log(client, seq, **columns):
    values = {"id": new_id(), "at": utc_now(), "type": "x", "payload": "{}", "hash": bytes(32)}
    return Event(stream_id=client.id, seq=seq, **(values | columns))


def place(account_id, kind, tenant_id, name, role):
    return Affiliation(
        account_id=account_id,
        kind=kind,
        tenant_id=tenant_id,
        name=name,
        role=role,
        state="confirmed",
    )


def wrong(database):
    with database.session() as session:
        return {what for what, rows in recount(session) if rows}


def test_a_healthy_portal_passes(doctor, house):
    output = doctor()
    assert "FAILURE" not in output
    assert "All is well" in output


def test_the_hashes_of_all_scripts_are_told(doctor, house):
    output = doctor()
    for file in (ROOT / "static").rglob("*.js"):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert f"{digest}  {file.relative_to(ROOT)}" in output


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (update(Organization).values(seats_used=2), "seats used"),
        (update(Organization).values(owner_confirmed=False), "confirmed owners"),
        (update(Organization).values(setup_done=1), "set-up progress"),
        (update(Organization).values(setup_total=6), "set-up progress"),
        (update(Provider).values(clients_count=2), "clients of providers"),
        (delete(Affiliation).where(Affiliation.kind == "provider"), "where people belong"),
        (update(Affiliation).values(role="admin"), "where people belong"),
        (update(Affiliation).values(name="An old name"), "where people belong"),
        (update(Affiliation).values(tenant_id=new_id()), "where people belong"),
        (update(EventStream).values(last_seq=2), "event numbers"),
        (update(EventStream).values(last_seq=0, last_hash=None), "event numbers"),
    ],
)
def test_a_number_that_is_wrong_is_found(doctor, house, damage, what):
    assert wrong(house) == set()
    house.run(damage)
    assert wrong(house) == {what}
    assert f"FAILURE Recounted {what}" in doctor(status=1)


def test_a_row_that_leads_to_nobodys_membership_is_found(house):
    stranger = make_account(house)
    tenant = house.one(text("select count(*) from organizations"))
    assert tenant == 1
    organization = house.all(Organization.__table__.select())[0]
    house.add(place(stranger.id, "organization", organization.id, organization.name, "user"))
    assert wrong(house) == {"where people belong"}


def test_jobs_that_nobody_does_are_a_failure(doctor, house):
    house.run(
        insert(Outbox).values(topic="t", payload={}, run_at=utc_now() - dt.timedelta(minutes=6))
    )
    assert "does the worker run" in doctor(status=1)


def test_mails_that_failed_lately_are_a_warning(doctor, house):
    house.run(insert(Outbox).values(topic="t", payload={}, state="failed", finished_at=utc_now()))
    assert "warning 1 mails" in doctor()


def test_demo_accounts_on_a_portal_that_others_reach_are_a_failure(
    doctor, house, committed_app, monkeypatch
):
    house.run(update(Account).values(is_demo=True))
    assert "only this machine reaches them" in doctor()
    change_settings(committed_app, monkeypatch, base_url="https://portal.example")
    assert "FAILURE Demo accounts exist" in doctor(status=1)


def test_clocks_that_differ_are_a_failure(doctor, house, monkeypatch):
    ahead = utc_now() + dt.timedelta(minutes=2)
    monkeypatch.setattr(checks, "_clock_of", lambda _session: ahead)
    # Up to two seconds pass until the doctor looks.
    assert re.search(r"\b1(20|19|18) s apart", doctor(status=1))


def test_an_event_of_the_future_is_a_failure(doctor, house):
    client = house.one(select(Organization))
    house.add(row_of_the_log(client, 2, at=utc_now() + dt.timedelta(hours=1)))
    assert "yet to come" in doctor(status=1)


def test_a_mail_server_that_is_away_is_a_failure(doctor, house, committed_app, monkeypatch):
    change_settings(committed_app, monkeypatch, smtp_url="smtp://127.0.0.1:1")
    assert "FAILURE Mail server" in doctor(status=1)


def test_trying_the_mail_server_sends_nothing(doctor, house, committed_app, monkeypatch, smtp):
    change_settings(committed_app, monkeypatch, smtp_url=smtp.url)
    assert "The mail server answers" in doctor()
    assert smtp.deliveries == []


def test_a_key_that_others_can_read_is_a_failure(doctor, house, tmp_path):
    (tmp_path / "secret.key").write_text("x" * 40)
    (tmp_path / "secret.key").chmod(0o644)
    assert "chmod 600" in doctor(status=1)


def test_a_price_list_that_cannot_be_used_is_a_failure(
    doctor, house, committed_app, monkeypatch, tmp_path
):
    (tmp_path / "prices.toml").write_text("version = 1")
    change_settings(committed_app, monkeypatch, prices=tmp_path / "prices.toml")
    assert "FAILURE The price list" in doctor(status=1)


def test_a_database_that_was_not_migrated_is_a_failure(databases, committed_app, kind):
    settings = committed_app.extensions["settings"]
    with engine_for(databases.empty(kind, "unmigrated")) as engine:
        found = list(checks.examine(settings, engine))
    failures = [finding.text for finding in found if finding.level is checks.Level.FAILURE]
    assert len(failures) == 1
    assert "migration nothing" in failures[0]
    if kind == "postgresql":
        databases.server.drop("unmigrated")


def test_a_database_that_is_away_is_a_failure(committed_app):
    settings = committed_app.extensions["settings"]
    with engine_for("postgresql+psycopg://nobody@127.0.0.1:1/none") as engine:
        failures = [
            finding.text
            for finding in checks.examine(settings, engine)
            if finding.level is checks.Level.FAILURE
        ]
    assert len(failures) == 1
    assert "cannot be reached" in failures[0]


def test_a_test_mail_is_sent_aloud(doctor, committed_app, monkeypatch, smtp):
    change_settings(committed_app, monkeypatch, smtp_url=smtp.url)
    output = doctor("--mail", "ops@northwind.example")
    assert "> rcpt TO:<ops@northwind.example>" in output
    assert "< 250 2.0.0 Accepted" in output
    assert smtp.last().recipients == ["ops@northwind.example"]
    assert "test mail" in smtp.last().text


def test_a_test_mail_that_is_refused_says_why(doctor, committed_app, monkeypatch, smtp):
    change_settings(committed_app, monkeypatch, smtp_url=smtp.url)
    smtp.answers = ["550 5.7.1 Not from you"]
    assert "550 5.7.1 Not from you" in doctor("--mail", "ops@northwind.example", status=1)
    assert "not an address" in doctor("--mail", "nobody", status=1)


def test_looking_changes_nothing(doctor, house, statements):
    statements.clear()
    doctor()
    assert {str(each).split()[0] for each in statements} <= {"SELECT", "WITH"}


def test_second_factors_under_older_keys_of_the_portal_are_counted(
    doctor, committed, house, monkeypatch
):
    old, new = "o" * 40, "n" * 40
    assert "All second factors are sealed with the first" in doctor()
    for keys in ((old,), (old,), (new,)):
        make_account(committed, totp_secret=Sealer(keys, "totp").seal("SEED"))
    change_settings(committed.app, monkeypatch, secret_keys=(new, old))
    assert "2 second factors are sealed with an older PORTAL_SECRET_KEY" in doctor()
    change_settings(committed.app, monkeypatch, secret_keys=(new,))
    said = doctor(status=1)
    assert "2 second factors were sealed with a PORTAL_SECRET_KEY that is not in the list" in said
    assert "All second factors" not in said
