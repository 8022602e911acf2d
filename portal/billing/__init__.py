"""What the provider is charged: price lists, subscriptions, ways to pay, VAT numbers."""

from pathlib import Path

from portal.domain.pricing import PriceList, PriceListError

DEFAULT_PRICES = Path(__file__).parent.parent / "prices" / "2026-11.toml"


def load_prices(path: Path | None = None) -> PriceList:
    """The price list in the file `path`, or the one that comes with the portal.

    Raises PriceListError, also where the file cannot be read.
    """
    file = path or DEFAULT_PRICES
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise PriceListError("", f"{file} is not UTF-8 text") from None
    except OSError as error:
        raise PriceListError("", f"{file} cannot be read: {error.strerror}") from None
    return PriceList.from_toml(text)
