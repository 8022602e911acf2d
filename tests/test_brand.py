"""The provider's brand: a colour that can be read, a picture made anew, and where they show."""

import io
import re
import uuid
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import select, update

from portal.domain import brand
from portal.domain.access import Role
from portal.domain.errors import RuleError
from portal.domain.states import MemberState
from portal.mail.brand import brand_of as mail_brand
from portal.mail.letters import compose
from portal.mail.messages import MESSAGES, Office
from portal.models import Organization, Outbox, Provider, ProviderLogo
from portal.outbox.mailing import absolute_url
from tests.support.browsing import Browser
from tests.support.clients import make_provider
from tests.support.organizations import employ, join, make_place
from tests.support.project import ROOT
from tests.support.staff import hire, told
from tests.support.uploads import ATTACKS, picture

COLOURS = some.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
GREEN = "#1a5f3c"


# Colours


def test_contrast_is_that_of_the_standard():
    assert brand.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert brand.contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)
    assert brand.contrast("#3149c2", "#3149c2") == 1


def test_the_grounds_are_those_of_the_style_sheet():
    css = (ROOT / "static/css/portal.css").read_text()
    found = dict(re.findall(r"--([a-z-]+): light-dark\((#\w{6}, #\w{6})\)", css))
    light, dark = zip(*(found[name].split(", ") for name in ("paper", "sunken")), strict=True)
    assert light == brand.LIGHT_GROUNDS
    assert set(brand.DARK_GROUNDS) == {*dark, found["field"].split(", ")[1]}
    portal = brand.PORTAL
    assert found["accent"] == f"{portal.light}, {portal.dark}"
    assert found["accent-ink"] == f"{portal.light_ink}, {portal.dark_ink}"
    assert found["wash"] == f"{portal.light_wash}, {portal.dark_wash}"


@given(COLOURS)
def test_whatever_is_taken_can_be_read_in_both_themes(colour):
    found = brand.palette(brand.nearest_readable(colour))
    for accent, ink, wash, grounds in (
        (found.light, found.light_ink, found.light_wash, brand.LIGHT_GROUNDS),
        (found.dark, found.dark_ink, found.dark_wash, brand.DARK_GROUNDS),
    ):
        assert brand.contrast(accent, ink) >= 4.5
        assert all(brand.contrast(accent, ground) >= 4.5 for ground in (*grounds, wash))
    text_on_washes = (
        brand.contrast("#1a1f2b", found.light_wash),
        brand.contrast("#e7e9ef", found.dark_wash),
    )
    assert min(text_on_washes) >= 4.5


@given(COLOURS)
def test_what_is_offered_is_taken_and_what_is_readable_is_left_alone(colour):
    offered = brand.nearest_readable(colour)
    assert brand.check_accent(offered, field="accent") == offered
    assert (offered == colour) == brand.is_readable(colour)
    if offered != colour:
        with pytest.raises(RuleError) as refused:
            brand.check_accent(colour, field="accent")
        assert offered in str(refused.value)


def test_what_fails_by_a_hair_is_not_rounded_to_enough():
    wrong = next(
        f"#{grey:02x}{grey:02x}{grey:02x}"
        for grey in range(255)
        if not brand.is_readable(f"#{grey:02x}{grey:02x}{grey:02x}")
    )
    with pytest.raises(RuleError, match=r"is 4\.[0-4]\d* : 1, and text needs 4\.5 : 1"):
        brand.check_accent(wrong, field="accent")


@pytest.mark.parametrize(
    ("typed", "read"),
    [("", ""), (" #1A5F3C ", GREEN), ("1a5f3c", GREEN), ("#abc", "#aabbcc"), ("#000", "#000000")],
)
def test_colours_are_read_as_people_write_them(typed, read):
    assert brand.read_colour(typed, field="accent") == read


@pytest.mark.parametrize(
    "typed", ["red", "#12345", "#12345g", "rgb(0,0,0)", "#1a5f3c;x", "\u0660" * 3]
)
def test_what_is_no_colour_is_refused(typed):
    with pytest.raises(RuleError, match="six digits"):
        brand.read_colour(typed, field="accent")


# On pages and in mails


@pytest.fixture
def place(database):
    return make_place(database)


def url(place, path=""):
    return f"/providers/{place.provider.id}/settings/brand{path}"


def provider(place):
    return place.database.one(select(Provider).where(Provider.id == place.provider.id))


