"""Plain users of verified domains are confirmed by an unlocked browser, where that is chosen."""

import itertools
import threading

import pytest
from sqlalchemy import delete, insert, select, update

from portal.accounts import service
from portal.crypto.keys import unwrap, wrap_for
from portal.domain.access import Role, Trace
from portal.domain.automatic_confirmation import Terms, Waiting, check_turning_on, is_let_in
from portal.domain.errors import RuleError
from portal.domain.plans import Plan
from portal.domain.policies import PolicyKind
from portal.domain.scope import Level as ScopeLevel
from portal.domain.states import MemberState
from portal.members import automatic, confirmation, queries
from portal.models import (
    Account,
    ClaimedDomain,
    Event,
    Member,
    Organization,
    OrganizationSettings,
    Outbox,
    Policy,
    ProviderPerson,
    utc_now,
)
from tests.support.accounts import Person, keys_for, posted_keys
from tests.support.organizations import employ, join, make_place

DOMAIN = "acme.example"
TERMS = Terms(is_on=True, plan=Plan.ENTERPRISE, domains={DOMAIN}, single_organization=True)
EVA = Waiting(
    Role.USER,
    MemberState.ACCEPTED,
    f"eva@{DOMAIN}",
    has_keys=True,
    is_of_provider=False,
    key_changed=False,
)


def but(person, **changes):
    return Waiting(**{**person.__dict__, **changes})


def test_a_plain_user_of_a_verified_domain_who_has_accepted_is_let_in():
    assert is_let_in(EVA, TERMS)


@pytest.mark.parametrize(
    "changes",
    [
        *({"role": role} for role in Role if role is not Role.USER),
        *({"state": state} for state in MemberState if state is not MemberState.ACCEPTED),
        {"email": "eva@sub.acme.example"},
        {"email": "eva@acme.example.org"},
        {"email": "eva@notacme.example"},
        {"email": "eva"},
        {"has_keys": False},
        {"is_of_provider": True},
        {"key_changed": True},
    ],
)
def test_nobody_else_is(changes):
    assert not is_let_in(but(EVA, **changes), TERMS)


def test_every_condition_of_the_organization_counts():
    everything = itertools.product((True, False), Plan, ({DOMAIN}, set()), (True, False))
    for is_on, plan, domains, single in everything:
        terms = Terms(is_on, plan, domains, single)
        wanted = is_on and plan is Plan.ENTERPRISE and bool(domains) and single
        assert is_let_in(EVA, terms) is wanted
        lacks = plan is not Plan.ENTERPRISE or not domains or not single
        if lacks:
            with pytest.raises(RuleError):
                check_turning_on(terms)
        else:
            check_turning_on(terms)


def prepare(database):
    made = make_place(database)
    database.run(update(Organization).values(plan=Plan.ENTERPRISE, plan_rank=2, seats=50))
    verify(made)
    ask(made)
    database.run(
        insert(OrganizationSettings).values(
            organization_id=made.organization.id, confirms_automatically=True
        )
    )
    return made


def verify(place, domain=DOMAIN, *, at=True):
    here = {"organization_id": place.organization.id, "domain": domain}
    place.database.add(ClaimedDomain(**here, verified_at=utc_now() if at else None))


def ask(place, kind=PolicyKind.SINGLE_ORGANIZATION):
    here = {"organization_id": place.organization.id, "kind": kind}
    place.database.add(Policy(**here, is_on=True, data={}))


@pytest.fixture
def place(database):
    return prepare(database)


def accept(place, name, role=Role.USER, *, email=None, keys=True):
    person = place.person(email or f"{name.lower()}@{DOMAIN}", name, keys=keys)
    return person, join(place, person, role, MemberState.ACCEPTED)


def url_of(place):
    return f"{place.members}/automatic"


def look(browser, place, after="", status=200):
    return browser.client.get(f"{url_of(place)}?after={after}", headers=JSON).get_json()


JSON = {"Accept": "application/json"}


def hand_over(browser, place, *members, key=None, version=None):
    """What a browser that has opened the organization's key sends for the members it was told."""
    ring = look(browser, place).get("ring")
    known = ring["organization"]["version"] if ring else ""
    data = {"key_version": known if version is None else version}
    for person, row in members:
        public = key or keys_for(person.email).public_key
        data[f"public_key-{row}"] = public
        data[f"wrapped_key-{row}"] = wrap_for(public, place.keys.key.raw)
    data["csrf_token"] = browser.csrf_token()
    answer = browser.client.post(url_of(place), data=data, headers=JSON)
    assert answer.status_code == 200
    return answer.get_json()


def states(place):
    found = select(Member.email, Member.state).where(Member.account_id.is_not(None))
    return {email.partition("@")[0]: state.value for email, state in place.database.all(found)}


def kinds(place):
    found = select(Event.type).where(Event.stream_id == place.organization.id)
    return place.database.all(found.order_by(Event.seq))


