"""What another plan does to a client's policies, in sentences."""

from collections.abc import Iterable, Iterator

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.domain.policies import PolicyKind
from portal.policies.returning import Return
from portal.web.formats import number


def plan_words(found: Return) -> list[str]:
    """Which policies stop holding with the plan, hold again, or come back off, and why."""
    return [str(text) for text in _sentences(found)]


def labels(kinds: Iterable[PolicyKind]) -> str:
    """Their names, in the reader's language."""
    return ", ".join(_(kind.label) for kind in kinds)


def _sentences(found: Return) -> Iterator[str]:
    if found.stop:
        yield _(
            "These policies stay stored and hold no longer: %(policies)s.",
            policies=labels(found.stop),
        )
    if found.again:
        yield _("These policies hold again: %(policies)s.", policies=labels(found.again))
    if found.without_factor:
        yield ngettext(
            "%(count)s member has no second factor, and sets one up before going on.",
            "%(count)s members have no second factor, and set one up before going on.",
            found.without_factor,
            count=number(found.without_factor),
        )
    if found.off:
        yield _("These policies come back turned off: %(policies)s.", policies=labels(found.off))
        yield ngettext(
            "%(count)s member belongs to another organization by now, and no change of plan takes "
            "access away. Turning on Single organization again names them first.",
            "%(count)s members belong to another organization by now, and no change of plan takes "
            "access away. Turning on Single organization again names them first.",
            found.elsewhere,
            count=number(found.elsewhere),
        )


def off_notice(kinds: Iterable[PolicyKind]) -> str:
    """What somebody reads after the change, of what is off now."""
    text = _("These policies came back turned off: %(policies)s.", policies=labels(kinds))
    return str(text)
