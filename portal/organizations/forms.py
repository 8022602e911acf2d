"""The forms of an organization: its keys as a browser sends them, why a step is skipped."""

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, StringField

from portal.organizations.keys import OrganizationKeys
from portal.web.forms import Form


class OrganizationKeysForm(Form):
    """Empty where nothing was made: without scripts, with a locked vault, or with keys there."""

    organization_public_key = HiddenField()
    organization_private_key = HiddenField()
    provider_wrapped_key = HiddenField()
    collection_name = HiddenField()
    provider_public_key = HiddenField()

    def organization_keys(self) -> OrganizationKeys | None:
        """The keys, None if there are none; raises `RuleError` if they arrived incomplete."""
        if not self.organization_public_key.data:
            return None
        return OrganizationKeys(
            public_key=self.organization_public_key.data,
            protected_private_key=self.organization_private_key.data or "",
            provider_wrapped_key=self.provider_wrapped_key.data or "",
            collection_name=self.collection_name.data or "",
            provider_public_key=self.provider_public_key.data or "",
        )


class SkipForm(Form):
    """Why a step of the set-up is left out."""

    note = StringField(_l("Reason"), render_kw={"autocomplete": "off"})
