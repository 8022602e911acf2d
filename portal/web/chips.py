"""What narrows a list, shown above it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chip:
    """A filter in use; `url` is the list without it."""

    label: str
    url: str
