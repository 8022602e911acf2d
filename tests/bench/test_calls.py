"""The calls gate: the one figure of `bin/bench` that may fail a build; no noise reaches it."""

import pytest

from tests.bench.calls import count_calls, count_statements
from tests.bench.data import Instance, make_instance

# What a page of 100 rows took when this number was last moved; 5 % more than this fails.
BASELINE = 12_150


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    return make_instance(tmp_path_factory.mktemp("bench"), 150)


def test_a_page_of_a_hundred_clients_stays_inside_its_calls(instance: Instance) -> None:
    assert count_calls(instance) <= min(20_000, BASELINE * 1.05)


def test_a_page_takes_four_statements_however_many_rows(instance: Instance) -> None:
    assert count_statements(instance, 100) == count_statements(instance, 10) <= 4
