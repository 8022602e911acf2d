"""What people read when a provider does something, as their mail server gets it."""

import pytest
from sqlalchemy import select, update

from portal.clients import linking
from portal.crypto.keys import wrap_for
from portal.domain.access import Role
from portal.domain.states import ClientStatus, MemberState
from portal.mail.messages import MESSAGES, Office, Outdated
from portal.models import Account, Member, Organization, Outbox, Provider, ProviderPerson
from tests.support.accounts import make_person
from tests.support.databases import SECRET_KEY
from tests.support.mailing import change_settings, send_all
from tests.support.organizations import employ, join, make_place
from tests.support.staff import change, hire
from tests.test_clients_lifecycle import ask_deletion, press, url_of
from tests.test_clients_subscription import change as change_subscription
from tests.test_clients_subscription import settle

pytestmark = pytest.mark.committed
ADA, BEN, SUE = "ada@northwind.example", "ben@northwind.example", "sue@acme.example"
DELETED_FR = "La suppression d\u2019Acme Ltd est prévue"
KEPT = {"delete_at": None, "status_before_deletion": None}
TYPED = {"name": "Bolt", "billing_email": "bills@bolt.example", "owner_email": "o@bolt.example"}


@pytest.fixture
def post(committed_app, smtp, monkeypatch):
    """Sends what waits; returns {(recipient, subject): mail}. Nothing may come twice."""
    change_settings(committed_app, monkeypatch, smtp_url=smtp.url, base_url="https://portal.test")

    def send():
        smtp.deliveries.clear()
        send_all(committed_app)
        found = {(each.recipients[0], each.mail["Subject"]): each for each in smtp.deliveries}
        assert len(found) == len(smtp.deliveries)
        for mail in found.values():
            assert "https://portal.test/" in mail.text or "http" not in mail.text
            assert "&#" not in mail.text
        return found

    return send


@pytest.fixture
def place(committed):
    """Ada and Ben are admins, Ann has lost that, Sue owns the client and Ken asks in French."""
    place = settle(make_place(committed))
    employ(committed, place.provider, make_person(committed, BEN, "Ben Roy", locale="fr"))
    ann = make_person(committed, "ann@northwind.example", "Ann Low")
    employ(committed, place.provider, ann, Role.SERVICE_USER)
    sue = make_person(committed, SUE, "Sue Owner", keys=True)
    join(place, sue, Role.OWNER, MemberState.CONFIRMED)
    return place


@pytest.fixture
def admin(place, post):
    post()
    return place.admins_browser()


def test_who_gets_the_invoices_of_a_new_client_reads_the_order(place, admin, post):
    page = admin.get(f"/providers/{place.provider.id}/clients/new")
    typed = TYPED | {"seats": "12", "cadence": "annual", "extra_storage_gb": "2", "locale": "fr"}
    admin.submit(page, "Create client", typed, status=303)
    admin.submit(page, "Create client", typed, status=303)
    mails = post()
    assert {to for to, _ in mails} == {"bills@bolt.example", "o@bolt.example"}
    (order,) = [mail for (to, _), mail in mails.items() if to == "bills@bolt.example"]
    assert order.mail["Subject"].startswith("Récapitulatif de la commande")
    for part in (order.text, order.html):
        assert "Northwind IT" in part
        assert "12" in part
        assert "Stockage supplémentaire\u00a0: 2\u00a0Go" in part.replace("&nbsp;", "\u00a0")
        assert "$US" in part
        assert "invitations/" not in part


def test_the_order_is_totalled_as_it_is_billed(place, admin, post, committed):
    terms = {"discount_basis_points": 1000, "tax_label": "VAT", "tax_basis_points": 2000}
    committed.run(update(Provider).values(**terms))
    page = admin.get(f"/providers/{place.provider.id}/clients/new")
    shown = admin.submit(page, "Update summary", TYPED | {"seats": "7"}, status=200)
    total = shown.text("#clients-summary .total dd")
    admin.submit(shown, "Create client", {}, status=303)
    order = post()["bills@bolt.example", "Order summary for Bolt"]
    assert f"- Total per month: {total}" in order.text


def test_whoever_orders_for_their_own_address_gets_no_summary(place, admin, post):
    page = admin.get(f"/providers/{place.provider.id}/clients/new")
    admin.submit(page, "Create client", TYPED | {"billing_email": ADA}, status=303)
    assert {to for to, _ in post()} == {"o@bolt.example"}


def test_owners_are_told_that_they_are_locked_out_and_let_in_again(place, admin, post):
    press(admin, place, "suspend", "Suspend Acme Ltd")
    mail = post()[SUE, "Acme Ltd is suspended"]
    assert "Northwind IT has suspended Acme Ltd" in mail.text
    press(admin, place, "resume", "Resume Acme Ltd")
    mail = post()[SUE, "Acme Ltd is open again"]
    assert f"https://portal.test{place.url}/collections" in mail.text


def test_a_suspension_that_is_over_is_not_told_any_more(place, admin, post):
    press(admin, place, "suspend", "Suspend Acme Ltd")
    press(admin, place, "resume", "Resume Acme Ltd")
    assert set(post()) == {(SUE, "Acme Ltd is open again")}


