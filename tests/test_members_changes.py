"""Members are revoked, restored, removed and given other roles; seats and owners keep count."""

import threading

import pytest
from sqlalchemy import select, update

from portal.domain.access import Actor, Role
from portal.domain.custom_roles import Custom
from portal.domain.errors import RuleError
from portal.domain.membership import Manager, MemberAction
from portal.domain.plans import Plan
from portal.domain.states import MemberState
from portal.members import changes
from portal.models import Affiliation, Event, Member, Organization, Outbox
from tests.support.clients import make_client
from tests.support.organizations import OWNER, join, make_place

OTHER = "other@client.example"


@pytest.fixture
def place(database):
    return settled(database)


def settled(database):
    """A client with a confirmed owner of its own, on Enterprise."""
    made = make_place(database)
    olga = made.person(OWNER, "Olga Petrova")
    made.others["owner"] = olga
    with database.session() as session:
        session.execute(
            update(Member)
            .where(Member.id == made.owner_row)
            .values(account_id=olga.account_id, state=MemberState.REVOKED)
        )
        session.execute(
            update(Organization)
            .where(Organization.id == made.organization.id)
            .values(seats=10, seats_used=0, plan=Plan.ENTERPRISE, plan_rank=2)
        )
    with database.session() as session:
        session.delete(session.get_one(Member, (made.organization.id, made.owner_row)))
    made.others["owner_row"] = add(made, olga, Role.OWNER)
    return made


def add(place, person, role=Role.USER, state=MemberState.CONFIRMED):
    row = join(place, person, role, state)
    with place.database.session() as session:
        session.execute(
            update(Organization)
            .where(Organization.id == place.organization.id)
            .values(seats_used=Organization.seats_used + 1, owner_confirmed=True)
        )
    return row


def owner(place):
    olga = place.others["owner"]
    return Actor(
        olga.account_id,
        None,
        "Olga Petrova",
        OWNER,
        Role.OWNER,
        frozenset(),
        organization_id=place.organization.id,
    )


def do(place, action, member_id, actor=None, by=None):
    with place.database.session() as session:
        return changes.act(
            session,
            actor or owner(place),
            action,
            organization_id=place.organization.id,
            member_id=member_id,
            by=by or Manager(Role.OWNER),
        )


def row(place, member_id):
    with place.database.session() as session:
        return session.execute(
            select(Member.state, Member.role, Member.permissions, Member.revoked_because).where(
                Member.organization_id == place.organization.id, Member.id == member_id
            )
        ).one_or_none()


def organization(place):
    with place.database.session() as session:
        found = session.get_one(Organization, place.organization.id)
        session.expunge(found)
        return found


def kinds(place):
    with place.database.session() as session:
        return list(session.scalars(select(Event.type).order_by(Event.id)))


def test_a_revoked_member_gives_the_seat_back_and_returns_as_confirmed(place):
    uma = place.person(OTHER, "Uma")
    member = add(place, uma)
    do(place, MemberAction.REVOKE, member)
    assert row(place, member)[0] is MemberState.REVOKED
    assert row(place, member).revoked_because == "manual"
    assert organization(place).seats_used == 1
    with place.database.session() as session:
        state = session.scalar(
            select(Affiliation.state).where(Affiliation.account_id == uma.account_id)
        )
    assert state == "revoked"
    do(place, MemberAction.RESTORE, member)
    assert row(place, member)[0] is MemberState.CONFIRMED
    assert organization(place).seats_used == 2
    assert kinds(place)[-2:] == ["organization:member:revoke", "organization:member:restore"]


def test_restoring_needs_a_seat(place):
    member = add(place, place.person(OTHER, "Uma"))
    do(place, MemberAction.REVOKE, member)
    with place.database.session() as session:
        session.execute(update(Organization).values(seats=1))
    with pytest.raises(RuleError, match="No seats are left"):
        do(place, MemberAction.RESTORE, member)
    assert row(place, member)[0] is MemberState.REVOKED


def test_who_had_not_accepted_is_invited_again_when_restored(place):
    with place.database.session() as session:
        member = Member(
            organization_id=place.organization.id,
            email="late@client.example",
            role=Role.USER,
            state=MemberState.REVOKED,
        )
        session.add(member)
        session.flush()
        member_id = member.id
    do(place, MemberAction.RESTORE, member_id)
    assert row(place, member_id)[0] is MemberState.INVITED
    with place.database.session() as session:
        mails = session.scalars(select(Outbox.topic).where(Outbox.subject_id == member_id)).all()
    assert mails == ["mail.member_invitation"]


