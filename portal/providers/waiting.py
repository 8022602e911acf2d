"""What waits at a provider, as the frame of its pages tells it: counted in one statement."""

from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Uuid, bindparam, func, literal, null, select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission
from portal.providers import client_keys
from portal.providers.stuck import COUNTED, Bound, stuck_in

_PROVIDER, _PERSON = bindparam("provider_id", type_=Uuid()), bindparam("person_id", type_=Uuid())
_ACCOUNT = bindparam("account_id", type_=Uuid())
FEW = 100


class Wanted(NamedTuple):
    """What somebody may count: which clients, the provider's people, clients' keys."""

    is_limited: bool
    sees_hidden: bool
    own_people: bool
    keys: bool


class Waiting(NamedTuple):
    """Stuck people, at most `COUNTED` + 1; keys to hand over, and keys due to be changed, at most
    `FEW` each and none for whoever has nothing to do with them.
    """

    stuck: int
    keys: int
    due: int

    @property
    def stuck_words(self) -> str:
        """As the bar shows it: nothing for none, 99+ for more than that."""
        return f"{COUNTED}+" if self.stuck > COUNTED else str(self.stuck) if self.stuck else ""


def wanted(actor: Actor) -> Wanted:
    """What `actor` may count."""
    return Wanted(
        actor.scope.is_limited,
        actor.scope.sees_hidden,
        actor.can(Permission.PROVIDER_PEOPLE_READ),
        actor.can(Permission.PROVIDER_KEYS),
    )


def columns(these: Wanted) -> tuple[ColumnElement[Any], ...]:
    """The counts, for a statement with `provider_id`, `person_id` and `account_id`."""
    person = _PERSON if these.is_limited else None
    scope = Bound(_PROVIDER, person, these.sees_hidden, _ACCOUNT)
    stuck = stuck_in(scope, literal(1), own_people=these.own_people)
    return (
        _at_most(stuck, COUNTED + 1).label("waiting_stuck"),
        _keys(these, client_keys.waiting(_PROVIDER, _ACCOUNT, literal(1))).label("waiting_keys"),
        _keys(these, client_keys.due_keys(_PROVIDER, literal(1))).label("waiting_due"),
    )


def given(row: Any) -> Waiting:
    """From a row that was asked for `columns`."""
    return Waiting(row.waiting_stuck, row.waiting_keys or 0, row.waiting_due or 0)


def count(session: Session, actor: Actor) -> Waiting:
    """The same in a statement of its own."""
    ids = {
        "provider_id": actor.scope.provider_id,
        "person_id": actor.scope.person_id,
        "account_id": actor.account_id,
    }
    return given(session.connection().execute(_statement(wanted(actor)), ids).one())


# A statement is put together once; making it anew takes longer than its rows.
@lru_cache(maxsize=8)
def _statement(these: Wanted) -> Select[Any]:
    return select(*columns(these))


def _keys(these: Wanted, found: Select[Any]) -> Any:
    return _at_most(found, FEW) if these.keys else null()


def _at_most(found: Select[Any], number: int) -> Any:
    return select(func.count()).select_from(found.limit(number).subquery()).scalar_subquery()
