"""The checks that every test leans on: each is broken once here."""

import socket

import pytest
from flask import Flask, Response, redirect, request, session

from tests.support.browsing import Browser
from tests.support.network import OutsideWorldError

GOOD = """<!doctype html>
<html lang="en"><head><title>Clients</title></head><body>
<h1>Clients</h1><a href="/page">Back</a><a href="#form">To the form</a>
<form id="form" method="post" action="/form">
<input type="hidden" name="csrf_token" value="x">
<label for="name">Name</label><input id="name" name="name" value="Acme">
<label><input type="checkbox" name="auto" checked> Add seats automatically</label>
<label for="plan">Plan</label>
<select id="plan" name="plan"><option value="t">Teams</option>
<option value="e" selected>Enterprise</option></select>
<button>Create client</button></form></body></html>"""


@pytest.fixture
def site():
    """A small app whose page is set by the test, with a browser for it."""
    app = Flask("site")
    app.secret_key = "the site's"
    shown = {"page": GOOD}

    @app.get("/page")
    def page():
        return shown["page"]

    @app.post("/form")
    def form():
        session["sent"] = request.form.to_dict(flat=False)
        return redirect("/page", 303)

    @app.get("/elsewhere")
    def elsewhere():
        return Response("", headers={"HX-Redirect": "/page"})

    return Browser(app), shown


def test_a_good_page_passes(site):
    browser, _ = site
    page = browser.get("/page")
    assert (page.heading, page.link("Back")) == ("Clients", "/page")
    assert "Add seats automatically" in page


@pytest.mark.parametrize(
    ("good", "bad", "fault"),
    [
        (' lang="en"', "", "says no lang"),
        ("<title>Clients</title>", "", "no title"),
        ("<h1>Clients</h1>", "", "0 h1"),
        ("<h1>Clients</h1>", "<h1>A</h1><h1>B</h1>", "2 h1"),
        ("<h1>Clients</h1>", "<h1>Clients</h2>", "not HTML"),
        ("</form>", "", "not HTML"),
        ('id="name"', 'id="form"', "2 times"),
        ('<label for="name">Name</label>', "", "no label"),
        ('<label for="name">', '<label for="nome">', "names no element"),
        ('href="#form"', 'href="#from"', "names no element"),
        ('href="/page"', 'href="/pages"', "leads to NotFound"),
        ('href="/page"', 'href="page/on"', "GET /page/on leads to NotFound"),
        ('href="/page"', 'href=""', "empty address"),
        ('action="/form"', 'action="/page"', "leads to MethodNotAllowed"),
        ('action="/form"', 'action="/form" hx-post="/forms"', "POST /forms leads to NotFound"),
        ('action="/form"', 'action="/form" hx-target="#no"', "names no element"),
        ('name="csrf_token" value="x"', 'name="csrf_token" value=""', "carries no csrf_token"),
        ('method="post" action="/form"', 'action="/page"', "put csrf_token in the address"),
        ("<h1>Clients</h1>", '<h1 style="x">Clients</h1>', "attribute style"),
        ("<h1>Clients</h1>", '<h1 onclick="x">Clients</h1>', "attribute onclick"),
        ("<h1>Clients</h1>", "<h1>Clients</h1><script>x</script>", "inline <script>"),
        ("<h1>Clients</h1>", '<h1>Clients</h1><img src="/page">', "no alt"),
        ("<button>Create client</button>", "<button></button>", "nothing says"),
    ],
)
def test_a_faulty_page_is_refused(site, good, bad, fault):
    browser, shown = site
    shown["page"] = GOOD.replace(good, bad)
    assert shown["page"] != GOOD
    with pytest.raises(AssertionError, match=fault):
        browser.get("/page")


@pytest.mark.parametrize(
    "fragment",
    ['<table id="t"><tbody><tr><td>1</td></tr></tbody></table>', '<tr id="t"><td>1</td></tr>'],
)
def test_a_fragment_has_one_root_with_the_id_that_was_asked_for(site, fragment):
    browser, shown = site
    shown["page"] = fragment
    assert browser.get("/page", hx="t").response.request.headers["HX-Target"] == "div#t"
    with pytest.raises(AssertionError, match="has not the id 'other'"):
        browser.get("/page", hx="other")
    shown["page"] = fragment + "<p>more</p>"
    with pytest.raises(AssertionError, match="2 root elements"):
        browser.get("/page", hx="t")


def test_a_form_is_sent_as_a_browser_would_fill_it_in(site):
    browser, _ = site
    answer = browser.submit(browser.get("/page"), "Create client", {"name": "Beta"})
    assert browser.follow(answer).heading == "Clients"
    with browser.client.session_transaction() as kept:
        assert kept["sent"] == {
            "csrf_token": ["x"],
            "name": ["Beta"],
            "auto": ["on"],
            "plan": ["e"],
        }
    with pytest.raises(AssertionError, match="no field"):
        browser.submit(browser.get("/page"), "Create client", {"nmae": "Beta"})


def test_another_status_than_expected_shows_the_page(site):
    browser, _ = site
    with pytest.raises(AssertionError, match="answered 404 NOT FOUND"):
        browser.get("/nowhere")


def test_htmx_may_be_sent_elsewhere_without_a_fragment(site):
    browser, _ = site
    assert browser.get("/elsewhere", hx="t").location == "/page"


def test_no_test_leaves_the_machine():
    with pytest.raises(OutsideWorldError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
