"""Lists as files: read from what people have, whatever their spreadsheet wrote."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from portal.domain.csv_cells import restored
from portal.domain.errors import N_, NN_, Message, RuleError, refuse
from portal.domain.names import name_ci

LARGEST = 1_000_000
LONGEST_CELL = 2000
# What is kept of the cells beyond the columns.
MORE = "more"
DELIMITERS = (",", ";", "\t")
NOTHING = N_("Choose a file or paste a list.")
TOO_LARGE = N_("The list is larger than 1 MB. Split it.")
WORKBOOK = N_("This is a workbook. Save it as CSV first, then choose that file.")
BROKEN_QUOTES = N_("Line %(line)s cannot be read. Check the quotes in it.")
TOO_MANY_CELLS = N_(
    "The line has more cells than there are columns. Put a text that holds a separator in quotes, "
    "or check the line here and save it."
)
_TOO_MANY = NN_(
    "The list has %(count)s line; at most %(most)s fit. Split it.",
    "The list has %(count)s lines; at most %(most)s fit. Split it.",
)


class ImportState(StrEnum):
    """How far a list is."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"


class LineState(StrEnum):
    """What becomes of one line. BROKEN: it cannot be carried out as it stands.

    REFUSED with a problem: the attempt to carry it out failed; without one: somebody skipped it.
    """

    PLANNED = "planned"
    BROKEN = "broken"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True)
class Shape:
    """What a list is of: its columns in the order of a list without a heading.

    `called` says how a heading may call each, folded and with `|` between; `least` how many of
    them make a line a heading. `most` lines fit; `empty` is said of a list without any.
    """

    fields: Sequence[str]
    called: Mapping[str, str]
    least: int
    most: int
    empty: str
    field_of: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        found: dict[str, str] = {}
        for name, words in self.called.items():
            for word in words.split("|"):
                found.setdefault(word, name)
        object.__setattr__(self, "field_of", found)

    def named(self, cell: str) -> str | None:
        """The column that a cell of a heading names."""
        return self.field_of.get(name_ci(cell).replace("\u2019", "'").rstrip(" :*"))

    def heading(self, row: Sequence[str]) -> list[str | None] | None:
        """Which column each cell names, if they do; the first of two that name the same.

        A cell with an address in it stands in no heading.
        """
        found: list[str | None] = []
        for cell in row:
            column = self.named(cell)
            found.append(None if column in found else column)
        is_one = sum(column is not None for column in found) >= self.least
        return found if is_one and not any("@" in cell for cell in row) else None

    def written(self, lines: Iterable[Mapping[str, str]]) -> Iterator[list[str]]:
        """Lines as rows of a file; cells are defused by whoever writes."""
        for typed in lines:
            yield [typed.get(name, "") for name in self.fields]


@dataclass(frozen=True)
class Listed:
    """`lines` by the number that a spreadsheet shows; `ignored` are headings of no known column."""

    lines: dict[int, dict[str, str]]
    ignored: tuple[str, ...] = ()


def cleaned(typed: Mapping[str, str], fields: Iterable[str]) -> dict[str, str]:
    """What a line keeps: no character that a database refuses, and no text without end."""
    return {name: typed.get(name, "").replace("\0", "")[:LONGEST_CELL] for name in fields}


def decode(data: bytes) -> str:
    """The text of a file; raises `RuleError` for one that is none.

    UTF-8 with or without its mark, UTF-16 with its mark, else Windows-1252, which old
    spreadsheets write.
    """
    if len(data) > LARGEST:
        raise refuse(TOO_LARGE)
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise refuse(WORKBOOK)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def read(text: str, shape: Shape) -> Listed:
    """The lines of a list; raises `RuleError` where there are none, or too many.

    The columns are found by the heading, or stand in the order of the shape where there is none.
    """
    if len(text) > LARGEST:
        raise refuse(TOO_LARGE)
    text = text.replace("\0", "").removeprefix("\ufeff")
    delimiter, rest, skipped = _said(text)
    if not rest.strip():
        raise refuse(NOTHING)
    rows = _rows(rest, delimiter or _delimiter(rest, shape))
    filled = [(number + skipped, row) for number, row in rows if any(map(str.strip, row))]
    columns: Sequence[str | None] = shape.fields
    ignored: tuple[str, ...] = ()
    if filled and (heading := shape.heading(filled[0][1])):
        columns = heading
        first = filled.pop(0)[1]
        ignored = tuple(
            " ".join(cell.split())
            for cell, column in zip(first, heading, strict=True)
            if column is None and cell.strip()
        )
    if not filled:
        raise refuse(shape.empty)
    if len(filled) > shape.most:
        raise RuleError(Message.counted(_TOO_MANY, len(filled), most=shape.most))
    return Listed({number: _typed(row, columns, shape) for number, row in filled}, ignored)


def _said(text: str) -> tuple[str, str, int]:
    """The separator that some spreadsheets write in a line of its own, and what is after it."""
    first, _end, rest = text.partition("\n")
    word = first.strip().strip('"')
    if word.lower().startswith("sep=") and word[4:] in {",", ";"}:
        return word[4:], rest, 1
    if first.rstrip("\r").lower() == "sep=\t":
        return "\t", rest, 1
    return "", text, 0


def _rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[tuple[int, list[str]]] = []
    try:
        for number, row in enumerate(reader, 1):
            rows.append((number, row))
    except csv.Error:
        raise refuse(BROKEN_QUOTES, line=len(rows) + 1) from None
    return rows


def _delimiter(text: str, shape: Shape) -> str:
    """The separator by which the first line looks most like such a list."""
    first = next(filter(str.strip, io.StringIO(text)))

    def likeness(delimiter: str) -> tuple[int, int]:
        try:
            cells = next(csv.reader([first], delimiter=delimiter))
        except csv.Error:
            return 0, 0
        return sum(shape.named(cell) is not None for cell in cells), len(cells)

    return max(DELIMITERS, key=likeness)


def _typed(row: Sequence[str], columns: Sequence[str | None], shape: Shape) -> dict[str, str]:
    typed = {
        column: restored(cell).strip() for column, cell in zip(columns, row, strict=False) if column
    }
    more = " ".join(filter(None, map(str.strip, row[len(columns) :])))
    return {**cleaned(typed, shape.fields), **({MORE: more} if more else {})}