def test_a_deletion_is_told_to_owners_and_to_the_other_admins(place, admin, post):
    press(admin, place, "suspend", "Suspend Acme Ltd")
    post()
    ask_deletion(admin, place)
    mails = post()
    assert set(mails) == {
        (SUE, "Acme Ltd is to be deleted"),
        (BEN, DELETED_FR),
    }
    ben = mails[BEN, DELETED_FR]
    assert "Ada Nordström" in ben.text
    assert url_of(place, "manage") in ben.text
    admin.submit(admin.get(url_of(place, "keep")), "Keep this client Acme Ltd", status=303)
    kept = post()
    assert set(kept) == {(SUE, "Acme Ltd is not deleted")}
    assert "suspended again" in kept[SUE, "Acme Ltd is not deleted"].text


def test_unlinking_is_told_to_owners_and_to_the_other_admins(place, admin, post):
    press(admin, place, "unlink", "Unlink Acme Ltd")
    mails = post()
    assert {to for to, _ in mails} == {SUE, BEN}
    (ben,) = [mail for (to, _), mail in mails.items() if to == BEN]
    assert "Ada Nordström" in ben.text
    assert place.url not in ben.text


def test_linking_is_told_to_owners_and_to_the_other_admins_once_each(place, post, committed):
    join(place, place.admin, Role.OWNER, MemberState.CONFIRMED)
    committed.run(update(Organization).values(provider_id=None, provider_wrapped_key=None))
    post()
    key = place.provider_keys.public_key
    wrapped = {"wrapped_key": wrap_for(key, place.keys.key.raw), "public_key": key}
    url = f"/providers/{place.provider.id}/clients/existing/{place.organization.id}"
    browser = place.admins_browser()
    browser.post(url, wrapped, status=303)
    browser.post(url, wrapped, status=409)
    mails = post()
    assert sorted(to for to, _ in mails) == [ADA, BEN, SUE]
    sue = mails[SUE, "Northwind IT looks after Acme Ltd now"]
    assert "Ada Nordström has linked Acme Ltd to Northwind IT" in sue.text
    assert "bills@northwind.example" in sue.text
    assert f"https://portal.test{place.url}/events" in sue.text


def test_who_is_owner_and_admin_of_the_provider_hears_nothing_of_their_own_deed(place, admin, post):
    join(place, place.admin, Role.OWNER, MemberState.CONFIRMED)
    press(admin, place, "suspend", "Suspend Acme Ltd")
    press(admin, place, "resume", "Resume Acme Ltd")
    change_subscription(admin, place, seats="12")
    assert {to for to, _ in post()} == {SUE}


def test_a_person_is_told_of_their_suspension_and_of_its_end(place, admin, post):
    person, row = hire(place)
    change(place, "suspend", row, status=303)
    mail = post()[person.email, "You are suspended at Northwind IT"]
    assert "Your own account stays yours" in mail.text
    change(place, "resume", row, status=303)
    mail = post()[person.email, "You are no longer suspended at Northwind IT"]
    assert "Your role is: Service user." in mail.text


# Written between the deed and the sending


def messages(place, topic):
    """The letter of the newest job of a topic, in the world as it is now."""
    job = place.database.all(select(Outbox).where(Outbox.topic == topic))[-1]
    office = Office((SECRET_KEY,), lambda endpoint, **_: f"https://portal.test/{endpoint}")
    with place.database.session() as session:
        return MESSAGES[topic](session, office, job.payload)


def test_who_is_no_owner_any_more_is_told_nothing(place, admin, committed):
    press(admin, place, "suspend", "Suspend Acme Ltd")
    assert messages(place, "mail.client_suspended").to == SUE
    committed.run(update(Member).values(role=Role.USER))
    with pytest.raises(Outdated):
        messages(place, "mail.client_suspended")


@pytest.mark.parametrize("change_made", ["role", "kept", "unlinked"])
def test_an_admin_is_told_only_what_still_concerns_them(place, admin, committed, change_made):
    ask_deletion(admin, place)
    assert messages(place, "mail.client_deletion_team").to == BEN
    committed.run(
        {
            "role": update(ProviderPerson).values(role=Role.SERVICE_USER),
            "kept": update(Organization).values(status=ClientStatus.ACTIVE, **KEPT),
            "unlinked": update(Organization).values(provider_id=None),
        }[change_made]
    )
    with pytest.raises(Outdated):
        messages(place, "mail.client_deletion_team")


def test_the_order_of_a_client_that_left_is_not_sent(place, admin, committed):
    page = admin.get(f"/providers/{place.provider.id}/clients/new")
    admin.submit(page, "Create client", TYPED, status=303)
    assert messages(place, "mail.client_created").to == "bills@bolt.example"
    committed.run(update(Organization).values(provider_id=None))
    with pytest.raises(Outdated):
        messages(place, "mail.client_created")


def test_a_link_that_was_undone_is_not_told(place, post, committed):
    committed.run(update(Organization).values(provider_id=None, provider_wrapped_key=None))
    key = linking.WrappedKey(
        wrap_for(place.provider_keys.public_key, place.keys.key.raw),
        place.provider_keys.public_key,
    )
    with committed.session() as session:
        sue = session.scalars(select(Account.id).where(Account.email == SUE)).one()
        owner = place.actor.__class__(**{**vars(place.actor), "account_id": sue})
        organization = session.get_one(Organization, place.organization.id)
        session.expunge(organization)
        linking.link(session, owner, place.provider.id, organization, key)
    letter = messages(place, "mail.client_linked_team")
    assert letter.facts["person"] == "Sue Owner"
    committed.run(update(Organization).values(provider_id=None))
    for topic in ("mail.client_linked", "mail.client_linked_team"):
        with pytest.raises(Outdated):
            messages(place, topic)
