"""Lists give names the room that their cells have."""

from pathlib import Path

import pytest

CSS = Path(__file__).parents[2] / "static/css/portal.css"
LIST = """
<main><table class="list"><caption>People</caption>
<thead><tr><th scope="col">Person</th><th scope="col">Role</th></tr></thead>
<tbody><tr><th scope="row"><div class="who"><span class="avatar" data-initials="HB"></span>
<span><a href="/">Hélène Béranger</a></span></div></th><td>Administrator</td></tr></tbody>
</table></main>
"""
INNER_WIDTHS = """() => {
  const cell = document.querySelector("th[scope=row]");
  const { paddingLeft, paddingRight } = getComputedStyle(cell);
  const inside = cell.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
  return [cell.querySelector(".who").getBoundingClientRect().width, inside];
}"""


@pytest.mark.parametrize("width", [1280, 800, 360])
def test_a_name_beside_a_picture_may_fill_its_cell(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.set_content(LIST)
    page.add_style_tag(path=CSS)
    name, cell = page.evaluate(INNER_WIDTHS)
    assert name == pytest.approx(cell, abs=2)
