"""A client's configuration as a file: exported, planned and applied, and never by halves."""

import io
from dataclasses import replace

import pytest
from sqlalchemy import func, insert, select, update

from portal.collections import settings as collection_settings
from portal.configuration import queries, service
from portal.configuration.text import parse
from portal.configuration.views import RULES
from portal.crypto.envelope import seal
from portal.domain.access import Role
from portal.domain.collection_access import Level
from portal.domain.configuration import diff_of
from portal.domain.configuration_files import read_tree
from portal.domain.errors import RuleError
from portal.domain.plans import Plan
from portal.domain.policies import PolicyKind
from portal.domain.states import MemberState
from portal.models import (
    Collection,
    CollectionGroup,
    Event,
    Group,
    Organization,
    OrganizationSettings,
    Policy,
    new_id,
    utc_now,
)
from tests.support.clients import make_client
from tests.support.policies import TWO_STEP, enterprise, somebody, state, turn

FILE = """
policies:
  two_step: {enabled: true}
  password_generator: {enabled: true, length: 20}
settings:
  limits_item_deletion: true
groups:
  - name: Sales
    external_id: s-1
    collections: {servers: manage, later: view}
"""


@pytest.fixture
def place(database):
    made = enterprise(database)
    collection(made, "servers")
    return made


@pytest.fixture
def admin(place):
    return place.admins_browser()


def url(place, *parts):
    return "/".join([place.url, "settings/configuration", *parts])


def collection(place, external_id):
    name = seal("A name", place.keys.key)
    found = Collection(
        organization_id=place.organization.id,
        id=new_id(),
        sealed_name=name,
        external_id=external_id,
    )
    place.database.add(found)
    return found.id


def group(place, name, **columns):
    found = Group(
        organization_id=place.organization.id,
        id=new_id(),
        name=name,
        name_ci=name.lower(),
        **columns,
    )
    place.database.add(found)
    return found.id


def give(place, group_id, collection_id, level):
    place.database.add(
        CollectionGroup(
            organization_id=place.organization.id,
            group_id=group_id,
            collection_id=collection_id,
            level=level,
        )
    )


def plan(admin, place, words, status=200):
    page = admin.get(url(place))
    return admin.submit(page, "Show what it changes", {"text": words}, status=status)


def read(words):
    return read_tree(parse(words).tree, RULES)


def events(place, kind="organization:%"):
    return place.database.all(select(Event.type).where(Event.type.like(kind)))


def everything(place):
    found = select(func.count()).select_from
    return [place.database.one(found(model)) for model in (Policy, Group, CollectionGroup, Event)]


def test_a_file_is_planned_and_then_applied_with_each_event(place, admin):
    page = plan(admin, place, FILE)
    assert [text.split(" ")[0] for text in page.texts("main tbody th")][:2] == ["Group", "Group"]
    assert "What has to wait" in page, "the collection “later” is not there"
    before = everything(place)
    assert before == [0, 0, 0, before[3]]
    page = admin.follow(admin.submit(page, "Apply the changes"))
    assert "changes are made." in page
    stored = place.database.all(select(Policy).order_by(Policy.kind))
    assert [(each.kind.value, each.is_on) for each in stored] == [
        ("password_generator", True),
        ("two_step", True),
    ]
    assert stored[0].data["length"] == 20
    assert place.database.one(select(OrganizationSettings.limits_item_deletion)) is True
    assert place.database.one(select(Group.name)) == "Sales"
    assert place.database.one(select(CollectionGroup.level)) is Level.MANAGE
    told = set(events(place))
    assert told >= {
        "organization:policy:update",
        "organization:item_deletion:limit",
        "organization:group:create",
        "organization:group:update",
        "organization:configuration:apply",
    }
    payload = place.database.all(
        select(Event.payload).where(Event.type == "organization:configuration:apply")
    )
    assert len(payload) == 2, "in the client's log and in the provider's"
    again = plan(admin, place, FILE)
    assert "There is nothing to change." in again


