"""What ends, in words: as the head of a row, as a sentence, and as a place that helps."""

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.domain.attention import AttentionKind
from portal.domain.emails import shown
from portal.domain.errors import N_
from portal.domain.names import squeeze

_KINDS = {
    AttentionKind.INVITED: N_("Invitations"),
    AttentionKind.CERTIFICATE: N_("Certificates"),
    AttentionKind.CLIENT_SECRET: N_("Client secrets"),
    AttentionKind.DOMAIN_CHECK: N_("Domain checks"),
    AttentionKind.TRIAL: N_("Trials"),
    AttentionKind.GRANT: N_("Access of people"),
    AttentionKind.DEVIATION: N_("Accepted deviations"),
}
_THINGS = {
    AttentionKind.INVITED: N_("Invitation of %(label)s"),
    AttentionKind.CERTIFICATE: N_("Certificate %(label)s"),
    AttentionKind.CLIENT_SECRET: N_("Client secret %(label)s"),
    AttentionKind.DOMAIN_CHECK: N_("Domain check of %(label)s"),
    AttentionKind.TRIAL: N_("Trial"),
    AttentionKind.GRANT: N_("Access of %(label)s"),
    AttentionKind.DEVIATION: N_("Accepted deviation %(label)s"),
}
# For calendars and mails; the label of a row fills the place.
ENDS = {
    AttentionKind.INVITED: N_("The invitation of %(label)s ends"),
    AttentionKind.CERTIFICATE: N_("The certificate %(label)s expires"),
    AttentionKind.CLIENT_SECRET: N_("The client secret %(label)s expires"),
    AttentionKind.DOMAIN_CHECK: N_("The domain check of %(label)s ends"),
    AttentionKind.TRIAL: N_("The trial ends"),
    AttentionKind.GRANT: N_("The access of %(label)s ends"),
    AttentionKind.DEVIATION: N_("The deviation %(label)s is accepted no longer"),
}


def kind_label(kind: AttentionKind) -> str:
    """The kind as a filter calls it."""
    return str(_(_KINDS[kind]))


def thing(kind: AttentionKind, label: str) -> str:
    """What a row is about."""
    return _filled(_THINGS[kind], label)


def ends(kind: AttentionKind, label: str) -> str:
    """A sentence for calendars and mails."""
    return _filled(ENDS[kind], label)


def _filled(sentence: str, label: str) -> str:
    return str(_(sentence, label=shown(squeeze(label))))


def distance(days: int, *, is_over: bool) -> str:
    """How far away, in days of the reader's calendar."""
    if is_over:
        return _over(-days)
    if days == 0:
        return str(_("today"))
    if days == 1:
        return str(_("tomorrow"))
    text: str = ngettext("in %(count)s day", "in %(count)s days", days, count=days)
    return text


def _over(days: int) -> str:
    if days <= 0:
        return str(_("ended today"))
    if days == 1:
        return str(_("ended yesterday"))
    text: str = ngettext("ended %(count)s day ago", "ended %(count)s days ago", days, count=days)
    return text
