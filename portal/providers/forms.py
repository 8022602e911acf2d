"""The hidden fields in which a browser sends what it made of the provider key."""

from wtforms import HiddenField

from portal.web.forms import Form


class MakeKeysForm(Form):
    """Filled by static/js/provider-keys.js; empty without scripts."""

    public_key = HiddenField()
    protected_private_key = HiddenField()
    wrapped_provider_key = HiddenField()


class SheetForm(Form):
    """Filled by static/js/recovery.js."""

    recovery_wrapped_key = HiddenField()


class RestoreForm(Form):
    """Filled by static/js/recovery.js. The code itself has no name and never arrives."""

    wrapped_provider_key = HiddenField()
