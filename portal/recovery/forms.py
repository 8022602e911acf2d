"""The forms of account recovery."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, HiddenField, TextAreaField, ValidationError

from portal.accounts.forms import PasswordChangeForm
from portal.domain.account_recovery import REASON_LIMIT
from portal.domain.names import is_printable
from portal.web.forms import Form


class EnrolForm(Form):
    """The member's user key for the organization's public key, and that key as it was shown."""

    wrapped_user_key = HiddenField()
    organization_public_key = HiddenField()


class AskForm(Form):
    """Why an account is to be recovered."""

    reason = TextAreaField(_l("Reason"), render_kw={"rows": 3, "maxlength": REASON_LIMIT})

    def validate_reason(self, field: Field) -> None:
        """Something, and not too much."""
        field.data = " ".join((field.data or "").replace("\0", "").split())
        if not field.data:
            raise ValidationError(
                _l("Enter why, so that the second person can decide and the member knows.")
            )
        # It is mailed to the member, who decides by it.
        if not is_printable(field.data):
            raise ValidationError(
                _l("Remove the invisible control characters; type the text instead of pasting it.")
            )
        if len(field.data) > REASON_LIMIT:
            raise ValidationError(
                _l("Enter at most %(limit)s characters.", limit=str(REASON_LIMIT))
            )


class TemporaryPasswordForm(PasswordChangeForm):
    """What the recovering browser made: the hash, the re-wrapped user key, and for whom."""

    email = HiddenField()
    public_key = HiddenField()


class ProviderForm(Form):
    """Whether the provider's people may recover plain users."""

    provider_may = BooleanField(_l("People of the provider may recover plain users"))
