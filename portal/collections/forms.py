"""The forms of collections and of their settings."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, StringField

from portal.collections.service import Naming
from portal.crypto.envelope import looks_sealed
from portal.domain.collection_rules import CollectionSettings
from portal.domain.names import check_external_id
from portal.domain.whole_numbers import version_of_text
from portal.web.forms import Form


class CollectionForm(Form):
    """A sealed name, made by the browser from a field without a name, and an external id."""

    version = HiddenField()
    key_version = HiddenField()
    sealed_name = HiddenField()
    external_id = StringField(
        _l("External id"),
        description=_l("What your directory calls it. Leave it empty without a directory."),
        render_kw={"autocomplete": "off"},
    )

    def wanted(self) -> Naming:
        """What is to be stored; raises `RuleError` on the field."""
        sealed = self["sealed_name"].data or ""
        if not looks_sealed(sealed, 2):
            # What is no ciphertext is not sent back either.
            self["sealed_name"].data = ""
        return Naming(
            sealed,
            self["key_version"].data or "",
            check_external_id(self["external_id"].data or ""),
        )

    @property
    def seen(self) -> int:
        """The version of the collection that the page showed; 0 for nothing readable."""
        return version_of_text(self["version"].data)


class SettingsForm(Form):
    """Who creates, deletes and reaches collections."""

    version = HiddenField()
    limits_collection_creation = BooleanField(_l("Limit who creates collections"))
    limits_collection_deletion = BooleanField(_l("Limit who deletes collections"))
    limits_item_deletion = BooleanField(_l("Limit who deletes items"))
    admins_reach_all = BooleanField(_l("Owners and admins reach every collection"))

    @property
    def seen(self) -> int:
        return version_of_text(self["version"].data)

    def wanted(self) -> CollectionSettings:
        return CollectionSettings(
            limits_collection_creation=bool(self["limits_collection_creation"].data),
            limits_collection_deletion=bool(self["limits_collection_deletion"].data),
            limits_item_deletion=bool(self["limits_item_deletion"].data),
            admins_reach_all=bool(self["admins_reach_all"].data),
        )