def upload(place, data=None, name="logo.png", *, browser=None, status=303):
    browser = browser or place.admins_browser()
    file = (io.BytesIO(picture() if data is None else data), name)
    return browser.post(url(place, "/logo"), {"logo": file}, status=status)


def colour(place, typed, *, browser=None, step="save", status=303, **more):
    browser = browser or place.admins_browser()
    data = {"accent": typed, "seen": provider(place).accent, "step": step} | more
    return browser.post(url(place), data, status=status)


def brand_links(page):
    return [
        link["href"] for link in page.select("link[rel=stylesheet]") if "/brand/" in link["href"]
    ]


def logos(page):
    return [image["src"] for image in page.select(".bar-name img.logo")]


def test_a_colour_is_saved_told_and_served(place):
    colour(place, "#1A5F3C")
    assert provider(place).accent == GREEN
    assert told(place, "provider:brand:update") == [
        {"before": {"accent": ""}, "after": {"accent": GREEN}}
    ]
    page = place.admins_browser().get(url(place))
    [address] = brand_links(page)
    answer = Browser(place.database.app).client.get(address)
    assert answer.mimetype == "text/css"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.text.startswith(f":root{{--accent:light-dark({GREEN},#")
    assert len(answer.data) < 250
    colour(place, "")
    assert brand_links(place.admins_browser().get(url(place))) == []
    assert Browser(place.database.app).client.get(address).status_code == 404


def test_a_colour_that_cannot_be_read_is_refused_with_one_that_can(place):
    browser = place.admins_browser()
    page = colour(place, "#ffcc00", browser=browser, status=422)
    nearest = brand.nearest_readable("#ffcc00")
    assert "The contrast of this colour on a light page is 1.39 : 1" in page.text("#accent-field")
    assert provider(place).accent == ""
    page = browser.submit(page, f"Take {nearest}", status=200)
    assert page.one("#accent")["value"] == nearest
    assert "Preview, not saved yet" in page
    assert provider(place).accent == ""
    browser.submit(page, "Save the colour")
    assert provider(place).accent == nearest


def test_a_preview_shows_and_does_not_save(place):
    page = colour(place, GREEN, step="preview", status=200)
    fills = {tag["fill"] for tag in page.select("svg[role=img] [fill]")}
    found = brand.palette(GREEN)
    assert {found.light, found.dark, found.light_wash, found.dark_wash} <= fills
    assert provider(place).accent == ""
    assert told(place, "provider:brand:update") == []


@pytest.mark.parametrize(
    ("accent", "picked", "saved"),
    [
        (GREEN, "#3149c2", GREEN),
        ("", "#1a5f3c", GREEN),
        ("", "#3149c2", ""),
        (GREEN, "#702020", GREEN),
    ],
)
def test_of_the_two_fields_the_one_that_was_changed_counts(place, accent, picked, saved):
    colour(place, accent, picked=picked, was="#3149c2")
    assert provider(place).accent == saved


def test_the_slower_of_two_is_told(place):
    colour(place, GREEN)
    page = colour(place, "#702020", seen="", status=409)
    assert "Somebody else has changed this" in page
    assert provider(place).accent == GREEN
    assert page.one("#accent")["value"] == "#702020"


def test_a_logo_is_shown_with_the_name_in_words_and_can_be_removed(place):
    upload(place, name="x" * 5000 + ".png")
    found = place.database.one(select(ProviderLogo))
    assert (found.media_type, found.width, found.height) == ("image/png", 64, 32)
    page = place.admins_browser().get(url(place))
    [address] = logos(page)
    assert page.one(".bar-name img")["alt"] == "Northwind IT"
    assert page.text(".bar-name") == ""
    answer = Browser(place.database.app).client.get(address)
    assert answer.data == found.content
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "immutable" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers
    browser = place.admins_browser()
    browser.submit(browser.get(url(place)), "Remove the logo")
    assert place.database.count(ProviderLogo) == 0
    assert Browser(place.database.app).client.get(address).status_code == 404
    before = {"logo": str(found.id)}
    assert told(place, "provider:brand:update")[-1] == {"before": before, "after": {"logo": ""}}


def test_another_logo_takes_the_place_of_the_first(place):
    upload(place)
    upload(place, picture((32, 32), "JPEG"), "logo.jpg")
    found = place.database.one(select(ProviderLogo))
    assert (found.id, found.media_type) == (provider(place).logo_id, "image/jpeg")


