"""Account recovery: enrolling, and two people who let a member back in."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from portal.crypto.envelope import unseal
from portal.crypto.keys import unwrap, wrap_for
from portal.crypto.tokens import Link, LinkSigner
from portal.domain.access import Role
from portal.domain.account_recovery import RecoveryState
from portal.domain.plans import Plan
from portal.domain.policies import PolicyKind
from portal.domain.states import MemberState
from portal.models import (
    AuthSession,
    Event,
    Member,
    Organization,
    Outbox,
    Policy,
    ProviderPerson,
    RecoveryEnrolment,
    RecoveryRequest,
    RecoverySettings,
)
from tests.support.accounts import JSON, keys_for, posted_keys
from tests.support.browsing import Browser
from tests.support.databases import SECRET_KEY
from tests.support.organizations import employ
from tests.support.policies import elsewhere
from tests.support.recovery import (
    account,
    enrol,
    offering,
    recovery,
    recovery_key,
    set_back,
    set_for_all,
    someone,
    temporary_fields,
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


# The whole way.


def test_the_whole_way_replaces_the_password_ends_sessions_and_tells(place, olga, adam, uma):
    person, member = uma
    place.browser_of(person)
    page = place.browser_of(olga).get(ask_url(place, member))
    assert "Adam" in page
    ask(place, olga, member)
    step(place, adam, "approve")
    carry_out(place, olga, temporary_fields(person), status=409)
    set_back(place, hours=24)
    page = place.browser_of(olga).get(f"{one(place)}/carry-out")
    section = page.one("[data-key-work]")
    assert section["data-email"] == person.email
    fields = temporary_fields(person)
    before = account(place, person)
    carry_out(place, olga, fields)
    after = account(place, person)
    assert after.protected_user_key == fields["protected_user_key"] != before.protected_user_key
    assert after.signin_hash != before.signin_hash
    assert after.public_key == before.public_key
    assert after.temporary_password_since is not None
    left = select(AuthSession).where(AuthSession.account_id == person.account_id)
    assert place.database.all(left) == []
    assert recovery(place).state is RecoveryState.DONE
    assert told(place) == [
        "organization:recovery:request",
        "organization:recovery:approve",
        "organization:member:recover",
    ]
    topics = place.database.all(select(Outbox.topic).order_by(Outbox.id))
    mails = [topic for topic in topics if "recovery" in topic]
    assert mails == ["mail.recovery_asked", "mail.recovery_approve", "mail.recovery_done"]
    # Once is once.
    carry_out(place, olga, fields, status=409)


def test_a_temporary_password_leads_to_a_new_one_and_nowhere_else(place, olga, adam, uma):
    person, _member = uma
    ready(place, olga, adam, uma)
    fields = temporary_fields(person)
    carry_out(place, adam, fields)
    browser = Browser(place.database.app)
    signin = {"email": person.email, "signin_hash": fields["new_signin_hash"]}
    browser.post("/sign-in", signin, status=303)
    for url in ("/", "/profile", place.url + "/collections", own(place), "/profile/second-factor"):
        page = browser.get(url, status=303)
        assert page.location == "/profile/password"
    browser.post("/profile/address", {"email": "x@client.example"}, status=303)
    page = browser.get("/profile/password")
    assert page.heading == "Choose a new master password"
    # A code by mail is bound in the same way.
    by_code = place.browser_of(person, method="code")
    assert by_code.get("/", status=303).location == "/profile/password"

    new = keys_for(person.email, "a master password of my own")
    change = {
        "signin_hash": fields["new_signin_hash"],
        "new_signin_hash": fields["new_signin_hash"],
        "kdf_iterations": fields["kdf_iterations"],
        "protected_user_key": new.protected_user_key,
    }
    assert "than the temporary one" in browser.post("/profile/password", change, status=422)
    browser.post("/profile/password", change | {"new_signin_hash": new.signin_hash}, status=303)
    assert account(place, person).temporary_password_since is None
    assert browser.get("/profile").heading
    kinds = place.database.all(select(Event.type).where(Event.type == "account:password:replace"))
    assert len(kinds) == 1


# Who may not.


def test_nobody_approves_their_own_request_or_recovers_themselves(place, olga, adam, uma):
    ask(place, olga, uma[1])
    assert "whoever asked cannot" in step(place, olga, "approve", status=409)
    step(place, uma[0], "approve", status=403)
    row = place.database.one(select(Member.id).where(Member.account_id == adam.account_id))
    enrol(place, adam, row)
    assert "their own account" in ask(place, adam, row, status=409)


def test_an_admin_does_not_recover_an_owner_and_is_no_second_person_for_one(place, olga, adam):
    other, row = someone(place, "Otto", Role.OWNER)
    enrol(place, other, row)
    assert "An owner can do this" in ask(place, adam, row, status=409)
    page = ask(place, olga, row)
    assert "Nobody else can approve" in place.browser_of(olga).get(page.location)
    step(place, adam, "approve", status=409)
    step(place, adam, "decline", status=409)
    someone(place, "Oda", Role.OWNER)
    assert "Oda" in place.browser_of(olga).get(page.location)


def test_a_custom_member_widens_nothing(place, uma):
    helper, _row = someone(
        place, "Carl", Role.CUSTOM, parts=("manage_account_recovery", "manage_users")
    )
    without, _row = someone(place, "Cora", Role.CUSTOM, parts=("manage_users",))
    wider, row = someone(
        place, "Cleo", Role.CUSTOM, parts=("manage_policies", "manage_account_recovery")
    )
    enrol(place, wider, row)
    ask(place, without, uma[1], status=403)
    assert "does not reach that far" in ask(place, helper, row, status=409)
    ask(place, helper, uma[1])


def test_who_belongs_elsewhere_is_not_recovered_by_anybody(place, olga, uma):
    elsewhere(place, uma[0])
    assert "another organization" in ask(place, olga, uma[1], status=409)


@pytest.mark.parametrize("state", [MemberState.ACCEPTED, MemberState.REVOKED])
def test_accepted_and_revoked_members_can_be_recovered(place, olga, state):
    person, row = someone(place, "Ines", state=state)
    enrol(place, person, row)
    ask(place, olga, row)


def test_another_tenants_recovery_is_not_found(place, olga, adam, uma, database):
    ask(place, olga, uma[1])
    away, _row = elsewhere(place, olga, name="Away Ltd")
    database.run(
        update(Member).where(Member.organization_id == away.organization.id).values(role=Role.OWNER)
    )
    browser = place.browser_of(olga)
    foreign = f"{away.url}/recoveries/{recovery(place).id}"
    browser.get(foreign, status=404)
    browser.post(foreign, {"step": "decline"}, status=404)
    browser.get(f"{foreign}/carry-out", status=404)
    fields = temporary_fields(uma[0])
    browser.post(f"{foreign}/carry-out", fields, headers=JSON, status=409)
    browser.get(f"{away.members}/{uma[1]}/recovery", status=404)
    assert recovery(place).state is RecoveryState.REQUESTED


# The provider.


def test_people_of_the_provider_recover_nobody_unless_an_owner_lets_them(place, olga, adam, uma):
    assert "People of the provider cannot" in ask(place, place.admin, uma[1], status=409)
    url = f"{place.url}/recoveries/provider"
    place.admins_browser().get(url, status=403)
    place.browser_of(adam).post(url, {"provider_may": "y"}, status=403)
    browser = place.browser_of(olga)
    browser.post(url, {"provider_may": "y"}, status=303)
    browser.post(url, {"provider_may": "y"}, status=303)
    assert told(place) == ["organization:recovery_by_provider:allow"]

    ask(place, place.admin, uma[1])
    other = place.person("mia@northwind.example", "Mia", keys=True)
    employ(place.database, place.provider, other)
    assert "not of its provider" in step(place, other, "approve", status=409)
    step(place, adam, "approve")
    set_back(place, hours=24)
    carry_out(place, place.admin, temporary_fields(uma[0]))


def test_the_provider_never_recovers_owners_admins_or_its_own(place, olga):
    place.database.add(RecoverySettings(organization_id=place.organization.id, provider_may=True))
    for name, role in (("Otto", Role.OWNER), ("Anna", Role.ADMIN), ("Cleo", Role.CUSTOM)):
        person, row = someone(place, name, role)
        enrol(place, person, row)
        assert "plain users alone" in ask(place, place.admin, row, status=409)
    tech, row = someone(place, "Tess")
    enrol(place, tech, row)
    employ(place.database, place.provider, tech, Role.SERVICE_USER)
    assert "to a provider" in ask(place, olga, row, status=409)


def test_a_withdrawn_permission_of_the_provider_ends_what_it_asked(place, olga, adam, uma):
    settings = RecoverySettings(organization_id=place.organization.id, provider_may=True)
    place.database.add(settings)
    ask(place, place.admin, uma[1])
    step(place, adam, "approve")
    set_back(place, hours=24)
    place.database.run(update(RecoverySettings).values(provider_may=False))
    fields = temporary_fields(uma[0])
    carry_out(place, place.admin, fields, status=409)
    carry_out(place, adam, fields, status=409)
    place.database.run(update(RecoverySettings).values(provider_may=True))
    place.database.run(update(ProviderPerson).values(state="suspended"))
    carry_out(place, adam, fields, status=409)


# Stopping, and what else ends one.


def stop_link(place, **changes):
    link = Link(
        changes.get("organization", place.organization.id),
        changes.get("recovery", recovery(place).id),
        1,
    )
    signer = LinkSigner((SECRET_KEY,), changes.get("purpose", "account-recovery-stop"))
    return f"/account-recovery/{signer.sign(link)}"


def test_the_mailed_link_stops_it_without_signing_in(place, olga, adam, uma):
    ready(place, olga, adam, uma)
    visitor = Browser(place.database.app)
    url = stop_link(place)
    assert "Forgot it" in visitor.get(url)
    assert recovery(place).state is RecoveryState.APPROVED
    visitor.submit(visitor.get(url), "Stop it", {}, status=200)
    assert recovery(place).state is RecoveryState.STOPPED
    visitor.get(url, status=410)
    visitor.post(url, {}, status=410)
    carry_out(place, olga, temporary_fields(uma[0]), status=409)
    assert told(place)[-1] == "organization:recovery:stop"
    topics = place.database.all(select(Outbox.topic).where(Outbox.topic == "mail.recovery_stopped"))
    assert len(topics) == 2


def test_no_other_link_stops_it(place, olga, uma):
    ask(place, olga, uma[1])
    visitor = Browser(place.database.app)
    away, _row = elsewhere(place, olga)
    for url in (
        stop_link(place, purpose="member-invitation"),
        stop_link(place, organization=away.organization.id),
        stop_link(place, recovery=uma[1]),
        "/account-recovery/nonsense",
    ):
        visitor.get(url, status=410)
        visitor.post(url, {}, status=410)
    assert recovery(place).state is RecoveryState.REQUESTED


def test_the_member_stops_it_on_their_own_page_and_nobody_elses(place, olga, uma):
    ask(place, olga, uma[1])
    other, _row = someone(place, "Nora")
    place.browser_of(other).post(own(place, "stop"), {}, status=409)
    browser = place.browser_of(uma[0])
    browser.submit(browser.get(own(place)), "Stop it", {}, status=303)
    assert recovery(place).state is RecoveryState.STOPPED


def test_declining_and_withdrawing_end_it(place, olga, adam, uma):
    ask(place, olga, uma[1])
    step(place, adam, "withdraw", status=409)
    step(place, adam, "decline")
    assert recovery(place).state is RecoveryState.DECLINED
    step(place, adam, "approve", status=409)
    place.database.run(update(RecoveryRequest).values(state="requested", closed_at=None))
    step(place, olga, "withdraw")
    assert recovery(place).state is RecoveryState.WITHDRAWN
    place.browser_of(olga).post(one(place), {"step": "carry_out"}, status=400)


def test_one_is_open_at_a_time_and_the_database_decides(place, olga, adam, uma):
    ask(place, olga, uma[1])
    assert "open already" in ask(place, adam, uma[1], status=409)
    row = recovery(place)
    again = RecoveryRequest(
        organization_id=row.organization_id,
        member_id=row.member_id,
        reason="x",
        asked_by=adam.account_id,
        asked_by_name="Adam",
    )
    with pytest.raises(IntegrityError):
        place.database.add(again)


def test_an_expired_one_makes_room_with_an_event(place, olga, adam, uma):
    ask(place, olga, uma[1])
    set_back(place, days=7)
    step(place, adam, "approve", status=409)
    ask(place, adam, uma[1])
    states = sorted(place.database.all(select(RecoveryRequest.state)))
    assert states == [RecoveryState.EXPIRED, RecoveryState.REQUESTED]
    assert "organization:recovery:expire" in told(place)


def test_somebody_who_was_demoted_meanwhile_counts_for_nothing(place, olga, adam, uma):
    ready(place, olga, adam, uma)
    place.database.run(
        update(Member).where(Member.account_id == adam.account_id).values(role=Role.USER)
    )
    carry_out(place, olga, temporary_fields(uma[0]), status=409)
    assert account(place, uma[0]).temporary_password_since is None


def test_a_third_person_does_not_carry_it_out(place, olga, adam, uma):
    ready(place, olga, adam, uma)
    third, _row = someone(place, "Theo", Role.OWNER)
    carry_out(place, third, temporary_fields(uma[0]), status=409)
    page = place.browser_of(third).get(f"{one(place)}/carry-out", status=409)
    assert "data-wrapped-user-key" not in str(page)


@pytest.mark.parametrize(
    "change",
    [
        {"email": "somebody@else.example"},
        {"public_key": "other"},
        {"protected_user_key": "2.x"},
        {"new_signin_hash": "short"},
        {"kdf_iterations": "1"},
    ],
)
def test_what_does_not_fit_the_account_changes_nothing(place, olga, adam, uma, change):
    ready(place, olga, adam, uma)
    before = account(place, uma[0]).protected_user_key
    status = 409 if change.keys() & {"email", "public_key"} else 422
    carry_out(place, olga, temporary_fields(uma[0]) | change, status=status)
    assert account(place, uma[0]).protected_user_key == before
    assert recovery(place).state is RecoveryState.APPROVED


def test_the_policy_turned_off_stops_everything(place, olga, adam, uma):
    ready(place, olga, adam, uma)
    place.database.run(
        update(Policy).where(Policy.kind == PolicyKind.ACCOUNT_RECOVERY).values(is_on=False)
    )
    carry_out(place, olga, temporary_fields(uma[0]), status=409)
    assert "is off" in place.browser_of(olga).get(f"{place.url}/recoveries")


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
