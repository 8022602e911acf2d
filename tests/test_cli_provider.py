"""`flask provider`."""

import re

import pytest
from sqlalchemy import select

from portal.crypto.tokens import LinkSigner
from portal.domain.access import Role
from portal.domain.states import ProviderPersonState
from portal.models import Event, Outbox, Provider, ProviderPerson
from tests.support.databases import SECRET_KEY
from tests.support.mailing import change_settings, send_all

pytestmark = pytest.mark.committed


@pytest.fixture
def run(committed_app):
    def invoke(*arguments, status=0):
        result = committed_app.test_cli_runner().invoke(args=["provider", *arguments])
        assert result.exit_code == status, result.output
        return result.output

    return invoke


def create(run, *more, name="Northwind IT", admin="Ada@Northwind.example", **options):
    return run("create", "--name", name, "--admin", admin, *more, **options)


def test_a_provider_is_made_and_its_first_admin_invited(run, committed, committed_app):
    output = create(run, "--locale", "fr", "--time-zone", "Europe/Paris")
    provider = committed.one(select(Provider))
    assert (provider.name, provider.locale, provider.time_zone) == (
        "Northwind IT",
        "fr",
        "Europe/Paris",
    )
    assert provider.second_factor_required
    assert provider.public_key is None
    person = committed.one(select(ProviderPerson))
    assert (person.email, person.role) == ("ada@northwind.example", Role.PROVIDER_ADMIN)
    assert person.state is ProviderPersonState.INVITED
    url = re.search(r"http://localhost/invitations/(\S+)", output)
    link = LinkSigner((SECRET_KEY,), "provider-invitation").read(url[1])
    assert (link.tenant_id, link.row_id, link.version) == (provider.id, person.id, 1)
    page = committed_app.test_client().get(url[0].removeprefix("http://localhost"))
    assert page.status_code == 200
    assert "Northwind IT" in page.text
    kinds = [event.type for event in committed.all(select(Event).order_by(Event.seq))]
    assert kinds == ["provider:provider:create", "provider:person:invite"]


def test_the_invitation_is_mailed(run, committed, committed_app, smtp, monkeypatch):
    create(run)
    change_settings(committed_app, monkeypatch, smtp_url=smtp.url)
    send_all(committed_app)
    assert smtp.last().recipients == ["ada@northwind.example"]
    assert "Northwind IT" in smtp.last().mail["Subject"]


def test_terms_are_exact_and_can_be_changed(run, committed):
    create(run, "--discount", "12.5", "--tax", "20", "--tax-label", "VAT", "--no-second-factor")
    provider = committed.one(select(Provider))
    assert provider.discount_basis_points == 1250
    assert (provider.tax_label, provider.tax_basis_points) == ("VAT", 2000)
    assert not provider.second_factor_required
    output = run("terms", str(provider.id), "--discount", "7.25", "--second-factor")
    assert "discount 7.25 %" in output
    provider = committed.one(select(Provider))
    assert (provider.discount_basis_points, provider.tax_basis_points) == (725, 2000)
    assert provider.second_factor_required
    changed = committed.one(select(Event.payload).where(Event.type == "provider:terms:update"))
    assert '"before":{"discount_basis_points":1250,"second_factor_required":false}' in changed


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--discount", "101"), "percentage"),
        (("--discount", "1.234"), "percentage"),
        (("--tax", "much"), "not a number"),
        (("--tax", "NaN"), "percentage"),
        (("--time-zone", "Mars/Olympus"), "not a time zone"),
        (("--locale", "xx"), "xx"),
    ],
)
def test_terms_that_make_no_sense_are_refused(run, committed, arguments, reason):
    assert reason in create(run, *arguments, status=2)
    assert committed.count(Provider) == 0


def test_a_bad_name_or_address_makes_nothing(run, committed):
    assert "name@example.com" in create(run, admin="nobody", status=1)
    assert "name" in create(run, name="  ", status=1)
    assert committed.count(Provider) == 0
    assert committed.count(Outbox) == 0


def test_a_mistyped_address_can_be_followed_by_the_right_one(run, committed):
    create(run)
    provider = committed.one(select(Provider))
    assert "ada@right.example is invited" in run("invite", str(provider.id), "ada@right.example")
    assert committed.count(ProviderPerson) == 2
    again = run("invite", str(provider.id), "ada@right.example", status=1)
    assert "invited already" in again


def test_once_somebody_is_in_the_provider_looks_after_itself(run, committed):
    create(run)
    provider, person = committed.one(select(Provider)), committed.one(select(ProviderPerson))
    with committed.session() as session:
        row = session.get(ProviderPerson, (provider.id, person.id))
        row.account_id = make_account_id(session)
        row.state = ProviderPersonState.CONFIRMED
    assert "has an admin" in run("invite", str(provider.id), "eve@evil.example", status=1)


def make_account_id(session):
    from portal.models import Account  # noqa: PLC0415

    account = Account(email="ada@northwind.example", name="Ada")
    session.add(account)
    session.flush()
    return account.id


def test_providers_are_listed(run):
    create(run)
    output = run("list")
    assert "Northwind IT" in output
    assert "keys: no" in output


def test_an_unknown_id_is_said_to_be_unknown(run):
    unknown = "01a20331-f4db-7067-8f1e-8d57c46c0439"
    assert "no provider" in run("terms", unknown, status=1)