def test_what_is_exported_changes_nothing(place, admin):
    """With everything that could look different: order, same names, access without a name."""
    place.database.add(
        OrganizationSettings(organization_id=place.organization.id, admins_reach_all=False)
    )
    place.database.run(
        insert(Policy).values(
            organization_id=place.organization.id,
            kind=PolicyKind.PASSWORD_GENERATOR,
            is_on=True,
            data={"words": 4},
            version=1,
            changed_at=utc_now(),
        )
    )
    turn(place, TWO_STEP, on=False)
    servers = place.database.one(select(Collection.id).where(Collection.external_id == "servers"))
    unnamed = place.database.one(select(Collection.id).where(Collection.external_id == ""))
    twins = [group(place, "Twins"), group(place, "Twins"), group(place, "Zed", external_id="z/~1")]
    give(place, twins[1], servers, Level.VIEW)
    give(place, twins[0], unnamed, Level.EDIT)
    admin.get(url(place))
    before = everything(place)
    exported = admin.client.get(url(place, "file"))
    assert exported.headers["Content-Disposition"].startswith("attachment")
    words = exported.get_data(as_text=True)
    assert "Twins" in words
    assert "servers: view" in words
    for text in (words, words.replace("others: keep", "others: remove")):
        page = plan(admin, place, text)
        assert "There is nothing to change." in page
        admin.post(url(place), {"text": text, "digest": "x"}, status=409)
    assert everything(place) == before
    with place.database.session() as session:
        found = queries.present(session, place.organization.id)
        assert diff_of(found.configuration, found.configuration) == ()


def test_groups_that_are_not_said_go_only_when_the_file_says_so(place, admin):
    servers = place.database.one(select(Collection.id).where(Collection.external_id == "servers"))
    unnamed = place.database.one(select(Collection.id).where(Collection.external_id == ""))
    kept = group(place, "Kept")
    group(place, "Gone")
    give(place, kept, servers, Level.VIEW)
    give(place, kept, unnamed, Level.VIEW)
    assert "There is nothing to change." in plan(admin, place, "groups: [{name: Kept}]")
    page = plan(admin, place, "others: remove\ngroups:\n  - name: Kept\n")
    assert "Removed" in page
    admin.submit(page, "Apply the changes")
    assert place.database.all(select(Group.id)) == [kept]
    rows = place.database.all(select(CollectionGroup.collection_id))
    assert rows == [unnamed], "what a file cannot name stays as it is"


def test_a_group_is_renamed_by_its_external_id_and_an_access_taken_away(place, admin):
    servers = place.database.one(select(Collection.id).where(Collection.external_id == "servers"))
    found = group(place, "Old name", external_id="g-1")
    give(place, found, servers, Level.VIEW)
    words = "groups: [{name: New name, external_id: g-1, collections: {servers: none}}]"
    admin.submit(plan(admin, place, words), "Apply the changes")
    assert place.database.one(select(Group.name)) == "New name"
    assert place.database.all(select(CollectionGroup.level)) == []


def test_whom_policies_revoke_is_named_before_and_done_after(place, admin):
    _person, member = somebody(place)
    page = plan(admin, place, "policies: {two_step: {enabled: true}}")
    assert "1 member loses access" in page
    assert "uma@client.example" in page
    admin.submit(page, "Apply and revoke")
    assert state(place, member) is MemberState.REVOKED


def test_nothing_is_applied_once_other_people_would_be_revoked(place, admin):
    page = plan(admin, place, FILE)
    _person, member = somebody(place)
    before = everything(place)
    page = admin.submit(page, "Apply the changes", status=409)
    assert "The client has changed since you looked." in page
    assert "1 member loses access" in page
    assert everything(place) == before
    assert state(place, member) is MemberState.CONFIRMED
    admin.submit(page, "Apply and revoke")
    assert state(place, member) is MemberState.REVOKED


def test_of_two_who_apply_the_same_plan_one_is_sent_back(place, admin):
    page = plan(admin, place, FILE)
    admin.submit(page, "Apply the changes")
    made = everything(place)
    again = admin.submit(page, "Apply the changes", status=409)
    assert "There is nothing to change." in again
    assert everything(place) == made


