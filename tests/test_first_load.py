"""The first load of a page: the page and every file it asks for, over the wire."""

import posixpath
import re

import pytest
from sqlalchemy import update

from portal.models import Provider
from tests.support.clients import persona

BROWSERS = {"Accept": "text/html", "Accept-Encoding": "gzip, deflate, br, zstd"}
BUDGET = 40_000
# What the web server adds to each answer.
SERVERS_OWN = "server: granian\r\ndate: Sun, 22 Nov 2026 13:18:01 GMT\r\n"


@pytest.fixture
def ada(database):
    return persona(database)


def on_the_wire(answer):
    headers = SERVERS_OWN + "".join(f"{name}: {value}\r\n" for name, value in answer.headers)
    return len(answer.data) + len(headers) + len("HTTP/1.1 200 OK\r\n\r\n")


def loaded(client, url, part):
    """Bytes by address: the page, what it names, what its modules import, `portal.js` the part."""
    page = client.get(url, headers=BROWSERS)
    assert page.status_code == 200
    sizes = {url: on_the_wire(page)}
    text = client.get(url).get_data(as_text=True)
    waiting = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', text))
    waiting |= {file.replace("/portal.js", f"/{part}.js") for file in waiting}
    while waiting:
        file = waiting.pop()
        with client.get(file, headers=BROWSERS) as answer:
            assert answer.status_code == 200, file
            sizes[file] = on_the_wire(answer)
        if file.endswith(".js") and "/vendor/" not in file:
            with client.get(file, headers={"Accept-Encoding": "identity"}) as plain:
                imports = re.findall(r'(?:from|import) "(\.[^"]+)"', plain.get_data(as_text=True))
            found = {posixpath.normpath(posixpath.join(file, "..", name)) for name in imports}
            waiting |= found - set(sizes)
    return sizes


def test_the_clients_page_keeps_to_its_budget(ada):
    sizes = loaded(ada.browser.client, ada.clients_url, "auto-lock")
    assert any("htmx" in file for file in sizes)
    assert any("portal.css" in file for file in sizes)
    assert sum(sizes.values()) <= BUDGET, sizes


def test_a_providers_own_colour_costs_next_to_nothing(ada, database):
    database.run(update(Provider).values(accent="#1a5f3c"))
    page = ada.browser.client.get(ada.clients_url, headers={"Accept-Encoding": "identity"})
    [address] = re.findall(r'href="(/providers/[^"]+/brand/[^"]+\.css)"', page.text)
    style = on_the_wire(ada.browser.client.get(address, headers=BROWSERS))
    assert style < 1_500
    assert sum(loaded(ada.browser.client, ada.clients_url, "auto-lock").values()) + style <= BUDGET


def test_the_sign_in_page_keeps_to_its_budget_with_all_that_derives_keys(app):
    sizes = loaded(app.test_client(), "/sign-in", "sign-in")
    assert any("crypto/kdf.js" in file for file in sizes)
    assert sum(sizes.values()) <= BUDGET, sizes


def test_a_browser_without_brotli_gets_its_files_too(app):
    client = app.test_client()
    page = client.get("/sign-in").get_data(as_text=True)
    style = re.search(r'href="(/static/[^"]+\.css)"', page)
    assert style
    with client.get(style[1], headers={"Accept-Encoding": "identity"}) as answer:
        assert "Content-Encoding" not in answer.headers
        assert answer.data.startswith(b"/*")
    packed = client.get(style[1], headers={"Accept-Encoding": "br"})
    assert packed.headers["Content-Encoding"] == "br"
    assert packed.headers["Content-Type"].startswith("text/css")
    assert "immutable" in packed.headers["Cache-Control"]
    assert "Accept-Encoding" in packed.headers["Vary"]
