"""The price list: the operator's file of what a provider is charged."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from portal.domain.money import Money
from portal.domain.plans import Cadence, Plan

# Keeps the largest bill (100,000 seats for a year) well inside a 64-bit integer.
HIGHEST_CENTS = 10_000_000
HIGHEST_INCLUDED_GB = 10_000
VERSION_LIMIT = 32
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_CADENCES = tuple(cadence.value for cadence in Cadence)


class PriceListError(Exception):
    """A price list that cannot be used; `key` is the dotted place in the file."""

    def __init__(self, key: str, reason: str) -> None:
        self.key = key
        self.reason = reason
        super().__init__(f"{key}: {reason}" if key else reason)


@dataclass(frozen=True)
class PriceList:
    """What a seat and an additional GB cost for one month, by plan and billing cadence.

    `version` names the list in each subscription line; `currency` is that of every bill;
    `included_gb` is the storage each client has without paying for it.
    """

    version: str
    currency: str
    seats: Mapping[tuple[Plan, Cadence], Money]
    storage: Mapping[Cadence, Money]
    included_gb: int

    def seat(self, plan: Plan, cadence: Cadence) -> Money:
        """One seat for one month."""
        return self.seats[plan, cadence]

    def gigabyte(self, cadence: Cadence) -> Money:
        """One additional GB for one month."""
        return self.storage[cadence]

    @classmethod
    def from_toml(cls, text: str) -> "PriceList":
        """Read the text of a price list file; raises PriceListError."""
        try:
            data = tomllib.loads(text, parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            raise PriceListError("", f"not valid TOML: {error}") from None
        return cls.from_dict(data)

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> "PriceList":
        """Build the list from the parsed file; raises PriceListError."""
        _only(data, "", ("version", "currency", "plans", "storage"))
        currency = _currency(data)
        plans = _table(data, "plans")
        _only(plans, "plans.", tuple(plan.value for plan in Plan))
        seats: dict[tuple[Plan, Cadence], Money] = {}
        for plan in Plan:
            prices = _table(plans, plan.value, "plans.")
            _only(prices, f"plans.{plan}.", _CADENCES)
            for cadence in Cadence:
                seats[plan, cadence] = _price(prices, cadence, f"plans.{plan}.", currency)
        storage = _table(data, "storage")
        _only(storage, "storage.", ("included_gb", *_CADENCES))
        gigabytes = {cadence: _price(storage, cadence, "storage.", currency) for cadence in Cadence}
        return cls(
            version=_version(data),
            currency=currency,
            seats=MappingProxyType(seats),
            storage=MappingProxyType(gigabytes),
            included_gb=_included(storage),
        )


def _only(table: Mapping[str, object], place: str, known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise PriceListError(f"{place}{key}", f"unknown; known here: {', '.join(known)}")


def _value(table: Mapping[str, object], key: str, place: str = "") -> object:
    if key not in table:
        raise PriceListError(f"{place}{key}", "missing")
    return table[key]


def _table(table: Mapping[str, object], key: str, place: str = "") -> Mapping[str, object]:
    value = _value(table, key, place)
    if not isinstance(value, Mapping):
        raise PriceListError(f"{place}{key}", f"must be a table, [{place}{key}]")
    return value


def _text(table: Mapping[str, object], key: str) -> str:
    value = _value(table, key)
    if not isinstance(value, str):
        raise PriceListError(key, "must be a text in quotes")
    return value


def _version(data: Mapping[str, object]) -> str:
    version = _text(data, "version")
    if not _VERSION.match(version) or len(version) > VERSION_LIMIT:
        raise PriceListError(
            "version",
            f"must be 1 to {VERSION_LIMIT} letters, digits, dots, hyphens or underscores",
        )
    return version


def _currency(data: Mapping[str, object]) -> str:
    currency = _text(data, "currency")
    if not _CURRENCY.match(currency):
        raise PriceListError("currency", 'must be an ISO 4217 code in capitals, such as "USD"')
    return currency


def _price(table: Mapping[str, object], key: str, place: str, currency: str) -> Money:
    value = _value(table, key, place)
    where = f"{place}{key}"
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise PriceListError(where, 'must be an amount in quotes, such as "5.00"')
    try:
        money = Money.parse(value, currency)
    except ValueError as error:
        raise PriceListError(where, f"{error}: {value}") from None
    if not 0 <= money.cents <= HIGHEST_CENTS:
        highest = Money(HIGHEST_CENTS, currency)
        raise PriceListError(where, f"must be between 0 and {highest}")
    return money


def _included(storage: Mapping[str, object]) -> int:
    value = _value(storage, "included_gb", "storage.")
    if isinstance(value, bool) or not isinstance(value, int):
        raise PriceListError("storage.included_gb", "must be a whole number of GB")
    if not 0 <= value <= HIGHEST_INCLUDED_GB:
        raise PriceListError("storage.included_gb", f"must be 0 to {HIGHEST_INCLUDED_GB}")
    return value
