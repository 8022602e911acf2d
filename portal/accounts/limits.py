"""How often somebody may try: per source, per source and address, and per address.

The last one has its own count for browsers that are known (known_browsers), so that an attack
on an address does not lock its owner out.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request, session

from portal.accounts import known_browsers
from portal.extensions import db, limiter
from portal.web.source import source

View = Callable[..., Any]
Rule = tuple[str, Callable[[], str]]


def typed_address() -> str:
    """The address in the form, counted with the browser if that is known."""
    return f"address:{known_browsers.bucket(request.form.get('email', ''))}"


def source_and_address() -> str:
    """One source's attempts on one address."""
    return f"{source()}:{known_browsers.bucket(request.form.get('email', ''))}"


def asked_address() -> str:
    """The address this browser asked a code for, or whose owner has passed the first step."""
    return f"address:{known_browsers.bucket(session.get('address', ''))}"


SIGN_IN: tuple[Rule, ...] = (
    ("10 per minute", source_and_address),
    ("30 per minute", source),
    ("60 per hour", typed_address),
)
PASSWORD_AGAIN: tuple[Rule, ...] = (("30 per minute", source), ("10 per minute", asked_address))
PARAMETERS: tuple[Rule, ...] = (("10 per minute", source_and_address), ("30 per minute", source))
ASK_CODE: tuple[Rule, ...] = (("30 per minute", source), ("5 per hour", typed_address))
ASK_OWN_CODE: tuple[Rule, ...] = (("30 per minute", source), ("5 per hour", asked_address))
ENTER_CODE: tuple[Rule, ...] = (("30 per minute", source), ("15 per hour", asked_address))
SECOND_FACTOR: tuple[Rule, ...] = (
    ("30 per minute", source),
    ("10 per minute", asked_address),
    ("60 per day", asked_address),
)


def limited(
    rules: tuple[Rule, ...], *, shared: str | None = None, methods: tuple[str, ...] = ("POST",)
) -> Callable[[View], View]:
    """Count a POST of the view against each rule; over it is a 429 before anything is looked at.

    `shared` names a count that several views have in common, `methods` what else is counted.
    """

    def decorate(view: View) -> View:
        for amount, key in rules:
            if shared:
                limit = limiter.shared_limit(amount, scope=shared, key_func=key, methods=[*methods])
            else:
                limit = limiter.limit(amount, key_func=key, methods=[*methods])
            view = limit(view)

        @wraps(view)
        def counted(*args: Any, **kwargs: Any) -> Any:
            # The count is a transaction of its own; a visit may have been read in the request's,
            # and two connections of one request wait for each other on SQLite.
            db.session.rollback()
            return view(*args, **kwargs)

        return counted

    return decorate
