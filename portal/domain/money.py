"""Money: whole minor units of one currency, never a float."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

# ISO 4217: the active currencies whose minor unit is not a hundredth.
_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"), 0),
    **dict.fromkeys(("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
# Wide enough that the product of a sum, a percentage and a number of days is exact.
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
# No exponents: "1e999999" would be a number of a million digits.
_AMOUNT = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")


def digits_of(currency: str) -> int:
    """Decimal places of the currency's minor unit (ISO 4217): 2 for USD, 0 for JPY, 3 for KWD."""
    return _DIGITS.get(currency, 2)


def half_up(value: Decimal) -> int:
    """The nearest integer; a half goes away from zero."""
    return int(_EXACT.quantize(value, Decimal(1)))


@dataclass(frozen=True)
class Money:
    """`cents` minor units of `currency`, an ISO 4217 code in capitals."""

    cents: int
    currency: str

    def __post_init__(self) -> None:
        if not _CURRENCY.match(self.currency):
            raise ValueError(f"not a currency code: {self.currency!r}")

    @classmethod
    def parse(cls, text: str | int | Decimal, currency: str) -> "Money":
        """Money from a decimal amount such as "5.00".

        Raises ValueError for anything that is no number or finer than the minor unit.
        """
        if not _AMOUNT.match(str(text)):
            raise ValueError("not an amount")
        scaled = Decimal(text).scaleb(digits_of(currency), _EXACT)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"more than {digits_of(currency)} decimal places")
        return cls(int(scaled), currency)

    @classmethod
    def total(cls, amounts: Iterable["Money"], currency: str) -> "Money":
        """The sum of `amounts`; zero of `currency` for none."""
        return sum(amounts, start=cls(0, currency))

    @property
    def amount(self) -> Decimal:
        """The amount in units of the currency: 5.00 for 500 cents of USD."""
        return Decimal(self.cents).scaleb(-digits_of(self.currency))

    def __add__(self, other: "Money") -> "Money":
        return Money(self.cents + self._same(other).cents, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.cents - self._same(other).cents, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.cents, self.currency)

    def __mul__(self, factor: int) -> "Money":
        return Money(self.cents * factor, self.currency)

    def __bool__(self) -> bool:
        return self.cents != 0

    def __lt__(self, other: "Money") -> bool:
        return self.cents < self._same(other).cents

    def __le__(self, other: "Money") -> bool:
        return self.cents <= self._same(other).cents

    def __str__(self) -> str:
        """For logs and commands; pages write money in the reader's locale."""
        return f"{self.amount:f} {self.currency}"

    def percent(self, rate: Decimal) -> "Money":
        """`rate` percent of it, rounded half-up to the minor unit."""
        share = _EXACT.multiply(Decimal(self.cents), rate)
        return Money(half_up(_EXACT.divide(share, Decimal(100))), self.currency)

    def fraction(self, part: int, whole: int) -> "Money":
        """`part` / `whole` of it, rounded half-up to the minor unit."""
        share = _EXACT.divide(Decimal(self.cents * part), Decimal(whole))
        return Money(half_up(share), self.currency)

    def split(self, weights: Sequence[int]) -> list["Money"]:
        """Parts in proportion to `weights` that sum to the whole (largest remainder).

        Equal remainders are served in order. Raises ValueError unless the weights are not
        negative and at least one is positive.
        """
        whole = sum(weights)
        if whole <= 0 or min(weights) < 0:
            raise ValueError("weights must be positive")
        sign = -1 if self.cents < 0 else 1
        shares = [divmod(abs(self.cents) * weight, whole) for weight in weights]
        left = abs(self.cents) - sum(share for share, _ in shares)
        by_remainder = sorted(range(len(weights)), key=lambda at: -shares[at][1])
        served = set(by_remainder[:left])
        return [
            Money(sign * (share + (at in served)), self.currency)
            for at, (share, _) in enumerate(shares)
        ]

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")
        return other
