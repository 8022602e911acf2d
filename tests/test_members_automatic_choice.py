"""The organization's choice to confirm automatically, and the pages that carry it out."""

import datetime as dt

import pytest
from sqlalchemy import delete, select, update

from portal.domain.access import Role
from portal.domain.plans import Plan
from portal.domain.states import MemberState
from portal.models import (
    AuthSession,
    Organization,
    OrganizationSettings,
    Policy,
    utc_now,
)
from tests.support.organizations import join, make_place
from tests.test_members_automatic import DOMAIN, accept, hand_over, kinds, prepare, url_of, verify


@pytest.fixture
def place(database):
    return prepare(database)


SETTINGS = "settings/members"


def settings_url(place):
    return f"{place.url}/{SETTINGS}"


def settings(place, browser, **options):
    return browser.get(settings_url(place), **options)


def test_without_a_verified_domain_it_cannot_be_turned_on(database):
    place = make_place(database)
    database.run(update(Organization).values(plan=Plan.ENTERPRISE, plan_rank=2))
    verify(place, at=False)
    admin = place.admins_browser()
    page = settings(place, admin)
    assert "No domain is verified yet." in page
    assert "The policy Single organization is off." in page
    assert not page.select("main form")
    admin.get(f"{settings_url(place)}/on", status=303)
    refused = admin.post(f"{settings_url(place)}/on", {}, status=409)
    assert "No domain is verified yet." in refused
    assert database.all(select(OrganizationSettings.confirms_automatically)) == []


def test_it_is_turned_on_after_a_page_that_says_what_is_given_up(place):
    place.database.run(delete(OrganizationSettings))
    admin = place.admins_browser()
    page = admin.submit(settings(place, admin), "Turn on", status=200)
    assert page.heading == "Turn on automatic confirmation"
    assert f"Nobody compares fingerprint phrases any more for plain users of {DOMAIN}." in page
    page = admin.follow(admin.submit(page, "Turn on", status=303))
    assert "Automatic confirmation is on." in page
    admin.post(f"{settings_url(place)}/on", {}, status=303)
    page = admin.follow(admin.submit(settings(place, admin), "Turn off", status=303))
    assert "Automatic confirmation is off." in page
    admin.post(f"{settings_url(place)}/off", {}, status=303)
    turned = [kind for kind in kinds(place) if "automatic_confirmation" in kind]
    assert turned == [
        "organization:automatic_confirmation:enable",
        "organization:automatic_confirmation:disable",
    ]
    row = place.database.one(select(OrganizationSettings))
    assert row.limits_collection_creation is True, "the other rules keep their defaults"


def test_turning_it_on_asks_once_more_who_is_there(place):
    place.database.run(delete(OrganizationSettings))
    admin = place.admins_browser()
    long_ago = utc_now() - dt.timedelta(hours=1)
    place.database.run(update(AuthSession).values(authenticated_at=long_ago))
    for ask_for in (admin.get, admin.post):
        answer = ask_for(f"{settings_url(place)}/on", status=303)
        assert "/reauthenticate" in answer.location
    assert place.database.all(select(OrganizationSettings.organization_id)) == []


def test_the_page_says_when_it_rests(place):
    place.database.run(update(Policy).values(is_on=False))
    page = settings(place, place.admins_browser())
    assert "Nobody is confirmed automatically at present" in page


def test_a_smaller_plan_has_no_such_page(place):
    place.database.run(update(Organization).values(plan=Plan.TEAMS, plan_rank=1))
    settings(place, place.admins_browser(), status=404)


def test_only_pages_of_such_an_organization_carry_the_module(place):
    admin = place.admins_browser()
    assert not admin.get(place.members).select("[data-key-work=auto-confirm]"), "locked"
    admin.post("/session/vault", {}, status=200)
    [found] = admin.get(place.members).select("[data-key-work=auto-confirm]")
    assert found["data-url"] == url_of(place)
    ian = place.person("ian@elsewhere.example", "Ian", keys=True)
    join(place, ian, Role.USER, MemberState.CONFIRMED)
    users = place.browser_of(ian)
    users.post("/session/vault", {}, status=200)
    assert not users.get(f"{place.url}/collections").select("[data-key-work=auto-confirm]")
    place.database.run(update(OrganizationSettings).values(confirms_automatically=False))
    assert not admin.get(place.members).select("[data-key-work=auto-confirm]")


def test_french_all_the_way(place):
    eva = accept(place, "Eva")
    admin = place.admins_browser()
    admin.post("/language", {"locale": "fr", "next": "/"}, status=303)
    assert hand_over(admin, place, eva)["said"] == "1 membre a été confirmé automatiquement."
    page = settings(place, admin)
    assert page.heading == "Confirmation automatique"
    assert "Domaines vérifiés" in page
