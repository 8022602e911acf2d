"""The one module that speaks htmx: which piece was asked for, and how to answer.

`htmx_flask` knows htmx 1; htmx 4 names the target `tag#id` and the cause `HX-Source`, so targets
are read after the last `#`. Each header used here is checked against the vendored htmx in
tests/browser/test_htmx_headers.py.
"""

import re

from flask import Response, redirect, render_template
from htmx_flask import make_response, request

VARY = ("Cookie", "HX-Request", "HX-Target", "HX-Boosted", "HX-History-Restore-Request")
_FRAGMENT = re.compile(r"^(?P<folder>[\w/]+)/_(?P<name>\w+)\.html$")


def fragment_id(template: str) -> str:
    """`clients/_table.html` -> `clients-table`: the id its root element carries."""
    match = _FRAGMENT.match(template)
    if not match:
        raise ValueError(f"{template} is not a fragment: its name begins with no underscore")
    return f"{match['folder'].replace('/', '-')}-{match['name']}".replace("_", "-")


def is_htmx() -> bool:
    """Whether htmx asks, and not for a whole page (boosted links and history do that)."""
    hx = request.htmx
    return bool(hx) and not hx.boosted and not hx.history_restore_request


def target() -> str:
    """The id of the element that htmx will swap, or an empty string."""
    if not is_htmx():
        return ""
    return (request.headers.get("HX-Target") or "").rpartition("#")[2]


def wants(fragment: str) -> bool:
    """Whether htmx asked for this fragment alone; it asks by naming the target."""
    return target() == fragment_id(fragment)


def respond(
    page: str, fragment: str, /, *, status: int = 200, trigger: str | None = None, **context: object
) -> Response:
    """Answer with `fragment` to the request that targets it, with `page` to any other."""
    body = render_template(fragment if wants(fragment) else page, **context)
    return _answer(body, status, trigger)


def piece(fragment: str, /, *, status: int = 200, **context: object) -> Response:
    """Answer with a fragment that has no page of its own (a field, a menu)."""
    return _answer(render_template(fragment, **context), status, None)


def _answer(body: str, status: int, trigger: str | None) -> Response:
    # `web.headers` adds VARY to every page.
    response: Response = make_response(body, status, trigger=trigger)
    return response


def done(url: str, saved: str = "") -> Response:
    """A change is made: go to `url`. `saved` is the key of a notice (web.notices.add).

    303 for browsers; htmx gets an empty 200 that tells it to load the page.
    """
    if saved:
        path, mark, anchor = url.partition("#")
        url = f"{path}{'&' if '?' in path else '?'}saved={saved}{mark}{anchor}"
    if is_htmx():
        return elsewhere(url, 200)
    answer = redirect(url, 303)
    response: Response = make_response(answer)
    response.vary.update(VARY)
    return response


def elsewhere(url: str, status: int) -> Response:
    """Tell htmx to leave the page for `url`; the status says why."""
    response: Response = make_response("", status, redirect=url)
    response.vary.update(VARY)
    return response


def into_notices(body: str, status: int) -> Response:
    """An error for htmx: htmx 4 swaps 4xx and 5xx, so send them where notices belong."""
    response: Response = make_response(body, status, retarget="#notices")
    response.headers["HX-Reswap"] = "innerHTML"
    response.vary.update(VARY)
    return response
