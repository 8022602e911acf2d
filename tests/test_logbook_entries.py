"""The mail at each entry of the provider, and the command that checks the logs."""

import pytest
from sqlalchemy import delete, select

from portal.domain.access import Role
from portal.mail.messages import MESSAGES, Office, Outdated
from portal.models import EntryWatcher, Event, Outbox
from tests.support.browsing import Browser
from tests.support.clients import make_client, persona, sign_in
from tests.support.eventlog import fingerprint, person, sign, unguarded
from tests.support.logbook import invite, log_of, member_browser

TOPIC = "mail.provider_entered"


@pytest.fixture
def admin(database):
    return persona(database)


@pytest.fixture
def acme(database, admin):
    return make_client(database, admin.provider, "Acme Ltd")


@pytest.fixture
def owner(database, acme):
    return member_browser(database, acme, Role.OWNER)


def turn(browser, acme, button):
    page = browser.get(f"{log_of(acme)}/proof")
    return browser.follow(browser.submit(page, button))


def mails(database):
    return database.all(select(Outbox).where(Outbox.topic == TOPIC).order_by(Outbox.id))


def enter(persona, acme):
    persona.browser.get(f"/organizations/{acme.id}/collections")


def test_an_owner_who_wants_to_know_gets_a_mail(database, admin, acme, owner):
    browser, account = owner
    assert "You get a mail when" in turn(browser, acme, "Turn on")
    enter(admin, acme)
    (mail,) = mails(database)
    assert mail.account_id == account.id
    with database.session() as session:
        letter = MESSAGES[TOPIC](session, Office(("x" * 40,), lambda *_, **__: "url"), mail.payload)
    assert letter.to == account.email
    assert letter.facts["technician"] == admin.account.name
    assert letter.facts["provider"] == admin.provider.name


def test_nobody_gets_one_who_did_not_ask(database, admin, acme, owner):
    enter(admin, acme)
    assert mails(database) == []


def test_there_is_one_a_day_for_each_technician(database, admin, acme, owner):
    turn(owner[0], acme, "Turn on")
    technician = persona(database, Role.SERVICE_USER, admin.provider)
    for who in (admin, technician, admin):
        # Another session, as on another machine.
        from_elsewhere = type(who)(who.account, who.provider, _again(database, who.account))
        enter(who, acme)
        enter(from_elsewhere, acme)
    assert [mail.subject_id for mail in mails(database)] == [
        admin.account.id,
        technician.account.id,
    ]


def _again(database, account):
    return sign_in(database, Browser(database.app), account)


def test_it_can_be_turned_off_and_what_waits_is_dropped(database, admin, acme, owner):
    turn(owner[0], acme, "Turn on")
    enter(admin, acme)
    assert "You get no mail" in turn(owner[0], acme, "Turn off")
    (mail,) = mails(database)
    with database.session() as session, pytest.raises(Outdated):
        MESSAGES[TOPIC](session, Office(("x" * 40,), lambda *_, **__: "url"), mail.payload)


def test_only_an_owner_of_the_organization_can_ask(database, admin, acme):
    admin.browser.post(f"{log_of(acme)}/watch/on", status=409)
    other, _ = member_browser(database, acme, Role.ADMIN)
    assert "Mail at each entry" not in other.get(f"{log_of(acme)}/proof")
    other.post(f"{log_of(acme)}/watch/on", status=409)
    assert database.count(EntryWatcher) == 0


def test_turning_it_on_stands_in_the_log_once(database, acme, owner):
    turn(owner[0], acme, "Turn on")
    owner[0].post(f"{log_of(acme)}/watch/on", status=303)
    page = owner[0].get(log_of(acme))
    assert page.texts("tbody th a") == ["Changed the mail at each entry of the provider"]


# flask verify-log


def verify(database, *arguments):
    return database.app.test_cli_runner().invoke(args=["verify-log", *arguments])


def test_the_command_says_that_all_is_well(database, admin, acme):
    invite(database, person(), acme, provider=admin.provider)
    sign(database, acme.id)
    done = verify(database, "--provider", str(admin.provider.id))
    assert done.exit_code == 0, done.output
    assert f"GOOD organization {acme.id}: 1 rows, 1 checkpoints, 0 erased" in done.output
    assert fingerprint(database) in done.output
    assert "2 logs, 2 rows checked; 0 bad." in done.output


def test_the_command_names_the_first_bad_row(database, admin, acme):
    for number in range(3):
        invite(database, person(), acme, f"m{number}@acme.example")
    with unguarded(database) as session:
        session.execute(delete(Event).where(Event.stream_id == acme.id, Event.seq == 2))
    for option in (["--organization", str(acme.id)], ["--all"]):
        done = verify(database, *option)
        assert done.exit_code == 1
        assert f"BAD  organization {acme.id}, row 2: rows are missing" in done.output


def test_the_command_believes_a_pinned_key_alone(database, acme):
    invite(database, person(), acme)
    sign(database, acme.id)
    log = ["--organization", str(acme.id), "--key"]
    assert verify(database, *log, fingerprint(database)).exit_code == 0
    assert verify(database, *log, "ab" * 32).exit_code == 1


@pytest.mark.parametrize("arguments", [[], ["--all", "--provider", "0" * 32]])
def test_the_command_wants_to_know_which_logs(database, arguments):
    assert verify(database, *arguments).exit_code == 2


def test_a_new_key_is_made_on_demand(database):
    done = database.app.test_cli_runner().invoke(args=["rotate-log-key"])
    assert done.exit_code == 0
    assert fingerprint(database) in done.output
