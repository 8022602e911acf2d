"""Account recovery: who is enrolled, by what, and where it shows."""

import pytest
from sqlalchemy import select, update

from portal.crypto.envelope import unseal
from portal.crypto.keys import unwrap, wrap_for
from portal.domain.access import Role
from portal.domain.plans import Plan
from portal.domain.states import MemberState
from portal.models import (
    Account,
    Organization,
    Policy,
    RecoveryEnrolment,
    RecoveryRequest,
    utc_now,
)
from tests.support.accounts import keys_for, posted_keys
from tests.support.browsing import Browser
from tests.support.recovery import (
    ask,
    enrol,
    enrolled,
    offering,
    own,
    recovery_key,
    set_for_all,
    someone,
    told,
)


@pytest.fixture
def place(database):
    return offering(database)


@pytest.fixture
def olga(place):
    """An owner who asks."""
    return someone(place, "Olga", Role.OWNER)[0]


@pytest.fixture
def adam(place):
    """An admin who approves."""
    return someone(place, "Adam", Role.ADMIN)[0]


@pytest.fixture
def uma(place):
    """A user who is enrolled and has forgotten their master password: (person, row)."""
    person, member = someone(place, "Uma")
    enrol(place, person, member)
    return person, member


# Enrolling.


def test_a_member_enrols_withdraws_and_each_is_an_event(place):
    person, _member = someone(place, "Uma")
    browser = place.browser_of(person)
    page = browser.get(own(place))
    assert "Not enrolled" in page
    assert page.one("fingerprint-phrase")["public-key"] == place.keys.public_key
    key = recovery_key(place, person)
    fields = {"wrapped_user_key": key, "organization_public_key": place.keys.public_key}
    browser.post(own(place), fields, status=303)
    [row] = enrolled(place)
    assert row.wrapped_user_key == key
    assert row.account_public_key == person.keys.public_key
    assert "Withdraw" in browser.get(own(place))
    browser.post(own(place, "withdraw"), {}, status=303)
    assert enrolled(place) == []
    browser.post(own(place, "withdraw"), {}, status=409)
    assert told(place) == [
        "organization:member:enrol_recovery",
        "organization:member:withdraw_recovery",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"wrapped_user_key": "2.x", "organization_public_key": "right"},
        {"wrapped_user_key": "right", "organization_public_key": "other"},
    ],
)
def test_a_key_that_is_none_or_of_another_organization_is_refused(place, fields):
    person, _member = someone(place, "Uma")
    right = {
        "wrapped_user_key": recovery_key(place, person),
        "organization_public_key": place.keys.public_key,
    }
    sent = {name: right[name] if value == "right" else value for name, value in fields.items()}
    page = place.browser_of(person).post(own(place), sent, status=409)
    assert page.text(".notice.bad")
    assert enrolled(place) == []


def test_without_the_policy_or_the_plan_nobody_enrols(place):
    person, _member = someone(place, "Uma")
    fields = {
        "wrapped_user_key": recovery_key(place, person),
        "organization_public_key": place.keys.public_key,
    }
    browser = place.browser_of(person)
    place.database.run(update(Policy).values(is_on=False))
    browser.post(own(place), fields, status=409)
    place.database.run(update(Policy).values(is_on=True))
    place.database.run(update(Organization).values(plan=Plan.TEAMS, plan_rank=1))
    browser.post(own(place), fields, status=404)
    assert enrolled(place) == []


def test_where_all_are_enrolled_nobody_withdraws_and_the_unlock_page_asks(place, uma):
    set_for_all(place)
    browser = place.browser_of(uma[0])
    assert "cannot be withdrawn" in browser.get(own(place))
    browser.post(own(place, "withdraw"), {}, status=409)
    assert len(enrolled(place)) == 1
    new, _row = someone(place, "Nora")
    page = place.browser_of(new).get("/unlock?next=/profile")
    assert page.one("form[data-unlock]")["data-next"] == f"{own(place)}?next=/profile"
    page = browser.get("/unlock?next=/profile")
    assert page.one("form[data-unlock]")["data-next"] == "/profile"


