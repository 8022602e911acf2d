"""Cells of tables that spreadsheets open: what would be computed is written as text."""

# What makes a spreadsheet compute a cell, full-width forms included (CSV injection, OWASP).
_STARTS_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def defused(cell: str) -> str:
    """A text that would be computed gets an apostrophe before it.

    So does one that already has some before such a beginning, for otherwise it would come back
    by `restored` without one of its own.
    """
    return f"'{cell}" if cell.lstrip("'").startswith(_STARTS_FORMULA) else cell


def restored(cell: str) -> str:
    """What `defused` was given."""
    is_defused = cell.startswith("'") and cell.lstrip("'").startswith(_STARTS_FORMULA)
    return cell[1:] if is_defused else cell
