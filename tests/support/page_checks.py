"""What is true of every page and fragment, whatever it shows."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

import html5lib
from bs4 import BeautifulSoup, Tag
from bs4.builder import HTML5TreeBuilder
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.test import TestResponse

# Where a fragment's root may only stand inside something else.
_CONTAINERS = {"tr": "tbody", "td": "tr", "th": "tr", "tbody": "table", "option": "select"}
_IDREFS = ("for", "aria-describedby", "aria-labelledby", "aria-controls", "list", "popovertarget")
_HX_VERBS = ("get", "post", "put", "patch", "delete")
_NOT_TYPED_INTO = {"hidden", "submit", "button", "reset", "image"}


class _Noting(HTML5TreeBuilder):
    """Builds the tree as ever and keeps what was wrong, since reading a page takes longest."""

    errors: Sequence[Any] = ()

    def feed(self, markup: Any) -> None:
        parser = html5lib.HTMLParser(tree=self.create_treebuilder)
        self.underlying_builder.parser = parser
        parser.parse(markup).original_encoding = None
        self.underlying_builder.parser = None
        self.errors = parser.errors


def check_page(app: Flask, response: TestResponse) -> BeautifulSoup:
    """Fail with every fault of a whole page at once; returns the page as a browser reads it."""
    builder = _Noting()
    soup = BeautifulSoup(response.text, builder=builder)
    faults = [*_told(builder.errors, response.text), *_frame_faults(soup)]
    tags = soup.find_all(True)
    faults += _faults(app, tags, response)
    faults += [f"{name}={value!r} names no element" for name, value in _dangling(tags)]
    _report(faults, response)
    return soup


def check_fragment(app: Flask, response: TestResponse, target: str) -> None:
    """Fail with every fault of a fragment; its root is what htmx will put in `target`'s place."""
    text = response.text.strip()
    root_name = text[1:].split(None, 1)[0].split(">")[0].lower()
    container = _CONTAINERS.get(root_name, "div")
    parser = html5lib.HTMLParser()
    parser.parseFragment(text, container=container)
    faults = _told(parser.errors, text)
    soup = BeautifulSoup("", "html.parser")
    parsed = BeautifulSoup(text, "html.parser")
    roots = [node for node in parsed.contents if isinstance(node, Tag)]
    soup.extend(parsed.contents)
    if response.headers.get("HX-Retarget") is None:
        if len(roots) != 1:
            faults.append(f"the fragment has {len(roots)} root elements, not one")
        if [root.get("id") for root in roots[:1]] != [target]:
            faults.append(f"the fragment's root has not the id {target!r}: {text[:80]}")
    _report([*faults, *_faults(app, soup.find_all(True), response)], response)


def _report(faults: list[str], response: TestResponse) -> None:
    where = f"{response.request.method} {response.request.path} ({response.status_code})"
    assert not faults, f"{where}:\n- " + "\n- ".join(faults) + f"\n\n{response.text}"


def _told(errors: Sequence[Any], text: str) -> list[str]:
    lines = text.splitlines()
    return [
        f"not HTML, line {line}: {code} {details}: {lines[line - 1].strip()[:120]}"
        for (line, _), code, details in errors
    ]


def _frame_faults(soup: BeautifulSoup) -> list[str]:
    faults = []
    html = soup.select_one("html")
    if not html or not html.get("lang"):
        faults.append("<html> says no lang")
    if not soup.title or not soup.title.get_text(strip=True):
        faults.append("the page has no title")
    headings = soup.select("h1")
    if len(headings) != 1 or not headings[0].get_text(strip=True):
        faults.append(f"the page has {len(headings)} h1, not one with words")
    return faults


def _faults(app: Flask, tags: Sequence[Tag], response: TestResponse) -> list[str]:
    # Every page of every test comes by here: one list of tags, no selector matched against each.
    here = response.request.path
    return [
        *_twins(tags),
        *_unlabelled(tags),
        *_silent(tags),
        *_inline(tags),
        *(fault for tag in _named(tags, "form") for fault in _form_faults(app, tag, here)),
        *(fault for tag in _links(tags) for fault in _link_faults(app, tag, here)),
        *(fault for tag in tags for fault in _htmx_faults(app, tag, here)),
    ]


def _named(tags: Sequence[Tag], *names: str) -> list[Tag]:
    return [tag for tag in tags if tag.name in names]