def test_an_unlocked_browser_is_told_whom_to_confirm_and_does_so(place):
    eva, tom = accept(place, "Eva"), accept(place, "Tom")
    admin = place.admins_browser()
    told = look(admin, place)
    assert {each["account_id"] for each in told["members"]} == {
        str(person.account_id) for person, _row in (eva, tom)
    }
    assert told["ring"]["organization"]["id"] == str(place.organization.id)
    assert told["after"] is None
    done = hand_over(admin, place, eva, tom)
    assert done == {"confirmed": 2, "said": "2 members were confirmed automatically."}
    assert states(place) == {"eva": "confirmed", "tom": "confirmed"}
    wrapped = place.member(eva[1]).wrapped_organization_key
    assert unwrap(wrapped, eva[0].keys.private_key) == place.keys.key.raw
    assert kinds(place).count("organization:member:confirm_automatically") == 2
    assert "organization:member:confirm" not in kinds(place)
    mails = select(Outbox.id).where(Outbox.topic == "mail.member_confirmed")
    assert len(place.database.all(mails)) == 2
    assert look(admin, place) == {"ring": None, "members": [], "after": None}


def others(place):
    """One of each who is not for a browser to confirm."""
    bea = place.person(f"bea@{DOMAIN}", "Bea", keys=True)
    employ(place.database, place.provider, bea, Role.SERVICE_USER)
    return [
        accept(place, "Ann", Role.ADMIN),
        accept(place, "Olaf", Role.OWNER),
        accept(place, "Cora", Role.CUSTOM),
        accept(place, "Fay", email="fay@elsewhere.example"),
        accept(place, "Sue", email=f"sue@sub.{DOMAIN}"),
        accept(place, "Nina", keys=False),
        (bea, join(place, bea, Role.USER, MemberState.ACCEPTED)),
    ]


def test_nobody_else_is_told_or_taken(place):
    found = others(place)
    before = states(place)
    admin = place.admins_browser()
    assert look(admin, place)["members"] == []
    with_keys = [(person, row) for person, row in found if person.name != "Nina"]
    assert hand_over(admin, place, *with_keys)["confirmed"] == 0
    assert states(place) == before


@pytest.mark.parametrize(
    "change",
    [
        update(OrganizationSettings).values(confirms_automatically=False),
        delete(OrganizationSettings),
        update(ClaimedDomain).values(verified_at=None),
        delete(ClaimedDomain),
        update(Policy).values(is_on=False),
        update(Organization).values(plan=Plan.TEAMS, plan_rank=1),
    ],
    ids=["off", "default", "unverified", "no domain", "no policy", "teams"],
)
def test_without_the_choice_or_what_it_needs_nobody_is_confirmed(place, change):
    eva = accept(place, "Eva")
    admin = place.admins_browser()
    version = look(admin, place)["ring"]["organization"]["version"]
    place.database.run(change)
    assert look(admin, place)["members"] == []
    assert hand_over(admin, place, eva, version=version)["confirmed"] == 0
    assert states(place) == {"eva": "accepted"}


def test_a_domain_of_another_organization_counts_for_nobody_here(place):
    place.database.run(delete(ClaimedDomain))
    other = make_place_beside(place)
    place.database.add(ClaimedDomain(organization_id=other, domain=DOMAIN, verified_at=utc_now()))
    accept(place, "Eva")
    assert look(place.admins_browser(), place)["members"] == []


def make_place_beside(place):
    from tests.support.clients import make_client  # noqa: PLC0415

    return make_client(place.database, place.provider, "Beta", plan=Plan.ENTERPRISE).id


def test_what_policies_ask_is_asked(place):
    eva, tom = accept(place, "Eva"), accept(place, "Tom")
    ask(place, kind=PolicyKind.TWO_STEP)
    account = update(Account).where(Account.id == tom[0].account_id)
    place.database.run(account.values(totp_secret="sealed"))
    admin = place.admins_browser()
    assert [each["id"] for each in look(admin, place)["members"]] == [str(tom[1])]
    assert hand_over(admin, place, eva, tom)["confirmed"] == 1
    assert states(place) == {"eva": "accepted", "tom": "confirmed"}


def test_a_key_that_is_not_the_members_is_an_alarm_and_from_then_on_takes_a_person(place):
    eva = accept(place, "Eva")
    admin = place.admins_browser()
    other = keys_for("mallory@elsewhere.example").public_key
    assert hand_over(admin, place, eva, key=other)["confirmed"] == 0
    assert states(place) == {"eva": "accepted"}
    assert kinds(place).count("organization:member:key_changed") == 1
    assert look(admin, place)["members"] == []
    assert hand_over(admin, place, eva)["confirmed"] == 0


@pytest.mark.parametrize("wrapped", ["", "2.AAAA|AAAA|AAAA", "nonsense", "4."])
def test_what_is_no_wrapped_key_confirms_nobody(place, wrapped):
    person, row = accept(place, "Eva")
    admin = place.admins_browser()
    data = {
        f"public_key-{row}": keys_for(person.email).public_key,
        f"wrapped_key-{row}": wrapped,
        "wrapped_key-nonsense": "x",
        "csrf_token": admin.csrf_token(),
    }
    answer = admin.client.post(url_of(place), data=data, headers=JSON)
    assert answer.get_json() == {"confirmed": 0, "said": ""}
    assert states(place) == {"eva": "accepted"}


