"""New client: the same rules at the field, in the summary and on submit; one client a form."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from portal.domain import pricing
from portal.domain.access import Role
from portal.domain.errors import refuse
from portal.domain.plans import Cadence, Plan
from portal.domain.states import MemberState
from portal.models import (
    Collection,
    Event,
    EventStream,
    Idempotency,
    Member,
    Organization,
    Outbox,
    Provider,
    Subscription,
    SubscriptionLine,
)
from tests.support.browsing import filled_in
from tests.support.clients import make_client, make_provider, persona
from tests.support.organizations import posted_client_keys

TYPED = {
    "name": "  Acme   Ltd ",
    "billing_email": "Bills@Acme.example",
    "owner_email": "olga@acme.example",
}
MADE = (
    Organization,
    Collection,
    Member,
    Subscription,
    SubscriptionLine,
    Event,
    EventStream,
    Outbox,
    Idempotency,
)


@pytest.fixture
def ada(database):
    return persona(database)


@pytest.fixture
def form(ada):
    """The page with the form as it comes."""
    return ada.browser.get(f"{ada.clients_url}/new")


def rows(database):
    return {model.__tablename__: database.count(model) for model in MADE}


def total(page):
    return page.text("#clients-summary .total dd")


def create(ada, form, status=303, **typed):
    return ada.browser.submit(form, "Create client", TYPED | typed, status=status)


def test_one_submit_creates_everything_that_belongs_to_a_client(ada, form, database):
    answer = create(ada, form, plan="enterprise", seats="20", cadence="annual", locale="fr")
    client = database.one(select(Organization))
    assert answer.location.startswith(f"/organizations/{client.id}/setup?saved=")
    assert (client.name, client.name_ci, client.billing_email) == (
        "Acme Ltd",
        "acme ltd",
        "bills@acme.example",
    )
    assert (client.plan, client.plan_rank, client.seats, client.seats_used) == (
        Plan.ENTERPRISE,
        2,
        20,
        1,
    )
    assert (client.seats_grow, client.seat_limit, client.public_key) == (True, None, None)
    assert (client.setup_done, client.setup_total, client.owner_confirmed) == (1, 6, False)
    assert database.one(select(Provider.clients_count)) == 1
    assert database.one(select(Collection.sealed_name)) is None
    member = database.one(select(Member))
    assert (member.email, member.role, member.state) == (
        "olga@acme.example",
        Role.OWNER,
        MemberState.INVITED,
    )
    mails = {mail.topic: mail.payload["locale"] for mail in database.all(select(Outbox))}
    assert mails == {"mail.member_invitation": "fr", "mail.client_created": "fr"}
    assert ada.browser.follow(answer).heading == "Set-up"


def test_the_subscription_keeps_what_was_agreed(ada, form, database):
    create(ada, form, seats="3", extra_storage_gb="4", purchase_order="PO 7", net_days="45")
    subscription = database.one(select(Subscription))
    assert (subscription.cadence, subscription.currency) == (Cadence.MONTHLY, "USD")
    assert (subscription.price_list_version, subscription.net_days) == ("2026-11", 45)
    assert (subscription.billing_name, subscription.city) == ("Northwind IT", "Paris")
    assert subscription.purchase_order == "PO 7"
    lines = database.all(select(SubscriptionLine).order_by(SubscriptionLine.kind))
    assert [(line.kind, line.quantity, line.unit_cents, line.months) for line in lines] == [
        ("seats", 3, 500, 1),
        ("storage", 4, 33, 1),
    ]
    assert {line.price_list_version for line in lines} == {"2026-11"}
    assert {(line.period_start, line.period_end) for line in lines} == {
        (subscription.period_start, subscription.period_end)
    }


def test_both_logs_tell_of_it(ada, form, database):
    create(ada, form)
    client = database.one(select(Organization))
    told = database.all(select(Event.stream_id, Event.seq, Event.type, Event.payload))
    here = [(seq, kind) for stream, seq, kind, _ in told if stream == client.id]
    there = [(seq, kind) for stream, seq, kind, _ in told if stream == ada.provider.id]
    assert sorted(here) == [
        (1, "organization:organization:create"),
        (2, "organization:member:invite"),
    ]
    assert sorted(there) == [(1, "provider:client:create"), (2, "organization:member:invite")]
    details = json.loads(told[0].payload)["details"]
    assert details == {"name": "Acme Ltd", "plan": "teams", "seats": 1, "with_keys": False}


def test_keys_from_the_browser_are_stored_and_name_the_first_collection(ada, form, database):
    keys = posted_client_keys()
    create(ada, form, **keys)
    client = database.one(select(Organization))
    assert client.public_key == keys["organization_public_key"]
    assert client.provider_wrapped_key == keys["provider_wrapped_key"]
    assert database.one(select(Collection.sealed_name)) == keys["collection_name"]
    kinds = database.all(select(Event.type).where(Event.stream_id == client.id))
    assert "organization:keys:create" in kinds


def test_keys_that_are_not_sealed_are_refused_and_not_shown_again(ada, form, database):
    clear = posted_client_keys() | {"collection_name": "in the clear"}
    page = create(ada, form, 422, **clear)
    assert "arrived incomplete" in page.text(".error-summary")
    assert page.one("input[name=collection_name]")["value"] == ""
    assert "in the clear" not in page.response.text
    assert database.count(Organization) == 0


def test_keys_come_back_with_a_form_that_has_a_mistake(ada, form):
    keys = posted_client_keys()
    page = create(ada, form, 422, seats="0", **keys)
    for name, value in keys.items():
        assert page.one(f"input[name={name}]")["value"] == value


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("name", " ", "Enter the organization's name."),
        ("name", "x" * 51, "Shorten it by 1 character; at most 50 fit."),
        ("billing_email", "nobody", "Enter an e-mail address in the form name@example.com."),
        ("owner_email", "", "Enter the address of the person who will own the organization."),
        ("seats", "0", "A client needs at least one seat."),
        ("seats", "", "Enter the number of seats."),
        ("seats", "many", "Enter a whole number, such as 20."),
        ("seats", "9" * 40, "Enter a whole number, such as 20."),
        ("seats", "100001", "Enter at most 100,000 seats."),
        ("seat_limit", "lots", "Enter a whole number, such as 20."),
        ("extra_storage_gb", "100", "Enter a number of GB from 0 to 99."),
        ("plan", "gold", "Choose a plan."),
        ("cadence", "", "Choose how often the client is billed."),
        ("country", "", "Choose the country."),
        ("city", "", "Enter the town or city."),
        ("vat_number", "FR00", "This is not a VAT number of FR. Check it, or leave it empty."),
        ("net_days", "31", "Choose within how many days invoices are payable."),
        ("payment", "card", "Choose how the client is paid for."),
    ],
)
def test_a_mistake_stands_at_its_field_when_left_and_on_submit(
    ada, form, database, name, value, sentence
):
    typed = TYPED | {name: value}
    box = ada.browser.post(
        f"{ada.clients_url}/new/fields/{name}", sent(form, typed), hx=f"{name}-field"
    )
    assert sentence in " ".join(box.texts(f"#{name}-field .error"))
    page = create(ada, form, 422, **{name: value})
    assert sentence in " ".join(page.texts(f"#{name}-field .error"))
    assert page.title.startswith("Error: New client")
    assert sentence in page.text(".error-summary")
    assert rows(database) == dict.fromkeys(rows(database), 0)


def sent(form, typed):
    return filled_in(form.form("Create client")) | typed


def test_what_was_typed_stays_typed(ada, form):
    page = create(ada, form, 422, seats="many", seat_limit=" 1 000 ", name="Åland & <b>")
    assert page.one("#seats")["value"] == "many"
    assert page.one("#seat_limit")["value"] == " 1 000 "
    assert page.one("#name")["value"] == "Åland & <b>"
    assert page.one("input[name=token]")["value"] == form.one("input[name=token]")["value"]


def test_a_body_of_json_is_no_form(ada, form, database):
    answer = ada.browser.client.post(
        f"{ada.clients_url}/new",
        json={"name": 1, "seats": []},
        headers={"X-CSRFToken": ada.browser.csrf_token()},
    )
    assert answer.status_code == 422
    assert database.count(Organization) == 0


def test_fields_are_called_by_their_labels_alone(form):
    label = form.one("label[for=seat_limit]")
    assert label.get_text() == "Seat limit"
    assert form.text("#seat_limit-optional") == "(optional)"
    assert "seat_limit-optional" in form.one("#seat_limit")["aria-describedby"]


def test_a_number_may_be_written_with_spaces(ada, form, database):
    create(ada, form, seats=" 1 000 ", seat_limit="12\u202f000")
    assert database.one(select(Organization.seats)) == 1000
    assert database.one(select(Organization.seat_limit)) == 12000


@pytest.mark.parametrize("name", ["token", "csrf_token", "collection_name", "nothing", "step"])
def test_only_what_people_fill_in_is_checked_alone(ada, form, name):
    ada.browser.post(f"{ada.clients_url}/new/fields/{name}", sent(form, TYPED), status=404)


def test_one_changed_rule_changes_field_summary_and_submit(ada, form, monkeypatch):
    def at_least_five(seats, *, used=0):
        if seats is None or seats < 5:
            raise refuse("Five at least, by today's rule.", field="seats")
        return seats

    monkeypatch.setattr("portal.domain.new_client.check_seats", at_least_five)
    monkeypatch.setattr("portal.domain.new_client.FEWEST", 5)
    typed = sent(form, TYPED | {"seats": "3"})
    url = f"{ada.clients_url}/new"
    box = ada.browser.post(f"{url}/fields/seats", typed, hx="seats-field")
    summary = ada.browser.post(f"{url}/summary", typed, hx="clients-summary")
    page = create(ada, form, 422, seats="3")
    assert "Five at least, by today's rule." in box.text(".error")
    assert "counts as the usual choice" in summary.text("section")
    assert "Five at least, by today's rule." in page.text("#seats-field .error")
    create(ada, form, 303, seats="5")


def test_summary_and_bill_come_from_one_function(ada, form, database, monkeypatch):
    real = pricing.quote

    def dearer(selection, prices, terms, today):
        found = real(selection, prices, terms, today)
        line = found.lines[0]
        line = replace(line, unit=line.unit * 3, amount=line.amount * 3)
        return replace(found, lines=(line,), total=line.amount)

    monkeypatch.setattr(pricing, "quote", dearer)
    typed = sent(form, TYPED | {"seats": "2"})
    summary = ada.browser.post(f"{ada.clients_url}/new/summary", typed, hx="clients-summary")
    assert total(summary) == "$30.00"
    create(ada, form, seats="2")
    assert database.one(select(SubscriptionLine.unit_cents)) == 1500


def test_the_summary_tells_lines_discount_tax_and_what_is_due(database):
    provider = make_provider(
        database, discount_basis_points=1000, tax_label="VAT", tax_basis_points=2000
    )
    ada = persona(database, provider=provider)
    form = ada.browser.get(f"{ada.clients_url}/new")
    choice = {
        "plan": "enterprise",
        "cadence": "annual",
        "seats": "20",
        "extra_storage_gb": "5",
        "seat_limit": "30",
    }
    summary = ada.browser.post(
        f"{ada.clients_url}/new/summary", sent(form, TYPED | choice), hx="clients-summary"
    )
    lines = dict(zip(summary.texts("dt"), summary.texts("dd"), strict=True))
    assert {label.replace("\u00d7", "x"): amount for label, amount in lines.items()} == {
        "Enterprise, 20 seats 20 x $6.00 x 12 months": "$1,440.00",
        "Additional storage 5 x $0.33 x 12 months": "$19.80",
        "Discount 10%": "-$145.98",
        "VAT 20%": "$262.76",
        "Total per year": "$1,576.58",
        "Due today": "$0.00",
    }
    said = summary.text("section")
    assert "payable within 30 days." in said
    assert "Each added seat costs $64.80 per year." in said
    assert "With all 30 seats, a bill is $2,354.18." in said
    assert "An invitation goes to olga@acme.example." in said


def test_the_plan_cards_follow_the_cadence(ada, form):
    assert form.texts(".price strong") == ["$5.00", "$7.00"]
    typed = sent(form, {"cadence": "annual"})
    box = ada.browser.post(f"{ada.clients_url}/new/fields/plan", typed, hx="plan-field")
    assert box.texts(".price strong") == ["$4.00", "$6.00"]
    assert form.text(".card-row").count("Premium features for every member") == 2


def test_enter_presses_update_summary_which_creates_nothing(ada, form, database):
    buttons = form.form("Create client").select("button")
    assert [button.get_text(strip=True) for button in buttons] == [
        "Update summary",
        "Create client",
    ]
    page = ada.browser.submit(form, "Update summary", {"seats": "7"}, status=200)
    assert total(page) == "$35.00"
    assert not page.select(".error")
    assert page.one("#seats")["value"] == "7"
    assert rows(database) == dict.fromkeys(rows(database), 0)
    wrong = ada.browser.submit(page, "Update summary", {"billing_email": "x"}, status=200)
    assert len(wrong.select(".field .error")) == 1


def test_an_equal_name_and_another_domain_are_pointed_out_and_pass(ada, form, database):
    make_client(database, ada.provider, "ACME ltd")
    typed = sent(form, TYPED | {"owner_email": "olga@elsewhere.example"})
    url = f"{ada.clients_url}/new/fields"
    name = ada.browser.post(f"{url}/name", typed, hx="name-field")
    owner = ada.browser.post(f"{url}/owner_email", typed, hx="owner_email-field")
    assert "You already have a client with this name." in name.text(".warning")
    assert "elsewhere.example, differs from the billing e-mail's" in owner.text(".warning")
    create(ada, form, owner_email="olga@elsewhere.example")
    assert database.count(Organization) == 2


def test_a_name_of_another_provider_is_nobodys_business(ada, form, database):
    make_client(database, make_provider(database, "Mallory IT"), "Acme Ltd")
    box = ada.browser.post(f"{ada.clients_url}/new/fields/name", sent(form, TYPED), hx="name-field")
    assert not box.select(".warning")


def test_a_field_that_still_waits_is_not_complained_about_by_another(ada, form):
    typed = sent(form, {"billing_email": "a@b.example"})
    url = f"{ada.clients_url}/new/fields/owner_email"
    asked = {"HX-Source": "input#billing_email"}
    assert not ada.browser.post(url, typed, hx="owner_email-field", headers=asked).select(".error")
    left = {"HX-Source": "input#owner_email"}
    assert ada.browser.post(url, typed, hx="owner_email-field", headers=left).select(".error")


def test_who_may_not_create_is_told_who_can(database):
    tom = persona(database, Role.SERVICE_USER)
    url = f"{tom.clients_url}/new"
    assert "Provider admin" in tom.browser.get(url, status=403)
    for path in (url, f"{url}/summary", f"{url}/fields/name"):
        tom.browser.post(path, TYPED, status=403)
    assert database.count(Organization) == 0


def test_somebody_elses_provider_is_not_there(ada, database):
    other = make_provider(database, "Mallory IT")
    ada.browser.get(f"/providers/{other.id}/clients/new", status=404)
    ada.browser.post(f"/providers/{other.id}/clients/new", TYPED, status=404)
