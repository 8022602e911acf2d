"""Manage → People as a list: searched, narrowed by state and role, in pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, update

from portal.domain.access import PROVIDER_ROLES, Role
from portal.domain.people_lists import PeopleList
from portal.domain.states import ProviderPersonState
from portal.models import ProviderPerson, new_id, utc_now
from portal.providers import queries
from portal.providers.confirmation import waits_for_key
from tests.support.clients import persona
from tests.support.organizations import make_place
from tests.support.staff import JUN, hire, people_url


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


def fill(place, count, start=0):
    rows = [
        {
            "provider_id": place.provider.id,
            "id": new_id(),
            "email": f"person{number:05}@filled.example",
            "role": Role.SERVICE_USER,
            "state": ProviderPersonState.INVITED,
            "created_at": utc_now(),
            "invitation_version": 1,
        }
        for number in range(start, start + count)
    ]
    place.database.run(insert(ProviderPerson).values(rows))


def shown(page):
    return page.texts("#providers-people tbody th a")


@given(
    st.builds(
        PeopleList,
        words=st.text(st.sampled_from("aé%_ &=+#"), max_size=8).map(
            lambda text: " ".join(text.split())
        ),
        state=st.none() | st.sampled_from(ProviderPersonState),
        role=st.none() | st.sampled_from(PROVIDER_ROLES),
    )
)
def test_the_address_of_a_list_brings_it_back(wanted):
    assert PeopleList.read(wanted.query) == wanted


def test_people_are_found_by_name_address_state_and_role(place, admin):
    hire(place)
    hire(place, "kim@northwind.example", "Kim Élan")
    fill(place, 2)
    url = people_url(place)
    everybody = ["Ada Nordström", "Jun Ito", "Kim Élan"]
    assert shown(admin.get(url))[:3] == everybody
    assert shown(admin.get(f"{url}?q=ito")) == ["Jun Ito"]
    assert shown(admin.get(f"{url}?q=Élan")) == ["Kim Élan"]
    assert len(shown(admin.get(f"{url}?q=FILLED.example"))) == 2
    assert shown(admin.get(f"{url}?q=%25")) == []
    assert shown(admin.get(f"{url}?role=provider_admin")) == everybody[:1]
    assert len(shown(admin.get(f"{url}?state=invited"))) == 2
    assert shown(admin.get(f"{url}?state=confirmed&role=service_user")) == everybody[1:]
    page = admin.get(f"{url}?state=invited&role=provider_admin&q=x")
    assert "Nobody matches these words and filters." in page
    assert len(page.select(".chips a")) == 4
    assert shown(admin.get(page.link("Show everybody")))[:3] == everybody
    assert page.one("#people-state option[selected]")["value"] == "invited"


@pytest.mark.parametrize(
    "query", ["state=x&role=owner", "q=%00&cursor=x", "state=&role=", "role=user"]
)
def test_what_cannot_be_read_narrows_nothing(place, admin, query):
    hire(place)
    assert len(shown(admin.get(f"{people_url(place)}?{query}"))) == 2


def test_the_table_alone_is_redrawn(place, admin):
    hire(place)
    page = admin.get(f"{people_url(place)}?q=jun", hx="providers-people")
    assert shown(page) == ["Jun Ito"]


def test_everybody_stands_on_one_page_and_on_one_alone(place, admin):
    fill(place, 120)
    page = admin.get(f"{people_url(place)}?q=person")
    seen = shown(page)
    while page.select("a[rel=next]"):
        page = admin.get(page.link("Next"))
        seen += shown(page)
    assert seen == [f"person{number:05}@filled.example" for number in range(120)]
    back = admin.get(page.link("Previous"))
    assert shown(back) == seen[50:100]


def test_a_list_costs_the_same_for_few_and_for_many(place, admin, statements):
    def cost():
        statements.clear()
        admin.get(f"{people_url(place)}?q=example&state=invited")
        return len(statements)

    fill(place, 2)
    few = cost()
    fill(place, 300, start=2)
    assert cost() == few


def test_who_waits_is_counted_also_where_the_list_is_narrowed(place, admin):
    hire(place, holds=False)
    page = admin.get(f"{people_url(place)}?role=provider_admin")
    assert "1 person waits for the provider key." in page


@pytest.mark.parametrize("state", list(ProviderPersonState))
@pytest.mark.parametrize("holds", [True, False])
@pytest.mark.parametrize("reach", [("all", "manage"), ("all", "read_only"), ("only", "manage")])
def test_the_count_of_who_waits_is_the_rule(place, database, state, holds, reach):
    hire(place, holds=holds)
    database.run(
        update(ProviderPerson)
        .where(ProviderPerson.email == JUN)
        .values(state=state, reach=reach[0], level=reach[1])
    )
    with database.session() as session:
        people = queries.staff(session, place.provider.id)
        wanted = sum(map(waits_for_key, people))
        assert queries.count_waiting(session, place.provider.id) == wanted


def test_people_of_others_are_never_found(place, database):
    hire(place)
    mallory = persona(database)
    page = mallory.browser.get(f"/providers/{mallory.provider.id}/people?q=jun")
    assert shown(page) == []
