"""The Jinja environment: what is missing is an error, and imports of macros cost little."""

from collections.abc import Callable, MutableMapping
from functools import cache
from typing import Any

from flask import Flask
from flask.templating import Environment
from jinja2 import StrictUndefined
from markupsafe import Markup


class PortalEnvironment(Environment):
    """Flask's environment with one dictionary of globals for all templates."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """No template has globals of its own here.

        Jinja would chain an empty dictionary before the shared one, and look every global up in
        both at each import of a macro: 1,300 calls for one page of clients.
        """
        return self.globals if d is None else super().make_globals(d)


def init_templates(app: Flask) -> None:
    """Choose the environment before anything touches it."""
    app.jinja_environment = PortalEnvironment
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["icon_markup"] = icons(app.jinja_env.globals)


def icons(known: MutableMapping[str, Any]) -> Callable[..., Markup]:
    """What templates call `icon`, given the globals with `static`.

    Kept, and not a macro, since a page shows twenty of them.
    """

    @cache
    def icon(name: str, more: str = "") -> Markup:
        shape = Markup(
            '<svg class="icon{}" width="18" height="18" aria-hidden="true">'
            '<use href="{}#{}"/></svg>'
        )
        return shape.format(f" {more}" if more else "", known["static"]("icons.svg"), name)

    return icon
