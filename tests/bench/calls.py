"""Counts what noise cannot touch: function calls and SQL statements of one Clients page."""

import sys
from collections import Counter
from types import FrameType

from sqlalchemy import event

from portal.extensions import db
from tests.bench.data import Instance


def _client_path(instance: Instance, size: int) -> str:
    return f"/providers/{instance.provider_id}/clients?size={size}"


def _get(instance: Instance, size: int) -> None:
    client = instance.app.test_client(use_cookies=False)
    answer = client.get(_client_path(instance, size), headers={"Cookie": instance.cookie})
    assert answer.status_code == 200, answer.status_code


def count_calls(instance: Instance, size: int = 100) -> int:
    """Python and C calls of one warm page (`sys.setprofile`)."""
    _get(instance, size)
    seen: Counter[str] = Counter()

    def profile(frame: FrameType, kind: str, argument: object) -> None:
        seen[kind] += 1

    sys.setprofile(profile)
    try:
        _get(instance, size)
    finally:
        sys.setprofile(None)
    return seen["call"] + seen["c_call"]


def count_statements(instance: Instance, size: int = 100) -> int:
    """SQL statements of one page; how a transaction begins does not count."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if statement.lstrip().lower().startswith("select"):
            seen.append(statement)

    with instance.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        _get(instance, size)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(seen)
