"""What a client costs this provider: one place asks the pricing function, for the summary and
for the bill.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from portal.billing import load_prices
from portal.domain import new_client, pricing
from portal.domain.new_client import ClientOrder
from portal.domain.pricing import PriceList, Quote, TaxLine, Terms


@cache
def price_list(path: Path | None) -> PriceList:
    """The price list of the settings, read once a process."""
    return load_prices(path)


@dataclass(frozen=True)
class Offer:
    """The price list, what was agreed with the provider, and which day it is where it works."""

    price_list: PriceList
    terms: Terms
    today: dt.date

    @classmethod
    def to(cls, provider: Any, prices: PriceList, now: dt.datetime) -> "Offer":
        """For a row with a provider's `discount_basis_points`, `tax_…` and `time_zone`."""
        tax = None
        if provider.tax_basis_points:
            tax = TaxLine(provider.tax_label, Decimal(provider.tax_basis_points) / 100)
        terms = Terms(Decimal(provider.discount_basis_points) / 100, tax)
        return cls(prices, terms, now.astimezone(ZoneInfo(provider.time_zone)).date())

    def quote(self, order: ClientOrder) -> tuple[Quote, frozenset[str]]:
        """The price of an order, and the fields that counted as something else than was typed."""
        selection, wrong = new_client.selection(order)
        return pricing.quote(selection, self.price_list, self.terms, self.today), wrong
