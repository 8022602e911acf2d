"""The helper that drives w3m does what a person at the keys would do."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest

from tests.support.text_browsers import lynx

FORM = """<!doctype html><html lang="en"><title>Form</title><h1>{heading}</h1>
<p><a href="/next">Next page</a></p>
<form method="post" action="/sent">
<p><label for="n">Client (name)</label> <input id="n" name="name" value="{name}"></p>
<p><input type="radio" name="plan" value="t" id="t" checked> <label for="t">Teams</label>
<input type="radio" name="plan" value="e" id="e"> <label for="e">Enterprise</label></p>
<p><input type="checkbox" name="auto" id="a" checked> <label for="a">Add seats</label></p>
<p><button>Create client</button></p></form>"""


class Site(BaseHTTPRequestHandler):
    def do_GET(self):
        heading = "Next" if self.path == "/next" else "First"
        if self.path == "/done":
            heading = f"Done {self.server.sent} {self.headers.get('Cookie')}"
        self._answer(FORM.format(heading=heading, name="Old"))

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.sent = parse_qs(body)
        self.send_response(303)
        self.send_header("Location", "/done")
        self.send_header("Set-Cookie", "portal=kept; Path=/; HttpOnly")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, page):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page.encode())))
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def site():
    server = HTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_w3m_fills_in_a_form_and_keeps_the_cookie(site, w3m):
    person = w3m(f"{site}/")
    assert "First" in person.see()
    person.fill("Client (name)", "Épicerie Acme")
    person.choose("Enterprise")
    person.choose("Add seats")
    assert "Épicerie Acme" in person.see()
    person.press("Create client")
    assert "Done {'name': ['Épicerie Acme'], 'plan': ['e']} portal=kept" in " ".join(
        person.see().split()
    )


def test_w3m_follows_links(site, w3m):
    person = w3m(f"{site}/")
    person.follow("Next page")
    assert "Next" in person.see().splitlines()[0]
    person.go(f"{site}/")
    assert "First" in person.see().splitlines()[0]


def test_lynx_shows_a_page(site):
    assert "Client (name)" in lynx(f"{site}/")
