"""Files that a spreadsheet opens as a table and never computes."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.web.csv import defuse, download, lines

DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠x"]  # noqa: RUF001
CELLS = st.one_of(st.text(max_size=20), st.integers())


@pytest.mark.parametrize("text", DANGEROUS)
def test_a_cell_that_would_be_computed_is_text(text):
    assert defuse(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["Acme", "1 = 1", "", "a@b.example", -5, 0])
def test_every_other_cell_stays_as_it_is(cell):
    assert defuse(cell) == cell


@given(st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=5))
def test_what_is_written_reads_back_and_starts_no_formula(rows):
    text = "".join(lines(rows, ","))
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read == [[str(defuse(cell)) for cell in row] for row in rows]
    for row, cells in zip(rows, read, strict=True):
        for cell, shown in zip(row, cells, strict=True):
            if isinstance(cell, str):
                assert not shown.startswith(tuple("=+-@\t\r\n"))


@pytest.mark.parametrize(("language", "line"), [("en", "a,b\r\n"), ("fr", "a;b\r\n")])
def test_a_file_is_split_as_the_readers_spreadsheet_splits(app, language, line):
    with app.test_request_context(headers={"Accept-Language": language}):
        answer = download("x.csv", ["a", "b"], [])
        assert answer.get_data(as_text=True) == "\ufeff" + line
        assert answer.headers["Content-Disposition"] == 'attachment; filename="x.csv"'
