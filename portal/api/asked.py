"""What a request of the API asks for, read strictly: a typing mistake is told, never ignored."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from portal.domain.errors import N_, Message, RuleError

MOST, USUAL = 100, 50
_LIST = frozenset({"limit", "after"})
_LOG = frozenset({"from", "to", "order"})


class BadRequest(RuleError):
    """A parameter that cannot be read; its sentence names it."""


def _unread(msgid: str, **params: object) -> BadRequest:
    return BadRequest(Message.of(msgid, **params))


@dataclass(frozen=True)
class Asked:
    """Where a page begins and how long it is; for the event log also its bounds and order."""

    limit: int = USUAL
    after: uuid.UUID | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    oldest_first: bool = False

    @classmethod
    def of(cls, arguments: Mapping[str, str], *, is_log: bool = False) -> "Asked":
        """The parameters of an address; raises `BadRequest`."""
        known = _LIST | _LOG if is_log else _LIST
        for name in arguments:
            if name not in known:
                raise _unread(N_("There is no parameter '%(name)s'."), name=name)
        return cls(
            limit=_limit(arguments.get("limit")),
            after=_id(arguments.get("after")),
            since=_moment("from", arguments.get("from")),
            until=_moment("to", arguments.get("to")),
            oldest_first=_order(arguments.get("order")),
        )


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= MOST):
        raise _unread(N_("The parameter 'limit' is a number from 1 to %(most)s."), most=MOST)
    return int(text)


def _id(text: str | None) -> uuid.UUID | None:
    if text is None:
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        raise _unread(N_("The parameter 'after' is an id, as 'next' gave it.")) from None


def _moment(name: str, text: str | None) -> dt.datetime | None:
    """A day counts from its beginning in UTC; without a zone, a time is one of UTC."""
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise _unread(
            N_("The parameter '%(name)s' is a time such as 2026-11-22T09:00:00Z."), name=name
        ) from None


def _order(text: str | None) -> bool:
    if text not in {None, "newest", "oldest"}:
        raise _unread(N_("The parameter 'order' is 'newest' or 'oldest'."))
    return text == "oldest"
