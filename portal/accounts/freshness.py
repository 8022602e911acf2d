"""Pages that ask once more who is there: keys and the second factor."""

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import redirect, request, url_for
from flask_login import current_user

View = Callable[..., Any]


def fresh(view: View) -> View:
    """Below `@signed_in`: the person must have proved who they are in the last ten minutes."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not current_user.is_fresh(dt.datetime.now(dt.UTC)):
            back = request.full_path.rstrip("?") if request.method != "POST" else request.path
            return redirect(url_for("accounts.reauthenticate", next=back), 303)
        return view(*args, **kwargs)

    return guarded
