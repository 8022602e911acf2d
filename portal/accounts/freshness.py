"""Pages that ask once more who is there: keys, second factor, people's access, what is final.

The page with the form asks, so nothing is typed in vain. Who lets it lie too long is asked when
they send it, and finds it again as they had filled it in.
"""

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.accounts.sessions import REAUTHENTICATION
from portal.web.access import go, here
from portal.web.paths import own_path

View = Callable[..., Any]


def fresh(view: View) -> View:
    """Below `@signed_in`: the person must have proved who they are in the last ten minutes."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        return refuse_stale(here() or request.path) or view(*args, **kwargs)

    return guarded


def refuse_stale(back: str, within: dt.timedelta = REAUTHENTICATION) -> Response | None:
    """The way to the proof, and to the page `back` after it; None for whoever gave it lately."""
    if current_user.is_fresh(dt.datetime.now(dt.UTC), within):
        return None
    # An address too long to come back to leads to the page without what was filled in.
    return go(url_for("accounts.reauthenticate", next=own_path(back, request.path)))
