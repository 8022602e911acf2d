"""The API: what a key opens, and that it opens nothing else."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from portal.accounts.sessions import hash_token
from portal.api.asked import Asked, BadRequest
from portal.domain.access import Role
from portal.domain.api_keys import PATTERN, hint, named, written
from portal.domain.collection_access import Level
from portal.domain.plans import Plan
from portal.domain.states import ClientStatus, MemberState
from portal.members.access import reached_by
from portal.models import (
    ApiKey,
    Collection,
    CollectionGroup,
    CollectionMember,
    Group,
    GroupMember,
    Member,
    Organization,
    new_id,
    utc_now,
)
from tests.faults.routes import routes_of
from tests.support.clients import make_client
from tests.support.console import owner_of, people
from tests.support.organizations import make_place

SECRET = "s" * 43


@pytest.fixture
def place(database):
    return make_place(database)


def give_key(place, organization_id=None):
    """A key of an organization, as if an owner had made it."""
    key_id = uuid.uuid4()
    key = written(key_id, SECRET)
    place.database.add(
        ApiKey(
            organization_id=organization_id or place.organization.id,
            id=key_id,
            key_hash=hash_token(key),
            made_by="Olga Owner",
        )
    )
    return key


@pytest.fixture
def key(place):
    return give_key(place)


def root(place):
    return f"/api{place.url}"


def ask(place, key, path="", *, status=200, headers=None, **query):
    client = place.database.app.test_client()
    sent = ({"Authorization": f"Bearer {key}"} if key else {}) | (headers or {})
    answer = client.get(root(place) + path, headers=sent, query_string=query)
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    return answer.json


def walk(place, key, path, **query):
    """Every row of a list, page by page."""
    rows, after = [], {}
    while True:
        page = ask(place, key, path, **query, **after)
        rows += page["data"]
        if page["next"] is None:
            return rows
        after = {"after": page["next"]}


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


# What it refuses


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        f"Bearer {written(uuid.UUID(int=5), SECRET)}",
        "Basic dXNlcjpwYXNz",
        "Bearer \x80\xff",
    ],
)
def test_without_a_key_in_use_nothing_is_told(place, key, header):
    headers = {} if header is None else {"Authorization": header}
    answer = ask(place, "", "/members", status=401, headers=headers)
    assert answer["error"]["code"] == "unauthorized"
    assert answer["error"]["request_id"]


def test_a_wrong_secret_is_no_key(place, key):
    ask(place, key[:-1] + "t", "/members", status=401)
    ask(place, key[:-1], "/members", status=401)
    ask(place, key + "s", "/members", status=401)


def test_a_signed_in_owner_has_no_key(place):
    browser = place.browser_of(owner_of(place))
    assert browser.client.get(f"{root(place)}/members").status_code == 401


def test_nothing_is_written_by_it(place, key):
    client = place.database.app.test_client()
    sent = {"Authorization": f"Bearer {key}"}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = client.open(f"{root(place)}/members", method=method, headers=sent)
        assert answer.status_code in {400, 405}
        assert answer.mimetype == "application/json"


def test_each_address_of_another_organization_is_nobodys(place, key):
    """Exhaustively: every address of the API, with every mixture of own and foreign ids."""
    foreign = make_client(place.database, place.provider, "Foreign Ltd")
    theirs = {"organization_id": foreign.id}
    member, group, collection = new_id(), new_id(), new_id()
    place.database.add(
        Member(**theirs, id=member, email="x@foreign.example", role=Role.USER, state="invited"),
        Group(**theirs, id=group, name="Theirs", name_ci="theirs"),
        Collection(**theirs, id=collection),
    )
    own = {
        "member": place.owner_row,
        "group": new_id(),
        "collection": place.database.one(
            select(Collection.id).where(Collection.organization_id == place.organization.id)
        ),
    }
    here = {"organization_id": place.organization.id}
    place.database.add(Group(**here, id=own["group"], name="Own", name_ci="own"))
    other = {"member": member, "group": group, "collection": collection}
    app = place.database.app
    adapter = app.url_map.bind("localhost")
    sent = {"Authorization": f"Bearer {key}"}
    routes = [route for route in routes_of(app) if route.endpoint.startswith("api.")]
    assert len(routes) == 8
    asked = 0
    for route in routes:
        ids = [name for name in route.arguments if name != "organization"]
        for tenant in (place.organization.id, foreign.id, uuid.uuid4()):
            for found in (own, other, dict.fromkeys(own, uuid.uuid4())):
                values = {"organization": tenant, **{name: found[name] for name in ids}}
                path = adapter.build(route.endpoint, values)
                mine = tenant == place.organization.id and (found is own or not ids)
                answer = app.test_client().get(path, headers=sent)
                assert answer.status_code == (200 if mine else 404), path
                if not mine:
                    assert answer.json["error"]["code"] == "not_found"
                    assert "Foreign" not in answer.text
                asked += 1
    assert asked == 72


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"status": ClientStatus.SUSPENDED}, "suspended"),
        (
            {
                "status": ClientStatus.DELETING,
                "delete_at": utc_now(),
                "status_before_deletion": ClientStatus.ACTIVE,
            },
            "deleted",
        ),
    ],
)
def test_a_closed_organization_is_not_read(place, key, values, sentence):
    place.database.run(update(Organization).values(**values))
    answer = ask(place, key, "/members", status=403)
    assert answer["error"]["code"] == "forbidden"
    assert sentence in answer["error"]["message"]


def test_a_plan_without_the_api_refuses(place, key, monkeypatch):
    monkeypatch.setattr(Plan, "has", lambda *_: False)
    assert "plan" in ask(place, key, "/members", status=403)["error"]["message"]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": "²"}, "limit"),
        ({"after": "1"}, "after"),
        ({"page": "2"}, "page"),
        ({"from": "2026-01-01"}, "from"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_named(place, key, query, name):
    answer = ask(place, key, "/members", status=400, **query)
    assert answer["error"]["code"] == "bad_request"
    assert f"'{name}'" in answer["error"]["message"]


@pytest.mark.parametrize("query", [{"from": "soon"}, {"to": "9999-99-99"}, {"order": "any"}])
def test_a_bound_of_the_log_that_cannot_be_read_is_named(place, key, query):
    ask(place, key, "/events", status=400, **query)


def test_what_is_not_there_is_told_as_json(place, key):
    client = place.database.app.test_client()
    for path in ("/api", "/api/nothing", "/api/organizations/x/members", f"{root(place)}/items"):
        answer = client.get(path)
        assert answer.status_code == 404
        if path != "/api":
            assert answer.json["error"]["code"] == "not_found"


def test_too_many_requests_have_to_wait(committed):
    place = make_place(committed)
    key = give_key(place)
    client = committed.app.test_client()
    sent = {"Authorization": f"Bearer {key}"}
    answers = [client.get(root(place), headers=sent) for _ in range(301)]
    assert {answer.status_code for answer in answers[:300]} == {200}
    assert answers[300].status_code == 429
    assert answers[300].json["error"]["code"] == "too_many_requests"
    assert int(answers[300].headers["Retry-After"]) > 0
    other = give_key(place, make_client(committed, place.provider, "Other Ltd").id)
    assert ask_other(committed, other).status_code == 404, "another key is counted by itself"


def ask_other(database, key):
    path = f"/api/organizations/{uuid.uuid4()}"
    return database.app.test_client().get(path, headers={"Authorization": f"Bearer {key}"})


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
