"""What later areas ask of people's accounts; create_app fills the lists (policies)."""

import uuid
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

# (account) -> the names of the organizations that require a second factor of the person.
SECOND_FACTOR: list[Callable[[Session, uuid.UUID], Sequence[str]]] = []
