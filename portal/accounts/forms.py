"""The forms of signing in, of keys and of the profile: shape only, rules are the services'."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from babel import Locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    EmailField,
    Field,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length

from portal.accounts.service import AccountKeys, ChangedKey, Profile
from portal.crypto.envelope import SEALED_KEY_LENGTH, SEALED_PRIVATE_KEY_LENGTH, looks_sealed
from portal.crypto.kdf import MAXIMUM_ITERATIONS, MINIMUM_ITERATIONS
from portal.crypto.keys import is_public_key
from portal.domain.emails import check_email
from portal.domain.errors import N_, RuleError
from portal.domain.names import check_name, name_ci
from portal.web.forms import Form, sentence
from portal.web.languages import LANGUAGES, language

SIGNIN_HASH_LENGTH = 44
NAME_LIMIT = 100
# The regions of the IANA zones, in which people look for a city near them.
_REGIONS = {
    "Africa": N_("Africa"),
    "America": N_("America"),
    "Antarctica": N_("Antarctica"),
    "Arctic": N_("Arctic"),
    "Asia": N_("Asia"),
    "Atlantic": N_("Atlantic"),
    "Australia": N_("Australia"),
    "Europe": N_("Europe"),
    "Indian": N_("Indian Ocean"),
    "Pacific": N_("Pacific"),
}


def _check_address(field: Field) -> None:
    try:
        check_email(field.data or "", field=field.name)
    except RuleError as error:
        raise ValidationError(sentence(error.text)) from error


class AddressForm(Form):
    """Where a code goes."""

    email = EmailField(_l("E-mail address"))

    def validate_email(self, field: Field) -> None:
        """The address must look like one."""
        _check_address(field)


class SignInForm(AddressForm):
    """The master password itself has no name and never arrives; its hash does."""

    signin_hash = HiddenField(validators=[Length(max=SIGNIN_HASH_LENGTH)])
    remember_address = BooleanField(_l("Remember this address"))


def _trimmed(text: str | None) -> str:
    return (text or "").strip()


class CodeForm(Form):
    """One code: from a mail, an app, or the list of recovery codes."""

    code = StringField(
        _l("Code"), [InputRequired(_l("Enter the code.")), Length(max=64)], filters=[_trimmed]
    )


class PasswordProofForm(Form):
    """The master password once more."""

    email = HiddenField()
    signin_hash = HiddenField(validators=[Length(max=SIGNIN_HASH_LENGTH)])


class KeysForm(Form):
    """The keys that a browser made from a master password (`data-make-account`)."""

    kdf_iterations = HiddenField()
    signin_hash = HiddenField()
    protected_user_key = HiddenField()
    public_key = HiddenField()
    protected_private_key = HiddenField()
    password_rules = HiddenField()

    @property
    def has_keys(self) -> bool:
        """Whether the browser sent any; without scripts all five are empty."""
        return bool(self.public_key.data)

    def keys(self) -> AccountKeys | None:
        """The keys, if they look as keys must; else None."""
        iterations = self.kdf_iterations.data or ""
        if not iterations.isascii() or not iterations.isdigit() or len(iterations) > 7:
            return None
        keys = AccountKeys(
            kdf_iterations=int(iterations),
            signin_hash=self.signin_hash.data or "",
            protected_user_key=self.protected_user_key.data or "",
            public_key=self.public_key.data or "",
            protected_private_key=self.protected_private_key.data or "",
        )
        return keys if _are_plausible(keys) else None


def _are_plausible(keys: AccountKeys) -> bool:
    return (
        MINIMUM_ITERATIONS <= keys.kdf_iterations <= MAXIMUM_ITERATIONS
        and len(keys.signin_hash) == SIGNIN_HASH_LENGTH
        and looks_sealed(keys.protected_user_key, 2, SEALED_KEY_LENGTH)
        and looks_sealed(keys.protected_private_key, 2, SEALED_PRIVATE_KEY_LENGTH)
        and is_public_key(keys.public_key)
    )


class PasswordChangeForm(Form):
    """The old hash, and what the browser made of the new master password."""

    signin_hash = HiddenField(validators=[Length(max=SIGNIN_HASH_LENGTH)])
    new_signin_hash = HiddenField()
    password_rules = HiddenField()
    kdf_iterations = HiddenField()
    protected_user_key = HiddenField()

    def changed_key(self) -> ChangedKey | None:
        """The new hash and the re-wrapped user key, if they look as they must; else None."""
        changed = ChangedKey(
            kdf_iterations=_iterations(self.kdf_iterations.data),
            signin_hash=self.new_signin_hash.data or "",
            protected_user_key=self.protected_user_key.data or "",
        )
        right = (
            MINIMUM_ITERATIONS <= changed.kdf_iterations <= MAXIMUM_ITERATIONS
            and len(changed.signin_hash) == SIGNIN_HASH_LENGTH
            and looks_sealed(changed.protected_user_key, 2, SEALED_KEY_LENGTH)
        )
        return changed if right else None


class AddressChangeForm(AddressForm, PasswordChangeForm):
    """The new address; the other fields stay empty for an account without keys."""


def _iterations(typed: str | None) -> int:
    text = typed or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 7 else 0


class SetUpForm(CodeForm):
    """A first code, beside the sealed secret that the page shows."""

    sealed_secret = HiddenField()


@cache
def zones(code: str) -> Mapping[str, Mapping[str, str]]:
    """The IANA zones by region, cities named and sorted as the language does."""
    names = Locale.parse(code).time_zones
    regions: dict[str, dict[str, str]] = {}
    for zone in available_timezones():
        region, _slash, city = zone.partition("/")
        if region in _REGIONS and city:
            named = names.get(zone, {}).get("city", city.replace("_", " "))
            regions.setdefault(region, {})[zone] = named
    return {
        region: dict(sorted(cities.items(), key=lambda found: (name_ci(found[1]), found[0])))
        for region, cities in regions.items()
    }


def zone_choices() -> dict[str, Any]:
    """What a drop-down of time zones offers: UTC, then the cities by region."""
    found = zones(language())
    named = {_(label): found[region] for region, label in _REGIONS.items() if region in found}
    return {"UTC": "UTC", **named}


class ProfileForm(Form):
    """What a person says of themselves."""

    name = StringField(_l("Your name"))
    locale = SelectField(_l("Language"))
    time_zone = SelectField(_l("Time zone"))
    theme = RadioField(_l("Theme"))

    def __init__(self, profile: Profile) -> None:
        super().__init__(obj=profile)
        self.locale.choices = {"": _("Same as the browser"), **LANGUAGES}
        self.time_zone.choices = {
            "": _("Same as the provider, otherwise UTC"),
            **zone_choices(),
        }
        self.theme.choices = {
            "system": _("Same as the system"),
            "light": _("Light"),
            "dark": _("Dark"),
        }

    def validate_name(self, field: Field) -> None:
        """The domain's rule for names."""
        try:
            field.data = check_name(field.data or "", limit=NAME_LIMIT)
        except RuleError as error:
            raise ValidationError(sentence(error.text)) from error

    def profile(self) -> Profile:
        """The answers."""
        return Profile(**self.answers())
