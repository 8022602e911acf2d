"""`flask provider`: what an operator does for a provider that has nobody to sign in yet."""

import uuid
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal import events
from portal.config import Settings
from portal.crypto.tokens import Link, LinkSigner
from portal.domain.access import Role
from portal.domain.emails import check_email
from portal.domain.errors import RuleError
from portal.domain.invitations import Purpose
from portal.domain.names import check_name
from portal.domain.states import ProviderPersonState
from portal.events import Stream
from portal.extensions import db
from portal.migrate import upgrade
from portal.models import Provider, ProviderPerson
from portal.outbox.mailing import absolute_url
from portal.providers import service
from portal.providers.service import Terms
from portal.web.languages import LANGUAGES, is_time_zone

provider = AppGroup("provider", help="Providers: make one, set its terms.")


class Percentage(click.ParamType[int]):
    """A percentage from 0 to 100 with at most two decimals, as basis points."""

    name = "percent"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """1250 for "12.5"."""
        if isinstance(value, int):
            return value
        try:
            points = Decimal(value) * 100
        except InvalidOperation:
            self.fail(f"{value} is not a number.", param, ctx)
        if points != points.to_integral_value() or not 0 <= points <= 10_000:
            self.fail("give a percentage from 0 to 100 with at most two decimals.", param, ctx)
        return int(points)


class TimeZone(click.ParamType[str]):
    """The name of an IANA time zone."""

    name = "zone"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """The name unchanged."""
        if not is_time_zone(value):
            self.fail(f"{value} is not a time zone such as Europe/Paris.", param, ctx)
        return str(value)


@provider.command("create")
@click.option("--name", required=True, help="What clients know the provider by.")
@click.option("--admin", required=True, metavar="EMAIL", help="Who is invited as its first admin.")
@click.option("--locale", default="en", show_default=True, type=click.Choice(list(LANGUAGES)))
@click.option("--time-zone", default="UTC", show_default=True, type=TimeZone())
@click.option("--discount", default="0", type=Percentage(), help="In percent of every price.")
@click.option("--tax-label", default="", help='What the tax is called, "VAT" for example.')
@click.option("--tax", default="0", type=Percentage(), help="In percent, added to every bill.")
@click.option(
    "--second-factor/--no-second-factor",
    default=True,
    help="Whether its people need one to reach the provider. They do unless you say otherwise.",
)
def create(name: str, admin: str, locale: str, time_zone: str, **terms: Any) -> None:
    """Make a provider and mail its first admin an invitation."""
    upgrade(db.engine)
    session = db.session()
    try:
        name = check_name(name)
        email = check_email(admin, field="admin")
        made = service.create_provider(
            session,
            name=name,
            terms=Terms(
                locale=locale,
                time_zone=time_zone,
                second_factor_required=terms["second_factor"],
                discount_basis_points=terms["discount"],
                tax_label=terms["tax_label"],
                tax_basis_points=terms["tax"],
            ),
        )
        person = _invite(session, made, email)
    except RuleError as error:
        raise click.ClickException(str(error)) from None
    session.commit()
    click.echo(f"Provider {name} is made; its id is {made.id}.")
    _say_invited(person)


@provider.command("invite")
@click.argument("provider_id", type=click.UUID)
@click.argument("email")
def invite(provider_id: uuid.UUID, email: str) -> None:
    """Invite EMAIL as the first admin, while nobody has come in yet (a mistyped address)."""
    session = db.session()
    found = _find(session, provider_id)
    if _has_people(session, provider_id):
        raise click.ClickException(f"{found.name} has an admin already.")
    try:
        person = _invite(session, found, check_email(email, field="admin"))
    except RuleError as error:
        raise click.ClickException(str(error)) from None
    except IntegrityError:
        raise click.ClickException(f"{email} is invited already.") from None
    session.commit()
    _say_invited(person)


@provider.command("list")
def list_providers() -> None:
    """Every provider with its id and terms."""
    for row in db.session.scalars(select(Provider).order_by(Provider.name, Provider.id)):
        click.echo(f"{row.id}  {row.name}")
        click.echo(f"    clients: {row.clients_count}, keys: {'yes' if row.public_key else 'no'}")
        click.echo(f"    {_terms_text(row)}")


@provider.command("terms")
@click.argument("provider_id", type=click.UUID)
@click.option("--discount", "discount_basis_points", type=Percentage())
@click.option("--tax-label")
@click.option("--tax", "tax_basis_points", type=Percentage())
@click.option("--net-days", type=click.IntRange(0, 120), help="Days to pay an invoice.")
@click.option("--time-zone", type=TimeZone())
@click.option("--second-factor/--no-second-factor", "second_factor_required", default=None)
def terms(provider_id: uuid.UUID, **given: Any) -> None:
    """Change what was agreed with a provider. Bought subscriptions keep their own terms."""
    session = db.session()
    found = _find(session, provider_id)
    changes = {name: value for name, value in given.items() if value is not None}
    before = {name: getattr(found, name) for name in changes}
    for name, value in changes.items():
        setattr(found, name, value)
    if before != changes:
        events.record(
            session,
            None,
            "provider:terms:update",
            streams=[Stream("provider", found.id)],
            subject_id=found.id,
            before=before,
            after=changes,
        )
    session.commit()
    click.echo(f"{found.name}: {_terms_text(found)}")


def _terms_text(row: Provider) -> str:
    tax = f"{row.tax_label or 'tax'} {row.tax_percent:f} %"
    factor = "required" if row.second_factor_required else "not required"
    return (
        f"discount {row.discount_percent:f} %, {tax}, {row.net_days} days to pay, "
        f"{row.time_zone}, second factor {factor}"
    )


def _find(session: Session, provider_id: uuid.UUID) -> Provider:
    found = session.get(Provider, provider_id)
    if found is None:
        raise click.ClickException("There is no provider with this id; see `provider list`.")
    return found


def _has_people(session: Session, provider_id: uuid.UUID) -> bool:
    anybody = select(ProviderPerson.id).where(
        ProviderPerson.provider_id == provider_id,
        ProviderPerson.state != ProviderPersonState.INVITED,
    )
    return session.execute(anybody.limit(1)).first() is not None


def _invite(session: Session, made: Provider, email: str) -> ProviderPerson:
    return service.invite_person(
        session,
        provider_id=made.id,
        email=email,
        role=Role.PROVIDER_ADMIN,
        locale=made.locale,
    )


def _say_invited(person: ProviderPerson) -> None:
    settings: Settings = current_app.extensions["settings"]
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    url_for = partial(absolute_url, app, settings)
    signer = LinkSigner(settings.secret_keys, Purpose.PROVIDER)
    link = Link(person.provider_id, person.id, person.invitation_version)
    until = person.invitation_expires_at
    click.echo(f"{person.email} is invited as its first admin, until {until:%Y-%m-%d %H:%M} UTC.")
    click.echo("The worker mails this link; you can also hand it over yourself:")
    click.echo(url_for("members.invitation", token=signer.sign(link)))
