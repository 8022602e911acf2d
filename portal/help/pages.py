"""Finds and renders a guide: Markdown in `docs/<language>/`, no raw HTML, pictures of its own."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup

FOLDER = Path(__file__).parents[2] / "docs"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Guide:
    """A rendered guide: its title (the first heading) and the rest as HTML."""

    title: str
    body: Markup


def find(language: str, name: str) -> Guide | None:
    """The guide in the language, else in English; None if there is no such guide."""
    if not _NAME.fullmatch(name):
        return None
    for folder in (language, "en"):
        file = FOLDER / folder / f"{name}.md"
        if file.is_file():
            return _render(file, folder, file.stat().st_mtime_ns)
    return None


def picture(language: str, name: str) -> Path | None:
    """The file of a guide's picture, or None."""
    file = FOLDER / language / "images" / name
    known = re.fullmatch(r"[a-z0-9-]+\.(png|webp)", name) and language in {"en", "fr"}
    return file if known and file.is_file() else None


@lru_cache(maxsize=32)
def _render(file: Path, language: str, changed: int) -> Guide:
    text = file.read_text(encoding="utf-8")
    title, _, rest = text.partition("\n")
    # "js-default" renders no raw HTML and refuses javascript: addresses.
    markdown = MarkdownIt("js-default")
    body = markdown.render(rest).replace('src="images/', f'src="/help/pictures/{language}/')
    body = re.sub(r'href="([a-z0-9-]+)\.md"', r'href="/help/\1"', body)
    return Guide(title.lstrip("# ").strip(), Markup(body))  # noqa: S704 - rendered without raw HTML
