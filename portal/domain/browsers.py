"""What a browser is called, from what it says of itself."""

import re

# The first that matches counts: later ones pretend to be earlier ones, for old web sites' sake.
_BROWSERS = (
    ("Edge", re.compile(r"\bEdg(?:A|iOS)?/(\d+)")),
    ("Opera", re.compile(r"\bOPR/(\d+)")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/(\d+)")),
    ("Chrome", re.compile(r"(?:Chrome|CriOS)/(\d+)")),
    ("Safari", re.compile(r"\bVersion/(\d+)[\d.]* (?:Mobile/\S+ )?Safari/")),
    ("Lynx", re.compile(r"\bLynx/(\d+)")),
    ("w3m", re.compile(r"\bw3m/(\d+)")),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_and_system(user_agent: str) -> tuple[str, str]:
    """(`Firefox 153`, `Linux`); either is empty where it is not known."""
    browser = next(
        (
            f"{name} {found[1]}"
            for name, pattern in _BROWSERS
            if (found := pattern.search(user_agent))
        ),
        "",
    )
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return browser, system
