"""Two organizations and one domain, tenants and rights, and accounts at a verified domain."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.claimed_domains import Answer
from portal.domain.errors import RuleError
from portal.domain.plans import Plan
from portal.domain.policies import PolicyKind
from portal.domain.states import MemberState
from portal.domains import service
from portal.models import ClaimedDomain, Event, Organization, Policy, utc_now
from portal.policies.holding import check_new_account
from tests.support.clients import make_client
from tests.support.domains import ACME, add, kinds, look, make_house, publish, row_of, url_of
from tests.support.organizations import join


@pytest.fixture
def place(database):
    return make_house(database)


@pytest.fixture
def other(place):
    return another(place)


def another(place):
    """Another client on Enterprise."""
    client = make_client(place.database, place.provider, name="Globex")
    place.database.run(update(Organization).values(plan=Plan.ENTERPRISE, plan_rank=2))
    return replace(place, organization=client)


def both(place, other):
    here = [each.organization.id for each in (place, other)]
    rows = [ClaimedDomain(organization_id=each, domain=ACME) for each in here]
    place.database.add(*rows)
    return [(row.organization_id, row.id) for row in rows]


def test_of_two_that_verify_at_once_one_does(committed):
    place = make_house(committed)
    ids = both(place, another(place))
    start, failed = threading.Barrier(2), []

    def find(organization_id, domain_id):
        try:
            with place.database.session() as session:
                start.wait()
                service.found(session, organization_id, domain_id, Answer.FOUND)
        except Exception as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=find, args=each) for each in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    rows = place.database.all(select(ClaimedDomain.verified_at, ClaimedDomain.answer))
    assert sorted(row.answer for row in rows) == ["found", "taken"]
    assert sum(row.verified_at is not None for row in rows) == 1
    told = select(Event.type).where(Event.type == "organization:domain:verify")
    assert len(place.database.all(told)) == 1


def test_whose_it_is_shows_only_to_whoever_proves_it_and_to_nobody_by_name(
    place, other, name_server
):
    admin = place.admins_browser()
    here = {"organization_id": other.organization.id, "domain": ACME}
    place.database.add(ClaimedDomain(**here, verified_at=utc_now()))
    row = add(place, admin)
    page = admin.get(url_of(place, row))
    assert "Taken" not in page
    publish(name_server, row)
    look(place, name_server)
    page = admin.get(url_of(place, row))
    assert "another organization has verified this domain" in page
    assert "Globex" not in page.text("main")
    assert row_of(place).verified_at is None


def test_another_clients_domain_is_not_there(place, other):
    admin = place.admins_browser()
    row = add(other, admin)
    for path in ("", "/remove"):
        admin.get(f"{place.url}/domains/{row.id}{path}", status=404)
    admin.post(f"{place.url}/domains/{row.id}/check", {}, status=404)
    admin.post(f"{place.url}/domains/{row.id}/remove", {}, status=404)
    assert row_of(other) is not None
    assert admin.get(f"{place.url}/domains").select("tbody tr") == []


@pytest.mark.parametrize("role", [Role.USER, Role.CUSTOM])
def test_plain_members_see_nothing_of_it(place, role):
    person = place.person("eva@acme.example", "Eva", keys=True)
    join(place, person, role, MemberState.CONFIRMED)
    place.browser_of(person).get(f"{place.url}/domains", status=403)


def test_what_fails_halfway_leaves_nothing(place, monkeypatch):
    admin = place.admins_browser()

    def fail(*_args, **_named):
        raise RuleError("no")

    monkeypatch.setattr("portal.domains.service.attention.domain_changed", fail)
    admin.post(f"{place.url}/domains/new", {"domain": ACME}, status=422)
    assert place.database.count(ClaimedDomain) == 0
    assert kinds(place) == []


def block(place, *, on=True):
    here = {"organization_id": place.organization.id}
    place.database.add(
        ClaimedDomain(**here, domain=ACME, verified_at=utc_now()),
        Policy(**here, kind=PolicyKind.BLOCK_ACCOUNT_CREATION, is_on=on, data={}),
    )


def is_blocked(place, invited_by, email=f"zoe@{ACME}"):
    with place.database.session() as session:
        try:
            check_new_account(session, email, invited_by)
        except RuleError:
            return True
    return False


def test_accounts_at_a_verified_domain_come_from_its_organization_and_provider(place, other):
    block(place)
    elsewhere = other.organization.id
    assert is_blocked(place, elsewhere)
    assert is_blocked(place, None)
    assert not is_blocked(place, place.organization.id)
    assert not is_blocked(place, place.provider.id)
    assert not is_blocked(place, elsewhere, "zoe@sub.acme.example")
    place.database.run(update(ClaimedDomain).values(verified_at=None))
    assert not is_blocked(place, elsewhere), "it needs a verified domain"


def test_off_or_on_a_smaller_plan_it_asks_nothing(place, other):
    block(place, on=False)
    assert not is_blocked(place, other.organization.id)
    place.database.run(update(Policy).values(is_on=True))
    place.database.run(update(Organization).values(plan=Plan.TEAMS, plan_rank=1))
    assert not is_blocked(place, other.organization.id)


def test_the_policy_cannot_be_turned_on_without_a_domain(place):
    admin = place.admins_browser()
    url = f"{place.url}/policies/block_account_creation/preview?version=0&is_on=y"
    assert "needs a verified domain" in admin.get(url, status=422)
    place.database.add(
        ClaimedDomain(organization_id=place.organization.id, domain=ACME, verified_at=utc_now())
    )
    admin.get(url)
