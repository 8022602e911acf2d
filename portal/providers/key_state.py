"""How a provider stands with its keys, from what the visit has found already where possible."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission
from portal.providers import queries
from portal.providers.waiting import Waiting


class KeyState(StrEnum):
    """`MISSING`: not made yet. `NOT_HELD`: this person has no copy. `ROTATION_DUE`: somebody who
    had one has left. `ALONE`: one admin holds the
    key and no recovery sheet was printed, so losing one password loses the key.
    """

    MISSING = "missing"
    NOT_HELD = "not_held"
    ROTATION_DUE = "rotation_due"
    ALONE = "alone"
    SAFE = "safe"


def key_state(session: Session, place: Any) -> KeyState:
    """The state for the person of `place`, a provider's place as the visit has it."""
    if place.provider_public_key is None:
        return KeyState.MISSING
    if place.wrapped_provider_key is None:
        return KeyState.NOT_HELD
    if place.rotation_due_since is not None:
        return KeyState.ROTATION_DUE
    if place.recovery_saved_at is None and len(queries.key_holders(session, place.provider_id)) < 2:
        return KeyState.ALONE
    return KeyState.SAFE


@dataclass(frozen=True)
class KeyNotice:
    """What the provider's first page says while its keys need somebody."""

    title: str
    text: str
    url: str
    label: str


def key_notice(
    session: Session, actor: Actor, place: Any, waits: Callable[[], Waiting]
) -> KeyNotice | None:
    """The notice for who can do something about it; None where nothing is to be done."""
    if not actor.can(Permission.PROVIDER_KEYS):
        return None
    state = key_state(session, place)
    here = {"provider_id": place.provider_id}
    if state is KeyState.MISSING:
        return KeyNotice(
            _("The provider key is missing"),
            _("Clients can be created, but nobody can be confirmed in them until it is made."),
            url_for("providers.keys_make", **here),
            _("Make the provider key"),
        )
    if state is KeyState.NOT_HELD:
        return KeyNotice(
            _("You do not hold the provider key"),
            _("You cannot confirm members or read names in clients until you have it."),
            url_for("providers.keys", **here),
            _("See how to get it"),
        )
    if state is KeyState.ROTATION_DUE:
        return KeyNotice(
            _("The provider key is due to be rotated"),
            _("Somebody who held it no longer works here. Your browser replaces it in a minute."),
            url_for("providers.rotate_keys", **here),
            _("Rotate the provider key"),
        )
    return _of_clients(waits(), here) or _when_alone(state, here)


def _of_clients(found: Waiting, here: dict[str, Any]) -> KeyNotice | None:
    """Keys of clients that wait for an admin's browser."""
    if found.keys:
        return KeyNotice(
            _("Keys of clients wait to be handed over"),
            _("People who manage some clients cannot read names there until they have the keys."),
            url_for("providers.hand_over_keys", **here),
            _("Hand keys over"),
        )
    if found.due:
        return KeyNotice(
            _("Keys of clients can be rotated"),
            _("Somebody who could open them no longer can. Another key is offered, not required."),
            url_for("providers.due_keys", **here),
            _("Client keys to rotate"),
        )
    return None


def _when_alone(state: KeyState, here: dict[str, Any]) -> KeyNotice | None:
    if state is KeyState.ALONE:
        return KeyNotice(
            _("Only you hold the provider key"),
            _("If you forget your master password, nobody opens the clients any more."),
            url_for("providers.keys_recovery_sheet", **here),
            _("Print a recovery sheet"),
        )
    return None
