"""Keyset paging in SQL: one index range scan, at any depth."""

from typing import Any

from sqlalchemy import Select, bindparam, tuple_
from sqlalchemy.orm import InstrumentedAttribute


def seek(
    statement: Select[Any],
    column: InstrumentedAttribute[Any],
    identity: InstrumentedAttribute[Any],
    *,
    downwards: bool,
    beside: bool,
) -> Select[Any]:
    """`statement` in the order (column, identity), its first `rows` rows.

    With `beside` it begins after the place (`beside`, `beside_id`). These three are parameters of
    the statement, which so can be kept. Rows of a page before a cursor come in reverse;
    `domain.paging.page_of` turns them round. The column is NOT NULL and the tenant, the column and
    the identity share an index in this order.
    """
    if beside:
        here = tuple_(column, identity)
        there = tuple_(
            bindparam("beside", type_=column.type), bindparam("beside_id", type_=identity.type)
        )
        statement = statement.where(here < there if downwards else here > there)
    order = (column.desc(), identity.desc()) if downwards else (column.asc(), identity.asc())
    return statement.order_by(*order).limit(bindparam("rows"))
