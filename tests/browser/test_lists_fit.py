"""Lists on screens of each width: nothing pushed out, nothing squeezed for no reason."""

import pytest

from tests.support.clients import make_client
from tests.support.cookies import carry_over
from tests.support.tenants import make_tenant

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)

WIDTHS = [1280, 1024, 768, 360]
# Names that take less than the room of their cell while they break into lines.
SQUEEZED = """() => Array.from(document.querySelectorAll(".list .who"), (who) => {
    const cell = who.closest("td, th"), style = getComputedStyle(cell)
    const room = cell.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)
    return [who.textContent.trim(), who.getBoundingClientRect().width, room]
}).filter(([_, width, room]) => width < room - 1)"""
OUTSIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def tenant(live):
    made = make_tenant(live.database, "Northmark")
    for number in range(3):
        make_client(live.database, made.provider, f"Ashworth & Yilmaz Freight Forwarders {number}")
    return made


@pytest.mark.parametrize("where", ["clients", "stuck-people", "people", "events", "billing"])
def test_a_list_of_the_provider_fits(live, people, tenant, where):
    fits(live, people, tenant, f"/providers/{tenant.provider.id}/{where}")


@pytest.mark.parametrize("where", ["members", "groups", "collections", "events", "setup"])
def test_a_list_of_an_organization_fits(live, people, tenant, where):
    fits(live, people, tenant, f"/organizations/{tenant.client.id}/{where}")


def fits(live, people, tenant, path):
    context = people(locale="en")
    carry_over(tenant.browser("provider admin"), context, live.url)
    page = context.new_page()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{live.url}{path}")
        assert page.evaluate(SQUEEZED) == []
        assert page.evaluate(OUTSIDE) <= 0, f"{path} is wider than {width} px"
