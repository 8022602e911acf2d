"""What waits, as the projection has it, and what a recount says against it."""

from sqlalchemy import select

from portal.cli.recount import recount_waiting
from portal.domain.attention import AttentionKind
from portal.models import Attention


def waiting(database, *conditions):
    """(kind, label) of all that waits."""
    found = select(Attention.kind, Attention.label).where(*conditions)
    return sorted((row.kind.value, row.label) for row in database.all(found))


def row_of(database, subject_id, kind=AttentionKind.INVITED):
    return database.one(
        select(Attention).where(Attention.subject_id == subject_id, Attention.kind == kind)
    )


def wrong(database):
    """What a recount says against the projection."""
    with database.session() as session:
        return recount_waiting(session)
