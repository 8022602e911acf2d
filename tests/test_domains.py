"""The pages of domains, and what the worker makes of what name servers say."""

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.claimed_domains import DOMAINS, PREFIX, Answer
from portal.domain.plans import Plan
from portal.domain.policies import PolicyKind
from portal.domain.states import MemberState
from portal.models import Attention, ClaimedDomain, Organization, Policy, utc_now
from tests.support.clients import make_client
from tests.support.dns import SERVFAIL
from tests.support.domains import (
    ACME,
    add,
    drain,
    kinds,
    look,
    mails,
    make_house,
    publish,
    row_of,
    url_of,
)
from tests.support.organizations import join


@pytest.fixture
def place(database):
    return make_house(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


@pytest.fixture
def olga(place):
    """A confirmed owner, who gets the mails."""
    person = place.person("olga.b@acme.example", "Olga", keys=True)
    join(place, person, Role.OWNER, MemberState.CONFIRMED)
    return person


def waits(place):
    found = select(Attention).where(Attention.kind == "domain_check")
    return place.database.all(found)


def verified(place, admin, name_server):
    row = add(place, admin)
    publish(name_server, row)
    look(place, name_server)
    return row_of(place)


def test_an_empty_list_says_what_domains_are_for(place, admin):
    page = admin.get(f"{place.url}/domains")
    assert "Prove once that a domain is yours." in page
    assert page.link("Add domain").endswith("/domains/new")


def test_a_domain_is_added_and_its_record_shown(place, admin):
    form = admin.get(f"{place.url}/domains/new")
    assert "It would revoke nobody today" in form
    page = admin.follow(admin.submit(form, "Add domain", {"domain": " Acme.Example. "}, status=303))
    row = row_of(place)
    assert page.heading == ACME
    assert page.text("#record-name") == ACME
    assert page.text("#record-value") == PREFIX + row.token
    assert len(row.token) == 32
    assert "enter @." in page
    listed = admin.get(f"{place.url}/domains")
    assert listed.texts("tbody th") == [ACME]
    assert "Waiting for the record" in listed
    assert kinds(place) == ["organization:domain:add"]
    [waiting] = waits(place)
    assert (waiting.label, waiting.due_at) == (ACME, row.ends_at)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "Enter a domain."),
        ("acme", "Enter a domain alone"),
        ("https://acme.example", "Enter a domain alone"),
        ("name@acme.example", "Enter a domain alone"),
        ("192.0.2.1", "Enter a domain alone"),
        ("printer.local", "not public"),
        ("co.uk", "Others register names under this one."),
    ],
)
def test_what_is_no_domain_is_refused_at_its_field(place, admin, typed, told):
    page = admin.post(f"{place.url}/domains/new", {"domain": typed}, status=422)
    assert told in page.text("#domain-error")
    assert page.one("#domain").get("value", "") == typed
    assert place.database.count(ClaimedDomain) == 0


def test_a_domain_stands_in_the_list_once(place, admin):
    admin.post(f"{place.url}/domains/new", {"domain": "bücher.example"}, status=303)
    page = admin.post(f"{place.url}/domains/new", {"domain": "XN--BCHER-KVA.example"}, status=422)
    assert page.text("#domain-error") == "This domain is in the list already."
    assert kinds(place) == ["organization:domain:add"]
    assert admin.get(f"{place.url}/domains").texts("tbody th") == ["bücher.example"]


def test_there_are_not_more_than_so_many(place, admin):
    here = place.organization.id
    rows = [ClaimedDomain(organization_id=here, domain=f"d{n}.example") for n in range(DOMAINS)]
    place.database.add(*rows)
    page = admin.post(f"{place.url}/domains/new", {"domain": ACME}, status=422)
    assert page.text("#domain-error") == "There are 100 domains already. Remove one first."


