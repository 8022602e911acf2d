"""What an event says, split in two: what the chain covers, and personal data beside it."""

import datetime as dt
import os
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from portal.domain.access import Actor, Trace
from portal.domain.names import name_ci
from portal.events.chain import canonical, commitment
from portal.events.vocabulary import PERSONAL_CHANGES, PERSONAL_NAMES, VOCABULARY

SALT_BYTES = 16
LONGEST_WORDS = 2000
_SECRET_NAMES = re.compile(r"password|secret|token|private|cookie")
# What browsers encrypt begins with its type (crypto.envelope): no log has a use for it.
_CIPHERTEXT = re.compile(r"[24]\.[A-Za-z0-9+/=|]{40,}")


@dataclass(frozen=True)
class Composed:
    """One event before it has a place in a log.

    `payload` is canonical JSON; `actor` and `about` are the personal parts with their salts, None
    where there is nothing personal. `words` is what a search finds the event by.
    """

    id: uuid.UUID
    at: dt.datetime
    type: str
    actor_id: uuid.UUID | None
    payload: str
    actor: str | None
    actor_salt: bytes | None
    about: str | None
    about_salt: bytes | None
    words: str

    @property
    def person(self) -> dict[str, Any]:
        """The columns of the row beside the chain."""
        names = ("actor_id", "actor", "actor_salt", "about", "about_salt", "words")
        return {name: getattr(self, name) for name in names}


def compose(
    actor: Actor | None,
    trace: Trace | None,
    event_id: uuid.UUID,
    now: dt.datetime,
    kind: str,
    subject_id: uuid.UUID | None,
    details: Mapping[str, Any],
    *,
    organization_id: uuid.UUID | None = None,
    salt: Callable[[int], bytes] = os.urandom,
) -> Composed:
    """The event; `organization_id` is the client it happened in.

    Raises KeyError for words, ValueError or TypeError for values that no event has.
    """
    check(kind, details)
    where = trace or (actor.trace if actor else Trace())
    acting = _acting(actor, where)
    about = {name: value for name, value in details.items() if is_personal(kind, name, value)}
    told = {name: word for name, word in acting.items() if word}
    parts = {"actor": _part(told, salt), "about": _part(about, salt)}
    payload = {
        **_where_from(actor, organization_id, where),
        "id": str(event_id),
        "at": now.isoformat(timespec="microseconds"),
        "type": kind,
        "subject": str(subject_id) if subject_id else None,
        "details": {name: value for name, value in details.items() if name not in about},
        "personal": {name: commitment(*part) for name, part in parts.items() if part},
    }
    return Composed(
        id=event_id,
        at=now,
        type=kind,
        actor_id=actor.account_id if actor else None,
        payload=canonical(payload),
        actor=_text(parts["actor"]),
        actor_salt=_salt(parts["actor"]),
        about=_text(parts["about"]),
        about_salt=_salt(parts["about"]),
        words=words_of({"kind": kind.replace(":", " ")}, acting, details),
    )


def _acting(actor: Actor | None, where: Trace) -> dict[str, str]:
    """What is personal of whoever acted."""
    traced = {"source": where.source, "browser": where.browser}
    return traced | ({"name": actor.name, "email": actor.email} if actor else {})


def _where_from(
    actor: Actor | None, organization_id: uuid.UUID | None, where: Trace
) -> dict[str, Any]:
    """Who acted, on whose behalf and in which client: ids and roles alone."""
    granted = {"grant": str(actor.grant_id)} if actor and actor.grant_id else {}
    return {
        **granted,
        "account": str(actor.account_id) if actor else None,
        "role": actor.role.value if actor else None,
        "provider": str(actor.provider_id) if actor and actor.provider_id else None,
        "organization": str(organization_id) if organization_id else None,
        "request": where.request_id,
    }


def check(kind: str, details: Mapping[str, Any]) -> None:
    """Refuse what the vocabulary does not have, and values that are no plain, public facts."""
    unknown = set(details) - VOCABULARY[kind]
    if unknown:
        raise KeyError(f"{kind} has no detail named {', '.join(sorted(unknown))}")
    for name, value in _leaves("", details):
        if _SECRET_NAMES.search(name):
            raise ValueError(f"{kind}: {name} sounds like a secret")
        if isinstance(value, str) and _CIPHERTEXT.match(value):
            raise ValueError(f"{kind}: {name} is ciphertext")
        if not isinstance(value, str | int | bool | None):
            raise TypeError(f"{kind}: {name} is no plain value but {type(value).__name__}")


def is_personal(kind: str, name: str, value: object) -> bool:
    """Whether a detail says something of a person: by its name, its kind, or an address in it."""
    if name in PERSONAL_NAMES or (name in {"before", "after"} and kind in PERSONAL_CHANGES):
        return True
    return any(isinstance(leaf, str) and "@" in leaf for _name, leaf in _leaves(name, value))


def words_of(*parts: Mapping[str, Any]) -> str:
    """What a search looks through: every text of the parts, folded as names are."""
    found = {str(leaf): None for part in parts for _n, leaf in _leaves("", part) if _tells(leaf)}
    return name_ci(" ".join(found))[:LONGEST_WORDS]


def _tells(leaf: object) -> bool:
    return isinstance(leaf, str | int) and not isinstance(leaf, bool) and leaf != ""


def _part(facts: Mapping[str, Any], salt: Callable[[int], bytes]) -> tuple[bytes, str] | None:
    return (salt(SALT_BYTES), canonical(facts)) if facts else None


def _salt(part: tuple[bytes, str] | None) -> bytes | None:
    return part[0] if part else None


def _text(part: tuple[bytes, str] | None) -> str | None:
    return part[1] if part else None


def _leaves(name: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for inner, part in value.items():
            yield from _leaves(str(inner), part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _leaves(name, part)
    else:
        yield name, value
