"""Pages of a sorted list that stay right while rows come and go.

A page begins after (or before) a row, not at a number: rows that are added or removed elsewhere
move nothing. The row itself need not exist any more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

Row = TypeVar("Row")
Value = str | int


@dataclass(frozen=True)
class Cursor:
    """A place in a list: beside the row that has `value` in the column `sort`, and `id`.

    `backwards` asks for the page that ends before the row instead of the one that begins after it.
    """

    sort: str
    descending: bool
    value: Value
    id: UUID
    backwards: bool = False


@dataclass(frozen=True)
class Page(Generic[Row]):
    """The rows of one page in their order; a cursor is None where there is nothing that way."""

    rows: Sequence[Row]
    previous: Cursor | None = None
    next: Cursor | None = None


def page_of(
    found: Sequence[Row],
    *,
    size: int,
    sort: str,
    descending: bool,
    cursor: Cursor | None,
    place: Callable[[Row], tuple[Value, UUID]],
) -> Page[Row]:
    """The page from `found`: up to `size` + 1 rows in the order in which they were read.

    `place` gives a row's value in the sort column and its id. The row too many only tells that
    there is another page; the way that the reader came from is always open.
    """
    backwards = cursor is not None and cursor.backwards
    more = len(found) > size
    rows = list(found[:size])
    if backwards:
        rows.reverse()
    if not rows:
        return Page(rows)

    def beside(row: Row, *, backwards: bool) -> Cursor:
        value, identity = place(row)
        return Cursor(sort, descending, value, identity, backwards)

    has_previous = more if backwards else cursor is not None
    has_next = True if backwards else more
    return Page(
        rows,
        previous=beside(rows[0], backwards=True) if has_previous else None,
        next=beside(rows[-1], backwards=False) if has_next else None,
    )
