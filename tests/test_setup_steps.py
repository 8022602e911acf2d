"""The six steps of a client's set-up: facts, skipping, who did what, and what the table counts."""

import re

import pytest
from sqlalchemy import delete, select, update

from portal.cli.recount import recount
from portal.domain.access import Role
from portal.domain.collection_access import Level
from portal.domain.errors import RuleError
from portal.domain.plans import Plan
from portal.domain.policies import PolicyKind
from portal.domain.setup_steps import NOTE_LIMIT, StepKind, check_note
from portal.domain.states import MemberState
from portal.models import (
    Account,
    Collection,
    CollectionGroup,
    Event,
    Group,
    Organization,
    Policy,
    SkippedStep,
    new_id,
)
from portal.organizations.queries import setup_facts
from portal.organizations.service import recount_setup
from tests.support.organizations import employ, join, make_place

WHY = "They keep their old vault until June."


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


def at(place, step, what="skip"):
    return f"{place.url}/setup/{step}/{what}"


def counted(place):
    client = place.client()
    return f"{client.setup_done}/{client.setup_total}"


def states(page):
    return page.texts(".step-list .step-state")


def skipped(place):
    return place.database.all(select(SkippedStep.step))


def count_again(place):
    with place.database.session() as session:
        recount_setup(session, place.organization.id)


def told(place, action):
    kind = f"organization:setup:{action}"
    return place.database.all(select(Event.payload).where(Event.type == kind))


def test_a_step_is_skipped_with_a_note_and_counts_as_done(place, admin):
    count_again(place)
    assert counted(place) == "1/4"
    form = admin.get(at(place, "vault"))
    assert form.heading == "Skip the step “Fill the vault”"
    admin.submit(form, "Skip step", {"note": WHY})
    assert counted(place) == "2/4"
    page = admin.get(f"{place.url}/setup")
    assert states(page)[1] == "Skipped"
    assert "Skipped by Ada Nordström on" in page
    assert WHY in page
    assert "Ada Nordström skipped the step “Fill the vault”." in page.texts(".facts dd")
    assert len(told(place, "skip")) == 2  # The organization's log and the provider's.


def test_a_skipped_step_is_opened_again(place, admin):
    admin.post(at(place, "vault"), {"note": WHY}, status=303)
    admin.submit(admin.get(f"{place.url}/setup"), "Open again Fill the vault")
    assert counted(place) == "1/4"
    assert skipped(place) == []
    admin.post(at(place, "vault", "take-up"), status=303)
    assert len(told(place, "take_up")) == 2


@pytest.mark.parametrize("note", ["", "   ", "x" * (NOTE_LIMIT + 1), "a\u202eb"])
def test_without_a_note_that_can_stand_nothing_is_skipped(place, admin, note):
    page = admin.post(at(place, "vault"), {"note": note}, status=422)
    assert page.select("[role=alert], .error-summary, .field-error, .error")
    assert skipped(place) == []
    with pytest.raises(RuleError):
        check_note(note)


def test_who_skips_twice_leaves_the_first_note_and_one_event(place, admin):
    admin.post(at(place, "vault"), {"note": WHY}, status=303)
    admin.post(at(place, "vault"), {"note": "Another"}, status=422)
    assert place.database.one(select(SkippedStep.note)) == WHY
    assert len(told(place, "skip")) == 2


def test_what_is_done_or_not_in_the_plan_or_unknown_is_not_skipped(place, admin):
    admin.get(at(place, "collections"), status=303)
    admin.post(at(place, "collections"), {"note": WHY}, status=422)
    admin.get(at(place, "sso"), status=404)
    admin.post(at(place, "sso"), {"note": WHY}, status=422)
    admin.get(at(place, "unknown"), status=404)
    admin.post(at(place, "unknown", "take-up"), status=404)
    assert skipped(place) == []


def test_a_fact_counts_for_more_than_an_earlier_decision(place, admin):
    admin.post(at(place, "members"), {"note": WHY}, status=303)
    for number, role in enumerate([Role.OWNER, Role.USER]):
        person = place.person(f"p{number}@acme.example", f"Person {number}", keys=True)
        join(place, person, role, MemberState.CONFIRMED)
        count_again(place)
    assert skipped(place) == []
    assert counted(place) == "2/4"


