"""Tables as CSV files (RFC 4180) that spreadsheets open as tables, and only as tables."""

import csv
import io
from collections.abc import Iterable, Iterator

from flask import Response, stream_with_context
from flask_babel import get_locale

from portal.domain.csv_cells import defused

Cell = str | int

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
        writer.writerow([defuse(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def download(name: str, header: Iterable[str], rows: Iterable[Iterable[Cell]]) -> Response:
    """A streamed file: `rows` are read while they are sent, so their number costs no memory."""
    delimiter = separator()

    def text() -> Iterator[str]:
        yield _BYTE_ORDER_MARK
        yield from lines([header], delimiter)
        yield from lines(rows, delimiter)

    # The type of the table is the file's, not the page's: no CSRF cookie, no fragment.
    response = Response(stream_with_context(text()), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
