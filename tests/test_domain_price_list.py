"""The operator's price list: read whole, or refused with the place of the mistake."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from portal.billing import DEFAULT_PRICES, load_prices
from portal.cli.prices import prices
from portal.domain.money import Money
from portal.domain.plans import Cadence, Plan
from portal.domain.pricing import PriceList, PriceListError

DEFAULT = DEFAULT_PRICES.read_text(encoding="utf-8")


def test_the_default_list_is_the_one_of_the_product():
    loaded = load_prices()
    assert (loaded.version, loaded.currency, loaded.included_gb) == ("2026-11", "USD", 1)
    cents = {(plan, cadence): money.cents for (plan, cadence), money in loaded.seats.items()}
    assert cents == {
        (Plan.TEAMS, Cadence.MONTHLY): 500,
        (Plan.TEAMS, Cadence.ANNUAL): 400,
        (Plan.ENTERPRISE, Cadence.MONTHLY): 700,
        (Plan.ENTERPRISE, Cadence.ANNUAL): 600,
    }
    assert {loaded.gigabyte(cadence).cents for cadence in Cadence} == {33}


@pytest.mark.parametrize(
    ("old", "new", "place", "reason"),
    [
        ('version = "2026-11"\n', "", "version", "missing"),
        ('version = "2026-11"', "version = 2026", "version", "text in quotes"),
        ('version = "2026-11"', 'version = "a b"', "version", "1 to 32 letters"),
        ('currency = "USD"', 'currency = "usd"', "currency", "ISO 4217"),
        ('annual = "4.00"\n', "", "plans.teams.annual", "missing"),
        ('annual = "4.00"', 'anual = "4.00"', "plans.teams.anual", "unknown"),
        ('"4.00"', '"4.005"', "plans.teams.annual", "more than 2 decimal places: 4.005"),
        ('"4.00"', '"four"', "plans.teams.annual", "not an amount: four"),
        ('"4.00"', "true", "plans.teams.annual", "amount in quotes"),
        ('"4.00"', '"-4.00"', "plans.teams.annual", "between 0 and"),
        ('"6.00"', '"100000.01"', "plans.enterprise.annual", "between 0 and 100000.00 USD"),
        ("[plans.teams]", "[plans.groups]", "plans.groups", "unknown"),
        ("[plans.enterprise]", "[plans.teams.more]", "plans.teams.more", "unknown"),
        ("[storage]", "[disk]", "disk", "unknown"),
        ("included_gb = 1", 'included_gb = "1"', "storage.included_gb", "whole number"),
        ("included_gb = 1", "included_gb = -1", "storage.included_gb", "0 to"),
        ("included_gb = 1", "included_gb = true", "storage.included_gb", "whole number"),
        ("[storage]", "[storage", "", "not valid TOML"),
    ],
)
def test_a_mistake_is_told_with_its_place(old, new, place, reason):
    assert old in DEFAULT
    with pytest.raises(PriceListError) as caught:
        PriceList.from_toml(DEFAULT.replace(old, new, 1))
    assert caught.value.key == place
    assert reason in str(caught.value)


def test_a_table_that_is_a_plain_value_is_told():
    with pytest.raises(PriceListError, match=r"plans: must be a table, \[plans\]"):
        PriceList.from_dict({"version": "1", "currency": "USD", "plans": 3, "storage": {}})


def test_amounts_may_stand_without_quotes_and_are_never_floats():
    bare = PriceList.from_toml(DEFAULT.replace('"0.33"', "0.29"))
    assert bare.gigabyte(Cadence.MONTHLY) == Money(29, "USD")


def test_a_currency_without_cents_counts_whole_units():
    yen = DEFAULT.replace('"USD"', '"JPY"').replace(".00", "00").replace('"0.33"', '"50"')
    assert PriceList.from_toml(yen).seat(Plan.TEAMS, Cadence.MONTHLY) == Money(500, "JPY")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_told_by_its_name(tmp_path, content):
    file = tmp_path / "own.toml"
    if content:
        file.write_bytes(content)
    with pytest.raises(PriceListError, match=r"own\.toml"):
        load_prices(file)


def run_check(file: Path):
    return CliRunner().invoke(prices, ["check", str(file)])


def test_the_check_shows_each_price_beside_the_one_in_use(tmp_path, monkeypatch):
    monkeypatch.delenv("PORTAL_PRICES", raising=False)
    file = tmp_path / "own.toml"
    file.write_text(DEFAULT.replace('"7.00"', '"7.50"').replace("2026-11", "2027-01"))
    result = run_check(file)
    assert result.exit_code == 0
    changed = [line.split() for line in result.output.splitlines() if "now" in line.split()]
    assert [line[-5:] for line in changed if "Enterprise," in line] == [
        ["7.50", "USD", "now", "7.00", "USD"]
    ]
    assert "Warning" not in result.output


def test_the_check_warns_where_a_version_is_used_twice(tmp_path, monkeypatch):
    monkeypatch.delenv("PORTAL_PRICES", raising=False)
    file = tmp_path / "own.toml"
    file.write_text(DEFAULT.replace('"7.00"', '"7.50"'))
    assert "Warning: the list in use is called 2026-11 too" in run_check(file).output
    assert "Warning" not in run_check(DEFAULT_PRICES).output


def test_the_check_fails_where_the_file_cannot_be_used(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text(DEFAULT.replace('annual = "4.00"\n', ""))
    result = run_check(file)
    assert result.exit_code == 1
    assert "plans.teams.annual: missing" in result.output
    assert "Traceback" not in result.output


def test_the_example_in_the_operators_page_can_be_used():
    page = Path(__file__).parent.parent / "docs" / "prices.md"
    example = page.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    assert PriceList.from_toml(example).currency == "EUR"