@pytest.mark.parametrize("name", ATTACKS)
def test_a_refused_upload_is_said_at_the_field_and_keeps_the_logo(place, name):
    upload(place)
    data, said = ATTACKS[name]
    page = upload(place, data, status=422)
    assert said in page.text("#logo-field")
    assert place.database.count(ProviderLogo) == 1


def test_a_file_larger_than_other_requests_may_be_is_refused_at_the_field(place, monkeypatch):
    monkeypatch.setitem(place.database.app.config, "MAX_CONTENT_LENGTH", 200_000)
    page = upload(place, b"\xff\xd8" + b"x" * 300_000, status=422)
    assert "The file may have at most 256 kB." in page.text("#logo-field")


def test_without_a_file_something_is_said(place):
    page = place.admins_browser().post(url(place, "/logo"), {}, status=422)
    assert "Choose a picture first." in page.text("#logo-field")
    page = place.admins_browser().post(url(place, "/logo"), {"logo": "text"}, status=422)
    assert "Choose a picture first." in page.text("#logo-field")


def test_a_client_shows_the_brand_of_its_provider_to_everybody_in_it(place):
    upload(place)
    colour(place, GREEN)
    olga = place.person("olga2@acme.example", "Olga Roth", keys=True)
    join(place, olga, Role.USER, MemberState.CONFIRMED)
    for browser in (place.browser_of(olga), place.admins_browser()):
        page = browser.get(f"{place.url}/collections")
        assert brand_links(page) == [f"/providers/{place.provider.id}/brand/1a5f3c.css"]
        assert len(logos(page)) == 1
        assert page.one(".bar-name img")["alt"] == "Northwind IT"
        assert page.text(".bar-name") == "Acme Ltd"
    # Nothing of it where no provider is meant.
    assert brand_links(place.browser_of(olga).get("/profile")) == []


def test_an_organization_without_a_provider_shows_none(place):
    upload(place)
    colour(place, GREEN)
    olga = place.person("olga2@acme.example", "Olga Roth", keys=True)
    join(place, olga, Role.OWNER, MemberState.CONFIRMED)
    place.database.run(update(Organization).values(provider_id=None))
    page = place.browser_of(olga).get(f"{place.url}/collections")
    assert brand_links(page) == logos(page) == []


def test_nobody_shows_or_sets_the_brand_of_another_provider(place):
    upload(place)
    colour(place, GREEN)
    other = make_provider(place.database, "Contoso")
    employ(place.database, other, place.admin)
    logo_id = provider(place).logo_id
    browser = Browser(place.database.app)
    browser.get(f"/providers/{other.id}/logo/{logo_id}", status=404)
    browser.get(f"/providers/{other.id}/brand/1a5f3c.css", status=404)
    browser.get(f"/providers/{place.provider.id}/logo/{uuid.uuid4()}", status=404)
    browser.get(f"/providers/{place.provider.id}/brand/000000.css", status=404)
    page = place.admins_browser().get(f"/providers/{other.id}/settings/brand")
    assert brand_links(page) == logos(page) == []
    place.admins_browser().post(f"/providers/{other.id}/settings/brand/logo/remove", status=303)
    assert provider(place).logo_id == logo_id
    jun, _row = hire(place)
    place.browser_of(jun).post(url(place, "/logo/remove"), status=403)
    upload(place, browser=place.browser_of(jun), status=403)
    assert provider(place).logo_id == logo_id


def invitation(place):
    """The HTML of the invitation that waits for the owner."""
    app = place.database.app
    settings = app.extensions["settings"]
    job = place.database.one(select(Outbox).where(Outbox.topic == "mail.member_invitation"))
    office = Office(settings.secret_keys, partial(absolute_url, app, settings))
    with place.database.session() as session:
        letter = MESSAGES[job.topic](session, office, job.payload)
        found = mail_brand(session, office, job.payload)
        mail = compose(letter, settings, job.id, found)
    return mail.message.get_body(["html"]).get_content()


def test_mails_wear_the_brand_of_the_provider_they_are_sent_for(place):
    upload(place)
    colour(place, GREEN)
    html = invitation(place)
    assert f"background-color: {GREEN}" in html
    assert f"background-color: {brand.palette(GREEN).dark}" in html
    address = f"/providers/{place.provider.id}/logo/{provider(place).logo_id}"
    base = place.database.app.extensions["settings"].base_url
    assert f'src="{base}{address}" alt="Northwind IT" height="40"' in html
    place.database.run(update(Provider).values(accent="", logo_id=None))
    html = invitation(place)
    assert "background-color: #3149c2" in html
    assert "<img" not in html
