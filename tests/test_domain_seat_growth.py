"""When seats grow by themselves, how far, and who can help where they do not."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.access import Role
from portal.domain.seat_growth import (
    Asker,
    Enough,
    Grow,
    NeedsApproval,
    Refused,
    Standing,
    decide,
)
from portal.domain.seats import MOST, SeatTerms
from portal.domain.states import ClientStatus

ADMIN, SERVICE, MEMBER, SYSTEM = Asker
ACTIVE = ClientStatus.ACTIVE

terms = st.builds(
    SeatTerms,
    assigned=st.integers(1, 1000),
    autogrow=st.booleans(),
    limit=st.none() | st.integers(1, 2000),
)
left = st.none() | st.integers(0, 30)
standings = st.builds(
    Standing,
    terms=terms,
    used=st.integers(0, 1000),
    status=st.none() | st.sampled_from(ClientStatus),
    is_priced=st.booleans(),
    month_left=left,
    day_left=left,
)


@given(standings, st.integers(1, 40), st.sampled_from(Asker))
def test_seats_grow_just_so_far_that_people_fit_and_past_no_bound(here, wanted, asker):
    answer = decide(here, wanted, asker)
    needed = here.used + wanted
    assert isinstance(answer, Enough) == (needed <= here.terms.assigned)
    if not isinstance(answer, Grow):
        return
    assert here.terms.assigned + answer.by == needed
    assert needed <= here.terms.ceiling <= MOST
    assert here.terms.autogrow
    assert here.status is ACTIVE
    assert asker is not SERVICE
    assert here.is_priced
    assert here.month_left is None or answer.by <= here.month_left
    assert asker is ADMIN or here.day_left is None or answer.by <= here.day_left


@given(standings, st.integers(1, 40), st.sampled_from(Asker))
def test_whoever_is_refused_reads_who_can_help(here, wanted, asker):
    answer = decide(here, wanted, asker)
    if isinstance(answer, Refused | NeedsApproval):
        text = str(answer.why)
        if here.status is ACTIVE:
            assert ("provider admin" in text) != ("You can add seats" in text)
            assert ("You can add seats" in text) == (asker is ADMIN)
            assert f"left: {here.free}." in text
        else:
            assert not answer.can_ask
    if isinstance(answer, Refused) and answer.can_ask:
        assert asker is not ADMIN, "nobody asks themselves"


@given(standings, st.integers(1, 40), st.sampled_from(Asker))
def test_whoever_fits_among_more_fits_among_fewer(here, wanted, asker):
    if isinstance(decide(here, wanted, asker), Enough | Grow) and wanted > 1:
        assert isinstance(decide(here, wanted - 1, asker), Enough | Grow)


FULL = SeatTerms(5, autogrow=True)


@pytest.mark.parametrize(
    ("standing", "wanted", "answers"),
    [
        # One column an asker: admin, service user, member, system.
        (Standing(FULL, 4, ACTIVE), 1, "enough enough enough enough"),
        (Standing(FULL, 4, ACTIVE), 3, "grow2 refused grow2 grow2"),
        (Standing(SeatTerms(5, autogrow=False), 5, ACTIVE), 1, "refused " * 4),
        (Standing(SeatTerms(5, autogrow=False, limit=9), 5, ACTIVE), 1, "refused " * 4),
        (Standing(SeatTerms(5, autogrow=True, limit=6), 5, ACTIVE), 1, "grow1 refused grow1 grow1"),
        (Standing(SeatTerms(5, autogrow=True, limit=6), 5, ACTIVE), 2, "refused " * 4),
        (Standing(SeatTerms(5, autogrow=True, limit=5), 4, ACTIVE), 1, "enough " * 4),
        (Standing(SeatTerms(MOST, autogrow=True), MOST, ACTIVE), 1, "refused " * 4),
        (Standing(FULL, 5, None), 1, "refused " * 4),
        (Standing(FULL, 4, None), 1, "enough " * 4),
        (Standing(FULL, 5, ClientStatus.SUSPENDED), 1, "refused " * 4),
        (Standing(FULL, 5, ClientStatus.DELETING), 1, "refused " * 4),
        (Standing(FULL, 5, ACTIVE, is_priced=False), 1, "refused " * 4),
        (Standing(FULL, 5, ACTIVE, month_left=2), 2, "grow2 refused grow2 grow2"),
        (Standing(FULL, 5, ACTIVE, month_left=1), 2, "refused " * 4),
        (Standing(FULL, 5, ACTIVE, day_left=2), 2, "grow2 refused grow2 grow2"),
        (Standing(FULL, 5, ACTIVE, day_left=1), 2, "grow2 refused approval2 approval2"),
        (Standing(FULL, 5, ACTIVE, month_left=0, day_left=0), 1, "refused " * 4),
        (
            Standing(FULL, 5, ACTIVE, month_left=9, day_left=0),
            1,
            "grow1 refused approval1 approval1",
        ),
    ],
)
def test_the_table_of_answers(standing, wanted, answers):
    assert [told(decide(standing, wanted, asker)) for asker in Asker] == answers.split()


def told(answer):
    word = {Enough: "enough", Grow: "grow", Refused: "refused", NeedsApproval: "approval"}
    by = getattr(answer, "by", "")
    return f"{word[type(answer)]}{by}"


def test_every_role_asks_as_somebody():
    asks = {role: Asker.of(role) for role in (*Role, None)}
    assert asks.pop(Role.PROVIDER_ADMIN) is ADMIN
    assert asks.pop(Role.SERVICE_USER) is SERVICE
    assert asks.pop(None) is SYSTEM
    assert set(asks.values()) == {MEMBER}


def test_nothing_but_the_bounds_makes_a_difference_to_a_provider_admin():
    for month, day in product((None, 1, 9), (None, 0, 9)):
        answer = decide(Standing(FULL, 5, ACTIVE, month_left=month, day_left=day), 2, ADMIN)
        assert isinstance(answer, Refused) == (month == 1)
