"""Tables as CSV files (RFC 4180) that spreadsheets open as tables, and only as tables."""

import csv
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal

from flask import Response
from flask_babel import get_locale

from portal.domain.csv_cells import defused
from portal.web.streams import streamed

# A decimal is an amount; a date is text, as ISO 8601 has it.
Cell = str | int | Decimal

# Spreadsheets take a file without this mark for one in the machine's old code page.
_BYTE_ORDER_MARK = "\ufeff"


def defuse(cell: Cell) -> Cell:
    """A text that would be computed gets an apostrophe before it; numbers stay numbers."""
    return defused(cell) if isinstance(cell, str) else cell


def separator() -> str:
    """A spreadsheet splits lines at its locale's list separator: where 1,5 is a number, `;`."""
    locale = get_locale()
    return ";" if locale and locale.number_symbols["latn"]["decimal"] == "," else ","


def lines(rows: Iterable[Iterable[Cell]], delimiter: str) -> Iterator[str]:
    """Each row as one line of text, its cells defused and quoted where they need it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter)
    for row in rows:
        writer.writerow([_written(cell, delimiter) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _written(cell: Cell, delimiter: str) -> str | int | Decimal:
    """A cell as the reader's spreadsheet takes it: 1,50 where lines are split at `;`."""
    if isinstance(cell, Decimal) and delimiter == ";":
        return f"{cell:f}".replace(".", ",")
    return defuse(cell)


def download(name: str, header: Iterable[str], rows: Iterable[Iterable[Cell]]) -> Response:
    """A streamed file: `rows` are read while they are sent, so their number costs no memory."""
    delimiter = separator()

    def text() -> Iterator[str]:
        yield _BYTE_ORDER_MARK
        yield from lines([header], delimiter)
        yield from lines(rows, delimiter)

    # The type of the table is the file's, not the page's: no CSRF cookie, no fragment.
    response = Response(streamed(text()), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
