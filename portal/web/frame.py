"""Fills the shell that every page shows, from the visit and the tenant's context.

The two contexts leave a function in `g.frame`; it is called only when a page is rendered, so a
redirect or a fragment costs nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, g, request
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from portal.domain.names import colour_class, initials
from portal.web import formats, notices
from portal.web.access import can
from portal.web.languages import LANGUAGES
from portal.web.links import link, with_next
from portal.web.shell import (
    Banner,
    Brand,
    Language,
    LanguageSwitch,
    NavGroup,
    NavItem,
    Notice,
    Person,
    Product,
    Shell,
    Vault,
    VaultState,
)

_TONES: dict[str, Any] = {"success": "good", "warning": "warn", "error": "bad"}


@dataclass(frozen=True)
class Frame:
    """What a tenant's context adds to the shell."""

    product: str
    home_url: str
    groups: tuple[NavGroup, ...] = ()
    banner: Banner | None = None
    help_url: str | None = None
    brand: Brand | None = None
    # Where an unlocked browser asks whom to confirm by itself; empty where nobody is.
    confirms_url: str = ""


# (signed-in person's id) -> the products the switcher offers; accounts fills it in create_app.
PRODUCTS: list[Callable[[], Sequence[Product]]] = []


def init_frame(app: Flask) -> None:
    """Give every template `shell`, the formats and `can`."""
    app.jinja_env.globals.update(
        can=can,
        money=formats.money,
        day=formats.day,
        minute=formats.minute,
        moment=formats.moment,
        instant=formats.instant,
        number=formats.number,
    )

    @app.context_processor
    def add_shell() -> dict[str, Any]:
        return {"shell": LazyShell()}


class LazyShell:
    """Builds the shell at its first use: fragments and mails never use it."""

    def __init__(self) -> None:
        self._shell: Shell | None = None

    def __getattr__(self, name: str) -> Any:
        if self._shell is None:
            self._shell = build()
        return getattr(self._shell, name)


def nav_item(label: str, endpoint: str, icon: str, badge: str = "", **values: Any) -> NavItem:
    """A row of the side bar, current while the request is in the endpoint's blueprint page."""
    here = request.endpoint or ""
    current = here == endpoint or here.startswith(f"{endpoint}_")
    # An area's first page stands for all of the area.
    current = current or (endpoint.endswith(".index") and request.blueprint == endpoint[:-6])
    return NavItem(label, link(endpoint, **values), icon, current, badge)


def build() -> Shell:
    """The shell of this request."""
    frame = _frame()
    locale = get_locale()
    # The proxy costs six calls a look; the visit behind it is the same for the whole request.
    user = current_user._get_current_object()  # noqa: SLF001
    signed_in = user.is_authenticated and not user.pending
    waiting = tuple(Notice(item.text, _TONES.get(item.kind, "info")) for item in notices.waiting())
    switch = _switch(locale.language if locale else "en")
    if not signed_in:
        return Shell(
            product=frame.product,
            home_url=frame.home_url,
            locale=locale.language if locale else "en",
            switch=switch,
            notices=waiting,
        )
    return Shell(
        product=frame.product,
        home_url=frame.home_url,
        locale=locale.language if locale else "en",
        switch=switch,
        theme=user.theme,
        person=_person(user),
        groups=frame.groups,
        products=tuple(PRODUCTS[0]()) if PRODUCTS else (),
        banner=frame.banner,
        notices=waiting,
        help_url=frame.help_url,
        vault=_vault(user),
        account_id=str(user.account_id),
        session_id=str(user.session_id),
        lock_minutes=user.lock_minutes,
        brand=frame.brand,
        confirms_url=frame.confirms_url,
    )


def _frame() -> Frame:
    builder: Callable[[], Frame] | None = g.get("frame")
    if builder and g.get("actor") is not None:
        return builder()
    return Frame(_("Provider Portal"), link("accounts.home"))


def _switch(locale: str) -> LanguageSwitch:
    languages = tuple(Language(code, name, code == locale) for code, name in LANGUAGES.items())
    back = request.full_path.rstrip("?") if request.method == "GET" else request.path
    return LanguageSwitch(link("accounts.change_language"), back, languages)


def _person(user: Any) -> Person:
    return Person(
        name=user.name,
        email=user.email,
        initials=initials(user.name),
        tone=colour_class(user.account_id),
        profile_url=link("accounts.profile"),
        sign_out_url=link("accounts.sign_out"),
    )


def _vault(user: Any) -> Vault:
    state: VaultState = "unlocked" if user.is_unlocked else "locked"
    back = request.full_path.rstrip("?") if request.method == "GET" else request.path
    return Vault(
        state if user.has_keys else "none",
        with_next(link("accounts.unlock"), back),
        link("accounts.lock"),
    )