def test_the_worker_finds_the_record_and_tells_everybody(place, admin, olga, name_server):
    row = verified(place, admin, name_server)
    assert row.verified_at is not None
    assert row.answer is Answer.FOUND
    assert kinds(place) == [
        "organization:domain:add",
        "organization:domain:verify",
        "organization:policy:update",
    ]
    policy = place.database.one(select(Policy))
    assert (policy.kind, policy.is_on) == (PolicyKind.SINGLE_ORGANIZATION, True)
    assert mails(place) == ["mail.domain_verified"]
    assert waits(place) == []
    page = admin.get(url_of(place, row))
    assert "Verified" in page
    assert "Leave it where it is" in page


def test_whom_single_organization_would_shut_out_decides_that_it_stays_off(
    place, admin, name_server
):
    person = place.person("eva@acme.example", "Eva", keys=True)
    join(place, person, Role.USER, MemberState.CONFIRMED)
    other = make_client(place.database, place.provider, name="Elsewhere")
    join(replace(place, organization=other), person, Role.USER, MemberState.CONFIRMED)
    row = verified(place, admin, name_server)
    assert row.verified_at is not None
    assert place.database.all(select(Policy.kind)) == []
    page = admin.get(url_of(place, row))
    assert "would revoke 1 member" in page
    assert page.link("Look at the policy").endswith("/policies/single_organization")


def test_single_organization_stays_on_while_a_domain_is_verified(place, admin, name_server):
    verified(place, admin, name_server)
    url = f"{place.url}/policies/single_organization"
    page = admin.get(f"{url}/preview?version=1", status=422)
    assert "stays on as long as a domain is verified: acme.example" in page
    off = {"version": "1", "digest": ""}
    admin.post(url, off, status=422)
    text = "policies:\n  single_organization:\n    enabled: false\n"
    plan = admin.post(f"{place.url}/settings/configuration/plan", {"text": text}, status=422)
    assert "stays on as long as a domain is verified" in plan
    assert place.database.one(select(Policy.is_on)) is True


def test_check_now_asks_the_worker_once(place, admin, name_server):
    row = add(place, admin)
    publish(name_server, row)
    page = admin.follow(admin.submit(admin.get(url_of(place, row)), "Check now", status=303))
    assert "The name servers are being asked." in page
    admin.post(f"{url_of(place, row)}/check", {}, status=303)
    drain(place, name_server)
    assert len(name_server.asked) == 1, "the second press found the first one under way"
    assert row_of(place).verified_at is not None
    assert kinds(place)[:3] == [
        "organization:domain:add",
        "organization:domain:check",
        "organization:domain:verify",
    ]


def test_pressing_too_often_is_refused(place, admin):
    row = add(place, admin)
    for _press in range(10):
        admin.post(f"{url_of(place, row)}/check", {}, status=303)
    admin.post(f"{url_of(place, row)}/check", {}, status=429)


def test_the_search_ends_after_a_week_and_begins_anew_by_hand(place, admin, olga, name_server):
    row = add(place, admin)
    look(place, name_server)
    assert row_of(place).answer is Answer.NO_DOMAIN
    look(place, name_server, days=8)
    assert mails(place) == ["mail.domain_not_found"]
    page = admin.get(url_of(place, row))
    assert "Nobody looks for the record any more." in page
    assert look(place, name_server, days=30) == 0
    admin.submit(page, "Check now", status=303)
    drain(place, name_server)
    again = row_of(place)
    assert again.next_check_at is not None
    assert again.ends_at > utc_now() + dt.timedelta(days=6)
    assert kinds(place)[1] == "organization:domain:give_up"


def test_a_record_that_vanished_is_warned_of_and_takes_the_state_only_after_a_week(
    place, admin, olga, name_server
):
    row = verified(place, admin, name_server)
    name_server.publish(ACME, "v=spf1 -all")
    look(place, name_server, days=2)
    missing = row_of(place)
    assert missing.verified_at == row.verified_at
    assert [each.due_at for each in waits(place)] == [missing.ends_at]
    assert "The record is gone." in admin.get(url_of(place, row))
    look(place, name_server, days=8)
    assert row_of(place).verified_at is not None
    look(place, name_server, days=10)
    lost = row_of(place)
    assert (lost.verified_at, lost.next_check_at) == (None, None)
    assert mails(place) == [
        "mail.domain_verified",
        "mail.domain_missing",
        "mail.domain_lost",
    ]
    assert kinds(place)[-2:] == ["organization:domain:miss", "organization:domain:lose"]


