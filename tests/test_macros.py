"""What the frame, the error pages and the macros promise, checked on their output."""

from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from wtforms import EmailField, Form, IntegerField, RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from portal.web.avatars import initials
from portal.web.shell import (
    Banner,
    Language,
    LanguageSwitch,
    NavGroup,
    NavItem,
    Notice,
    Person,
    Product,
    Shell,
    Vault,
)
from tests.support.templates import ENV

SWITCH = LanguageSwitch(
    "/language", "/here", (Language("en", "English", current=True), Language("fr", "Français"))
)
SIGNED_OUT = Shell("Provider Portal", "/", "en", SWITCH)
SIGNED_IN = Shell(
    "Provider Portal",
    "/home",
    "en",
    SWITCH,
    person=Person("Ada", "ada@acme.test", "A", 3, "/profile", "/sign-out"),
    groups=(NavGroup("Manage", (NavItem("Clients", "/clients", "building-2", current=True),)),),
    products=(Product("Vault", "/vault", "vault"),),
    banner=Banner("You are accessing <Acme> as Northwind", "/leave"),
    notices=(Notice("Saved."),),
    help_url="/help",
    vault=Vault("locked", "/unlock", "/lock"),
)
CODES = (400, 403, 404, 405, 409, 413, 429, 500, 503, 507)
OPTIONAL = {
    "request_id": "4f7c",
    "helpers": ["Ada", "Jan"],
    "message": "Not now.",
    "retry_seconds": 42,
}


@pytest.mark.parametrize("context", [{}, OPTIONAL], ids=["bare", "full"])
@pytest.mark.parametrize("shell", [SIGNED_IN, SIGNED_OUT], ids=["in", "out"])
@pytest.mark.parametrize("code", CODES)
def test_every_error_page_says_what_happened_and_offers_a_way_on(code, shell, context):
    html = ENV.get_template(f"errors/{code}.html").render(shell=shell, **context)
    page = BeautifulSoup(html, "html5lib")
    assert len(page.select("h1")) == 1
    assert page.h1 is not None
    assert page.title is not None
    assert page.title.text.startswith(page.h1.text)
    assert len(page.select("main section > p")) >= 3
    assert page.select_one("main .actions a[href]") is not None


def test_error_pages_name_who_can_help_and_how_long_to_wait():
    refused = ENV.get_template("errors/403.html").render(shell=SIGNED_IN, **OPTIONAL)
    assert "Ada, Jan" in refused
    waiting = ENV.get_template("errors/429.html").render(shell=SIGNED_OUT, **OPTIONAL)
    assert "42 seconds" in waiting


def test_the_frame_shows_what_a_signed_in_person_needs():
    page = BeautifulSoup(ENV.get_template("errors/404.html").render(shell=SIGNED_IN), "html5lib")
    assert page.body is not None
    first = page.body.find("a")
    assert (first["href"], first.text) == ("#main", "Skip to content")
    assert page.select_one("nav[aria-label=Main] a[aria-current=page]").text.strip() == "Clients"
    assert "<Acme>" in page.select_one(".banner p").text
    assert page.select_one("#notices[role=status] .notice p").text == "Saved."
    assert page.select_one("a[data-unlock-link]").text.strip() == "Unlock"
    assert page.select_one("form[action='/sign-out'] button").text.strip() == "Sign out"
    for form in page.select("form[method=post]"):
        assert form.select_one("input[name=csrf_token]")["value"] == "token"
    assert [b["value"] for b in page.select("form[action='/language'] button")] == ["en", "fr"]
    assert page.html["data-vault"] == "locked"


def test_the_frame_of_a_signed_out_page_has_the_language_switch_and_no_menu():
    page = BeautifulSoup(ENV.get_template("errors/404.html").render(shell=SIGNED_OUT), "html5lib")
    assert page.select(".top, nav, .banner, details") == []
    assert page.select_one("form[action='/language'] input[name=next]")["value"] == "/here"
    assert page.html["data-vault"] == "none"


# Fields


