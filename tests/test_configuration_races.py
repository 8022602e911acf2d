"""Two who apply one plan, or save one baseline, at the same moment: one of them does."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from portal.baselines import queries as baselines
from portal.baselines import service as writing
from portal.configuration import service
from portal.configuration.text import read
from portal.domain.configuration_files import Rules
from portal.domain.errors import RuleError
from portal.models import BaselineVersion, Event, Group
from tests.support.policies import enterprise

pytestmark = pytest.mark.committed
ROUNDS, AT_ONCE = 10, 4


def together(deed):
    """How many of those who start at once come through; the others are refused, not lost."""
    start = Barrier(AT_ONCE)

    def one(number):
        start.wait()
        try:
            deed(number)
        except RuleError:
            return 0
        return 1

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(one, range(AT_ONCE)))


def test_of_four_who_apply_one_plan_one_makes_the_group(committed):
    place = enterprise(committed)
    for number in range(ROUNDS):
        wanted = read(f"groups: [{{name: Group {number}}}]", Rules())
        with committed.session() as session:
            seen = service.look(session, place.actor, place.organization.id, wanted).digest

        def apply(_number, wanted=wanted, seen=seen):
            with committed.session() as session:
                service.apply_file(session, place.actor, place.organization.id, wanted, seen=seen)

        assert together(apply) == 1
    assert committed.count(Group) == ROUNDS
    applied = select(Event.id).where(Event.type == "organization:configuration:apply")
    assert len(committed.all(applied)) == 2 * ROUNDS


def test_of_four_who_save_one_baseline_one_writes_the_version(committed):
    place = enterprise(committed)
    with committed.session() as session:
        said = read("groups: [{name: First}]", Rules())
        baseline = writing.create(session, place.actor, name="Gold", configuration=said, note="")
    for number in range(1, ROUNDS + 1):

        def save(mine, seen=number):
            said = read(f"groups: [{{name: Group {seen} of {mine}}}]", Rules())
            with committed.session() as session:
                found = baselines.find(session, place.provider.id, baseline)
                writing.save(
                    session,
                    place.actor,
                    found,
                    name="Gold",
                    configuration=said,
                    note="",
                    seen=seen,
                )

        assert together(save) == 1
    assert committed.count(BaselineVersion) == ROUNDS + 1
