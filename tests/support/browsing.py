"""A browser without scripts or pictures, which checks every page that it is shown."""

import hashlib
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from tests.support.page_checks import check_fragment, check_page

Headers = Mapping[str, str] | None


class Page:
    """An answer: `response` as it came, `soup` as a browser reads it."""

    def __init__(self, response: TestResponse, soup: BeautifulSoup | None = None) -> None:
        self.response = response
        self._soup = soup

    @property
    def soup(self) -> BeautifulSoup:
        if self._soup is None:
            text = self.response.text if is_html(self.response) else ""
            self._soup = BeautifulSoup(text, "html5lib")
        return self._soup

    @property
    def title(self) -> str:
        return squeeze(self.soup.title.get_text()) if self.soup.title else ""

    @property
    def heading(self) -> str:
        return self.text("h1")

    @property
    def location(self) -> str:
        """Where the answer sends a browser, or htmx."""
        headers = self.response.headers
        return headers.get("HX-Redirect") or headers.get("Location") or ""

    def select(self, selector: str) -> list[Tag]:
        return self.soup.select(selector)

    def one(self, selector: str) -> Tag:
        """The only element that matches."""
        found = self.soup.select(selector)
        assert len(found) == 1, f"{len(found)} elements match {selector!r}:\n{self}"
        return found[0]

    def text(self, selector: str) -> str:
        """The words in the only element that matches."""
        return squeeze(self.one(selector).get_text(" "))

    def texts(self, selector: str) -> list[str]:
        return [squeeze(tag.get_text(" ")) for tag in self.soup.select(selector)]

    def link(self, words: str) -> str:
        """Where the link with these words leads."""
        found = [tag for tag in self.soup.select("a[href]") if words in spoken(tag)]
        assert found, (
            f"no link says {words!r}; there are {[spoken(tag) for tag in self.select('a')]}"
        )
        return urljoin(self.response.request.path, str(found[0]["href"]))

    def form(self, words: str) -> Tag:
        """The form whose button has these words."""
        for form in self.soup.select("form"):
            if any(words == spoken(button) for button in form.select("button, input[type=submit]")):
                return form
        raise AssertionError(f"no form has a button that says {words!r}:\n{self}")

    def __contains__(self, words: str) -> bool:
        return words in squeeze(self.soup.get_text(" "))

    def __str__(self) -> str:
        return self.soup.prettify()


class Browser:
    """Asks one app; keeps cookies; follows nothing by itself.

    With `hx="clients-table"` it asks as htmx 4 does for the element with that id.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client()
        self.language: str | None = None
        # Where the page in the window came from; relative addresses start there.
        self.here = "/"

    def get(
        self, path: str, *, hx: str | None = None, status: int = 200, headers: Headers = None
    ) -> Page:
        path = urljoin(self.here, path)
        response = self.client.get(path, headers=self._headers(hx, headers))
        self.here = response.request.path
        return self._page(response, hx, status)

    def post(
        self,
        path: str,
        data: Mapping[str, Any] | None = None,
        *,
        hx: str | None = None,
        status: int = 200,
        headers: Headers = None,
    ) -> Page:
        """Send a form, with the token that every form of this session carries."""
        fields = {"csrf_token": self.csrf_token()} | dict(data or {})
        response = self.client.post(path, data=fields, headers=self._headers(hx, headers))
        return self._page(response, hx, status)

    def submit(
        self, page: Page, button: str, data: Mapping[str, Any] | None = None, *, status: int = 303
    ) -> Page:
        """Press a button of a page: sends what the form holds, changed by `data`."""
        form = page.form(button)
        fields = filled_in(form)
        unknown = set(data or {}) - {str(tag.get("name")) for tag in form.select("[name]")}
        assert not unknown, f"the form has no field {unknown}:\n{form.prettify()}"
        fields |= dict(data or {})
        pressed = next(tag for tag in form.select("button, input") if spoken(tag) == button)
        if pressed.get("name"):
            fields[str(pressed["name"])] = str(pressed.get("value", ""))
        action = urljoin(page.response.request.path, str(form.get("action") or ""))
        sent_as = "query_string" if str(form.get("method", "get")).lower() == "get" else "data"
        response = self.client.open(
            action,
            method="GET" if sent_as == "query_string" else "POST",
            headers=self._headers(None, None),
            **{sent_as: fields},
        )
        return self._page(response, None, status)

    def follow(self, page: Page, *, status: int = 200) -> Page:
        """Go where the answer sends a browser."""
        assert page.location, f"the answer leads nowhere: {page.response.status}\n{page}"
        return self.get(page.location, status=status)

    def csrf_token(self) -> str:
        """The token as Flask-WTF writes it into the forms of this session."""
        with self.client.session_transaction() as session:
            raw = session.setdefault("csrf_token", hashlib.sha256(os.urandom(64)).hexdigest())
        signer = URLSafeTimedSerializer(self.app.secret_key, salt="wtf-csrf-token")
        return str(signer.dumps(raw))

    def _headers(self, hx: str | None, more: Headers) -> dict[str, str]:
        headers = {"Accept-Language": self.language} if self.language else {}
        if hx:
            headers |= {
                "HX-Request": "true",
                "HX-Target": f"div#{hx}",
                "HX-Request-Type": "partial",
            }
        return headers | dict(more or {})

    def _page(self, response: TestResponse, hx: str | None, status: int) -> Page:
        assert response.status_code == status, (
            f"{response.request.method} {response.request.full_path} answered {response.status}"
            f" {response.headers.get('Location', '')}\n{response.text[:4000]}"
        )
        if is_html(response) and response.text.strip() and not response.location:
            if not hx:
                return Page(response, check_page(self.app, response))
            check_fragment(self.app, response, hx)
        return Page(response)


def is_html(response: TestResponse) -> bool:
    return response.mimetype == "text/html"


def squeeze(text: str) -> str:
    return " ".join(text.split())


def spoken(tag: Tag) -> str:
    """What a person calls a link or button."""
    label = tag.get("aria-label") or (tag.get("value") if tag.name == "input" else None)
    return squeeze(str(label or tag.get_text(" ")))


def filled_in(form: Tag) -> dict[str, Any]:
    """What a browser would send of a form as it stands, without any button."""
    fields: dict[str, Any] = {}
    for tag in form.select("input[name], select[name], textarea[name]"):
        name, kind = str(tag["name"]), tag.get("type", "text")
        if tag.has_attr("disabled") or kind in {"submit", "button", "reset", "image"}:
            continue
        if tag.name == "select":
            chosen = tag.select("option[selected]") or tag.select("option")[:1]
            fields[name] = [str(option.get("value", option.text)) for option in chosen]
        elif tag.name == "textarea":
            fields[name] = tag.get_text()
        elif kind not in {"checkbox", "radio"} or tag.has_attr("checked"):
            fields[name] = str(tag.get("value", "on" if kind == "checkbox" else ""))
    return fields


@pytest.fixture
def browser(app):
    """A visitor's browser; sign in with the factories of the area."""
    return Browser(app)