def test_a_removed_member_leaves_no_place_behind(place):
    uma = place.person(OTHER, "Uma")
    member = add(place, uma)
    do(place, MemberAction.REMOVE, member)
    assert row(place, member) is None
    assert organization(place).seats_used == 1
    with place.database.session() as session:
        assert not session.scalars(
            select(Affiliation).where(Affiliation.account_id == uma.account_id)
        ).all()
    assert do(place, MemberAction.REMOVE, member) is None


def test_a_member_of_another_organization_is_not_found(place, database):
    other = make_client(database, place.provider, "Other Ltd")
    with pytest.raises(RuleError, match="yourself"):
        do(place, MemberAction.REMOVE, place.others["owner_row"])
    with database.session() as session:
        found = changes.act(
            session,
            owner(place),
            MemberAction.REMOVE,
            organization_id=other.id,
            member_id=place.others["owner_row"],
            by=Manager(Role.OWNER),
        )
    assert found is None
    assert row(place, place.others["owner_row"]) is not None


def test_the_last_owner_stays_and_the_last_but_one_may_go(place):
    second = place.person(OTHER, "Uma")
    member = add(place, second, Role.OWNER)
    by_provider = Actor(second.account_id, None, "P", "p@x.example", Role.OWNER, frozenset())
    do(place, MemberAction.REMOVE, place.others["owner_row"], actor=by_provider)
    assert organization(place).owner_confirmed
    with pytest.raises(RuleError, match="last confirmed owner"):
        do(place, MemberAction.REMOVE, member)


@pytest.mark.committed
def test_two_owners_who_turn_on_each_other_leave_one(committed):
    place = settled(committed)
    second = place.person(OTHER, "Uma")
    theirs = add(place, second, Role.OWNER)
    uma = Actor(second.account_id, None, "Uma", OTHER, Role.OWNER, frozenset())
    start = threading.Barrier(2)

    def turn(actor, member_id):
        start.wait()
        try:
            do(place, MemberAction.REMOVE, member_id, actor=actor)
        except RuleError:
            return

    both = [
        threading.Thread(target=turn, args=(owner(place), theirs)),
        threading.Thread(target=turn, args=(uma, place.others["owner_row"])),
    ]
    for each in both:
        each.start()
    for each in both:
        each.join()
    with place.database.session() as session:
        left = session.scalars(
            select(Member.id).where(
                Member.organization_id == place.organization.id, Member.role == Role.OWNER
            )
        ).all()
    assert len(left) == 1


def give(place, member_id, role, permissions=(), by=None, actor=None):
    with place.database.session() as session:
        return changes.change_role(
            session,
            actor or owner(place),
            organization_id=place.organization.id,
            member_id=member_id,
            role=role,
            permissions=permissions,
            by=by or Manager(Role.OWNER),
        )


def test_a_role_changes_with_before_and_after(place):
    member = add(place, place.person(OTHER, "Uma"))
    give(place, member, Role.CUSTOM, [Custom.RECOVERY])
    found = row(place, member)
    assert found.role is Role.CUSTOM
    assert found.permissions == ["manage_account_recovery", "manage_users"]
    give(place, member, Role.OWNER)
    assert row(place, member).permissions == []
    assert kinds(place)[-2:] == ["organization:member:update"] * 2
    give(place, member, Role.OWNER)
    assert kinds(place).count("organization:member:update") == 2


def test_losing_the_second_owner_by_role_keeps_the_first(place):
    member = add(place, place.person(OTHER, "Uma"), Role.OWNER)
    give(place, member, Role.USER)
    assert organization(place).owner_confirmed
    assert row(place, member).role is Role.USER


def test_a_helper_cannot_touch_an_admin(place):
    member = add(place, place.person(OTHER, "Uma"), Role.ADMIN)
    helper = Manager(Role.CUSTOM, frozenset({Custom.USERS}))
    with pytest.raises(RuleError, match="reach that far"):
        do(place, MemberAction.REVOKE, member, by=helper)
    with pytest.raises(RuleError, match="reach that far"):
        give(place, member, Role.USER, by=helper)
    assert row(place, member)[0] is MemberState.CONFIRMED
