"""Which language and time zone a request is answered in."""

from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from flask import Flask, g, request
from flask_babel import Domain
from flask_login import current_user
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from portal.extensions import babel
from portal.web.answers import is_api
from portal.web.elision import Elision, elided, elisions_of

Made = TypeVar("Made")

LANGUAGES = {"en": "English", "fr": "Français"}
COOKIE = "portal_language"


def init_languages(app: Flask) -> None:
    """Bind Flask-Babel: the person's setting, else the switch's cookie, else the browser's wish."""
    app.config["BABEL_DEFAULT_LOCALE"] = "en"
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(_translations(app))
    babel.init_app(app, locale_selector=language, timezone_selector=time_zone)
    # The same on every request, so it is made once instead of when the first sentence is asked for.
    babel.domain_instance = RequestDomain(domain="messages")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        _gettext, _ngettext, newstyle=True, pgettext=_pgettext
    )
    # Jinja's own takes fifty calls a sentence, and a page has sixty sentences.
    app.jinja_env.globals["_"] = app.jinja_env.globals["gettext"] = sentence


class RequestDomain(Domain):  # type: ignore[misc]
    """Finds the catalogue once a request: a page asks for a hundred sentences.

    The locale object is the key, since mails force another one for a while.
    """

    def get_translations(self) -> Any:
        """The catalogue of the language in force."""
        known = g.get("_flask_babel")
        locale = known and getattr(known, "babel_locale", None)
        if locale is None:
            return super().get_translations()
        if getattr(known, "catalogue_of", None) is not locale:
            known.catalogue, known.catalogue_of = super().get_translations(), locale
        return known.catalogue

    def gettext(self, string: str, **variables: Any) -> str:
        """The sentence in the language in force, its places filled if there are values."""
        return _filled(self.get_translations().ugettext(string), variables)

    def ngettext(self, singular: str, plural: str, num: int, **variables: Any) -> str:
        """The same of a count, which fills the place `num` too."""
        found = self.get_translations().ungettext(singular, plural, num)
        return _filled(found, {"num": num, **variables})


def filled(text: str, values: Mapping[str, Any]) -> str:
    """A translated sentence with its places filled, French elided before a vowel."""
    return elided(text, elisions_of(text), values) % values


def _filled(text: str, variables: Mapping[str, Any]) -> str:
    return filled(text, variables) if variables else text


def per_language(make: Callable[[], Made]) -> Callable[[], Made]:
    """Keep what `make` returns, once for each language: for texts that depend on nothing else."""
    kept: dict[Any, Made] = {}

    @wraps(make)
    def get() -> Made:
        catalogue = babel.domain_instance.get_translations()
        if catalogue not in kept:
            kept[catalogue] = make()
        return kept[catalogue]

    return get


@pass_eval_context
def sentence(context: EvalContext, text: str, /, **values: Any) -> str:
    """What templates call `_`: the sentence in the reader's language, its places filled."""
    found, elisions = _translated(babel.domain_instance.get_translations(), text)
    if elisions:
        found = elided(found, elisions, values)
    whole: str = (Markup(found) if context.autoescape else found) % values if values else ""  # noqa: S704 - ours
    return whole or _without_places(found, context.autoescape)


@lru_cache(maxsize=8192)
def _translated(catalogue: Any, text: str) -> tuple[str, tuple[Elision, ...]]:
    found = str(catalogue.ugettext(text))
    return found, elisions_of(found)


@lru_cache(maxsize=8192)
def _without_places(text: str, autoescape: bool) -> str:  # noqa: FBT001
    # Formatted as well, since a sentence writes its percent sign twice either way.
    return (Markup(text) if autoescape else text) % {}  # noqa: S704 - a sentence of ours


def _gettext(text: str) -> str:
    return str(babel.domain_instance.get_translations().ugettext(text))


def _ngettext(one: str, many: str, count: int) -> str:
    return str(babel.domain_instance.get_translations().ungettext(one, many, count))


def _pgettext(context: str, text: str) -> str:
    """A word whose translation hangs on what it is said of: a gender, say."""
    return str(babel.domain_instance.get_translations().upgettext(context, text))


def _translations(app: Flask) -> str:
    return f"{app.root_path}/translations"


def language() -> str:
    """`en` or `fr`."""
    if is_api():
        # A cookie counts for nothing there, and a key is nobody's.
        return _wished()
    chosen = getattr(current_user, "locale", None) or request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return str(chosen)
    return _wished()


def _wished() -> str:
    """The first of the browser's languages that there is; French of Canada is French."""
    for tag, quality in request.accept_languages:
        wished = tag.replace("_", "-").partition("-")[0].lower()
        if wished in LANGUAGES and quality > 0:
            return wished
    return "en"


def time_zone() -> str:
    """The person's zone, else the provider's, else UTC."""
    chosen = getattr(current_user, "time_zone", None) or g.get("time_zone") or "UTC"
    return chosen if is_time_zone(chosen) else "UTC"


def is_time_zone(name: str) -> bool:
    """Whether the name is an IANA time zone."""
    return name in available_timezones()


def zone() -> ZoneInfo:
    """The zone of the request, for arithmetic with days."""
    return ZoneInfo(time_zone())
