"""Account recovery in tests: where it is offered, who is enrolled, and the clock."""

import datetime as dt

from sqlalchemy import select, update

from portal.crypto.envelope import seal
from portal.crypto.kdf import ITERATIONS, derive_master_key, signin_hash, stretch
from portal.crypto.keys import open_user_key, wrap_for
from portal.domain.access import Role
from portal.domain.policies import PolicyKind
from portal.domain.states import MemberState
from portal.models import Account, Event, Member, Policy, RecoveryEnrolment, RecoveryRequest
from tests.support.accounts import JSON, PASSWORD
from tests.support.organizations import join
from tests.support.policies import enterprise, turn

TEMPORARY = "a temporary password"


def offering(database, *, enrols_all=False):
    """A client on Enterprise whose policy Account recovery is on."""
    place = enterprise(database)
    turn(place, PolicyKind.SINGLE_ORGANIZATION)
    turn(place, PolicyKind.ACCOUNT_RECOVERY)
    if enrols_all:
        set_for_all(place)
    return place


def set_for_all(place):
    place.database.run(
        update(Policy)
        .where(Policy.kind == PolicyKind.ACCOUNT_RECOVERY)
        .values(data={"enrols_all": True})
    )


def someone(place, name, role=Role.USER, state=MemberState.CONFIRMED, parts=()):
    """A person with keys who is a member, and the row's id."""
    person = place.person(f"{name.lower()}@client.example", name, keys=True)
    member = join(place, person, role, state)
    if parts:
        place.database.run(update(Member).where(Member.id == member).values(permissions=[*parts]))
    return person, member


def recovery_key(place, person):
    """The person's user key for the organization's public key."""
    keys = person.keys
    raw = open_user_key(keys.protected_user_key, person.email, PASSWORD, ITERATIONS).raw
    return wrap_for(place.keys.public_key, raw)


def enrol(place, person, member):
    place.database.add(
        RecoveryEnrolment(
            organization_id=place.organization.id,
            member_id=member,
            wrapped_user_key=recovery_key(place, person),
            account_public_key=person.keys.public_key,
            organization_public_key=place.keys.public_key,
        )
    )


def temporary_fields(person):
    """What the recovering browser posts for the account of `person`."""
    raw = open_user_key(person.keys.protected_user_key, person.email, PASSWORD, ITERATIONS).raw
    master = derive_master_key(person.email, TEMPORARY)
    return {
        "email": person.email,
        "public_key": person.keys.public_key,
        "new_signin_hash": signin_hash(master, TEMPORARY),
        "kdf_iterations": str(ITERATIONS),
        "protected_user_key": seal(raw, stretch(master)),
    }


def set_back(place, **ago):
    """Let every recovery be as old as a timedelta of `ago`, and its member told at once."""
    row = place.database.one(select(RecoveryRequest))
    at = row.asked_at - dt.timedelta(**ago)
    place.database.run(update(RecoveryRequest).values(asked_at=at, told_at=at))


def recovery(place):
    return place.database.one(select(RecoveryRequest))


def account(place, person):
    return place.database.one(select(Account).where(Account.id == person.account_id))


def told(place):
    """The kinds of events about recovery, in order."""
    found = place.database.all(select(Event.type).order_by(Event.id))
    return [kind for kind in found if "recover" in kind]


def own(place, *parts):
    return "/".join([place.url, "account-recovery", *parts])


def ask_url(place, member):
    return f"{place.members}/{member}/recovery"


def one(place):
    return f"{place.url}/recoveries/{recovery(place).id}"


def ask(place, person, member, *, status=303):
    browser = place.browser_of(person)
    return browser.post(ask_url(place, member), {"reason": "Forgot it"}, status=status)


def step(place, person, what, *, status=303):
    return place.browser_of(person).post(one(place), {"step": what}, status=status)


def carry_out(place, person, fields, *, status=200):
    url = f"{one(place)}/carry-out"
    return place.browser_of(person).post(url, fields, headers=JSON, status=status)


def ready(place, olga, adam, uma):
    ask(place, olga, uma[1])
    step(place, adam, "approve")
    set_back(place, hours=24)


def enrolled(place):
    return place.database.all(select(RecoveryEnrolment))