class Sample(Form):
    name = StringField("Organization name", [InputRequired("Enter a name.")])
    owner = EmailField("Client owner e-mail")
    plan = RadioField(
        "Plan", choices=[SelectChoice("teams", "Teams"), SelectChoice("enterprise", "Enterprise")]
    )
    seats = IntegerField("Seats")


def drawn(macro: str, *arguments: object, **options: object) -> BeautifulSoup:
    module = ENV.get_template("macros/forms.html").module
    return BeautifulSoup(getattr(module, macro)(*arguments, **options), "html.parser")


def test_a_wrong_field_is_tied_to_its_error_and_its_hint():
    form = Sample()
    form.validate()
    box = drawn("field", form.name, "As on the invoice.")
    control = box.select_one("#name-field input")
    assert control["aria-invalid"] == "true"
    described = [box.select_one(f"#{id_}").text for id_ in control["aria-describedby"].split()]
    assert described == ["As on the invoice.", " Enter a name."]
    assert box.label["for"] == control["id"]


def test_a_right_field_is_not_called_wrong():
    control = drawn("field", Sample().owner).select_one("input")
    assert not {"aria-invalid", "aria-describedby", "hx-post"} & set(control.attrs)


def test_a_checked_field_asks_for_its_own_box_when_it_is_left():
    control = drawn("field", Sample().owner, check="/new/fields/owner").select_one("input")
    assert control["hx-post"] == "/new/fields/owner"
    assert control["hx-trigger"] == "change"
    assert control["hx-target"] == "#owner-field"


def test_the_summary_of_errors_leads_to_each_field():
    form = Sample(data={"plan": "gold"})
    form.validate()
    summary = drawn("error_summary", form)
    assert summary.div["role"] == "alert"
    links = {link["href"] for link in summary.select("a")}
    assert links == {"#name", "#plan-0"}
    assert drawn("radio_group", form.plan).select_one("#plan-0") is not None


def test_no_summary_stands_over_a_form_without_errors():
    assert not drawn("error_summary", Sample()).text.strip()


def test_plan_cards_are_radios_with_what_they_include():
    card = SimpleNamespace(price="$4.00", per="per seat", includes=["Groups"], adds="")
    box = drawn("radio_cards", Sample().plan, {"teams": card, "enterprise": card})
    assert [radio["value"] for radio in box.select("input[type=radio]")] == ["teams", "enterprise"]
    assert box.legend.text == "Plan"
    about = box.select_one("input")["aria-describedby"]
    assert "Groups" in box.select_one(f"#{about}").text


def piece(macro: str, *arguments: object, **options: object) -> BeautifulSoup:
    module = ENV.get_template("macros/page.html").module
    return BeautifulSoup(getattr(module, macro)(*arguments, **options), "html.parser")


@pytest.mark.parametrize(
    ("used", "assigned", "state"),
    [(17, 20, "fine"), (18, 20, "warn"), (19, 20, "warn"), (20, 20, "bad"), (8, 9, "fine"),
     (0, 1, "fine"), (1, 1, "bad"), (4, 5, "fine"), (9, 10, "warn")],
)  # fmt: skip
def test_the_seat_meter_warns_from_nine_tenths_and_is_bad_when_full(used, assigned, state):
    meter = piece("seat_meter", used, assigned).meter
    low, high = float(meter["low"]), float(meter["high"])
    shown = "fine" if used <= low else "warn" if used <= high else "bad"
    assert shown == state


def test_a_sorted_column_says_so_in_words_and_in_aria():
    header = piece("sort_header", "Client", "/c?sort=-name", "clients-table", "ascending").th
    assert header["aria-sort"] == "ascending"
    assert "(ascending)" in header.text
    assert header.a["href"] == header.a["hx-get"] == "/c?sort=-name"
    plain = piece("sort_header", "Used", "/c?sort=used", "clients-table").th
    assert not plain.has_attr("aria-sort")


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Acme Health Ltd", "AH"), ("zoé@acme.test", "Z"), ("Crane & Sons", "CS"), ("", "?"),
     ("École Saint-Exupéry", "ÉS"), ("  ", "?")],
)  # fmt: skip
def test_initials_are_one_or_two_capitals(name, letters):
    assert initials(name) == letters
