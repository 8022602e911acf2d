"""The forms of members: joining, confirming, another address."""

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, Field, HiddenField, StringField, ValidationError

from portal.accounts.forms import NAME_LIMIT, KeysForm
from portal.domain.emails import check_email
from portal.domain.errors import N_, RuleError
from portal.domain.names import check_name
from portal.members.acceptance import OwnersKeys
from portal.organizations.forms import OrganizationKeysForm
from portal.recovery.enrolment import RecoveryKey
from portal.web.forms import Form, sentence


class AcceptForm(OrganizationKeysForm):
    """Accepting with an account: an owner's browser may have made the organization's keys."""

    member_wrapped_key = HiddenField()

    def owners_keys(self) -> OwnersKeys | None:
        """The organization's keys, None if none were made; raises `RuleError` if incomplete."""
        made = self.organization_keys()
        return OwnersKeys(made, self.member_wrapped_key.data or "") if made else None


class JoinForm(KeysForm, AcceptForm):
    """A new account for an invited address. The master password has no name and never arrives.

    Where the organization enrols everybody, the browser sends a recovery key with it.
    """

    name = StringField(_l("Your name"))
    recovery_user_key = HiddenField()
    recovery_public_key = HiddenField()

    def recovery_key(self) -> RecoveryKey | None:
        """The new account's user key for the organization's public key; None without one."""
        wrapped, shown = self.recovery_user_key.data or "", self.recovery_public_key.data or ""
        return RecoveryKey(wrapped, shown) if self.has_keys and wrapped else None

    def validate_name(self, field: Field) -> None:
        """The domain's rule for names."""
        missing = N_("Enter your name, so that others know who you are.")
        try:
            field.data = check_name(field.data or "", missing=missing, limit=NAME_LIMIT)
        except RuleError as error:
            raise ValidationError(sentence(error.text)) from error


class ConfirmForm(OrganizationKeysForm):
    """The organization key for the member's public key, and that key as the page showed it.

    `key_version` says which organization key the page had.
    """

    wrapped_key = HiddenField()
    public_key = HiddenField()
    key_version = HiddenField()


class AddressForm(Form):
    """The address that an invitation should have gone to."""

    email = EmailField(_l("New address"))

    def __init__(self, present: str) -> None:
        super().__init__()
        self._present = present

    def validate_email(self, field: Field) -> None:
        """A well-formed address, and another one than before."""
        try:
            field.data = check_email(field.data or "", field="email")
        except RuleError as error:
            raise ValidationError(sentence(error.text)) from error
        if field.data == self._present:
            raise ValidationError(
                _l("This is the current address. To send the e-mail again, re-send the invitation.")
            )
