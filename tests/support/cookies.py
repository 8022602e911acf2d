"""From a factory's session to a real browser or a bare connection."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext

from tests.support.browsing import Browser


def cookie_of(browser: Browser) -> tuple[str, str]:
    """(name, value) of the cookie in which the portal keeps this browser's session."""
    name = browser.app.config["SESSION_COOKIE_NAME"]
    cookie = browser.client.get_cookie(name)
    assert cookie, "nobody is signed in there"
    return name, cookie.value


def carry_over(browser: Browser, context: BrowserContext, url: str) -> None:
    """Sign the real browser in as the person of the other one."""
    name, value = cookie_of(browser)
    host = urlsplit(url).hostname or ""
    context.add_cookies([{"name": name, "value": value, "domain": host, "path": "/"}])