def test_keys_that_changed_since_make_an_enrolment_nothing(place, olga, uma):
    place.database.run(update(RecoveryEnrolment).values(organization_public_key="another"))
    assert "Keys have changed" in place.browser_of(uma[0]).get(own(place))
    page = ask(place, olga, uma[1], status=409)
    assert "not enrolled" in page


def test_removing_a_member_drops_the_key_and_what_is_open(place, olga, uma):
    ask(place, olga, uma[1])
    browser = place.browser_of(olga)
    page = browser.get(f"{place.members}/{uma[1]}").link("Remove")
    browser.submit(browser.get(page), "Remove", {}, status=303)
    assert enrolled(place) == []
    assert place.database.all(select(RecoveryRequest)) == []


def test_what_is_enrolled_opens_the_user_key_with_the_organizations_key(place, uma):
    [row] = enrolled(place)
    private = unseal(place.keys.protected_private_key, place.keys.key)
    raw = unwrap(row.wrapped_user_key, private)
    assert len(raw) == 64


# Where it shows.


def test_the_look_at_the_policy_names_who_is_asked_to_enrol(place, uma):
    new, _row = someone(place, "Nora")
    page = place.admins_browser().get(f"{place.url}/policies/account_recovery")
    preview = place.admins_browser().submit(
        page, "Show what it changes", {"is_on": "y", "enrols_all": "y"}, status=200
    )
    assert "1 member is asked to enrol" in preview
    assert new.email in preview
    assert uma[0].email not in preview


def test_the_list_of_members_says_who_is_enrolled_and_filters(place, olga, uma):
    someone(place, "Nora")
    browser = place.browser_of(olga)
    page = browser.get(f"{place.members}?recovery=yes")
    rows = [row.text for row in page.select("#members-table tbody tr")]
    assert len(rows) == 1
    assert "Uma" in rows[0]
    assert "Account recovery: Enrolled" in page
    assert "Uma" not in browser.get(f"{place.members}?recovery=no").text("tbody")
    assert "is open" not in page
    ask(place, olga, uma[1])
    assert "1 recovery of an account is open" in browser.get(place.members)
    place.database.run(update(Organization).values(plan=Plan.TEAMS, plan_rank=1))
    assert "Account recovery" not in browser.get(place.members)


def test_a_newcomer_is_enrolled_in_the_call_that_joins(place):
    set_for_all(place)
    visitor = Browser(place.database.app)
    page = visitor.get(place.link())
    form = page.one("form[data-make-account]")
    assert form["data-recovery-public-key"] == place.keys.public_key
    assert page.one("fingerprint-phrase").text
    keys = keys_for("olga@acme.example")
    fields = posted_keys(keys) | {
        "name": "Olga",
        "recovery_user_key": wrap_for(place.keys.public_key, b"k" * 64),
        "recovery_public_key": place.keys.public_key,
    }
    visitor.post(f"{place.link()}/join", fields, status=303)
    [row] = enrolled(place)
    assert row.account_public_key == keys.public_key
    assert told(place) == ["organization:member:enrol_recovery"]


@pytest.mark.parametrize("change", [{"recovery_user_key": "4.x"}, {"recovery_public_key": "other"}])
def test_a_newcomer_whose_key_does_not_fit_joins_and_is_asked_later(place, change):
    set_for_all(place)
    visitor = Browser(place.database.app)
    fields = posted_keys(keys_for("olga@acme.example")) | {
        "name": "Olga",
        "recovery_user_key": wrap_for(place.keys.public_key, b"k" * 64),
        "recovery_public_key": place.keys.public_key,
    }
    visitor.post(f"{place.link()}/join", fields | change, status=303)
    assert enrolled(place) == []
    assert place.member().state is MemberState.ACCEPTED


def test_a_temporary_password_accepts_no_invitation_either(place):
    person = place.person("olga@acme.example", "Olga", keys=True)
    place.database.run(
        update(Account)
        .where(Account.id == person.account_id)
        .values(temporary_password_since=utc_now())
    )
    browser = place.browser_of(person)
    assert "Accept invitation" not in browser.get(place.link())
    browser.post(f"{place.link()}/accept", {}, status=303)
    assert place.member().state is MemberState.INVITED
