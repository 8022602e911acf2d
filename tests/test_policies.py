"""Policies: looked at before they are saved, and applied whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from portal.domain.access import ORGANIZATION_ROLES, Role
from portal.domain.plans import Plan
from portal.domain.policies import PolicyKind, Subject, holds_for
from portal.domain.policy_effects import Effect, Standing, digest, effects, holding
from portal.domain.states import MemberState
from portal.models import (
    Affiliation,
    Event,
    Member,
    Organization,
    Outbox,
    Policy,
    ProviderPerson,
    new_id,
    utc_now,
)
from portal.policies import service
from tests.support.organizations import employ
from tests.support.policies import (
    SINGLE,
    TWO_STEP,
    UMA,
    elsewhere,
    enterprise,
    save,
    somebody,
    state,
    told,
    url,
)


@pytest.fixture
def place(database):
    return enterprise(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


# The rule.

standings = st.builds(
    Standing,
    st.uuids(),
    st.builds(
        Subject, st.sampled_from(ORGANIZATION_ROLES), st.sampled_from(MemberState), st.booleans()
    ),
    st.booleans(),
    st.booleans(),
)


@given(st.sampled_from(PolicyKind), st.lists(standings, max_size=20), st.booleans())
def test_nobody_is_revoked_who_is_exempt_or_not_in(kind, people, turns_on):
    found = effects(kind, people, turns_on=turns_on)
    assert turns_on or not found
    for each in people:
        effect = found.get(each.member_id)
        inside = each.subject.state in (MemberState.ACCEPTED, MemberState.CONFIRMED)
        wanting = {TWO_STEP: not each.has_second_factor, SINGLE: each.belongs_elsewhere}
        revoked = turns_on and inside and holds_for(kind, each.subject) and wanting.get(kind, False)
        assert (effect is Effect.REVOKED) == revoked
    assert digest(found) == digest(dict(reversed(found.items())))


@given(st.sampled_from(PolicyKind), st.lists(standings, max_size=20), st.booleans())
def test_what_shuts_nobody_out_touches_everybody_inside_of_whom_it_asks(kind, people, at_sign_in):
    found = holding(kind, people, at_sign_in=at_sign_in)
    assert Effect.REVOKED not in found.values()
    if kind in (TWO_STEP, SINGLE, PolicyKind.ACCOUNT_RECOVERY) or kind.needs_domain:
        assert not found
        return
    for each in people:
        inside = each.subject.state in (MemberState.ACCEPTED, MemberState.CONFIRMED)
        assert (each.member_id in found) == (inside and holds_for(kind, each.subject))
    password = {Effect.AT_SIGN_IN if at_sign_in else Effect.AT_CHANGE}
    is_password = kind is PolicyKind.MASTER_PASSWORD
    assert set(found.values()) <= (password if is_password else {Effect.FROM_NOW})


# The pages.


def test_what_is_built_is_listed_and_nothing_else(place, admin):
    page = admin.get(url(place))
    assert page.texts("tbody th a") == [kind.label and _label(kind) for kind in service.OFFERED]
    for kind in set(PolicyKind) - set(service.OFFERED):
        admin.get(url(place, kind.value), status=404)
    admin.get(url(place, "nonsense"), status=404)


def _label(kind):
    return str(kind.label)


def test_a_plan_without_policies_has_no_such_page(place, admin):
    place.database.run(update(Organization).values(plan=Plan.TEAMS, plan_rank=1))
    admin.get(url(place), status=404)
    admin.get(url(place, "two_step"), status=404)
    admin.post(url(place, "two_step"), {"is_on": "y", "version": "0"}, status=404)


def test_the_look_names_who_is_revoked_and_changes_nothing(place, admin):
    somebody(place)
    somebody(place, "mia@client.example", factor=True)
    somebody(place, "otto@client.example", Role.OWNER)
    page = admin.get(url(place, "two_step"))
    preview = admin.submit(page, "Show what it changes", {"is_on": "y"}, status=200)
    assert "1 member loses access now" in preview
    assert preview.texts("tbody th") == [f"Uma {UMA}"]
    assert place.database.all(select(Policy.kind)) == []
    assert "Save and revoke" in preview


def test_saving_revokes_with_seat_event_and_mail_in_one_go(place, admin):
    _person, member = somebody(place)
    used = place.client().seats_used
    answer = save(admin, place, TWO_STEP, button="Save and revoke")
    assert "is saved" in admin.follow(answer)
    row = place.database.one(select(Member).where(Member.id == member))
    assert (row.state, row.revoked_because) == (MemberState.REVOKED, "two_step")
    assert place.client().seats_used == used - 1
    assert len(told(place, "member:revoke_two_step")) == 2
    assert len(told(place, "policy:update")) == 2
    mail = place.database.one(select(Outbox).where(Outbox.topic == "mail.policy_revoked"))
    assert mail.subject_id == member
    affiliation = select(Affiliation.state).where(Affiliation.account_id == row.account_id)
    assert place.database.one(affiliation) == "revoked"
    rows = admin.get(url(place)).texts("tbody tr")
    assert ["two-step" in row for row in rows if " On" in row] == [True]


def test_the_look_at_a_master_password_policy_says_what_the_portal_cannot_know(place, admin):
    somebody(place)
    somebody(place, "otto@client.example", Role.OWNER)
    page = admin.get(url(place, "master_password"))
    assert "the portal never sees one" in page
    assert "owners and admins too" in page
    fields = {"is_on": "y", "at_sign_in": "y"}
    preview = admin.submit(page, "Show what it changes", fields, status=200)
    assert "It holds for 2 members." in preview
    assert "the portal does not know them" in preview
    assert len(preview.select("tbody tr")) == 2
    admin.submit(preview, "Save policy", {}, status=303)
    again = admin.get(url(place, "master_password"))
    preview = admin.submit(again, "Show what it changes", {"at_sign_in": []}, status=200)
    assert "from the next master password that they choose" in preview


def test_what_vault_apps_keep_names_whom_it_holds_for(place, admin):
    somebody(place)
    somebody(place, "otto@client.example", Role.OWNER)
    page = admin.get(url(place, "no_pin"))
    preview = admin.submit(page, "Show what it changes", {"is_on": "y"}, status=200)
    assert "It holds for 1 member from now on." in preview
    assert preview.texts("tbody td.wide") == ["Their vault apps are told"]


def test_turning_off_revokes_nobody_and_brings_nobody_back(place, admin):
    _person, member = somebody(place)
    save(admin, place, TWO_STEP, button="Save and revoke")
    save(admin, place, TWO_STEP, on=False, button="Save policy")
    assert state(place, member) is MemberState.REVOKED
    assert place.database.one(select(Policy.is_on)) is False


def test_members_of_other_organizations_are_revoked_and_the_other_one_is_never_named(place, admin):
    person, member = somebody(place)
    away, there = elsewhere(place, person, name="Secret Society")
    page = admin.get(url(place, SINGLE.value))
    preview = admin.submit(page, "Show what it changes", {"is_on": "y"}, status=200)
    assert "belongs to another organization" in preview
    assert "Secret Society" not in preview
    admin.submit(preview, "Save and revoke", {}, status=303)
    assert state(place, member) is MemberState.REVOKED
    assert state(away, there) is MemberState.CONFIRMED
    told_of = place.database.all(select(Event.payload))
    assert not any("Secret Society" in str(payload) for payload in told_of)


def test_an_invitation_elsewhere_is_no_membership(place, admin):
    person, member = somebody(place)
    elsewhere(place, person, MemberState.REVOKED)
    save(admin, place, SINGLE, button="Save policy")
    assert state(place, member) is MemberState.CONFIRMED


def test_the_look_counts_again_when_the_world_has_changed(place, admin):
    somebody(place)
    page = admin.get(url(place, "two_step"))
    preview = admin.submit(page, "Show what it changes", {"is_on": "y"}, status=200)
    _second, member = somebody(place, "new@client.example")
    again = admin.submit(preview, "Save and revoke", {}, status=409)
    assert "The members have changed since you looked." in again
    assert "2 members lose access now" in again
    assert state(place, member) is MemberState.CONFIRMED
    admin.submit(again, "Save and revoke", {}, status=303)
    assert state(place, member) is MemberState.REVOKED


def test_somebody_elses_change_is_shown_beside_ones_own(place, admin):
    slow = admin.get(url(place, "two_step"))
    save(admin, place, TWO_STEP, button="Save policy")
    page = admin.submit(slow, "Show what it changes", {"is_on": []}, status=409)
    assert "Somebody else has changed this policy" in page
    assert page.text(".facts dd") == "On"
    assert not page.one("input[name=is_on]").has_attr("checked")
    preview = admin.submit(page, "Show what it changes", {}, status=200)
    admin.submit(preview, "Save policy", {}, status=303)
    assert place.database.one(select(Policy.is_on)) is False


def test_a_double_submit_is_no_second_change(place, admin):
    page = admin.get(url(place, "two_step"))
    preview = admin.submit(page, "Show what it changes", {"is_on": "y"}, status=200)
    admin.submit(preview, "Save policy", {}, status=303)
    again = admin.submit(preview, "Save policy", {}, status=303)
    assert "is saved" in admin.follow(again)
    assert len(told(place, "policy:update")) == 2


def test_nobody_revokes_themselves(place):
    person, member = somebody(place, role=Role.CUSTOM)
    place.database.run(
        update(Member).where(Member.id == member).values(permissions=["manage_policies"])
    )
    browser = place.browser_of(person)
    page = browser.get(url(place, "two_step"))
    refused = browser.submit(page, "Show what it changes", {"is_on": "y"}, status=422)
    assert "You have no second factor yourself" in refused
    browser.post(url(place, "two_step"), {"is_on": "y", "version": "0"}, status=422)
    assert place.database.all(select(Policy.kind)) == []


@pytest.mark.parametrize(
    ("role", "parts", "reads", "writes"),
    [
        (Role.OWNER, [], True, True),
        (Role.ADMIN, [], True, True),
        (Role.USER, [], False, False),
        (Role.CUSTOM, ["manage_users"], False, False),
        (Role.CUSTOM, ["manage_policies"], True, True),
    ],
)
def test_who_reads_and_who_changes_policies(place, role, parts, reads, writes):
    person, member = somebody(place, role=role, factor=True)
    place.database.run(update(Member).where(Member.id == member).values(permissions=parts))
    browser = place.browser_of(person, second=True)
    browser.get(url(place), status=200 if reads else 403)
    browser.get(url(place, "two_step"), status=200 if reads else 403)
    browser.get(url(place, "two_step/preview?version=0&is_on=y"), status=200 if writes else 403)


def test_whoever_only_reads_sees_no_form(place):
    reader = place.person("rea@northwind.example", "Rea", keys=True)
    employ(place.database, place.provider, reader)
    place.database.run(
        update(ProviderPerson)
        .where(ProviderPerson.account_id == reader.account_id)
        .values(role=Role.SERVICE_USER, level="read_only")
    )
    browser = place.browser_of(reader)
    page = browser.get(url(place, "two_step"))
    assert not page.select("main form")
    browser.post(url(place, "two_step"), {"is_on": "y", "version": "0"}, status=403)


@pytest.mark.parametrize("count", [10, 2000])
def test_list_and_look_cost_the_same_for_ten_and_for_two_thousand(place, admin, statements, count):
    rows = [
        {
            "organization_id": place.organization.id,
            "id": new_id(),
            "email": f"member{number:04}@client.example",
            "role": Role.USER,
            "state": MemberState.INVITED,
            "permissions": [],
            "external_id": "",
            "revoked_because": "",
            "created_at": utc_now(),
            "invitation_version": 1,
            "invitation_locale": "en",
        }
        for number in range(count)
    ]
    place.database.run(insert(Member).values(rows))
    look = url(place, "two_step/preview?version=0&is_on=y")
    admin.get(look)
    statements.clear()
    admin.get(url(place))
    statements.most(6)
    statements.clear()
    page = admin.get(look)
    statements.most(7)
    assert len(page.select("tbody tr")) == min(count, 50)
    if count > 50:
        assert len(admin.get(page.link("Next")).select("tbody tr")) == 50
