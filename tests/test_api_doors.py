"""The door of the API: no key, a wrong key, another tenant, a closed one, too many requests."""

import uuid

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.api_keys import written
from portal.domain.plans import Plan
from portal.domain.states import ClientStatus
from portal.models import Collection, Group, Member, Organization, new_id, utc_now
from tests.faults.routes import routes_of
from tests.support.api import SECRET, ask, give_key, root
from tests.support.clients import make_client
from tests.support.console import owner_of
from tests.support.organizations import make_place


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def key(place):
    return give_key(place)


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
        assert answer.status_code == 405
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
