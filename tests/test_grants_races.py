"""Several who ask, answer and switch at the same moment: one counts."""

import threading
from dataclasses import replace

import pytest

from portal.domain.access import Role
from portal.domain.errors import RuleError
from portal.domain.provider_access import AccessMode, GrantState, Over
from portal.grants import service, switching
from tests.support.grants import make_house


@pytest.fixture
def busy(committed):
    made = make_house(committed)
    made.set_mode(AccessMode.ASK)
    return made


def at_once(house, *calls):
    """Each in a thread and transaction of its own, begun together; what each raised, or None."""
    start, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number, call):
        start.wait()
        try:
            with house.database.session() as session:
                call(session)
        except RuleError as error:
            answers[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


def tech_actor(house):
    return replace(
        house.actor,
        account_id=house.tech.account_id,
        name=house.tech.name,
        role=Role.SERVICE_USER,
        provider_id=house.place.provider.id,
        via_provider=True,
    )


@pytest.mark.committed
def test_of_two_answers_and_a_withdrawal_one_counts(busy):
    grant = busy.grant(GrantState.REQUESTED)
    here = (busy.id, grant)
    answers = at_once(
        busy,
        lambda session: service.approve(session, busy.actor, *here, 15),
        lambda session: service.approve(session, busy.actor, *here, 60),
        lambda session: service.decline(session, busy.actor, *here),
        lambda session: service.withdraw(session, tech_actor(busy), *here),
    )
    assert sum(answer is None for answer in answers) == 1
    assert all(isinstance(answer, Over) for answer in answers if answer)
    told = [len(busy.events(kind)) for kind in ("approve", "decline", "withdraw")]
    assert sorted(told) == [0, 0, 2]


@pytest.mark.committed
def test_who_asks_five_times_at_once_asks_once(busy):
    asking = {"reason": "Ticket", "minutes": 15}
    answers = at_once(
        busy,
        *[
            lambda session: service.ask(session, tech_actor(busy), busy.id, **asking)
            for _ in range(5)
        ],
    )
    assert sum(answer is None for answer in answers) == 1
    assert len(busy.rows()) == 1
    assert len(busy.mails("access_asked")) == 1


@pytest.mark.committed
def test_nobody_is_let_in_while_the_door_is_shut_for_good(busy):
    grant = busy.grant(GrantState.REQUESTED)
    answers = at_once(
        busy,
        lambda session: service.approve(session, busy.actor, busy.id, grant, 15),
        lambda session: switching.switch(
            session,
            busy.actor,
            busy.id,
            AccessMode.NEVER,
            seen="ask",
            handed=switching.Handed(),
        ),
    )
    assert answers[1] is None
    assert busy.mode() is AccessMode.NEVER
    assert busy.row(grant).state in {GrantState.LAPSED, GrantState.ENDED}