def test_a_record_that_comes_back_counts_as_if_it_had_stayed(place, admin, name_server):
    row = verified(place, admin, name_server)
    name_server.zones.clear()
    look(place, name_server, days=2)
    publish(name_server, row)
    look(place, name_server, days=3)
    back = row_of(place)
    assert (back.verified_at, back.ends_at) == (row.verified_at, None)
    assert waits(place) == []
    assert kinds(place)[-1] == "organization:domain:find_again"


def test_a_failing_server_takes_nothing_away_however_long_it_fails(place, admin, name_server):
    row = verified(place, admin, name_server)
    name_server.moods[ACME] = SERVFAIL
    for days in (2, 5, 40):
        look(place, name_server, days=days)
    kept = row_of(place)
    assert (kept.verified_at, kept.ends_at) == (row.verified_at, None)
    assert kept.answer is Answer.NO_ANSWER


def test_removing_says_what_it_ends(place, admin, name_server):
    row = verified(place, admin, name_server)
    admin.post(f"{place.url}/settings/members/on", {}, status=303)
    page = admin.get(admin.get(url_of(place, row)).link("Remove"))
    assert "wait to be confirmed by hand" in page
    assert "It is the last one" in page
    gone = admin.follow(admin.submit(page, "Remove", status=303))
    assert "acme.example is removed." in gone
    assert place.database.count(ClaimedDomain) == 0
    assert kinds(place)[-1] == "organization:domain:remove"
    admin.post(f"{url_of(place, row)}/remove", {}, status=404)
    assert kinds(place).count("organization:domain:remove") == 1
    assert "No domain is verified yet." in admin.get(f"{place.url}/settings/members")


def test_what_was_removed_while_the_servers_were_asked_stays_removed(place, admin, name_server):
    row = add(place, admin)
    publish(name_server, row)
    admin.post(f"{url_of(place, row)}/check", {}, status=303)
    admin.post(f"{url_of(place, row)}/remove", {}, status=303)
    drain(place, name_server)
    assert place.database.count(ClaimedDomain) == 0
    assert "organization:domain:verify" not in kinds(place)


def test_a_smaller_plan_adds_none_and_still_removes_what_is_left(place, admin, name_server):
    assert admin.get(place.members).link("Domains").endswith("/domains")
    row = verified(place, admin, name_server)
    place.database.run(update(Organization).values(plan=Plan.TEAMS, plan_rank=1))
    assert "Domains" not in str(admin.get(place.members))
    admin.get(f"{place.url}/domains/new", status=404)
    admin.post(f"{url_of(place, row)}/check", {}, status=404)
    listed = admin.get(admin.get(f"{place.url}/settings").link("Domains"))
    assert "The plan does not include domains." in listed
    assert "Add domain" not in listed
    page = admin.get(url_of(place, row))
    assert "changes nothing here" in page
    assert "Check now" not in page
    asked = admin.get(page.link("Remove"))
    left = admin.follow(admin.submit(asked, "Remove", {}, status=303))
    assert "The plan does not include domains." in left
    assert place.database.count(ClaimedDomain) == 0


def test_the_list_costs_the_same_for_one_and_for_many(place, admin, statements):
    add(place, admin)
    statements.clear()
    admin.get(f"{place.url}/domains")
    few = len(statements)
    here = place.organization.id
    place.database.add(
        *(ClaimedDomain(organization_id=here, domain=f"d{n}.example") for n in range(60))
    )
    statements.clear()
    admin.get(f"{place.url}/domains")
    statements.most(few)
