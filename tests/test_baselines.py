"""Baselines: written in versions and given to clients old and new; who may, and what it costs."""

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from portal.baselines import service
from portal.crypto.envelope import seal
from portal.domain.access import Role
from portal.domain.bulk import RowState
from portal.domain.errors import RuleError
from portal.domain.plans import Plan
from portal.domain.provider_access import AccessMode
from portal.domain.states import MemberState
from portal.models import (
    Baseline,
    BaselineAssignment,
    BaselineVersion,
    ChangeSetRow,
    Collection,
    CollectionGroup,
    Group,
    Organization,
    OrganizationSettings,
    Policy,
    Provider,
    ProviderAccess,
)
from tests.support.baselines import SAID, apply, client_url, make, told, url
from tests.support.clients import NORTHWIND, make_client
from tests.support.new_client import new_client
from tests.support.organizations import employ
from tests.support.policies import enterprise, somebody, state


@pytest.fixture
def place(database):
    return enterprise(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


# At the provider.


def test_a_baseline_is_written_in_versions_that_never_change(place, admin):
    baseline = make(admin, place)
    first = place.database.one(select(BaselineVersion.content))
    page = admin.get(url(place, baseline, "edit"))
    words = SAID.replace("limits_item_deletion: true", "limits_item_deletion: false")
    fields = {"text": words, "note": "Softer", "name": "Gold plus"}
    admin.submit(page, "Save version", fields)
    rows = place.database.all(select(BaselineVersion).order_by(BaselineVersion.number))
    assert [(row.number, row.note, row.by_name) for row in rows] == [
        (1, "First", "Ada Nordström"),
        (2, "Softer", "Ada Nordström"),
    ]
    assert rows[0].content == first
    page = admin.get(url(place, baseline, "versions/2"))
    assert "What it changed of version 1" in page
    assert len(page.select("tbody tr")) == 1
    again = admin.get(url(place, baseline, "edit"))
    assert "Nothing has changed." in admin.follow(admin.submit(again, "Save version"))
    assert place.database.one(select(Baseline.newest)) == 2
    assert len(told(place, "provider:baseline:update")) == 1
    for number in (0, 3, 10**30):
        admin.get(url(place, baseline, "versions", number), status=404)


def test_of_two_who_save_at_once_one_is_told(place, admin):
    baseline = make(admin, place)
    slow = admin.get(url(place, baseline, "edit"))
    fast = admin.get(url(place, baseline, "edit"))
    admin.submit(fast, "Save version", {"text": "settings: {admins_reach_all: false}"})
    words = "settings: {admins_reach_all: true}"
    page = admin.submit(slow, "Save version", {"text": words}, status=409)
    assert "Somebody else has saved a version" in page
    assert page.text("textarea").strip() == words
    admin.submit(page, "Save version")
    assert place.database.one(select(Baseline.newest)) == 3


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, "Enter a name for the baseline."),
        ({"text": ""}, "paste its text"),
        ({"text": "# nothing"}, "A baseline says at least one thing."),
        (
            {"text": "policies:\n  two_step: {enabled: perhaps}"},
            "Line 2, policies/two_step/enabled",
        ),
        ({"note": "x" * 501}, "Shorten it by 1 character"),
        ({"note": "a\u202eb"}, "Remove the invisible control characters"),
        ({"text": 'groups: [{name: "\\0"}]'}, "Remove the invisible control characters"),
        ({"name": "gold"}, "Another baseline has this name already."),
    ],
)
def test_a_mistake_is_told_and_what_was_typed_stays(place, admin, fields, sentence):
    make(admin, place)
    page = admin.get(url(place, "new"))
    sent = {"name": "Silver", "text": SAID, "note": "", **fields}
    page = admin.submit(page, "Create baseline", sent, status=422)
    assert sentence in page
    assert page.one("input[name=name]")["value"] == sent["name"]
    assert page.one("textarea").get_text().strip() == sent["text"].strip()
    assert place.database.count(Baseline) == 1


def test_a_client_becomes_a_baseline(place, admin):
    page = admin.get(admin.get(client_url(place)).link("Make a baseline of it"))
    assert "limits_collection_creation: true" in page.text("textarea")
    admin.submit(page, "Create baseline", {"name": "As Acme"}, status=303)
    admin.get(f"{url(place, 'new')}?client=nonsense", status=404)


def test_deleting_leaves_clients_as_they_are(place, admin):
    baseline = make(admin, place)
    apply(admin, place)
    page = admin.get(url(place, baseline, "delete"))
    assert "1 client keeps what it is set to" in page
    admin.submit(page, "Delete baseline")
    assert place.database.count(Baseline) == place.database.count(BaselineAssignment) == 0
    assert place.database.one(select(OrganizationSettings.limits_item_deletion)) is True