def test_a_key_that_was_rotated_meanwhile_is_not_handed_over(place):
    eva = accept(place, "Eva")
    admin = place.admins_browser()
    assert hand_over(admin, place, eva, version="older")["confirmed"] == 0
    assert states(place) == {"eva": "accepted"}


def with_keys(place, email, keys):
    """One pair for many people: nobody unwraps anything here, and each costs half a second."""
    stored = service.AccountKeys(**posted_keys(keys) | {"kdf_iterations": keys.iterations})
    with place.database.session() as session:
        made = service.create_account(
            session, email=email, name="P", locale="en", keys=stored, trace=Trace()
        )
        return Person(made.id, email, made.name, keys)


def test_twenty_at_a_time_and_one_who_cannot_come_in_keeps_nobody_back(place):
    keys = keys_for("anybody@northwind.example")
    rows = []
    for number in range(25):
        person = with_keys(place, f"p{number}@{DOMAIN}", keys)
        rows.append(join(place, person, Role.USER, MemberState.ACCEPTED))
    admin = place.admins_browser()
    first = look(admin, place)
    assert len(first["members"]) == 20
    rest = look(admin, place, first["after"])
    assert (len(rest["members"]), rest["after"]) == (5, None)
    assert look(admin, place, "nonsense") == first
    data = {"key_version": "", "csrf_token": admin.csrf_token()}
    for row in rows:
        data[f"public_key-{row}"] = keys.public_key
        data[f"wrapped_key-{row}"] = wrap_for(keys.public_key, place.keys.key.raw)
    answer = admin.client.post(url_of(place), data=data, headers=JSON)
    assert answer.get_json()["confirmed"] == 20, "whatever is sent, a bounded batch is done"


def test_asking_when_nobody_waits_costs_little(place, statements):
    admin = place.admins_browser()
    look(admin, place)
    statements.clear()
    look(admin, place)
    nobody = len(statements)
    for number in range(30):
        accept(place, f"A{number}", Role.ADMIN, keys=False)
    statements.clear()
    look(admin, place)
    assert len(statements) == nobody <= 8


@pytest.mark.parametrize(
    ("role", "status"), [(Role.ADMIN, 200), (Role.OWNER, 200), (Role.USER, 403)]
)
def test_only_who_may_confirm_asks_and_sends(place, role, status):
    ian = place.person("ian@elsewhere.example", "Ian", keys=True)
    join(place, ian, role, MemberState.CONFIRMED)
    browser = place.browser_of(ian)
    assert browser.client.get(url_of(place), headers=JSON).status_code == status
    data = {"csrf_token": browser.csrf_token()}
    assert browser.client.post(url_of(place), data=data, headers=JSON).status_code == status


def test_whoever_only_reads_confirms_nobody(place):
    bea = place.person("bea@northwind.example", "Bea", keys=True)
    employ(place.database, place.provider, bea, Role.SERVICE_USER)
    where = ProviderPerson.account_id == bea.account_id
    place.database.run(update(ProviderPerson).where(where).values(level=ScopeLevel.READ_ONLY))
    answer = place.browser_of(bea).client.get(url_of(place), headers=JSON)
    assert answer.status_code == 403


def test_two_browsers_that_confirm_the_same_people_confirm_each_once(committed):
    place = prepare(committed)
    people = [accept(place, name) for name in ("Eva", "Tom", "Lea", "Kim")]
    handed = {
        row: automatic.Handed(
            keys_for(person.email).public_key,
            wrap_for(keys_for(person.email).public_key, place.keys.key.raw),
        )
        for person, row in people
    }
    gate, answers = threading.Barrier(4), []

    def go():
        gate.wait()
        with committed.session() as session:
            done = automatic.confirm(
                session, place.actor, place.organization.id, handed, key_version=""
            )
        answers.append((done.confirmed, done.changed))

    threads = [threading.Thread(target=go) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(confirmed for confirmed, _changed in answers) == 4
    assert all(not changed for _confirmed, changed in answers)
    assert kinds(place).count("organization:member:confirm_automatically") == 4


def test_whoever_was_confirmed_by_hand_meanwhile_is_passed_over(place):
    eva, tom = accept(place, "Eva"), accept(place, "Tom")
    admin = place.admins_browser()
    told = look(admin, place)
    with place.database.session() as session:
        confirmation.confirm(
            session,
            place.actor,
            queries.find(session, place.organization.id, eva[1]),
            public_key=keys_for(eva[0].email).public_key,
            wrapped_key=wrap_for(keys_for(eva[0].email).public_key, place.keys.key.raw),
        )
    version = told["ring"]["organization"]["version"]
    done = hand_over(admin, place, eva, tom, version=version)
    assert done == {"confirmed": 1, "said": "1 member was confirmed automatically."}
