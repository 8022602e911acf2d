"""`next` leads to our own pages and nowhere else, in every spelling that browsers follow."""

from urllib.parse import urljoin, urlsplit

import pytest

from portal.web.paths import own_path

HOSTILE = [
    "", " ", "evil.example", "evil.example/path", "//evil.example", "///evil.example",
    "////evil.example", "//evil.example/%2f..", "//user@evil.example", "/\\evil.example",
    "\\\\evil.example", "\\/evil.example", "/\\/evil.example", "\\evil.example",
    "/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "\t//evil.example",
    "\n//evil.example", "\r\n//evil.example", " //evil.example", "\x00//evil.example",
    "\x01//evil.example", "\x0b//evil.example", "\x0c//evil.example", "\x1f//evil.example",
    "/\x00/evil.example", "/\x0b/evil.example", "/\x1f/evil.example", "/\x7f/evil.example",
    "/ /evil.example", "/\x85/evil.example", "/\xa0/evil.example", "/\u2028/evil.example",
    "/\u2029/evil.example", "/\u3000/evil.example", "/\ufeff/evil.example",
    "/\u200b/evil.example", "/\u2060/evil.example", "/\u00ad/evil.example",
    "\uff0f\uff0fevil.example", "/\uff0fevil.example", "\u2044\u2044evil.example",
    "/\u2215evil.example", "/\uff3cevil.example",
    "http://evil.example", "https://evil.example", "HTTPS://EVIL.EXAMPLE", "https:evil.example",
    "http:evil.example", "https:/evil.example", "https:///evil.example", "https:\\evil.example",
    "http:\\\\evil.example", "ftp://evil.example", "file:///etc/passwd", "blob:https://evil",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", " javascript:alert(1)",
    "\x01javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:msgbox(1)",
    "https://localhost@evil.example", "https://localhost:80@evil.example", "@evil.example",
    "localhost", "localhost/profile", "?next=//evil.example", "#//evil.example", ".", "..",
    "../evil", "./evil", "/x/..//evil.example", "/./\\evil.example", "/.//evil.example",
    "/..//evil.example", "/%2e%2e//evil.example", "/a//evil.example", "/a/../profile",
    "/%2e/profile", "/%2E%2E/profile", "/\r\nSet-Cookie: a=b", "/\nLocation: https://evil.example",
    "/profile\r\n\r\n<script>", "/é", "/" + "a" * 4000, None,
]  # fmt: skip
OURS = [
    "/",
    "/profile",
    "/profile?saved=abc123",
    "/providers/0190-1/clients?q=a%20b&sort=-name#top",
    "/a@b/c:d/~e!$&'()*+,;=",
    "/%2f%2fevil.example",
    "/sign-in?next=https://evil.example",
]


@pytest.mark.parametrize("path", HOSTILE, ids=ascii)
def test_a_hostile_next_leads_to_the_start_page(path):
    assert own_path(path) == "/"


@pytest.mark.parametrize("path", OURS)
def test_our_own_pages_are_kept_as_they_are(path):
    assert own_path(path) == path


@pytest.mark.parametrize("path", OURS)
def test_what_is_kept_stays_on_our_origin_and_so_does_its_resolved_path(path):
    once = urljoin("https://portal.example", path)
    twice = urljoin("https://portal.example", urlsplit(once).path)
    assert {urlsplit(once).netloc, urlsplit(twice).netloc} == {"portal.example"}


def test_the_list_is_as_long_as_it_should_be():
    assert len(HOSTILE) >= 80


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "https://evil.example"])
@pytest.mark.parametrize(
    ("page", "fields"),
    [("/language", {"locale": "en"}), ("/sign-in/code", {"email": "ada@northwind.example"})],
)
def test_no_form_of_ours_redirects_elsewhere(browser, page, fields, path):
    answer = browser.post(page, {"next": path} | fields, status=303)
    assert answer.location.startswith("/")
    assert "evil" not in answer.location
