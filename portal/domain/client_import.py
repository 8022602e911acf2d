"""Creating many clients from a list: what a list and each of its lines can be."""

from enum import StrEnum


class ImportState(StrEnum):
    """How far a list is."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"


class LineState(StrEnum):
    """What becomes of one line. BROKEN: it cannot be created as it stands."""

    PLANNED = "planned"
    BROKEN = "broken"
    DONE = "done"
    REFUSED = "refused"
