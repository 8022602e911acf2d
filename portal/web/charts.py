"""Small charts as numbers for SVG: `macros/charts.html` draws them, a table says the same."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 200
COLUMN_WIDTH, COLUMN_GAP, COLUMN_HEIGHT = 18, 6, 72


@dataclass(frozen=True)
class Bar:
    """A bar of `whole` units, the first `part` of them dark, out of `WIDTH`."""

    whole: int
    part: int


@dataclass(frozen=True)
class Column:
    """One column of a chart of `COLUMN_HEIGHT`: its left edge, upper edge and height."""

    x: int
    y: int
    height: int


def bar(whole: int, part: int, longest: int) -> Bar:
    """A bar for `part` of `whole`, where `longest` would fill the width."""
    if longest <= 0:
        return Bar(0, 0)
    return Bar(_share(whole, longest, WIDTH), _share(part, longest, WIDTH))


def columns(values: Sequence[int], highest: int = 1) -> tuple[Column, ...]:
    """A column for each value; the highest, or `highest`, is as high as the chart."""
    highest = max([*values, highest])
    heights = [_share(value, highest, COLUMN_HEIGHT) for value in values]
    return tuple(
        Column(number * (COLUMN_WIDTH + COLUMN_GAP), COLUMN_HEIGHT - height, height)
        for number, height in enumerate(heights)
    )


def _share(value: int, of: int, units: int) -> int:
    # What is there can be seen.
    return max(1, round(value * units / of)) if value > 0 else 0