def test_a_failure_in_the_middle_leaves_nothing_behind(place, admin, monkeypatch):
    page = plan(admin, place, FILE)
    before = everything(place)

    def broken(*_args, **_known):
        raise collection_settings.Changed

    monkeypatch.setattr(collection_settings, "save", broken)
    page = admin.submit(page, "Apply the changes", status=422)
    assert "Somebody else has changed these settings" in page
    assert everything(place) == before
    assert "two_step" in page.text("textarea"), "what was to be applied is not lost"


def test_policies_that_do_not_go_together_are_refused_by_name(place, admin):
    page = plan(admin, place, "policies: {uri_match: {enabled: true}}", status=422)
    assert "Single organization" in page
    words = "policies: {uri_match: {enabled: true}, single_organization: {enabled: true}}"
    admin.submit(plan(admin, place, words), "Apply the changes")
    words = "policies: {uri_match: {enabled: false}, single_organization: {enabled: false}}"
    admin.submit(plan(admin, place, words), "Apply the changes")
    assert place.database.all(select(Policy.is_on)) == [False, False]


def test_nobody_revokes_themselves(place):
    person, _member = somebody(place)
    actor = replace(place.actor, account_id=person.account_id)
    with place.database.session() as session, pytest.raises(RuleError, match="revoke yourself"):
        service.look(session, actor, place.organization.id, read(FILE))


def test_a_plan_without_policies_leaves_them_out(place, admin):
    place.database.run(update(Organization).values(plan=Plan.TEAMS, plan_rank=1))
    page = plan(admin, place, FILE)
    assert "Policies are part of Enterprise." in page
    admin.submit(page, "Apply the changes")
    assert place.database.all(select(Policy.kind)) == []
    assert "two_step" not in admin.client.get(url(place, "file")).get_data(as_text=True)


def test_a_chosen_file_is_read_and_mistakes_are_told_with_their_lines(place, admin):
    def sent(content):
        page = admin.get(url(place))
        fields = {
            "csrf_token": page.one("main form input[name=csrf_token]")["value"],
            "text": "",
            "file": (io.BytesIO(content), "client.yaml"),
        }
        return admin.client.post(
            url(place, "plan"), data=fields, content_type="multipart/form-data"
        )

    good = sent(FILE.encode())
    assert good.status_code == 200
    bad = sent(b"policies:\n  two_step: {enabled: maybe}\ngroups:\n  - nam: x\n")
    text = bad.get_data(as_text=True)
    assert bad.status_code == 422
    assert "Line 2, policies/two_step/enabled" in text
    assert "Line 4, groups/1/nam" in text
    assert sent(b"\xff\xfe").status_code == 422
    assert sent(b"a: &x [*x]").status_code == 422
    assert sent(b"").status_code == 422


def test_it_is_for_whoever_may_change_the_settings_of_this_client_alone(place, admin):
    other = make_client(place.database, place.provider, "Other Ltd")
    plan(admin, place, FILE)
    member, _row = somebody(place, "adam@client.example", Role.ADMIN, factor=True)
    browser = place.browser_of(member)
    browser.get(url(place), status=403)
    browser.get(url(place, "file"), status=403)
    browser.post(url(place), {"text": FILE}, status=403)
    browser.get(f"/organizations/{other.id}/settings/configuration", status=404)


def test_the_cost_does_not_grow_with_the_client(place, admin, statements):
    def cost():
        statements.clear()
        plan(admin, place, FILE)
        return len(statements)

    cost()
    few = cost()
    for number in range(30):
        somebody_new = group(place, f"Group {number}")
        give(place, somebody_new, collection(place, f"c-{number}"), Level.VIEW)
    assert cost() == few


def test_the_look_is_the_deed(place):
    """What the service says it would do is what it does: the rest differs in nothing."""
    wanted = read(FILE)
    with place.database.session() as session:
        look = service.look(session, place.actor, place.organization.id, wanted)
        service.apply(session, place.actor, place.organization.id, wanted, seen=look.digest)
    with place.database.session() as session:
        after = service.look(session, place.actor, place.organization.id, wanted)
        assert after.changes == ()
        assert after.waiting == look.waiting
        assert after.missing == ()
