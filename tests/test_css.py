"""The style sheet: readable in both themes, with a floor that modern browsers take back."""

import gzip
import re
from itertools import product
from math import cos, radians, sin
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[1] / "static/css/portal.css").read_text(encoding="utf-8")
BARE = re.sub(r"/\*.*?\*/", "", CSS, flags=re.DOTALL)
FLOOR, MODERN = BARE.split("@supports", 1)
TEMPLATES = Path(__file__).parents[1] / "templates"
PAGES = sorted(
    str(path.relative_to(TEMPLATES))
    for path in TEMPLATES.rglob("*.html")
    if path.parent.name != "mail" and path.name != "mail.html"
)
THEMES = ("light", "dark")
Colour = tuple[float, float, float]


def tokens() -> dict[str, tuple[str, str]]:
    """Each colour token in its light and its dark form."""
    found = re.findall(r"(--[a-z-]+):\s*([^;]+);", MODERN)
    pairs = {}
    for name, value in found:
        if both := re.fullmatch(r"light-dark\((#\w{6}), (#\w{6})\)", value):
            pairs[name] = (both[1], both[2])
        elif re.fullmatch(r"#\w{6}", value):
            pairs[name] = (value, value)
    return pairs


def linear(hexadecimal: str) -> Colour:
    channels = [int(hexadecimal[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return red, green, blue


def linear_oklch(lightness: float, chroma: float, hue: float) -> Colour:
    """Linear sRGB of an OKLCH colour (Björn Ottosson's matrices), clipped as browsers do."""
    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        min(1, max(0, 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short)),
        min(1, max(0, -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short)),
        min(1, max(0, -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short)),
    )


def contrast(one: Colour, other: Colour) -> float:
    """WCAG 2.2 contrast ratio of two linear colours."""
    weights = (0.2126, 0.7152, 0.0722)
    bright, dim = sorted(
        (sum(w * c for w, c in zip(weights, colour, strict=True)) for colour in (one, other)),
        reverse=True,
    )
    return (bright + 0.05) / (dim + 0.05)


TEXT_PAIRS = [
    *product(("ink", "ink-soft", "accent"), ("paper", "sunken", "wash", "field")),
    *product(("ink", "bad"), ("bad-wash",)),
    *product(("ink", "good"), ("good-wash",)),
    *product(("ink", "warn"), ("warn-wash",)),
    *product(("good", "warn", "bad"), ("paper",)),
    *product(("deep-ink", "deep-soft"), ("deep",)),
    ("accent-ink", "accent"),
    ("ink-soft", "tag"),
    ("paper", "bad"),
    ("paper", "good"),
]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_stands_out_from_its_ground(theme, text, ground):
    side = THEMES.index(theme)
    colours = tokens()
    ratio = contrast(linear(colours[f"--{text}"][side]), linear(colours[f"--{ground}"][side]))
    assert ratio >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["paper", "field"])
def test_the_outline_of_a_control_stands_out(theme, ground):
    side = THEMES.index(theme)
    colours = tokens()
    line, behind = colours["--line-strong"][side], colours[f"--{ground}"][side]
    assert contrast(linear(line), linear(behind)) >= 3


@pytest.mark.parametrize("theme", THEMES)
def test_initials_can_be_read_in_all_twelve_colours(theme):
    hues = [int(hue) for hue in re.findall(r"\.tone-\d+ \{ --hue: (\d+)", MODERN)]
    assert len(set(hues)) == 12
    avatar = re.search(r"\.avatar \{[^}]*color: light-dark[^}]*\}", MODERN)
    assert avatar is not None
    numbers = re.findall(r"oklch\((\.\d+) (\.\d+) var\(--hue\)\)", avatar[0])
    ink, ground = numbers[THEMES.index(theme)], numbers[2 + THEMES.index(theme)]
    for hue in hues:
        drawn = [linear_oklch(float(light), float(chroma), hue) for light, chroma in (ink, ground)]
        assert contrast(*drawn) >= 4.5, hue


def test_modern_browsers_take_back_every_property_of_the_floor():
    floor = {name.split("-")[0] for name in re.findall(r"([a-z-]+):[^;{}]+;", FLOOR)}
    back = re.search(r":is\(#floor, \*\) \{([^}]*)\}", MODERN)
    assert back is not None
    taken = {name.split("-")[0] for name in re.findall(r"([a-z-]+): revert-layer", back[1])}
    assert floor <= taken


def test_the_floor_is_plain_css_two():
    assert not re.search(r"@|var\(|rem\b|flex|grid|::|:is|:has|rgb\(|calc\(", FLOOR)


def test_colours_are_tokens():
    after_tokens = MODERN.split("@layer base", 1)[1]
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", after_tokens) == []
    assert "rgb(" not in after_tokens


def test_every_variable_used_is_defined():
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", MODERN))
    defined = set(re.findall(r"(--[a-z0-9-]+):", MODERN))
    assert used <= defined
    assert defined <= used, "a token nobody uses"


@pytest.mark.parametrize("name", PAGES)
def test_every_class_a_template_names_has_a_rule(name):
    text = re.sub(r"\{#.*?#\}", "", (TEMPLATES / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    plain = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", " \x00 ", text, flags=re.DOTALL)
    named = {word for value in re.findall(r'class="([^"]*)"', plain) for word in value.split()}
    known = set(re.findall(r"\.([a-z][a-z0-9-]*)", BARE))
    whole = {word for word in named if "\x00" not in word and not word.endswith("-")}
    assert whole <= known


def test_nothing_is_fetched_from_elsewhere():
    assert re.findall(r"url\(\"?([^)\"]+)", CSS) == ["../mark.svg"]
    assert "@import" not in CSS
    assert "@font-face" not in CSS


def test_the_layers_are_the_agreed_ones():
    order = re.search(r"@layer ([^;{]+);", MODERN)
    assert order is not None
    assert order[1].split(", ") == [
        "reset", "tokens", "base", "layout", "components", "utilities",
    ]  # fmt: skip


def test_the_style_sheet_stays_small_and_balanced():
    assert BARE.count("{") == BARE.count("}")
    assert len(gzip.compress(CSS.encode(), 9)) <= 9_000
