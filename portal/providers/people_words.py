"""What the actions on a provider's people are called, and what they lead to."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.domain.staff import StaffAction


@dataclass(frozen=True)
class ActionWords:
    """What an action is called: on buttons, as a heading, and once it is done."""

    label: str
    title: str
    consequence: str
    done: str
    icon: str
    kind: str = "primary"


def words_of(action: StaffAction) -> ActionWords:
    """The words in the reader's language."""
    return _words()[action]


def _words() -> dict[StaffAction, ActionWords]:
    return _staying() | _leaving()


def _staying() -> dict[StaffAction, ActionWords]:
    return {
        StaffAction.RESEND: ActionWords(
            _("Re-send invitation"),
            _("Re-send invitations"),
            _("A new e-mail goes out. The link in the earlier one stops working."),
            _("A new invitation is on its way."),
            "send",
        ),
        StaffAction.MAKE_ADMIN: ActionWords(
            _("Make provider admin"),
            _("Make provider admins"),
            _(
                "A provider admin creates clients, manages seats and billing, and decides who "
                "works for the provider. They reach and manage every client: a limited scope "
                "ends."
            ),
            _("Is a provider admin now."),
            "shield",
        ),
        StaffAction.MAKE_SERVICE_USER: ActionWords(
            _("Make service user"),
            _("Make service users"),
            _(
                "A service user works in the clients, and no longer reaches billing, keys or "
                "people of the provider."
            ),
            _("Is a service user now."),
            "user",
        ),
    }


def _leaving() -> dict[StaffAction, ActionWords]:
    return {
        StaffAction.SUSPEND: ActionWords(
            _("Suspend"),
            _("Suspend people"),
            _(
                "They reach neither the provider nor its clients from this moment, also where "
                "they are signed in, and their copy of the provider key is deleted. You can "
                "resume them later."
            ),
            _("Suspended."),
            "lock",
            "danger",
        ),
        StaffAction.RESUME: ActionWords(
            _("Resume"),
            _("Resume people"),
            _(
                "They reach the provider and its clients again, in the role they had. The "
                "provider key has to be handed over to them once more."
            ),
            _("Resumed."),
            "lock-open",
        ),
        StaffAction.REMOVE: ActionWords(
            _("Remove"),
            _("Remove people"),
            _(
                "They lose the provider and its clients at once, also where they are signed in, "
                "and their copy of the provider key is deleted. Their account stays theirs. An "
                "invitation that waits is withdrawn."
            ),
            _("Removed."),
            "trash-2",
            "danger",
        ),
    }


def action_words() -> list[tuple[str, str]]:
    """(value, label) of every action, for the menu under the table."""
    return [(action.value, words.label) for action, words in _words().items()]
