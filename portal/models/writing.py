"""How much a statement has changed: by that the database decides who comes first."""

from typing import Any, cast

from sqlalchemy import CursorResult
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import UpdateBase


def rows_changed(session: Session, statement: UpdateBase) -> int:
    """Run what writes; how many rows it met. A conditional UPDATE that met none came too late."""
    # SQLAlchemy types what `execute` gives by its widest class, which counts no rows.
    return cast(CursorResult[Any], session.execute(statement)).rowcount
