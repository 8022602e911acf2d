"""What the page frame shows: view models only, filled from the actor by the context processor.

Every label arrives translated. Templates read `shell`; nothing here knows Flask or the database.
"""

from dataclasses import dataclass
from typing import Literal

Theme = Literal["system", "light", "dark"]
VaultState = Literal["locked", "unlocked", "none"]
Tone = Literal["info", "good", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class NavItem:
    """One row of the side bar. `icon` is a symbol of `static/icons.svg`; `badge` may be empty."""

    label: str
    url: str
    icon: str
    current: bool = False
    badge: str = ""


@dataclass(frozen=True, slots=True)
class NavGroup:
    """Rows under a heading; an empty label stands for rows without one."""

    label: str
    items: tuple[NavItem, ...]


@dataclass(frozen=True, slots=True)
class Room:
    """One of several tenants that a person has in a product."""

    label: str
    url: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Product:
    """One entry of the product switcher at the foot of the side bar.

    `places` are listed below it where the person has several.
    """

    label: str
    url: str
    icon: str
    current: bool = False
    places: tuple[Room, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """The signed-in person. `tone` is 1 to 12, as `portal.web.avatars.tone` gives it."""

    name: str
    email: str
    initials: str
    tone: int
    profile_url: str
    sign_out_url: str


@dataclass(frozen=True, slots=True)
class Banner:
    """The band inside a client opened through a provider; it cannot be dismissed."""

    text: str
    leave_url: str


@dataclass(frozen=True, slots=True)
class Brand:
    """What a provider looks like: addresses of its style sheet and logo, and its name in words."""

    name: str
    stylesheet: str | None = None
    logo: str | None = None


@dataclass(frozen=True, slots=True)
class Vault:
    """The state of the encrypted vault in this session; "none" means an account without keys."""

    state: VaultState
    unlock_url: str
    lock_url: str


@dataclass(frozen=True, slots=True)
class Language:
    """One button of the language switch; the name is written in its own language."""

    code: str
    name: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class LanguageSwitch:
    """A POST form at `url` with the fields `locale` and `next` (the relative path to return to)."""

    url: str
    back: str
    languages: tuple[Language, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence shown once at the top of the next page."""

    text: str
    tone: Tone = "good"


@dataclass(frozen=True, slots=True)
class Shell:
    """The frame around every page. `person is None` draws the quiet signed-out layout."""

    product: str
    home_url: str
    locale: str
    switch: LanguageSwitch
    theme: Theme = "system"
    person: Person | None = None
    groups: tuple[NavGroup, ...] = ()
    products: tuple[Product, ...] = ()
    banner: Banner | None = None
    notices: tuple[Notice, ...] = ()
    help_url: str | None = None
    vault: Vault | None = None
    account_id: str = ""
    session_id: str = ""
    lock_minutes: int = 0
    brand: Brand | None = None
    confirms_url: str = ""

    @property
    def vault_state(self) -> VaultState:
        return self.vault.state if self.vault else "none"
