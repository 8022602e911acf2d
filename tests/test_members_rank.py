"""An invitation sent to another mailbox: not beyond one's own reach, and one at a time."""

import threading

import pytest
from sqlalchemy import update

from portal.crypto.keys import wrap_for
from portal.domain.access import Role
from portal.domain.custom_roles import Custom
from portal.domain.errors import RuleError
from portal.domain.plans import Plan
from portal.domain.states import MemberState
from portal.members import service
from portal.models import Member, Organization
from tests.support.accounts import keys_for
from tests.support.organizations import OWNER, join, make_place
from tests.test_members import invite

THEIRS = "second-mailbox@elsewhere.example"
ADAM, HELPER = "adam@acme.example", "helper@acme.example"


@pytest.fixture
def place(database):
    made = make_place(database)
    with database.session() as session:
        session.execute(
            update(Organization)
            .where(Organization.id == made.organization.id)
            .values(plan=Plan.ENTERPRISE, plan_rank=2)
        )
    return made


def helper(place, *parts):
    """The browser of somebody with these parts of a custom role."""
    person = place.person(HELPER, "Hana Ito", keys=True)
    change(place, join(place, person, Role.CUSTOM, MemberState.CONFIRMED), permissions=list(parts))
    return place.browser_of(person)


def change(place, row, **values):
    with place.database.session() as session:
        session.execute(
            update(Member)
            .where(Member.organization_id == place.organization.id, Member.id == row)
            .values(**values)
        )


def invited(place, role, *parts):
    """The row of somebody whom an owner has invited to that."""
    row = place.owner_row
    change(place, row, email=ADAM, role=role, permissions=list(parts))
    return f"{place.members}/{row}"


@pytest.mark.parametrize(
    ("role", "parts", "said"),
    [
        (Role.ADMIN, [], "Your role does not reach that far."),
        (Role.CUSTOM, [Custom.POLICIES], "only the permissions that you hold yourself"),
    ],
)
def test_an_invitation_to_more_than_they_may_give_is_not_sent_elsewhere(place, role, parts, said):
    there = invited(place, role, *parts)
    page = helper(place, Custom.USERS).post(f"{there}/address", {"email": THEIRS}, status=422)
    assert said in page
    assert place.member().email == ADAM


def test_one_to_what_they_may_give_is(place):
    there = invited(place, Role.CUSTOM, Custom.USERS)
    helper(place, Custom.USERS).post(f"{there}/address", {"email": THEIRS}, status=303)
    assert place.member().email == THEIRS


def test_the_invitation_of_an_admin_is_not_theirs_to_renew(place):
    there = invited(place, Role.ADMIN)
    helper(place, Custom.USERS).post(f"{there}/invitation", status=409)
    assert place.member().invitation_version == 1


@pytest.mark.parametrize(("role", "status"), [(Role.ADMIN, 422), (Role.USER, 303)])
def test_they_confirm_no_admin(place, role, status):
    adam = place.person(ADAM, "Adam Min", keys=True)
    there = f"{place.members}/{join(place, adam, role, MemberState.ACCEPTED)}"
    key = keys_for(ADAM).public_key
    data = {"public_key": key, "wrapped_key": wrap_for(key, place.keys.key.raw)}
    helper(place, Custom.USERS).post(f"{there}/confirm", data, status=status)


def test_of_two_who_are_sent_to_one_mailbox_at_once_one_is(committed):
    place = make_place(committed)
    other = invite(place, ADAM).id
    answers, gate = [], threading.Barrier(2)

    def go(row, before):
        gate.wait()
        try:
            with committed.session() as session:
                service.replace_address(
                    session,
                    place.actor,
                    organization_id=place.organization.id,
                    member_id=row,
                    before=before,
                    email=THEIRS,
                )
        except RuleError as error:
            answers.append(error.field)
        else:
            answers.append("sent")

    rows = ((place.owner_row, OWNER), (other, ADAM))
    threads = [threading.Thread(target=go, args=each) for each in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["email", "sent"]
