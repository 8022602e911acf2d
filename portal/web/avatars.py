"""Initials and a colour for whoever has no picture: the same on every page and every run."""

from uuid import UUID

TONES = 12


def initials(name: str) -> str:
    """One or two capitals: "Acme Health Ltd" gives "AH", "zoé@acme.test" gives "Z"."""
    words = [word for word in name.split("@", 1)[0].split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "?"


def tone(identity: UUID) -> int:
    """1 to 12, from the random end of the id (the front of a UUIDv7 is the clock)."""
    return identity.int % TONES + 1
