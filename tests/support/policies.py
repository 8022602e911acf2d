"""Policies in tests: turned on, saved by their pages, and whom they concern."""

from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.plans import Plan
from portal.domain.policies import PolicyKind
from portal.domain.policy_data import to_store
from portal.domain.states import MemberState
from portal.models import (
    Account,
    Event,
    Member,
    Organization,
    Policy,
)
from tests.support.clients import make_client
from tests.support.organizations import Place, join, make_place

TWO_STEP, SINGLE = PolicyKind.TWO_STEP, PolicyKind.SINGLE_ORGANIZATION
UMA = "uma@client.example"


def enterprise(database):
    made = make_place(database)
    database.run(
        update(Organization).values(plan=Plan.ENTERPRISE, plan_rank=2, seats=50, seats_used=20)
    )
    return made


def url(place, *parts):
    return "/".join([place.url, "policies", *parts])


def turn(place, kind, data=None, *, on=True, **columns):
    """Set a policy without its consequences, as if it had been so for long."""
    stored = to_store(data)
    place.database.add(
        Policy(organization_id=place.organization.id, kind=kind, is_on=on, data=stored, **columns)
    )


def somebody(place, email=UMA, role=Role.USER, state=MemberState.CONFIRMED, *, factor=False):
    person = place.person(email, email.split("@")[0].title(), keys=True)
    if factor:
        give_factor(place, person)
    return person, join(place, person, role, state)


def give_factor(place, person):
    place.database.run(
        update(Account).where(Account.id == person.account_id).values(totp_secret="sealed")
    )


def elsewhere(place, person, state=MemberState.CONFIRMED, name="Other Ltd"):
    other = make_client(place.database, place.provider, name)
    place.database.run(
        update(Organization)
        .where(Organization.id == other.id)
        .values(plan=Plan.ENTERPRISE, plan_rank=2)
    )
    away = Place(place.database, place.provider, place.admin, other, other.id)
    return away, join(away, person, Role.USER, state)


def save(browser, place, kind, *, on=True, button="Save", status=303):
    page = browser.get(url(place, kind.value))
    fields = {"is_on": "y"} if on else {"is_on": []}
    preview = browser.submit(page, "Show what it changes", fields, status=200)
    return browser.submit(preview, button, {}, status=status)


def state(place, member):
    return place.database.one(select(Member.state).where(Member.id == member))


def told(place, kind):
    return place.database.all(select(Event.type).where(Event.type == f"organization:{kind}"))