def test_whoever_does_not_reach_all_clients_deletes_none(place, admin):
    make(admin, place)
    found = place.database.one(select(Baseline))
    actor = replace(place.actor, limited_to=found.id)
    with place.database.session() as session, pytest.raises(RuleError, match="do not reach"):
        service.remove(session, actor, found)
    assert place.database.count(Baseline) == 1


# Given to clients.


def test_it_is_given_to_clients_with_a_look_before_and_a_result_for_each(place, admin):
    other = make_client(place.database, place.provider, "Zeta Ltd")
    place.database.run(
        update(Organization).where(Organization.id == other.id).values(plan=Plan.TEAMS, plan_rank=1)
    )
    _person, member = somebody(place)
    baseline = make(admin, place)
    page = admin.get(url(place, baseline, "clients"))
    ids = [tag["value"] for tag in page.select("input[name=id]")]
    form = admin.submit(page, "Look at the ticked ones", {"id": ids, "scope": "ticked"})
    look = admin.follow(form)
    assert "1 member loses access" in look
    assert "Collections wait to be made" in look
    assert place.database.count(BaselineAssignment) == 0
    admin.submit(look, "Change 2 clients")
    assert place.database.all(select(ChangeSetRow.state)) == [RowState.DONE] * 2
    assert state(place, member) is MemberState.REVOKED
    assert place.database.count(BaselineAssignment) == 2
    policies = place.database.all(select(Policy.organization_id))
    assert policies == [place.organization.id], "the plan of the other has none"
    assert len(told(place, "organization:baseline:apply")) == 4
    again = admin.follow(
        admin.submit(
            admin.get(url(place, baseline, "clients")),
            "Look at all clients",
            {"scope": "all"},
        )
    )
    assert "There is nothing to do for these clients." in again


def test_nothing_is_done_to_a_client_that_has_changed_since_the_look(place, admin):
    make(admin, place)
    page = admin.get(client_url(place))
    look = admin.follow(admin.submit(page, "Show what it changes"))
    _person, member = somebody(place)
    page = admin.submit(look, "Change 1 client", status=409)
    assert "1 member loses access" in page
    assert place.database.count(BaselineAssignment) == 0
    assert state(place, member) is MemberState.CONFIRMED


def test_a_client_that_policies_do_not_fit_is_refused_and_the_others_go_on(place, admin):
    make(admin, place, "policies: {uri_match: {enabled: true}}")
    page = admin.get(client_url(place))
    look = admin.follow(admin.submit(page, "Show what it changes"))
    assert "Not done" in look
    assert "needs" in look


def test_a_new_client_begins_with_a_baseline(place, admin):
    baseline = make(admin, place)
    page = admin.get(f"/providers/{place.provider.id}/clients/new")
    assert page.texts("select[name=baseline] option") == ["None", "Gold"]
    order = new_client("New Ltd", plan="enterprise", baseline=str(baseline))
    token = page.one("input[name=token]")["value"]
    admin.submit(page, "Create client", {**order, "token": token}, status=303)
    made = place.database.one(select(Organization).where(Organization.id != place.organization.id))
    assert place.database.one(select(BaselineAssignment.organization_id)) == made.id
    assert place.database.one(select(Policy.organization_id)) == made.id
    assert place.database.one(select(Group.organization_id)) == made.id


def test_a_baseline_that_is_gone_creates_no_client(place, admin):
    baseline = make(admin, place)
    page = admin.get(f"/providers/{place.provider.id}/clients/new")
    admin.submit(admin.get(url(place, baseline, "delete")), "Delete baseline")
    order = new_client("New Ltd", baseline=str(baseline))
    page = admin.submit(page, "Create client", order, status=422)
    assert place.database.count(Organization) == 1


def test_collections_are_finished_in_the_browser(place, admin):
    make(admin, place)
    apply(admin, place)
    page = admin.get(client_url(place))
    assert "1 collection waits to be made." in page
    form = admin.get(page.link("Make the collections"))
    assert form.one("input[data-seal]")["value"] == "Servers"
    page = admin.submit(form, "Make the collections", {}, status=422)
    assert "Name at least one collection." in page
    sealed = seal("Servers", place.keys.key)
    admin.submit(form, "Make the collections", {"collection-0": sealed})
    made = place.database.one(select(Collection).where(Collection.external_id == "servers"))
    assert made.sealed_name == sealed
    assert place.database.one(select(CollectionGroup.collection_id)) == made.id
    assert "The client is as it should be." in admin.get(client_url(place))
    again = admin.submit(form, "Make the collections", {"collection-0": sealed}, status=409)
    assert "No collection of a baseline waits" in again