def test_a_group_counts_once_however_many_collections_it_reaches(place):
    group = Group(organization_id=place.organization.id, id=new_id(), name="IT", name_ci="it")
    place.database.add(group)
    for _ in range(2):
        collection = Collection(organization_id=place.organization.id, sealed_name=None)
        place.database.add(collection)
        place.database.add(
            CollectionGroup(
                organization_id=place.organization.id,
                collection_id=collection.id,
                group_id=group.id,
                level=Level.VIEW_HIDDEN,
            )
        )
    with place.database.session() as session:
        _plan, facts, _skipped = setup_facts(session, place.organization.id)
    assert facts.groups_with_access == 1


def test_on_teams_the_plan_comparison_stands_at_both_steps_and_four_count(place, admin):
    page = admin.get(f"{place.url}/setup")
    assert states(page)[2:4] == ["Enterprise only", "Enterprise only"]
    links = page.select(".step-list .unavailable a")
    assert [link["href"] for link in links] == ["/help/compare-plans"] * 2


def test_the_next_step_is_offered_first_and_the_last_leaves_none(place, admin):
    page = admin.get(f"{place.url}/setup")
    assert page.texts("#next-step") == ["Next: Create groups"]
    for step in ("vault", "groups", "members"):
        admin.post(at(place, step), {"note": WHY}, status=303)
    page = admin.get(f"{place.url}/setup")
    assert "All steps are done or skipped." in page
    assert counted(place) == "4/4"
    strip = admin.get(f"{place.url}/collections")
    assert not strip.select("nav.steps")


def test_who_may_skip(place):
    olga = place.person("olga2@acme.example", "Olga Petrova", keys=True)
    uma = place.person("uma@acme.example", "Uma", keys=True)
    tom = place.person("tom@northwind.example", "Tom", keys=True)
    join(place, olga, Role.ADMIN, MemberState.CONFIRMED)
    join(place, uma, Role.USER, MemberState.CONFIRMED)
    employ(place.database, place.provider, tom, Role.SERVICE_USER)
    place.browser_of(uma).post(at(place, "vault"), {"note": WHY}, status=403)
    place.browser_of(olga).post(at(place, "vault"), {"note": WHY}, status=303)
    place.browser_of(tom).post(at(place, "vault", "take-up"), status=303)
    assert skipped(place) == []


def test_a_step_of_another_provider_s_client_cannot_be_skipped(place, database):
    stranger = place.person("eve@elsewhere.example", "Eve", keys=True)
    place.browser_of(stranger).post(at(place, "vault"), {"note": WHY}, status=404)
    assert skipped(place) == []


def test_the_doctor_counts_skips_groups_and_policies_as_the_service_does(place, database):
    database.run(update(Organization).values(plan=Plan.ENTERPRISE))
    database.add(
        SkippedStep(
            organization_id=place.organization.id,
            step=StepKind.SSO,
            note=WHY,
            by_name="Ada",
        ),
        Policy(organization_id=place.organization.id, kind=next(iter(PolicyKind)), is_on=True),
    )
    count_again(place)
    assert counted(place) == "3/6"
    with database.session() as session:
        assert dict(recount(session))["set-up progress"] == []
    database.run(delete(SkippedStep))
    with database.session() as session:
        (wrong,) = dict(recount(session))["set-up progress"]
    assert "3/6, counted 2/6" in wrong


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_happened_is_told_to_the_minute_and_exactly_on_hover(place, admin, language):
    admin.post(at(place, "vault"), {"note": WHY}, status=303)
    place.database.run(update(Account).values(locale=language))
    page = admin.get(f"{place.url}/setup")
    lines = page.select("section[aria-labelledby=history] time")
    assert lines
    for line in lines:
        written = " ".join(line.get_text().split())
        assert re.search(r"\b2\d{3}, \d{1,2}:\d{2}( [AP]M)?$", written), written
        assert line["title"] == line["datetime"]
