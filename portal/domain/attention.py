"""What waits for somebody: people who are stuck, and things that end."""

from enum import StrEnum


class AttentionKind(StrEnum):
    """What a row is about. Its subject is the row of that thing, its date the day it ends."""

    # People of clients, and of the provider itself (then without an organization).
    INVITED = "invited"
    ACCEPTED = "accepted"
    STAGED = "staged"
    MAIL_FAILED = "mail_failed"
    SEATS_FULL = "seats_full"
    SEATS_ASKED = "seats_asked"
    # Things that end and hold nobody up until they do.
    CERTIFICATE = "certificate"
    CLIENT_SECRET = "client_secret"  # noqa: S105 - the name of a kind
    DOMAIN_CHECK = "domain_check"
    TRIAL = "trial"
    GRANT = "grant"
    DEVIATION = "deviation"


# Somebody waits now; an invitation waits and ends.
STUCK = frozenset(
    {
        AttentionKind.INVITED,
        AttentionKind.ACCEPTED,
        AttentionKind.STAGED,
        AttentionKind.MAIL_FAILED,
        AttentionKind.SEATS_FULL,
        AttentionKind.SEATS_ASKED,
    }
)

# What the provider is asked or told of as the client's supplier, whoever may see the people there.
ABOUT_SEATS = frozenset({AttentionKind.SEATS_FULL, AttentionKind.SEATS_ASKED})
