"""Account recovery with real keys in real browsers: from enrolling to reading the vault again."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update

from portal.crypto.keys import wrap_for
from portal.domain.access import Role
from portal.domain.collection_access import Level
from portal.models import Account, Collection, CollectionMember, RecoveryEnrolment
from tests.support.accounts import PASSWORD
from tests.support.chromium import assert_accessible, follow
from tests.support.organizations import FIRST_COLLECTION
from tests.support.recovery import account, enrol, offering, recovery, set_back, someone

pytestmark = pytest.mark.committed
NEW = "a new one of my own entirely"


@pytest.fixture
def place(live):
    return offering(live.database)


def sign_in(live, people, person, password=PASSWORD, path="/profile"):
    page = people(locale="en").new_page()
    page.goto(f"{live.url}{path}")
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Master password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("body.in")).to_be_visible()
    return page


def reads_the_collection(page, live, place):
    page.goto(f"{live.url}{place.url}/collections")
    name = page.locator("sealed-text")
    expect(name).to_have_attribute("data-state", "open")
    assert name.evaluate("element => element.shadowRoot.textContent") == FIRST_COLLECTION


def give_collection(place, member):
    here = {"organization_id": place.organization.id, "member_id": member}
    collection = place.database.one(select(Collection.id))
    place.database.add(CollectionMember(**here, collection_id=collection, level=Level.VIEW))


def enrol_by_hand(live, page, place):
    page.goto(f"{live.url}{place.url}/account-recovery")
    expect(page.locator("fingerprint-phrase")).to_have_attribute("data-state", "same")
    expect(page.locator("[data-key-work]")).to_have_attribute("data-ready", "")
    assert_accessible(page)
    page.get_by_label("Master password").fill("not the one at all")
    page.get_by_role("button", name="Enrol").click()
    expect(page.locator("[data-form-error]")).to_contain_text("That is not your master password")
    page.get_by_label("Master password").fill(PASSWORD)
    page.get_by_role("button", name="Enrol").click()
    expect(page.locator("#notices")).to_contain_text("You are enrolled")


def approved(live, people, place, uma, member):
    """Two browsers: one asks, another approves; then a day goes by."""
    olga, _row = someone(place, "Olga", Role.OWNER)
    adam, _row = someone(place, "Adam", Role.ADMIN)
    first = sign_in(live, people, olga)
    first.goto(f"{live.url}{place.members}/{member}")
    follow(first, first.get_by_role("link", name="Recover account"))
    assert_accessible(first)
    first.get_by_label("Reason").fill("Uma has forgotten her master password")
    first.get_by_role("button", name="Ask for the recovery").click()
    expect(first.locator("main")).to_contain_text("Needs a second person")
    expect(first.get_by_role("button", name="Approve")).to_have_count(0)
    second = sign_in(live, people, adam)
    second.goto(f"{live.url}{place.url}/recoveries")
    assert_accessible(second)
    follow(second, second.get_by_role("link", name="Uma"))
    assert_accessible(second)
    follow(second, second.get_by_role("button", name="Approve"))
    # Nothing sends mails here, so nobody has told Uma.
    expect(second.locator("main")).to_contain_text("The mail that tells Uma has not gone out.")
    expect(second.get_by_role("button", name="Approve")).to_have_count(0)
    set_back(place, hours=24)
    return first


def carry_out(live, page, place):
    page.goto(f"{live.url}{place.url}/recoveries/{recovery(place).id}")
    follow(page, page.get_by_role("link", name="Carry it out"))
    expect(page.locator("[data-key-work]")).to_have_attribute("data-ready", "")
    assert_accessible(page)
    page.get_by_role("button", name="Recover the account").click()


def test_a_member_who_forgot_comes_back_and_reads_as_before(live, people, place):
    uma, member = someone(place, "Uma")
    give_collection(place, member)
    hers = sign_in(live, people, uma)
    enrol_by_hand(live, hers, place)
    reads_the_collection(hers, live, place)

    admin = approved(live, people, place, uma, member)
    carry_out(live, admin, place)
    expect(admin.locator("[data-recover-status]")).to_contain_text("shown once")
    temporary = admin.locator("[data-temporary-password]").text_content()
    assert len(temporary) == 23

    # The old session is over, the old password too.
    hers.goto(f"{live.url}/profile")
    expect(hers.get_by_role("heading", name="Sign in")).to_be_visible()

    again = people(locale="en").new_page()
    again.goto(f"{live.url}{place.url}/collections")
    again.get_by_label("E-mail address").fill(uma.email)
    again.get_by_label("Master password").fill(temporary)
    again.get_by_role("button", name="Sign in").click()
    expect(again.get_by_role("heading", name="Choose a new master password")).to_be_visible()
    again.goto(f"{live.url}{place.url}/collections")
    expect(again.get_by_role("heading", name="Choose a new master password")).to_be_visible()
    assert_accessible(again)
    again.get_by_label("Temporary master password").fill(temporary)
    again.get_by_label("New master password", exact=True).fill(NEW)
    again.get_by_label("Repeat new master password").fill(NEW)
    again.get_by_role("button", name="Choose a new master password").click()
    expect(again.locator("main")).not_to_contain_text("Temporary master password")
    assert account(place, uma).temporary_password_since is None
    reads_the_collection(again, live, place)
    # The user key is the same, so the enrolment still is one.
    again.goto(f"{live.url}{place.url}/account-recovery")
    expect(again.locator("main")).to_contain_text("Enrolled")
    sign_in(live, people, uma, NEW)


def test_an_enrolment_that_does_not_open_the_account_changes_nothing(live, people, place):
    uma, member = someone(place, "Uma")
    enrol(place, uma, member)

    wrong = wrap_for(place.keys.public_key, b"x" * 64)

    place.database.run(update(RecoveryEnrolment).values(wrapped_user_key=wrong))
    before = place.database.one(select(Account.signin_hash).where(Account.id == uma.account_id))
    admin = approved(live, people, place, uma, member)
    carry_out(live, admin, place)
    expect(admin.locator("[data-recover-status]")).to_contain_text("does not open their account")
    expect(admin.locator("[data-temporary-password]")).to_have_text("\N{EN DASH}")
    after = place.database.one(select(Account.signin_hash).where(Account.id == uma.account_id))
    assert before == after
