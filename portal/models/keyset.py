"""Keyset paging in SQL: one index range scan, at any depth."""

from typing import Any

from sqlalchemy import Select, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from portal.domain.paging import Cursor


def seek(
    statement: Select[Any],
    column: InstrumentedAttribute[Any],
    identity: InstrumentedAttribute[Any],
    *,
    descending: bool,
    cursor: Cursor | None,
    size: int,
) -> Select[Any]:
    """`statement` in the order (column, identity), beside `cursor`, with one row more than `size`.

    Rows of a page before a cursor come in reverse; `domain.paging.page_of` turns them round. The
    column is NOT NULL and the tenant, the column and the identity share an index in this order.
    """
    # Walking back through an ascending list is walking on through a descending one.
    downwards = descending != (cursor is not None and cursor.backwards)
    if cursor is not None:
        here = tuple_(column, identity)
        there = tuple_(literal(cursor.value, column.type), literal(cursor.id, identity.type))
        statement = statement.where(here < there if downwards else here > there)
    order = (column.desc(), identity.desc()) if downwards else (column.asc(), identity.asc())
    return statement.order_by(*order).limit(size + 1)
