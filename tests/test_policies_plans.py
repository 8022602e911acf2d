"""What another plan does to the policies of a client, told before it is changed."""

import pytest
from sqlalchemy import select, update

from portal.domain.plans import Plan
from portal.domain.policies import PolicyKind
from portal.models import Organization, Policy
from tests.support.policies import SINGLE, TWO_STEP, elsewhere, enterprise, somebody, turn

P = PolicyKind


@pytest.fixture
def place(database):
    return enterprise(database)


def preview(place, plan):
    browser = place.admins_browser()
    url = f"/providers/{place.provider.id}/clients/{place.organization.id}/subscription"
    page = browser.get(url)
    query = {
        str(tag["name"]): str(tag.get("value", ""))
        for tag in page.select("form input[name]:not([type=radio]):not([type=checkbox])")
    }
    cadence = page.one("input[name=cadence][checked]")["value"]
    asked = query | {"plan": plan, "cadence": str(cadence), "autogrow": "y"}
    told = "&".join(f"{name}={value}" for name, value in asked.items() if name != "csrf_token")
    return browser.get(f"{url}/preview?{told}")


def test_a_smaller_plan_names_what_stops_to_hold(place):
    turn(place, TWO_STEP)
    turn(place, P.NO_PIN)
    turn(place, P.AUTOFILL, on=False)
    page = preview(place, "teams")
    assert "hold no longer: Require two-step sign-in, No unlocking with a PIN." in page
    assert len(place.database.all(select(Policy.kind))) == 3


def test_a_larger_plan_names_what_holds_again_and_who_does_not_meet_it(place):
    turn(place, TWO_STEP)
    turn(place, SINGLE)
    uma, _member = somebody(place)
    somebody(place, "mia@client.example", factor=True)
    elsewhere(place, uma)
    here = Organization.id == place.organization.id
    place.database.run(update(Organization).where(here).values(plan=Plan.TEAMS, plan_rank=1))
    page = preview(place, "enterprise")
    assert "hold again: Require two-step sign-in, Single organization." in page
    assert "1 member has no second factor" in page
    assert "1 member belongs to another organization" in page


def test_the_same_plan_and_no_policies_say_nothing(place):
    assert "hold no longer" not in preview(place, "teams")
    turn(place, TWO_STEP)
    assert "hold" not in preview(place, "enterprise").text("main")
