"""Account recovery: two people let a member back in, and who may not."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from portal.crypto.tokens import Link, LinkSigner
from portal.domain.access import Role
from portal.domain.account_recovery import RecoveryState
from portal.domain.policies import PolicyKind
from portal.domain.states import MemberState
from portal.models import (
    AuthSession,
    Event,
    Member,
    Outbox,
    Policy,
    ProviderPerson,
    RecoveryRequest,
    RecoverySettings,
)
from tests.support.accounts import JSON, keys_for
from tests.support.browsing import Browser
from tests.support.databases import SECRET_KEY
from tests.support.organizations import employ
from tests.support.policies import elsewhere
from tests.support.recovery import (
    account,
    ask,
    ask_url,
    carry_out,
    enrol,
    offering,
    one,
    own,
    ready,
    recovery,
    set_back,
    someone,
    step,
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


@pytest.mark.parametrize("state", [MemberState.CONFIRMED, MemberState.REVOKED])
def test_who_belongs_elsewhere_is_not_recovered_by_anybody(place, olga, uma, state):
    elsewhere(place, uma[0], state)
    assert "another organization" in ask(place, olga, uma[1], status=409)


@pytest.mark.parametrize("state", [MemberState.ACCEPTED, MemberState.REVOKED])
def test_accepted_and_revoked_members_can_be_recovered(place, olga, state):
    person, row = someone(place, "Ines", state=state)
    enrol(place, person, row)
    ask(place, olga, row)


@pytest.mark.parametrize("reason", ["Forgot \u202eti", "Forgot\u2066 it"])
def test_a_reason_with_invisible_characters_reaches_no_mail(place, olga, uma, reason):
    page = place.browser_of(olga).post(ask_url(place, uma[1]), {"reason": reason}, status=422)
    assert "invisible control characters" in page
    assert not place.database.all(select(RecoveryRequest.id))


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
    browser.post(f"{foreign}/carry-out", fields, headers=JSON, status=404)
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
    place.browser_of(olga).post(one(place), {"step": "carry_out"}, status=422)


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
