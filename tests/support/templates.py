"""Templates without the application: strict, autoescaped, untranslated."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from portal.web.templates import icons

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "templates"


def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    made.globals |= {"static": lambda path: f"/static/{path}", "csrf_token": lambda: "token"}
    made.globals["icon_markup"] = icons(made.globals)
    return made


ENV = environment()
