"""A provider's colour: whether it can be read, and what is made of it for dark pages.

Colours are written `#rrggbb`. Contrast is that of WCAG 2.2
(https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from portal.domain.errors import N_, refuse

# Success criterion 1.4.3 for text; it includes the 3 : 1 of 1.4.11 for lines and controls.
TEXT_CONTRAST = 4.5
# What static/css/portal.css draws on, by theme; a test compares them.
LIGHT_GROUNDS = ("#ffffff", "#f5f6f9")
DARK_GROUNDS = ("#14171e", "#1c2029", "#10131a")
LIGHT_INK, DARK_INK = "#ffffff", "#14171e"
# How much of the colour is in the ground of a marked row.
_LIGHT_WASH, _DARK_WASH = 0.08, 0.16
_STEPS = 256
_WRITTEN = re.compile(r"#?([0-9a-f]{6}|[0-9a-f]{3})\Z")


@dataclass(frozen=True)
class Palette:
    """A colour as it is used: itself, what is written on it, and a ground tinted with it."""

    light: str
    light_ink: str
    light_wash: str
    dark: str
    dark_ink: str
    dark_wash: str


PORTAL = Palette("#3149c2", LIGHT_INK, "#eef0fc", "#a5b4ff", DARK_INK, "#212745")


def read_colour(text: str, *, field: str) -> str:
    """`#rrggbb`, or empty for none; raises `RuleError` on `field`."""
    typed = text.strip().lower()
    if not typed:
        return ""
    written = _WRITTEN.match(typed)
    if not written:
        raise refuse(
            N_("Write the colour as # and six digits or letters a to f, such as #1a5f3c."),
            field=field,
        )
    digits = written[1]
    return f"#{digits}" if len(digits) == 6 else "#" + "".join(2 * digit for digit in digits)


def check_accent(text: str, *, field: str) -> str:
    """The colour as it is stored; raises `RuleError` on `field` if text in it cannot be read."""
    colour = read_colour(text, field=field)
    if not colour or is_readable(colour):
        return colour
    raise refuse(
        N_(
            "The contrast of this colour on a light page is %(ratio)s : 1, and text needs "
            "%(needed)s : 1. The nearest colour that can be read is %(nearest)s."
        ),
        field=field,
        ratio=_shown(light_contrast(colour)),
        needed=_shown(TEXT_CONTRAST),
        nearest=nearest_readable(colour),
    )


def _shown(ratio: float) -> Decimal:
    """Never rounded up: 4.49 must not read as enough."""
    return Decimal(ratio).quantize(Decimal("0.01"), ROUND_DOWN).normalize()


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1."""
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def light_contrast(colour: str) -> float:
    """The lowest contrast that the colour has in the light theme, as text or under it."""
    wash = _mix(LIGHT_GROUNDS[0], colour, _LIGHT_WASH)
    return _lowest(colour, (*LIGHT_GROUNDS, wash, LIGHT_INK))


def is_readable(colour: str) -> bool:
    """Whether text in it, and white text on it, can be read."""
    return light_contrast(colour) >= TEXT_CONTRAST


def nearest_readable(colour: str) -> str:
    """The colour itself, or the first darker one of the same hue that can be read."""
    shades = (_mix(colour, "#000000", step / _STEPS) for step in range(_STEPS + 1))
    return next(shade for shade in shades if is_readable(shade))


def palette(accent: str) -> Palette:
    """What a readable colour becomes; the portal's own for an empty one.

    On dark pages no colour that is readable on white can be read, so it is lightened until it is.
    """
    if not accent:
        return PORTAL
    dark = _lightened(accent)
    return Palette(
        accent,
        LIGHT_INK,
        _mix(LIGHT_GROUNDS[0], accent, _LIGHT_WASH),
        dark,
        DARK_INK,
        _mix(DARK_GROUNDS[0], dark, _DARK_WASH),
    )


def _lightened(colour: str) -> str:
    for step in range(_STEPS):
        shade = _mix(colour, "#ffffff", step / _STEPS)
        wash = _mix(DARK_GROUNDS[0], shade, _DARK_WASH)
        if _lowest(shade, (*DARK_GROUNDS, wash)) >= TEXT_CONTRAST:
            return shade
    return "#ffffff"


def _lowest(colour: str, grounds: Iterable[str]) -> float:
    return min(contrast(colour, ground) for ground in grounds)


def _mix(one: str, other: str, share: float) -> str:
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
