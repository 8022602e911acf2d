"""What an organization tells everybody in its vault; create_app fills the list (policies)."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Told:
    """A message as the page shows it. `seen_url` is posted to by its button."""

    heading: str
    text: str
    button: str
    seen_url: str


# (organization) -> what it tells the person of this request, unless they have read it.
MESSAGES: list[Callable[[uuid.UUID], Told | None]] = []


def message(organization_id: uuid.UUID) -> Told | None:
    """The first message that is left to read."""
    found = (each(organization_id) for each in MESSAGES)
    return next((each for each in found if each), None)
