"""Addresses of pages, kept: making one takes fifty calls, and the frame of a page has ten."""

from functools import lru_cache
from typing import Any
from urllib.parse import quote

from flask import url_for


def link(endpoint: str, **values: Any) -> str:
    """The path of a page, as `url_for` has it; `endpoint` with its blueprint, ids as values.

    For what comes again and again, and so not for values that people type.
    """
    return _made(endpoint, tuple(values.items()))


def with_next(path: str, back: str) -> str:
    """`path`, coming back to `back` afterwards."""
    return f"{path}?next={quote(back, safe='/')}"


@lru_cache(maxsize=8192)
def _made(endpoint: str, values: tuple[tuple[str, Any], ...]) -> str:
    return url_for(endpoint, **dict(values))