# Who may, and what it costs.


def test_service_users_read_and_change_nothing(place, admin):
    baseline = make(admin, place)
    apply(admin, place)
    tech = place.person("tess@northwind.example", "Tess", keys=True)
    employ(place.database, place.provider, tech, Role.SERVICE_USER)
    browser = place.browser_of(tech)
    assert "New baseline" not in browser.get(url(place))
    assert "Apply to clients" not in browser.get(url(place, baseline))
    assert "Apply a baseline" not in browser.get(client_url(place))
    browser.get(url(place, baseline, "edit"), status=403)
    clients = f"/providers/{place.provider.id}/clients/changes"
    sent = {"do": "baseline", "baseline_id": str(baseline), "id": str(place.organization.id)}
    browser.post(clients, {**sent, "scope": "ticked"}, status=403)


def test_baselines_and_clients_of_others_are_not_found(place, admin):
    other = place.database.add(Provider(name="Other IT", **NORTHWIND))
    client = make_client(place.database, other, "Theirs Ltd")
    theirs = place.database.add(
        Baseline(provider_id=other.id, name="Theirs", name_ci="theirs", newest=1)
    )
    place.database.add(
        BaselineVersion(
            provider_id=other.id,
            baseline_id=theirs.id,
            number=1,
            content={"settings": {"admins_reach_all": False}},
            by_name="Eve",
        )
    )
    for part in ("", "edit", "versions/1", "delete", "clients"):
        admin.get(url(place, theirs.id, part).rstrip("/"), status=404)
    admin.get(client_url(place, client), status=404)
    admin.get(f"{url(place, 'new')}?client={client.id}", status=404)
    order = new_client("New Ltd", baseline=str(theirs.id))
    admin.post(f"/providers/{place.provider.id}/clients/new", order, status=422)
    sent = {"do": "baseline", "baseline_id": str(theirs.id), "id": str(place.organization.id)}
    answer = admin.post(
        f"/providers/{place.provider.id}/clients/changes", {**sent, "scope": "ticked"}, status=303
    )
    assert "The baseline is not there any more." in admin.follow(answer)
    assert place.database.count(BaselineAssignment) == 0


def test_lists_cost_the_same_for_one_client_and_for_many(place, admin, statements):
    baseline = make(admin, place, "settings: {limits_item_deletion: true}")
    apply(admin, place)

    def cost(path):
        admin.get(path)
        statements.clear()
        admin.get(path)
        return len(statements)

    few = cost(url(place, baseline)), cost(url(place, baseline, "clients"))
    for number in range(12):
        client = make_client(place.database, place.provider, f"Client {number}")
        place.database.add(
            BaselineAssignment(
                organization_id=client.id,
                provider_id=place.provider.id,
                baseline_id=baseline,
                number=1,
                by_name="Ada",
            )
        )
    assert (cost(url(place, baseline)), cost(url(place, baseline, "clients"))) == few


def test_a_look_at_many_clients_costs_the_same_as_at_one(place, admin, statements):
    baseline = make(admin, place)

    def cost():
        page = admin.get(url(place, baseline, "clients"))
        statements.clear()
        admin.submit(page, "Look at all clients", {"scope": "all"})
        return len(statements)

    few = cost()
    for number in range(12):
        make_client(place.database, place.provider, f"Client {number}")
    assert cost() == few


def test_who_is_not_let_in_by_the_owners_neither_compares_nor_applies(place, admin):
    baseline = make(admin, place)
    apply(admin, place)
    look = admin.follow(
        admin.submit(
            admin.get(url(place, baseline, "clients")), "Look at all clients", {"scope": "all"}
        )
    )
    assert "There is nothing to do" in look
    place.database.add(ProviderAccess(organization_id=place.organization.id, mode=AccessMode.NEVER))
    page = admin.get(client_url(place))
    assert "let you in only when they agree" in page
    assert "limits_item_deletion" not in page
    assert "Closed to you" in admin.get(url(place, baseline))
    admin.get(f"{url(place, 'new')}?client={place.organization.id}", status=404)
    form = admin.get(url(place, baseline, "clients"))
    look = admin.follow(admin.submit(form, "Look at all clients", {"scope": "all"}))
    assert "Its owners let you in only when they agree to it." in look
    rows = select(ChangeSetRow.state).order_by(ChangeSetRow.change_set_id)
    assert place.database.all(rows)[-1] is RowState.REFUSED