def _links(tags: Sequence[Tag]) -> list[Tag]:
    return [tag for tag in tags if tag.name == "a" and "href" in tag.attrs]


def _twins(tags: Sequence[Tag]) -> list[str]:
    counts = Counter(str(tag["id"]) for tag in tags if "id" in tag.attrs)
    return [f"id {name!r} is there {count} times" for name, count in counts.items() if count > 1]


def _unlabelled(tags: Sequence[Tag]) -> list[str]:
    labelled = {str(label["for"]) for label in _named(tags, "label") if "for" in label.attrs}
    return [
        f"no label for {str(tag)[:120]}"
        for tag in _named(tags, "input", "select", "textarea")
        if tag.get("type") not in _NOT_TYPED_INTO
        and str(tag.get("id")) not in labelled
        and not (tag.get("aria-label") or tag.get("aria-labelledby") or tag.find_parent("label"))
    ]


def _silent(tags: Sequence[Tag]) -> list[str]:
    """Links, buttons and pictures that a screen reader could not name."""
    faults = [
        f"nothing says what this is: {str(tag)[:120]}"
        for tag in [*_links(tags), *_named(tags, "button", "summary")]
        if not (tag.get_text(strip=True) or tag.get("aria-label") or tag.get("aria-labelledby"))
        and not any(image.get("alt") for image in tag.find_all("img"))
    ]
    images = _named(tags, "img")
    return faults + [f"no alt: {str(tag)[:120]}" for tag in images if "alt" not in tag.attrs]


def _inline(tags: Sequence[Tag]) -> list[str]:
    """What the content security policy would refuse."""
    faults = [
        f"inline <{tag.name}>"
        for tag in _named(tags, "style", "script")
        if tag.name == "style" or "src" not in tag.attrs
    ]
    for tag in tags:
        faults += [
            f"{tag.name} has the attribute {name}"
            for name in tag.attrs
            if name == "style" or name.startswith(("on", "hx-on"))
        ]
    return faults


def _form_faults(app: Flask, form: Tag, here: str) -> list[str]:
    method = str(form.get("method", "get")).upper()
    faults = _route_faults(app, urljoin(here, str(form.get("action") or "")), method)
    tokens = form.find_all("input", attrs={"name": "csrf_token"})
    has_token = any(field.get("value") for field in tokens)
    if method == "POST" and not has_token:
        faults.append(f"the form to {form.get('action')} carries no csrf_token")
    if method == "GET" and has_token:
        faults.append(f"the GET form to {form.get('action')} would put csrf_token in the address")
    return faults


def _link_faults(app: Flask, link: Tag, here: str) -> list[str]:
    address = str(link["href"])
    if address.startswith("#"):
        return []
    if not address:
        return ["a link has an empty address"]
    return _route_faults(app, urljoin(here, address), "GET")


def _htmx_faults(app: Flask, tag: Tag, here: str) -> list[str]:
    return [
        fault
        for verb in _HX_VERBS
        for name in (f"hx-{verb}", f"hx-{verb}:inherited")
        if tag.has_attr(name)
        for fault in _route_faults(app, urljoin(here, str(tag[name])), verb.upper())
    ]


def _route_faults(app: Flask, address: str, method: str) -> list[str]:
    """Whether the address is one of ours that answers, or plainly somebody else's."""
    parts = urlsplit(address)
    if parts.scheme in {"mailto", "data"} or parts.netloc not in {"", "localhost"}:
        return []
    if not parts.path:
        return []
    try:
        app.url_map.bind("localhost").match(parts.path, method=method)
    except (HTTPException, RequestRedirect) as error:
        return [f"{method} {address} leads to {type(error).__name__}"]
    return []


def _dangling(tags: Sequence[Tag]) -> list[tuple[str, str]]:
    ids = {str(tag["id"]) for tag in tags if "id" in tag.attrs}
    found = [
        (name, value)
        for tag in tags
        for name in _IDREFS
        for value in str(tag.get(name) or "").split()
    ]
    found += [
        (name, str(tag[name])[1:])
        for tag in tags
        for name in ("href", "hx-target")
        if str(tag.get(name, "")).startswith("#") and (name != "href" or tag.name == "a")
    ]
    return [(name, value) for name, value in found if value not in ids]
