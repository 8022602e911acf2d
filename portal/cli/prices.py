"""`flask prices`: look at a price list before it is put into use."""

import os
from collections.abc import Iterator
from pathlib import Path

import click
from flask.cli import AppGroup

from portal.billing import load_prices
from portal.domain.money import Money
from portal.domain.plans import Cadence, Plan
from portal.domain.pricing import PriceList, PriceListError

prices = AppGroup("prices", help="Price lists: what the provider is charged.")


@prices.command("check", with_appcontext=False)
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Say what FILE would charge and how it differs from the list in use.

    The exit status is 1 where the file cannot be used, 0 otherwise.
    """
    new = _read(file)
    used = _in_use()
    click.echo(f"{file}: price list {new.version} in {new.currency} can be used.")
    if used:
        click.echo(f"In use now: {used.version} in {used.currency}.")
    click.echo()
    before = dict(_prices(used)) if used else {}
    for label, price in _prices(new):
        old = before.get(label, price)
        note = "" if old == price else f"   now {old}"
        click.echo(f"{label:<50}{price!s:>14}{note}")
    click.echo(f"{'Included storage for each client':<50}{new.included_gb:>11} GB")
    if used and _same_version_other_prices(new, used):
        click.echo(
            f"\nWarning: the list in use is called {used.version} too and charges otherwise. "
            "Give this one a version of its own; bills name the version they follow.",
            err=True,
        )


def _read(file: Path) -> PriceList:
    try:
        return load_prices(file)
    except PriceListError as error:
        raise click.ClickException(str(error)) from None


def _in_use() -> PriceList | None:
    """The list that PORTAL_PRICES names, or the default; None where it cannot be read."""
    named = os.environ.get("PORTAL_PRICES")
    try:
        return load_prices(Path(named) if named else None)
    except PriceListError:
        return None


def _prices(price_list: PriceList) -> Iterator[tuple[str, Money]]:
    for plan in Plan:
        for cadence in Cadence:
            label = f"{plan.label}, per seat and month, billed {cadence}"
            yield label, price_list.seat(plan, cadence)
    for cadence in Cadence:
        yield f"Additional GB per month, billed {cadence}", price_list.gigabyte(cadence)


def _same_version_other_prices(new: PriceList, used: PriceList) -> bool:
    return new.version == used.version and new != used
