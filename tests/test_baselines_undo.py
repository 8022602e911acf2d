"""A baseline that was applied is taken back: what it can, what it cannot, and who says so."""

import datetime as dt

import pytest
from sqlalchemy import delete, select, update

from portal.domain.bulk import BulkState, RowState
from portal.domain.collection_access import Level
from portal.domain.policies import PolicyKind
from portal.domain.provider_access import AccessMode
from portal.domain.states import MemberState
from portal.models import (
    Baseline,
    BaselineAssignment,
    BaselineDeviation,
    ChangeSet,
    ChangeSetRow,
    CollectionGroup,
    Group,
    OrganizationSettings,
    Policy,
    ProviderAccess,
    utc_now,
)
from tests.support import collections
from tests.support.baselines import apply, client_url, make, told, url
from tests.support.clients import make_client
from tests.support.policies import enterprise, somebody, state, turn

WORDS = """
policies:
  master_password: {enabled: true}
  no_pin: {enabled: false}
settings: {limits_item_deletion: true}
groups:
  - {name: Technicians, collections: {servers: manage}}
  - {name: Reading Room, external_id: rr, collections: {servers: manage}}
"""


@pytest.fixture
def place(database):
    return enterprise(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


def as_it_is(place):
    """All that applying may touch, without versions and times of changes."""
    columns = (
        (Policy.kind, Policy.is_on),
        (OrganizationSettings.limits_item_deletion,),
        (Group.name, Group.external_id),
        (CollectionGroup.collection_id, CollectionGroup.level),
        (
            BaselineAssignment.baseline_id,
            BaselineAssignment.number,
            BaselineAssignment.applied_at,
        ),
        (BaselineDeviation.path, BaselineDeviation.value, BaselineDeviation.accepted_at),
    )
    with place.database.session() as session:
        return [sorted(map(tuple, session.execute(select(*each))), key=str) for each in columns]


def accept(place, baseline, path="settings/limits_item_deletion"):
    place.database.add(
        BaselineDeviation(
            provider_id=place.provider.id,
            organization_id=place.organization.id,
            path_hash="0" * 64,
            path=path,
            value={"value": True},
            reason="They asked for it",
            owner="Ada",
            ends_on=utc_now().date() + dt.timedelta(days=30),
            by_name="Ada",
        )
    )


def press(admin, place, baseline, button="Change 1 client"):
    page = admin.get(client_url(place))
    fields = {"baseline_id": str(baseline)}
    look = admin.follow(admin.submit(page, "Show what it changes", fields))
    return look, admin.follow(admin.submit(look, button))


def undo(admin, page):
    return admin.follow(admin.submit(page, "Undo"))


def row(place):
    found = select(ChangeSetRow).order_by(ChangeSetRow.change_set_id.desc())
    return place.database.all(found)[0]


def reasons(page):
    return [cell.get_text(strip=True) for cell in page.select("td[data-label=Reason]")]


def test_it_is_taken_back_whole(place, admin):
    room = collections.team(place, "reading room")
    servers = collections.make(place, "Servers", external_id="servers")
    collections.give(place, servers, group=room, level=Level.VIEW)
    collections.give(place, collections.make(place, "Other"), group=room, level=Level.EDIT)
    collections.rule(place, limits_item_deletion=False)
    turn(place, PolicyKind.NO_PIN)
    turn(place, PolicyKind.MASTER_PASSWORD, on=False)
    silver = make(admin, place, "settings: {limits_item_deletion: false}", name="Silver")
    apply(admin, place)
    accept(place, silver)
    before = as_it_is(place)
    look, done = press(admin, place, make(admin, place, WORDS))
    assert "You can undo it for 10 minutes afterwards, except where" in look
    assert "It can be undone until" in done
    changed = as_it_is(place)
    assert all(then != now for then, now in zip(before, changed, strict=True))
    assert "Undone: 1" in undo(admin, done)
    assert as_it_is(place) == before
    assert len(told(place, "organization:baseline:undo")) == 2
    assert len(told(place, "provider:change_set:undo")) == 1
    states = place.database.all(select(ChangeSet.state).order_by(ChangeSet.id))
    assert states == [BulkState.DONE, BulkState.UNDONE]


def test_a_client_without_a_baseline_has_none_again(place, admin):
    _look, done = press(admin, place, make(admin, place, WORDS))
    undo(admin, done)
    assert place.database.count(BaselineAssignment) == place.database.count(Group) == 0
    assert place.database.all(select(Policy.is_on)) == [False]
    assert "The client has no baseline." in admin.get(client_url(place))


@pytest.mark.parametrize("how", ["setting", "group", "member", "baseline", "deviation", "version"])
def test_a_client_that_somebody_has_changed_since_stays_as_it_is(place, admin, how):
    baseline = make(admin, place, WORDS)
    _look, done = press(admin, place, baseline)
    if how == "setting":
        place.database.run(update(OrganizationSettings).values(limits_item_deletion=False))
    elif how == "group":
        place.database.run(update(Group).where(Group.external_id == "").values(name="Others"))
    elif how == "member":
        team = place.database.one(select(Group.id).where(Group.external_id == ""))
        collections.put(place, team, somebody(place)[1])
    elif how == "baseline":
        place.database.run(delete(Baseline))
    elif how == "deviation":
        accept(place, baseline)
    else:
        later = utc_now() + dt.timedelta(seconds=1)
        place.database.run(update(BaselineAssignment).values(applied_at=later))
    before = as_it_is(place)
    page = undo(admin, done)
    assert reasons(page) == ["Somebody has changed it since."]
    assert as_it_is(place) == before
    assert told(place, "organization:baseline:undo") == []


def test_where_members_have_lost_access_nothing_is_undone(place, admin):
    other = make_client(place.database, place.provider, "Zeta Ltd")
    _person, member = somebody(place)
    baseline = make(admin, place, "policies: {two_step: {enabled: true}}")
    page = admin.get(url(place, baseline, "clients"))
    look = admin.follow(admin.submit(page, "Look at all clients", {"scope": "all"}))
    done = admin.follow(admin.submit(look, "Change 2 clients"))
    assert "1 client cannot be undone: members have lost access" in done
    page = undo(admin, done)
    states = place.database.all(select(ChangeSetRow.state).order_by(ChangeSetRow.name_ci))
    assert states == [RowState.KEPT, RowState.UNDONE]
    assert "Members have lost access by it." in page
    assert state(place, member) is MemberState.REVOKED
    assert place.database.one(select(BaselineAssignment.organization_id)) == place.organization.id
    assert other.id != place.organization.id


def test_deleted_groups_are_not_undone_and_no_button_says_so(place, admin):
    collections.team(place, "Old")
    baseline = make(admin, place, "others: remove\ngroups: [{name: New}]")
    look, done = press(admin, place, baseline)
    assert "Groups are deleted." in look
    assert "1 client cannot be undone" in done
    assert "Undo" not in done.texts("button")
    assert place.database.one(select(Group.name)) == "New"


def test_undoing_revokes_nobody(place, admin):
    turn(place, PolicyKind.TWO_STEP)
    _look, done = press(admin, place, make(admin, place, "policies: {two_step: {enabled: false}}"))
    _person, member = somebody(place)
    page = undo(admin, done)
    assert "Undoing it would take access away from members." in page
    assert state(place, member) is MemberState.CONFIRMED
    assert place.database.one(select(Policy.is_on)) is False


def test_the_baseline_before_it_may_be_gone(place, admin):
    silver = make(admin, place, "settings: {limits_item_deletion: true}", name="Silver")
    apply(admin, place)
    _look, done = press(admin, place, make(admin, place, WORDS))
    place.database.run(delete(Baseline).where(Baseline.id == silver))
    assert "Undone: 1" in undo(admin, done)
    assert place.database.count(BaselineAssignment) == 0
    assert place.database.one(select(OrganizationSettings.limits_item_deletion)) is True


def test_who_is_not_let_in_any_more_undoes_nothing(place, admin):
    _look, done = press(admin, place, make(admin, place, WORDS))
    before = as_it_is(place)
    place.database.add(ProviderAccess(organization_id=place.organization.id, mode=AccessMode.NEVER))
    page = undo(admin, done)
    assert reasons(page) == ["Its owners let you in only when they agree to it."]
    assert as_it_is(place) == before
    assert row(place).state is RowState.KEPT


def test_ten_minutes_later_it_is_too_late(place, admin):
    _look, done = press(admin, place, make(admin, place, WORDS))
    place.database.run(update(ChangeSet).values(done_at=utc_now() - dt.timedelta(minutes=11)))
    page = admin.submit(done, "Undo", status=409)
    assert "This cannot be undone any more." in page
    assert place.database.count(BaselineAssignment) == 1
