"""The API: what a key opens, and that it opens nothing else."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from portal.api.asked import Asked, BadRequest
from portal.domain.api_keys import PATTERN, hint, named, written
from portal.domain.collection_access import Level
from portal.domain.states import MemberState
from portal.members.access import reached_by
from portal.models import (
    ApiKey,
    Collection,
    CollectionGroup,
    CollectionMember,
    Group,
    GroupMember,
    Member,
    new_id,
    utc_now,
)
from tests.support.api import ask, give_key, root, walk
from tests.support.console import owner_of, people
from tests.support.organizations import make_place


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def key(place):
    return give_key(place)


# How a key is written


@given(st.uuids(), st.text("abcdefXYZ019-_", min_size=43, max_size=43))
def test_a_key_names_itself_and_is_found_by_its_pattern(key_id, secret):
    key = written(key_id, secret)
    assert named(key) == key_id
    assert PATTERN.search(f"token={key}\n")[0] == key
    assert key.startswith(hint(key_id).rstrip("…"))


@given(st.text())
def test_what_is_no_key_names_none(text):
    assert named(text) is None or PATTERN.fullmatch(text)


@given(st.dictionaries(st.sampled_from(["limit", "after", "from", "to", "order"]), st.text()))
def test_whatever_is_asked_is_read_or_refused_in_words(arguments):
    with suppress(BadRequest):
        assert 1 <= Asked.of(arguments, is_log=True).limit <= 100


# What it gives


def test_the_organization_is_what_the_key_opens(place, key):
    found = ask(place, key)
    assert (found["id"], found["name"], found["plan"]) == (
        str(place.organization.id),
        "Acme Ltd",
        place.organization.plan.value,
    )


def test_members_come_with_their_groups(place, key):
    (member,) = people(place, 1)
    group = new_id()
    here = {"organization_id": place.organization.id}
    place.database.add(Group(**here, id=group, name="Finance", name_ci="finance"))
    place.database.add(GroupMember(**here, group_id=group, member_id=member))
    rows = {row["id"]: row for row in ask(place, key, "/members")["data"]}
    assert set(rows) == {str(member), str(place.owner_row)}
    assert rows[str(member)]["groups"] == [str(group)]
    owner = rows[str(place.owner_row)]
    assert (owner["role"], owner["state"], owner["name"]) == ("owner", "invited", None)
    assert ask(place, key, f"/groups/{group}/members")["data"] == [
        {"member": str(member), "state": "revoked"}
    ]


def test_access_is_the_rule_of_the_pages(place, key):
    here = {"organization_id": place.organization.id}
    one, two = people(place, 2, state=MemberState.INVITED)
    first = place.database.one(select(Collection.id))
    second, group = new_id(), new_id()
    place.database.add(Collection(**here, id=second, external_id="C-2"))
    place.database.add(Group(**here, id=group, name="Finance", name_ci="finance"))
    place.database.add(
        GroupMember(**here, group_id=group, member_id=one),
        CollectionGroup(**here, collection_id=first, group_id=group, level=Level.VIEW),
        CollectionGroup(**here, collection_id=second, group_id=group, level=Level.EDIT),
        CollectionMember(**here, collection_id=first, member_id=one, level=Level.MANAGE),
    )
    told = ask(place, key, f"/members/{one}/access")
    assert told["state"] == "invited"
    assert {(row["collection"], row["level"], row["through"]) for row in told["data"]} == {
        (str(first), "manage", "assignment"),
        (str(second), "edit", "groups"),
    }
    with place.database.session() as session:
        pages = reached_by(session, place.organization.id, one)
    assert {(str(row.id), row.level.value) for row in pages} == {
        (row["collection"], row["level"]) for row in told["data"]
    }
    assert ask(place, key, f"/members/{two}/access")["data"] == []
    back = ask(place, key, f"/collections/{second}/access")["data"]
    assert {(row["member"], row["level"], row["through"]) for row in back} == {
        (str(one), "edit", "groups"),
        (str(place.owner_row), "manage", "role"),
    }
    rows = {row["id"]: row for row in ask(place, key, "/collections")["data"]}
    assert rows[str(second)] == {
        "id": str(second),
        "external_id": "C-2",
        "members": 0,
        "groups": [{"id": str(group), "level": "edit"}],
    }
    (told_group,) = ask(place, key, "/groups")["data"]
    assert told_group["members"] == 1
    assert len(told_group["collections"]) == 2


def test_no_name_of_a_collection_and_no_key_leaves(place, key):
    sealed = place.database.one(select(Collection.sealed_name))
    owner = owner_of(place)
    for path in ("", "/members", "/groups", "/collections", "/events"):
        text = json.dumps(ask(place, key, path))
        assert sealed not in text
        assert "wrapped" not in text
        assert owner.keys.protected_private_key not in text


def test_events_are_those_of_the_file(place, key):
    newest = ask(place, key, "/events")["data"]
    oldest = ask(place, key, "/events", order="oldest")["data"]
    assert [row["seq"] for row in oldest] == sorted(row["seq"] for row in newest)
    assert {row["stream"] for row in newest} == {str(place.organization.id)}
    assert oldest[0]["columns"]["type"] == "organization:member:invite"
    later = ask(place, key, "/events", order="oldest", after=oldest[-1]["columns"]["id"])
    assert later == {"data": [], "next": None}
    assert ask(place, key, "/events", to="2020-01-01")["data"] == []
    assert len(ask(place, key, "/events", **{"from": "2020-01-01"})["data"]) == len(newest)


@pytest.mark.parametrize("path", ["/members", "/groups", "/collections", "/events"])
def test_a_list_is_walked_whole_and_once(place, key, path):
    if path == "/members":
        people(place, 7)
    here = {"organization_id": place.organization.id}
    for number in range(7):
        place.database.add(Collection(**here))
        place.database.add(Group(**here, name=f"G{number}", name_ci=f"g{number}"))
    whole = ask(place, key, path)["data"]
    assert walk(place, key, path, limit=3) == whole
    assert walk(place, key, path, limit=1) == whole


# Its use


def test_its_last_use_is_kept_to_the_minute(place, key):
    ask(place, key, "/members")
    first = place.database.one(select(ApiKey.last_used_at))
    assert (utc_now() - first).total_seconds() < 60
    ask(place, key, "/members")
    assert place.database.one(select(ApiKey.last_used_at)) == first
    ask(place, key[:-1] + "t", "/members", status=401)
    assert place.database.one(select(ApiKey.last_used_at)) == first


@pytest.mark.parametrize("path", ["/members", "/groups", "/collections", "/events", "/access"])
def test_a_page_costs_the_same_among_ten_and_among_two_thousand(place, key, statements, path):
    if path == "/access":
        path = f"/collections/{place.database.one(select(Collection.id))}/access"
    people(place, 10)
    ask(place, key, path)
    statements.clear()
    ask(place, key, path, limit=5)
    few = len(statements)
    place.database.run(update(Member).values(email=Member.email + "x"))
    people(place, 2000, state=MemberState.INVITED)
    statements.clear()
    ask(place, key, path, limit=100)
    statements.most(few)
    assert few <= 12


def test_many_who_read_at_once_are_all_answered(committed):
    place = make_place(committed)
    key = give_key(place)
    gate = Barrier(4)

    def read(_number):
        client = committed.app.test_client()
        gate.wait()
        answer = client.get(f"{root(place)}/members", headers={"Authorization": f"Bearer {key}"})
        return answer.status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(read, range(4))) == [200] * 4
