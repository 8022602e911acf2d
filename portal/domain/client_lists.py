"""A list of clients as a file: read from what people have, written so that it reads back."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from portal.domain.client_import import FIELDS, LINES, MORE, cleaned
from portal.domain.csv_cells import restored
from portal.domain.errors import N_, NN_, Message, RuleError, refuse
from portal.domain.names import name_ci

LARGEST = 1_000_000
DELIMITERS = (",", ";", "\t")
NOTHING = N_("Choose a file or paste a list.")
NO_LINES = N_("There is no line with a client in it.")
TOO_LARGE = N_("The list is larger than 1 MB. Split it, and create the clients in parts.")
WORKBOOK = N_("This is a workbook. Save it as CSV first, then choose that file.")
BROKEN_QUOTES = N_("Line %(line)s cannot be read. Check the quotes in it.")
_TOO_MANY = NN_(
    "The list has %(count)s line; at most %(most)s fit. Split it.",
    "The list has %(count)s lines; at most %(most)s fit. Split it.",
)
# How a heading may call a column, folded; English and French.
_CALLED = {
    "name": (
        "organization name|organization|organisation|organisation name|name|client|client name"
        "|company|nom de l'organisation|nom|nom du client|entreprise|societe"
    ),
    "billing_email": (
        "billing e-mail|billing email|billing|invoice e-mail|invoice email"
        "|e-mail de facturation|email de facturation|adresse e-mail de facturation|facturation"
    ),
    "owner_email": (
        "client owner e-mail|client owner email|owner e-mail|owner email|owner"
        "|e-mail du proprietaire|email du proprietaire|e-mail du proprietaire du client"
        "|email du proprietaire du client|adresse e-mail du proprietaire"
        "|adresse e-mail du proprietaire du client|proprietaire"
    ),
    "plan": "plan|offre|formule|forfait",
    "seats": "seats|number of seats|places|nombre de places|licences",
    "autogrow": (
        "add seats automatically|grow|autogrow|automatic seats|ajouter des places automatiquement"
        "|ajout automatique de places|places automatiques|croissance"
    ),
    "seat_limit": "seat limit|limit|maximum seats|plafond de places|plafond|limite de places",
    "extra_storage_gb": (
        "additional storage (gb)|additional storage|storage|storage (gb)|extra storage"
        "|stockage supplementaire (go)|stockage supplementaire|stockage|stockage (go)"
    ),
    "cadence": (
        "billing cadence|cadence|billing period|rythme de facturation|periodicite"
        "|periodicite de facturation|frequence de facturation|cadence de facturation"
    ),
}
_FIELD_OF: dict[str, str] = {}
for _field, _words in _CALLED.items():
    for _name in _words.split("|"):
        _FIELD_OF.setdefault(_name, _field)


@dataclass(frozen=True)
class ClientList:
    """`lines` by the number that a spreadsheet shows; `ignored` are headings of no known column."""

    lines: dict[int, dict[str, str]]
    ignored: tuple[str, ...] = ()


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


def read(text: str) -> ClientList:
    """The clients of a list; raises `RuleError` where there are none, or too many.

    The columns are found by the heading, or stand in the order of `FIELDS` where there is none.
    """
    if len(text) > LARGEST:
        raise refuse(TOO_LARGE)
    text = text.replace("\0", "").removeprefix("\ufeff")
    delimiter, rest, skipped = _said(text)
    if not rest.strip():
        raise refuse(NOTHING)
    rows = _rows(rest, delimiter or _delimiter(rest))
    filled = [(number + skipped, row) for number, row in rows if any(map(str.strip, row))]
    columns: Sequence[str | None] = FIELDS
    ignored: tuple[str, ...] = ()
    if filled and (heading := _heading(filled[0][1])):
        columns = heading
        first = filled.pop(0)[1]
        ignored = tuple(
            " ".join(cell.split())
            for cell, column in zip(first, heading, strict=True)
            if column is None and cell.strip()
        )
    if not filled:
        raise refuse(NO_LINES)
    if len(filled) > LINES:
        raise RuleError(Message.counted(_TOO_MANY, len(filled), most=LINES))
    return ClientList({number: _typed(row, columns) for number, row in filled}, ignored)


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


def _delimiter(text: str) -> str:
    """The separator by which the first line looks most like a list of clients."""
    first = next(filter(str.strip, io.StringIO(text)))

    def likeness(delimiter: str) -> tuple[int, int]:
        try:
            cells = next(csv.reader([first], delimiter=delimiter))
        except csv.Error:
            return 0, 0
        return sum(_named(cell) is not None for cell in cells), len(cells)

    return max(DELIMITERS, key=likeness)


def _heading(row: Sequence[str]) -> list[str | None] | None:
    """Which column each cell names, if they do; the first of two that name the same."""
    found: list[str | None] = []
    for cell in row:
        column = _named(cell)
        found.append(None if column in found else column)
    return found if sum(column is not None for column in found) > 1 else None


def _named(cell: str) -> str | None:
    return _FIELD_OF.get(name_ci(cell).replace("\u2019", "'").rstrip(" :*"))


def _typed(row: Sequence[str], columns: Sequence[str | None]) -> dict[str, str]:
    typed = {
        column: restored(cell).strip() for column, cell in zip(columns, row, strict=False) if column
    }
    more = " ".join(filter(None, map(str.strip, row[len(columns) :])))
    return {**cleaned(typed), **({MORE: more} if more else {})}


def written(lines: Iterable[dict[str, str]]) -> Iterator[list[str]]:
    """Lines as rows of a file, in the order of `FIELDS`; cells are defused by whoever writes."""
    for typed in lines:
        yield [typed.get(name, "") for name in FIELDS]
