"""What the actions on members are called, and what they lead to."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _

from portal.domain.access import Role
from portal.domain.membership import MemberAction
from portal.providers.people_words import ActionWords


def words_of(action: MemberAction) -> ActionWords:
    """The words in the reader's language."""
    return (_coming() | _leaving())[action]


def action_words() -> list[tuple[str, str]]:
    """(value, label) of every action, for the menu under the table."""
    return [(action.value, words_of(action).label) for action in MemberAction]


def role_hints() -> dict[str, str]:
    """A line under each role of a form."""
    return {
        Role.USER.value: _("Reaches what it is given, and manages nothing."),
        Role.ADMIN.value: _("Manages members, groups, collections and policies."),
        Role.OWNER.value: _("Everything, also settings, keys and billing. Makes other owners."),
        Role.CUSTOM.value: _("Reaches what it is given, and manages the parts ticked below."),
    }


def _coming() -> dict[MemberAction, ActionWords]:
    return {
        MemberAction.RESEND: ActionWords(
            _("Re-send invitation"),
            _("Re-send invitations"),
            _("A new e-mail goes out. The link in the earlier one stops working."),
            _("A new invitation is on its way."),
            "send",
        ),
        MemberAction.INVITE: ActionWords(
            _("Invite"),
            _("Invite prepared members"),
            _("Each takes a seat and gets an e-mail with a link that is valid for five days."),
            _("The invitation is on its way."),
            "send",
        ),
        MemberAction.RESTORE: ActionWords(
            _("Restore access"),
            _("Restore access"),
            _(
                "Each takes a seat again and comes back as they were, with role, groups and "
                "collections. Who had not accepted yet gets a new invitation. Who had to wait "
                "while the key was rotated has to be confirmed once more."
            ),
            _("Access is restored."),
            "lock-open",
        ),
    }


def _leaving() -> dict[MemberAction, ActionWords]:
    return {
        MemberAction.REVOKE: ActionWords(
            _("Revoke access"),
            _("Revoke access"),
            _(
                "They reach nothing here from this moment, also where they are signed in, and "
                "their seat is free. Role, groups and collections are kept for the day on which "
                "you restore them. An invitation that waits is withdrawn."
            ),
            _("Access is revoked."),
            "lock",
            "danger",
        ),
        MemberAction.REMOVE: ActionWords(
            _("Remove"),
            _("Remove members"),
            _(
                "They reach nothing here from this moment, also where they are signed in. Their "
                "role, groups and collections here are deleted, and their seat is free. Their "
                "account stays theirs. An invitation that waits is withdrawn."
            ),
            _("Removed."),
            "trash-2",
            "danger",
        ),
    }


def way_of(way: Any) -> str:
    """A group that gives a collection, and the level at which it does."""
    return str(_("%(group)s (%(level)s)", group=way.name, level=_(way.level.label)))


def why(reached: Any, groups: Sequence[str]) -> str:
    """What makes somebody reach a collection: the role, their name, or groups (`way_of`)."""
    if reached.by_role:
        return str(_("By the role, which reaches every collection"))
    if reached.is_direct:
        if groups:
            return str(_("By name, which replaces: %(groups)s", groups=", ".join(groups)))
        return str(_("By name"))
    return str(_("Through: %(groups)s", groups=", ".join(groups)))
